// Finds the tiles of a challenge in a picture of it: a port of recaptcha/grid.py, where every step is explained. A
// picture is {width, height, data}, four bytes a pixel; a grid is {n, x, y, width, height, pitch, score}: `n` tiles a
// side, the first at x and y, each of this width and height, the next a pitch further.
import { search, viewOf } from "./candidates.js";
import { edgeMap, mean, meanRows, plane, range, rint, standOut } from "./lines.js";
import { measure } from "./measure.js";
import { CLEAR, COARSE, FINE, PAYLOAD, SEAMS, SQUARE, TINY } from "./numbers.js";
import { shrink } from "./picture.js";

/** Of tiles as high as they are wide. */
const squareGrid = (n, x, y, side, pitch, score) => ({ n, x, y, width: side, height: side, pitch, score });

/** One tile: all of a picture. */
export function oneTile({ width, height }) {
  return { n: 1, x: 0, y: 0, width, height, pitch: Math.max(width, height), score: 0 };
}

/** The grid of `picture`, null where there is none; `wanted` is 3 or 4 where that is known. */
export function findGrid(picture, wanted = null) {
  const full = shrink(picture, FINE);
  const small = shrink(full, COARSE);
  if (Math.min(small.width, small.height) < TINY) return null;
  const best = search(viewOf(small), wanted);
  if (!best) return null;
  const scale = full.width / small.width;
  const { x, y, pitch, gutter } = measure(full, best.n, best.pitch * scale, best.x * scale, best.y * scale, scale);
  const f = picture.width / full.width;
  return squareGrid(best.n, x * f, y * f, (pitch - gutter) * f, pitch * f, best.score);
}

/**
 * How far the lines between n columns of equal width stand out, in each of n rows; `transposed` swaps columns and
 * rows.
 */
function between(picture, transposed, n) {
  const E = edgeMap(plane(picture, transposed));
  const row = (j) => rint((j * E.length) / n);
  return range(0, n).flatMap((j) => {
    const q = standOut(meanRows(E, row(j), row(j + 1)));
    return range(1, n)
      .map((k) => rint((k * (q.length - 1)) / n))
      .map((line) => Math.max(...q.slice(line - 1, line + 2)));
  });
}

export const seams = (picture, n) => mean([...between(picture, false, n), ...between(picture, true, n)]);

/** A grid over the whole of a square picture, null where it is none, or of no payload's size and `wanted` is null. */
export function cutEvenly(picture, wanted = null) {
  const { width, height } = picture;
  const side = Math.min(width, height);
  if (wanted !== null) {
    const square = side >= wanted && Math.max(width, height) <= SQUARE * side;
    return square ? squareGrid(wanted, 0, 0, side / wanted, side / wanted, 0) : null;
  }
  if (width !== height || !PAYLOAD.includes(side)) return null;
  return cutEvenly(picture, seams(picture, 3) >= SEAMS ? 3 : 4);
}

/**
 * The grid that is found; or the whole picture, cut evenly, where that is all challenge and no grid is clear to see;
 * or null.
 */
export function tilesOf(picture, wanted = null) {
  const found = findGrid(picture, wanted);
  return found && found.score >= CLEAR ? found : (cutEvenly(picture, wanted) ?? found);
}
