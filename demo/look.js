// Where the network looks: a tile with one patch after another covered, and a map of how much the probability falls.

const PATCHES = 5; // a side
const AT_ONCE = 5; // in one call of the network
const MANY = 500_000; // pixels of a tile, beyond which one at a time is enough
const COVER = 118; // the grey that patches are covered with

/** The k-th tile many times, each time with another patch covered, as the network takes them. */
export function* covered({ bytes, shape: [, height, width] }, k) {
  const size = 3 * height * width;
  const tile = bytes.subarray(k * size, (k + 1) * size);
  const edge = (length, i) => Math.round((i * length) / PATCHES);
  const count = height * width > MANY ? 1 : AT_ONCE;
  for (let first = 0; first < PATCHES ** 2; first += count) {
    const batch = new Uint8Array(count * size);
    for (let i = 0; i < count; i++) {
      const copy = batch.subarray(i * size, (i + 1) * size);
      const row = Math.floor((first + i) / PATCHES);
      const column = (first + i) % PATCHES;
      copy.set(tile);
      for (let y = edge(height, row); y < edge(height, row + 1); y++) {
        copy.fill(COVER, 3 * (y * width + edge(width, column)), 3 * (y * width + edge(width, column + 1)));
      }
    }
    yield { bytes: batch, shape: [count, height, width, 3] };
  }
}

/** Lays a map over the tile's item: the more the probability falls, the stronger the colour. */
export function drawFall(item, falls) {
  item.querySelector("canvas")?.remove();
  const map = Object.assign(document.createElement("canvas"), { width: PATCHES, height: PATCHES });
  const most = Math.max(0.02, ...falls);
  const colours = new ImageData(PATCHES, PATCHES);
  falls.forEach((fall, i) => colours.data.set([255, 214, 0, (190 * Math.max(0, fall)) / most], 4 * i));
  map.getContext("2d").putImageData(colours, 0, 0);
  map.setAttribute("aria-hidden", "true");
  item.prepend(map);
}
