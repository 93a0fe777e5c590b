// Pictures are made smaller as Pillow does it, to the last bit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { golden, picture, script } from "./kit.mjs";

const { shrink } = await script("picture.js");

for (const { picture: file, side, small } of golden.shrunk) {
  test(`${file.width}×${file.height} to ${side}`, () => {
    const here = shrink(picture(file), side);
    const theirs = picture(small);
    assert.deepEqual([here.width, here.height], [theirs.width, theirs.height]);
    assert.deepEqual(here.data, theirs.data);
  });
}
