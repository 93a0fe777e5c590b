// Where the tiles are, and their pixels: as `locate` and `Grid` of recaptcha/grid.py say.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { apart, golden, picture, script } from "./kit.mjs";

const { boxesOf, cutTiles, locateAll, photographOf } = await script("challenge.js");
const { seams } = await script("grid.js");
const { PictureError } = await script("picture.js");

const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

function answer(image, choice) {
  try {
    const [grid, ...others] = locateAll(image, choice);
    const { bytes, shape } = cutTiles(image, grid);
    const { bytes: joined, shape: size } = photographOf(image, grid);
    return {
      boxes: boxesOf(grid, image),
      confidence: grid.confidence,
      others: others.map((other) => boxesOf(other, image)),
      shape,
      sha256: digest(bytes),
      photograph: [size, digest(joined)],
    };
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    return { error: error.word };
  }
}

let same = 0;
let total = 0;
for (const { about, picture: file, choice, error, ...theirs } of golden.grids) {
  test(`${about}, tiles: ${choice}`, () => {
    const { error: word, ...here } = answer(picture(file), choice);
    assert.equal(word, error);
    if (error) return;
    assert.ok(apart(here.boxes, theirs.boxes) <= 1, `${JSON.stringify(here.boxes)}: ${JSON.stringify(theirs.boxes)}`);
    assert.ok(apart(here.others, theirs.others) <= 1, `${JSON.stringify(here.others)}`);
    assert.ok(Math.abs(here.confidence - theirs.confidence) < 0.02, `${here.confidence} is not ${theirs.confidence}`);
    total += 1;
    if (apart(here.boxes, theirs.boxes)) return; // a pixel aside: rounded another way
    same += 1;
    const pixels = ({ shape, sha256, photograph }) => ({ shape, sha256, photograph });
    assert.deepEqual(pixels(here), pixels(theirs));
  });
}

test("the photograph that a 4×4 is cut from", () => {
  for (const { picture: file, grid, shape, sha256 } of golden.photographs) {
    const here = photographOf(picture(file), grid);
    assert.deepEqual([here.shape, digest(here.bytes)], [shape, sha256], JSON.stringify(grid));
  }
});

test("how far lines between even tiles stand out", () => {
  for (const { picture: file, n, seams: theirs } of golden.seams) {
    assert.ok(Math.abs(seams(picture(file), n) - theirs) < 1e-3, `${file.width} pixels, ${n}×${n}`);
  }
});

test("nearly all grids are the same to the pixel", () => assert.ok(same >= 0.9 * total, `${same} of ${total}`));
