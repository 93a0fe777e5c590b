// Where on a map the network is surest, and in which of the tiles that it covers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./kit.mjs";

const { surest } = await script("map.js");
const mapWith = (places, at) => Array.from({ length: places ** 2 }, (_, place) => (place === at ? 0.9 : 0.1));

for (const [places, tiles, row, column, number] of [
  [14, 1, 13, 13, 1],
  [16, 4, 0, 3, 1],
  [16, 4, 0, 4, 2],
  [16, 4, 15, 0, 13],
  [18, 4, 5, 17, 8], // squares of four and a half places: as `square_ids` of recaptcha/places.py shares them out
]) {
  test(`place ${row}, ${column} of ${places}×${places} lies in tile ${number} of ${tiles}×${tiles}`, () => {
    assert.deepEqual(surest(mapWith(places, row * places + column), tiles), { probability: 0.9, number });
  });
}
