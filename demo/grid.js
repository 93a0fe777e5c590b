// Finds the tiles of a challenge in a picture of it: a port of recaptcha/grid.py, where every step is explained. A
// picture is {width, height, data}, four bytes a pixel; a grid is {n, x, y, width, height, pitch, score}: `n` tiles a
// side, the first at x and y, each of this width and height, the next a pitch further.
import { search, viewOf, wholeOf } from "./candidates.js";
import { edgeMap, mean, meanRows, plane, range, rint, standOut } from "./lines.js";
import { measure } from "./measure.js";
import {
  COARSE,
  FINE,
  LEAST,
  MORE,
  PAYLOAD,
  RATIOS,
  SEAMS,
  SQUARE,
  STEEP,
  SURE_GRID,
  SURELY,
  TINY,
  WITHIN,
} from "./numbers.js";
import { crop, shrink } from "./picture.js";
import { regions } from "./regions.js";

/** Of tiles as high as they are wide. */
const squareGrid = (n, x, y, side, pitch, score, confidence) => ({
  n,
  x,
  y,
  width: side,
  height: side,
  pitch,
  score,
  confidence,
});

/** One tile: all of a picture. */
export function oneTile({ width, height }) {
  return { n: 1, x: 0, y: 0, width, height, pitch: Math.max(width, height), score: 0, confidence: 1 };
}

/** Do two grids share a part of the picture? */
function overlap(a, b) {
  const [reach, other] = [a.n * a.pitch, b.n * b.pitch];
  return a.x < b.x + other && b.x < a.x + reach && a.y < b.y + other && b.y < a.y + reach;
}

/** Probability that a found grid is the right one. */
const surely = (score, lead) => 1 / (1 + Math.exp(-(SURELY.score * score + SURELY.lead * lead + SURELY.bias)));

/** A box of the small picture, in the full one. */
function enlarged(box, small, full) {
  const f = full.width / small.width;
  const [left, top, right, bottom] = box.map((value) => rint(value * f));
  if (box[2] === small.width && box[3] === small.height) return [left, top, full.width, full.height];
  return [left, top, Math.min(right, full.width), Math.min(bottom, full.height)];
}

/** A part of the picture with a tile more on each side, where the lines of a 3×3 go on there; else null. */
function widerOf(full, box, best, scale) {
  const more = rint(MORE * best.pitch * scale);
  const [left, top, right, bottom] = box;
  const wide = [
    Math.max(0, left - more),
    Math.max(0, top - more),
    Math.min(full.width, right + more),
    Math.min(full.height, bottom + more),
  ];
  if (best.n !== 3 || wide.every((value, i) => value === box[i])) return null;
  const part = crop(full, wide);
  const small = shrink(part, COARSE);
  const f = small.width / part.width;
  const [x, y] = [left - wide[0] + best.x * scale, top - wide[1] + best.y * scale];
  const moved = { ...best, pitch: best.pitch * scale * f, x: x * f, y: y * f };
  return wholeOf(viewOf(small), moved).n === 4 ? wide : null;
}

/** The grid in a part of a picture, null where there is none. */
function within(full, box, wanted, least) {
  const part = crop(full, box);
  const small = shrink(part, COARSE);
  if (Math.min(small.width, small.height) < TINY) return null;
  const found = search(viewOf(small), wanted, least);
  if (!found) return null;
  const { best, lead } = found;
  const scale = part.width / small.width;
  const wide = wanted === null ? widerOf(full, box, best, scale) : null;
  if (wide) return within(full, wide, wanted, LEAST);
  const [left, top] = [box[0] + best.x * scale, box[1] + best.y * scale];
  const { x, y, pitch, gutter } = measure(full, best.n, best.pitch * scale, left, top, scale);
  return squareGrid(best.n, x, y, pitch - gutter, pitch, best.score, surely(best.score, lead));
}

/** The grid in a picture that is `f` times as large. */
function larger({ n, x, y, width, height, pitch, score, confidence }, f) {
  return { n, x: x * f, y: y * f, width: width * f, height: height * f, pitch: pitch * f, score, confidence };
}

/** The grids of `picture`, none of which overlap, the most confident first; `wanted` is 3 or 4 where that is known. */
export function findGrids(picture, wanted = null) {
  const full = shrink(picture, FINE);
  const small = shrink(full, COARSE);
  if (Math.min(small.width, small.height) < TINY) return [];
  const whole = [0, 0, full.width, full.height];
  const isWhole = (box) => box.every((value, i) => value === whole[i]);
  const boxes = regions(small).map((box) => enlarged(box, small, full));
  const found = boxes.map((box) => within(full, box, wanted, isWhole(box) ? LEAST : WITHIN));
  if (!boxes.some(isWhole) && !found.some((grid) => grid && grid.confidence >= SURE_GRID))
    found.push(within(full, whole, wanted, LEAST));
  const kept = [];
  for (const grid of found.filter(Boolean).sort((a, b) => b.confidence - a.confidence))
    if (!kept.some((other) => overlap(grid, other))) kept.push(grid);
  return kept.map((grid) => larger(grid, picture.width / full.width));
}

/** The first of `findGrids`, null where there is none. */
export const findGrid = (picture, wanted = null) => findGrids(picture, wanted)[0] ?? null;

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

/** Is it what reCAPTCHA delivers, at some ratio of pixels, but for a pixel or two? */
function isPayload({ width, height }) {
  const near = (side) => Math.max(Math.abs(width - side), Math.abs(height - side)) <= 2;
  return PAYLOAD.some((side) => RATIOS.some((ratio) => near(side * ratio)));
}

/** A grid over the whole of a square picture, null where it is none, or of no payload's size and `wanted` is null. */
export function cutEvenly(picture, wanted = null) {
  const { width, height } = picture;
  const side = Math.min(width, height);
  const even = (n, confidence) => squareGrid(n, 0, 0, side / n, side / n, 0, confidence);
  if (wanted !== null) return side >= wanted && Math.max(width, height) <= SQUARE * side ? even(wanted, 1) : null;
  if (!isPayload(picture)) return null;
  const three = 1 / (1 + Math.exp(STEEP * (SEAMS - seams(shrink(picture, Math.max(...PAYLOAD)), 3))));
  return even(three >= 0.5 ? 3 : 4, Math.max(three, 1 - three));
}

/**
 * The grids that are found; or the whole picture, cut evenly, where that is all challenge and no grid is sure; the most
 * confident first.
 */
export function gridsOf(picture, wanted = null) {
  const even = cutEvenly(picture, wanted);
  if (even && wanted === null && even.n === 3) return [even];
  const found = findGrids(picture, wanted);
  if (even && !(found.length && found[0].confidence >= SURE_GRID)) return [even];
  return [...found.slice(0, 1), ...found.slice(1).filter((grid) => grid.confidence >= SURE_GRID)];
}
