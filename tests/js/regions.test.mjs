// Where a challenge may be: as recaptcha/regions.py says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { golden, picture, script } from "./kit.mjs";

const { greyOf, regions, squares } = await script("regions.js");

for (const { about, picture: file, squares: busiest, regions: around } of golden.regions) {
  test(`regions of ${about}`, () => {
    const small = picture(file);
    assert.deepEqual(squares(greyOf(small), small.width, small.height), busiest);
    assert.deepEqual(regions(small), around);
  });
}
