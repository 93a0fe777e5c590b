// Where the tiles of a picture are, and their pixels: `locate` and `cut_tiles` of recaptcha/challenge.py, ported.
import { tilesOf } from "./grid.js";
import { clip, range, rint } from "./lines.js";
import { PictureError } from "./picture.js";

/** The tiles' places as [left, top, right, bottom], row by row; one tile is the whole picture. */
export function boxesOf({ n, x, y, size, pitch }, { width, height }) {
  if (n === 1) return [[0, 0, width, height]];
  const side = Math.max(1, rint(size));
  return range(0, n * n)
    .map((k) => [rint(x + (k % n) * pitch), rint(y + Math.floor(k / n) * pitch)])
    .map(([left, top]) => [left, top, left + side, top + side]);
}

/**
 * Found; or the whole of a picture that is all challenge, cut evenly into as many tiles as the reader says ("3" or
 * "4"); or one tile ("1").
 */
export function locate(picture, choice) {
  const side = Math.min(picture.width, picture.height);
  if (choice === "1") return { n: 1, x: 0, y: 0, size: side, pitch: side };
  const n = choice === "auto" ? null : Number(choice);
  const found = tilesOf(picture, n);
  if (found) return found;
  throw n ? new PictureError("no_such_grid", `${n}×${n}`) : new PictureError("no_grid");
}

/** The tiles as the network takes them: bytes, three a pixel, and the shape. */
export function cutTiles(picture, grid) {
  const { width, height, data } = picture;
  const boxes = boxesOf(grid, picture);
  const one = grid.n === 1;
  const side = Math.min(boxes[0][2] - boxes[0][0], width, height);
  const [w, h] = one ? [width, height] : [side, side];
  const bytes = new Uint8Array(3 * boxes.length * w * h);
  let to = 0;
  for (const [left, top] of boxes) {
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
  return { bytes, shape: [boxes.length, h, w, 3] };
}
