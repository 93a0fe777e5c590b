// Where the tiles of a picture are, and their pixels: `locate` and `Grid` of recaptcha/grid.py, ported.
import { gridsOf, oneTile } from "./grid.js";
import { clip, range, rint } from "./lines.js";
import { PictureError } from "./picture.js";

/** The tiles' width and height, and left and top of each, row by row, in whole pixels. */
function placesOf({ n, x, y, width, height, pitch }) {
  const places = range(0, n * n).map((k) => [rint(x + (k % n) * pitch), rint(y + Math.floor(k / n) * pitch)]);
  return { w: Math.max(1, rint(width)), h: Math.max(1, rint(height)), places };
}

/** The tiles' places as [left, top, right, bottom], row by row, none of them beyond the picture. */
export function boxesOf(grid, { width, height }) {
  const { w, h, places } = placesOf(grid);
  return places.map(([left, top]) => [
    Math.max(0, left),
    Math.max(0, top),
    Math.min(width, left + w),
    Math.min(height, top + h),
  ]);
}

/**
 * Each challenge's grid, the most confident first: found; or the whole of a picture that is all challenge, cut evenly
 * into as many tiles as the reader says ("3" or "4"); or one tile ("1").
 */
export function locateAll(picture, choice) {
  if (choice === "1") return [oneTile(picture)];
  const n = choice === "auto" ? null : Number(choice);
  const found = gridsOf(picture, n);
  if (found.length) return found;
  throw n ? new PictureError("no_such_grid", `${n}×${n}`) : new PictureError("no_grid");
}

/** The first of `locateAll`. */
export const locate = (picture, choice) => locateAll(picture, choice)[0];

/** The tiles as the network takes them: bytes, three a pixel, and the shape. */
export function cutTiles(picture, grid) {
  const { width, height, data } = picture;
  const { places, ...tile } = placesOf(grid);
  const [w, h] = [Math.min(tile.w, width), Math.min(tile.h, height)];
  const bytes = new Uint8Array(3 * places.length * w * h);
  let to = 0;
  for (const [left, top] of places) {
    const x = clip(left, 0, width - w);
    const y = clip(top, 0, height - h);
    for (let row = y; row < y + h; row++) {
      for (let at = 4 * (row * width + x), end = at + 4 * w; at < end; at += 4) {
        bytes[to++] = data[at];
        bytes[to++] = data[at + 1];
        bytes[to++] = data[at + 2];
      }
    }
  }
  return { bytes, shape: [places.length, h, w, 3] };
}

/** The tiles joined without gutters, as the photograph that sixteen squares are cut from: bytes, and the shape. */
export function photographOf(picture, grid) {
  const { width, height } = picture;
  const reach = grid.n * grid.pitch;
  if (rint(grid.pitch - grid.width) > 0) return joined(cutTiles(picture, grid), grid.n);
  const [left, top] = [Math.max(0, rint(grid.x)), Math.max(0, rint(grid.y))];
  const [right, bottom] = [Math.min(width, rint(grid.x + reach)), Math.min(height, rint(grid.y + reach))];
  const one = { n: 1, x: left, y: top, width: right - left, height: bottom - top, pitch: 1 };
  const { bytes, shape } = cutTiles(picture, one);
  return { bytes, shape: shape.slice(1) };
}

/** n×n tiles side by side. */
function joined({ bytes, shape: [, h, w] }, n) {
  const out = new Uint8Array(bytes.length);
  const line = 3 * w;
  for (let k = 0, from = 0; k < n * n; k++) {
    const [row, column] = [Math.floor(k / n), k % n];
    for (let y = 0; y < h; y++, from += line)
      out.set(bytes.subarray(from, from + line), ((row * h + y) * n + column) * line);
  }
  return { bytes: out, shape: [n * h, n * w, 3] };
}
