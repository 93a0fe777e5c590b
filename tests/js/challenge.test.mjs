// Where the tiles are, and their pixels: as `locate` and `Grid` of recaptcha/grid.py say.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { apart, golden, picture, script } from "./kit.mjs";

const { boxesOf, cutTiles, locate } = await script("challenge.js");
const { seams } = await script("grid.js");
const { PictureError } = await script("picture.js");

function answer(image, choice) {
  try {
    const grid = locate(image, choice);
    const { bytes, shape } = cutTiles(image, grid);
    return { boxes: boxesOf(grid, image), shape, sha256: createHash("sha256").update(bytes).digest("hex") };
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    return { error: error.word };
  }
}

let same = 0;
let total = 0;
for (const { about, picture: file, choice, error, boxes, shape, sha256 } of golden.grids) {
  test(`${about}, tiles: ${choice}`, () => {
    const here = answer(picture(file), choice);
    assert.equal(here.error, error);
    if (error) return;
    assert.ok(apart(here.boxes, boxes) <= 1, `${JSON.stringify(here.boxes)} is not ${JSON.stringify(boxes)}`);
    total += 1;
    if (apart(here.boxes, boxes)) return; // a pixel aside: rounded another way
    same += 1;
    assert.deepEqual([here.shape, here.sha256], [shape, sha256]);
  });
}

test("how far lines between even tiles stand out", () => {
  for (const { picture: file, n, seams: theirs } of golden.seams) {
    assert.ok(Math.abs(seams(picture(file), n) - theirs) < 1e-3, `${file.width} pixels, ${n}×${n}`);
  }
});

test("nearly all grids are the same to the pixel", () => assert.ok(same >= 0.9 * total, `${same} of ${total}`));
