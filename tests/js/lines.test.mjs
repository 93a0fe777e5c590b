// Lines between columns: as the functions of recaptcha/lines.py see them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apart, golden, picture, script } from "./kit.mjs";

const { edgeMap, plain, plane, rint, standOut, widen } = await script("lines.js");
const { edges, plain: columns, profiles, rounded } = golden.lines;

test("halves are rounded to the even neighbour", () => {
  for (const [value, whole] of rounded) assert.equal(rint(value), whole, `${value}`);
});

test("edges of pictures, along both axes", () => {
  for (const { picture: file, along, across } of edges) {
    const image = picture(file);
    assert.ok(
      apart(
        edgeMap(plane(image, false)).map((line) => [...line]),
        along,
      ) < 1e-3,
    );
    assert.ok(
      apart(
        edgeMap(plane(image, true)).map((line) => [...line]),
        across,
      ) < 1e-3,
    );
  }
});

test("columns of one colour", () => {
  for (const { picture: file, plain: theirs } of columns) {
    const { width, height, data } = picture(file);
    const rows = Array.from({ length: height }, (_, y) =>
      data.slice(4 * y * width, 4 * (y + 1) * width).filter((_level, at) => at % 4 < 3),
    );
    assert.ok(apart([...plain(rows, 1)], theirs) < 1e-6);
  }
});

test("how far lines stand out, and the best nearby", () => {
  for (const { profile, near, far, standOut: out, widened } of profiles) {
    assert.ok(apart([...standOut(Float64Array.from(profile), near, far)], out) < 1e-9);
    assert.deepEqual([...widen(Float64Array.from(profile))], widened);
  }
});
