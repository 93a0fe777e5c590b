// Squares of a picture in which a challenge may be: a port of recaptcha/regions.py, where every step is explained.
import { range, rint } from "./lines.js";
import { ADDED, BLOCK, FURTHER, MOST, PAGE, SIDE, STILL, TOUCH, WHOLE } from "./numbers.js";

/** Levels of grey. */
export function greyOf({ width, height, data }) {
  const grey = new Float32Array(width * height);
  for (let i = 0; i < grey.length; i++) grey[i] = (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3;
  return grey;
}

/** Where the pixel to the right or below differs: 1, elsewhere 0. */
export function busyOf(grey, width, height) {
  const busy = new Uint8Array(grey.length);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const right = x + 1 < width ? Math.abs(grey[i + 1] - grey[i]) : 0;
      const below = y + 1 < height ? Math.abs(grey[i + width] - grey[i]) : 0;
      busy[i] = Math.max(right, below) > STILL ? 1 : 0;
    }
  }
  return busy;
}

/** How much busier each block is than a page's: rows of shares. */
function excessOf(grey, width, height) {
  const busy = busyOf(grey, width, height);
  const [columns, rows] = [Math.floor(width / BLOCK), Math.floor(height / BLOCK)];
  const excess = range(0, rows).map(() => new Float64Array(columns));
  for (let y = 0; y < rows * BLOCK; y++)
    for (let x = 0; x < columns * BLOCK; x++)
      excess[Math.floor(y / BLOCK)][Math.floor(x / BLOCK)] += busy[y * width + x] / BLOCK ** 2;
  for (const row of excess) for (let x = 0; x < columns; x++) row[x] -= PAGE;
  return excess;
}

/** Sums over everything above and left of a block. */
function sumsOf(excess) {
  const columns = excess[0]?.length ?? 0;
  const sums = [new Float64Array(columns + 1)];
  for (const row of excess) {
    const above = sums[sums.length - 1];
    const here = new Float64Array(columns + 1);
    let total = 0;
    for (let x = 0; x < columns; x++) here[x + 1] = above[x + 1] + (total += row[x]);
    sums.push(here);
  }
  return sums;
}

/** The square with the largest sum, in blocks, and that. */
function busiest(excess) {
  const sums = sumsOf(excess);
  const [rows, columns] = [excess.length, excess[0]?.length ?? 0];
  let best = { total: 0, left: 0, top: 0, side: 0 };
  for (let side = SIDE; side <= Math.min(rows, columns); side++) {
    for (let top = 0; top + side <= rows; top++) {
      const [high, low] = [sums[top], sums[top + side]];
      for (let left = 0; left + side <= columns; left++) {
        const total = low[left + side] - high[left + side] - low[left] + high[left];
        if (total > best.total) best = { total, left, top, side };
      }
    }
  }
  return best;
}

/** Squares that are busier than a page, [left, top, side] in pixels, the busiest first. */
export function squares(grey, width, height) {
  const excess = excessOf(grey, width, height);
  const found = [];
  let least = 0;
  for (let i = 0; i < MOST; i++) {
    const { total, left, top, side } = busiest(excess);
    if (total <= least) break;
    if (!found.length) least = FURTHER * total;
    found.push([left * BLOCK, top * BLOCK, side * BLOCK]);
    for (let y = top; y < top + side; y++) excess[y].fill(-PAGE, left, left + side);
  }
  return found;
}

const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
const both = (a, b) => [...[0, 1].map((i) => Math.min(a[i], b[i])), ...[2, 3].map((i) => Math.max(a[i], b[i]))];

/** Boxes, those that overlap as one around both. */
function merged(boxes) {
  const found = [];
  for (const one of boxes) {
    let box = one;
    const near = () => found.findIndex((other) => overlap(box, other));
    for (let at = near(); at >= 0; at = near()) box = both(box, found.splice(at, 1)[0]);
    found.push(box);
  }
  return found;
}

/** A box with a share of its shorter side added on each, none of it beyond the picture. */
function around([left, top, right, bottom], share, width, height) {
  const more = rint(share * Math.min(right - left, bottom - top));
  const [low, high] = [left, top].map((value) => Math.max(0, value - more));
  return [low, high, Math.min(width, right + more), Math.min(height, bottom + more)];
}

/** What is around the squares, [left, top, right, bottom]; or the whole picture, where that is hardly more. */
export function regions(small) {
  const { width, height } = small;
  const boxes = squares(greyOf(small), width, height).map(([left, top, side]) => [left, top, left + side, top + side]);
  const found = merged(boxes.map((box) => around(box, TOUCH, width, height))).map((box) =>
    around(box, ADDED, width, height),
  );
  const most = WHOLE * Math.max(width, height);
  const large = found.some(([left, top, right, bottom]) => Math.max(right - left, bottom - top) >= most);
  return !found.length || large ? [[0, 0, width, height]] : found;
}
