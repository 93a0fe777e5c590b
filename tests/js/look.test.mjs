// Where the network looks: each of the patches covers its part of a tile once, and nothing else is touched.
import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./kit.mjs";

const { covered } = await script("look.js");
const COVER = 118;

for (const [width, height] of [
  [50, 50],
  [13, 7],
  [900, 600],
]) {
  test(`a tile of ${width}×${height}`, () => {
    const size = 3 * width * height;
    const bytes = Uint8Array.from({ length: 2 * size }, (_, at) => (at < size ? 1 : 2 + (at % 90)));
    const times = new Uint8Array(size);
    const tile = bytes.subarray(size);
    let patches = 0;
    for (const {
      bytes: batch,
      shape: [count, h, w, colours],
    } of covered({ bytes, shape: [2, height, width, 3] }, 1)) {
      assert.deepEqual([h, w, colours, batch.length], [height, width, 3, count * size]);
      patches += count;
      for (let at = 0; at < batch.length; at++) {
        if (batch[at] === COVER) times[at % size] += 1;
        else if (batch[at] !== tile[at % size]) assert.fail(`a value at ${at} is neither the tile's nor the cover's`);
      }
    }
    assert.equal(patches, 25);
    assert.ok(
      times.every((count) => count === 1),
      "a pixel is not covered once",
    );
  });
}
