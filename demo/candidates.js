// Candidates for a grid, and how good each is: a port of recaptcha/candidates.py, where every step is explained.
// Numbers are Python's, and so are most names, so that both can be read side by side. A candidate is {score, n, pitch,
// gutter, x, y}.
import { clip, edgeMap, mean, meanRows, plain, plane, range, rint, standOut, sum, widen } from "./lines.js";
import {
  ACROSS,
  ALONG,
  APART,
  ASIDE,
  BANDS,
  BESIDE,
  BEYOND,
  CLOSER,
  DOWN,
  GOES_ON,
  GUTTERS,
  INSIDE,
  KEPT,
  LEAST,
  SMALLEST,
  SURE,
  TEXTURE,
  WEIGHTS,
} from "./numbers.js";
import { busyOf, greyOf } from "./regions.js";

/** Sums of what is `valueOf` each pixel over everything above and left of a pixel. */
function sumsOf(width, height, valueOf) {
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0, at = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++, at++) {
      const to = (y + 1) * (width + 1) + x + 1;
      sums[to] = sums[to - width - 1] + (row += valueOf(at));
    }
  }
  return sums;
}

/** What the search knows of a small picture. */
export function viewOf(small) {
  const { width, height } = small;
  const grey = greyOf(small);
  const busy = busyOf(grey, width, height);
  return {
    small,
    width,
    height,
    across: edgeMap(plane(small, false)),
    down: edgeMap(plane(small, true)),
    grey: sumsOf(width, height, (at) => grey[at]),
    squares: sumsOf(width, height, (at) => grey[at] ** 2),
    busy: sumsOf(width, height, (at) => busy[at]),
  };
}

const ORDER = ["score", "n", "pitch", "gutter", "x", "y"];

/** The better first, as Python sorts candidates in reverse. */
function descending(a, b) {
  const name = ORDER.find((one) => a[one] !== b[one]);
  return name ? b[name] - a[name] : 0;
}

/** The best places of n tiles along one axis: [score, pitch, first]. `firsts` counts whole pixels from 0. */
function lattices(q, n, pitches, firsts, gutter, most) {
  const s = new Float64Array(pitches.length * firsts).fill(-1);
  const end = q.length - 1;
  pitches.forEach((P, i) => {
    const g = rint(gutter * P);
    // Where lines fall seen from the first; halves go to the even side, and so fall otherwise where the first is odd.
    const [even, odd] = [0, 1].map((first) =>
      [0, 1].map((side) => range(0, n).map((k) => rint(first + (k + side) * P - side * g) - first)),
    );
    for (let x = 0; x < firsts && x + n * P - gutter * P <= q.length + 2; x++) {
      const [l, r] = x & 1 ? odd : even;
      const a = q[clip(x + l[0], 0, end)];
      const b = q[clip(x + r[n - 1], 0, end)];
      let total = a + b;
      let worst = Math.min(a, b);
      for (let k = 1; k < n; k++) {
        const inner = (q[clip(x + l[k], 0, end)] + q[clip(x + r[k - 1], 0, end)]) / 2;
        total += inner;
        if (inner < worst) worst = inner;
      }
      s[i * firsts + x] = total / (n + 1) + 0.5 * worst;
    }
  });
  const found = [];
  while (found.length < most) {
    let best = 0;
    for (let at = 1; at < s.length; at++) if (s[at] > s[best]) best = at;
    if (!(s[best] > 0)) break;
    const i = Math.floor(best / firsts);
    const j = best % firsts;
    found.push([s[best], pitches[i], j]);
    for (let u = Math.max(0, i - 2); u < Math.min(pitches.length, i + 3); u++)
      s.fill(-1, u * firsts + Math.max(0, j - 4), u * firsts + Math.min(firsts, j + 5));
  }
  return found;
}

/** How far the lines between columns stand out in a part of the picture's height. */
function bandOf({ across }, band) {
  const [top, bottom] = band.map((share) => Math.trunc(share * across.length));
  return widen(standOut(meanRows(across, top, Math.max(1, bottom))));
}

/** The best places along the second axis for tiles whose columns are known. */
function downFrom({ width: W, height: H, down }, n, pitch, gutter, x) {
  const left = Math.trunc(x / ALONG);
  const right = Math.max(left + 1, Math.trunc(Math.min(W, x + n * pitch) / ALONG));
  const firsts = Math.ceil(Math.max(1, H - n * pitch + gutter * pitch + 2.5));
  const pitches = [pitch - 0.5, pitch, pitch + 0.5];
  return lattices(widen(standOut(meanRows(down, left, right))), n, pitches, firsts, gutter, DOWN);
}

/** Candidates of n tiles a side and one width of gutter; `q` is of one band. */
function withGutter(view, q, n, gutter, least) {
  const { width: W, height: H } = view;
  const smallest = Math.max(SMALLEST, (least * Math.max(H, W)) / n);
  const pitches = range(smallest, (Math.min(H, W) / n) * BEYOND + 0.5);
  if (!pitches.length) return [];
  const firsts = Math.max(0, Math.ceil(W - n * pitches[0] + 0.1 * pitches[0] + 1.5));
  return lattices(q, n, pitches, firsts, gutter, ACROSS).flatMap(([s, pitch, x]) =>
    downFrom(view, n, pitch, gutter, x).map(([t, exact, y]) => ({ score: s + t, n, pitch: exact, gutter, x, y })),
  );
}

/** Are two candidates one grid, seen twice? */
function same(a, b) {
  if (a.n !== b.n || a.gutter !== b.gutter) return false;
  return Math.max(Math.abs(a.pitch - b.pitch), Math.abs(a.x - b.x), Math.abs(a.y - b.y)) < 2;
}

/** Grids that are worth a closer look; `least` is a grid's share of the view's longer side. */
export function propose(view, least = LEAST) {
  const profiles = BANDS.map((band) => bandOf(view, band));
  const found = profiles.flatMap((q) =>
    [3, 4].flatMap((n) => GUTTERS.flatMap((gutter) => withGutter(view, q, n, gutter, least))),
  );
  const best = [];
  for (const one of found.sort(descending)) if (!best.some((other) => same(one, other))) best.push(one);
  return [3, 4].flatMap((n) => best.filter((one) => one.n === n).slice(0, KEPT));
}

/** The five things that are seen of n strips across n tiles, `q` a line for each strip. */
function seenOf(q, u, pitch, G, n) {
  const end = q[0].length - 1;
  const at = (v) => clip(rint(v), 0, end);
  const lines = new Array(n - 1).fill(0);
  const strips = [];
  const l = range(0, n).map((k) => at(u + k * pitch));
  const r = range(0, n).map((k) => at(u + (k + 1) * pitch - G));
  let a = 0;
  let b = 0;
  for (const line of q) {
    let strip = 0;
    for (let k = 1; k < n; k++) {
      const inner = (line[l[k]] + line[r[k - 1]]) / 2;
      strip += inner;
      lines[k - 1] += inner / n;
    }
    strips.push(strip / (n - 1));
    a += line[l[0]] / n;
    b += line[r[n - 1]] / n;
  }
  return [mean(strips), (a + b) / 2, Math.min(...strips), Math.min(...lines), Math.min(a, b)];
}

/** The rows of a strip at some columns, three bytes a column. */
function bytesAt({ data, across, step, jump, start }, columns) {
  return range(0, across).map((row) => {
    const line = new Uint8Array(3 * columns.length);
    columns.forEach((column, i) => {
      for (let c = 0; c < 3; c++) line[3 * i + c] = data[start + row * jump + column * step + c];
    });
    return line;
  });
}

/** How many of the n-1 lines between columns of tiles are of one colour beside each tile. */
function gutters(small, transposed, x, y, n, pitch, G) {
  const { length, across } = plane(small, transposed);
  const columns = range(1, n).flatMap((k) =>
    [-1, 0, 1].map((aside) => clip(rint(x + k * pitch - G / 2) + aside, 0, length - 1)),
  );
  const strips = range(0, n).map((k) => {
    const [top, bottom] = [0, 1].map((i) => clip(rint(y + (k + i) * pitch - i * G), 0, across));
    const strip = plane(small, transposed, Math.min(top, across - 1), Math.max(top + 1, bottom));
    const found = plain(bytesAt(strip, columns), 1);
    return sum(range(0, n - 1).map((i) => Math.max(...found.slice(3 * i, 3 * i + 3), 0)));
  });
  return mean(strips);
}

/** The five numbers of one axis, and the place at which they are best, a pixel aside at most. */
function axisOf(E, n, pitch, gutter, first, other) {
  const q = range(0, n).map((k) => {
    const low = clip(rint((other + k * pitch) / ALONG), 0, E.length - 1);
    const high = clip(rint((other + (k + 1) * pitch - gutter) / ALONG), 1, E.length);
    return widen(standOut(meanRows(E, low, Math.max(low + 1, high))));
  });
  const tries = [first - 1, first, first + 1].map((place) => {
    const five = seenOf(q, place, pitch, gutter, n);
    return { five, place, total: sum(five.map((value, i) => value * ASIDE[i])) };
  });
  return tries.reduce((best, one) => (one.total > best.total ? one : best));
}

/** What is summed in a box, as a share of `area` pixels; what lies beyond the picture counts 0. */
function meanIn({ width: W, height: H }, sums, [left, top, right, bottom], area) {
  const [l, r] = [left, right].map((x) => clip(Math.trunc(x), 0, W));
  const [t, b] = [top, bottom].map((y) => clip(Math.trunc(y), 0, H) * (W + 1));
  return (sums[b + r] - sums[t + r] - sums[b + l] + sums[t + l]) / Math.max(area, 1);
}

/** How many tiles have no texture; and how busy the tiles of the calmest row or column are. */
function textureOf(view, n, pitch, x, y) {
  const k = range(0, n);
  const boxes = k.map((j) =>
    k.map((i) => {
      const [l, r] = INSIDE.map((share) => Math.trunc(x + (i + share) * pitch));
      const [t, b] = INSIDE.map((share) => Math.trunc(y + (j + share) * pitch));
      return [l, t, r, b];
    }),
  );
  const means = (sums) =>
    boxes.map((row) => row.map((box) => meanIn(view, sums, box, (box[2] - box[0]) * (box[3] - box[1]))));
  const [greys, squares, busy] = [view.grey, view.squares, view.busy].map(means);
  const blank = sum(k.map((j) => k.filter((i) => squares[j][i] - greys[j][i] ** 2 < TEXTURE).length));
  return [blank, Math.min(...busy.map(mean), ...k.map((i) => mean(busy.map((row) => row[i]))))];
}

/** How busy it is beside the grid, on the side where it is busiest; `gutter` in pixels. */
function aroundOf(view, n, pitch, gutter, x, y) {
  const side = n * pitch - gutter;
  const near = Math.max(gutter, 2) + 1;
  const thick = Math.max(2, rint(BESIDE * pitch));
  const places = [
    [x - near - thick, y, false],
    [x + side + near, y, false],
    [x, y - near - thick, true],
    [x, y + side + near, true],
  ];
  const busy = places.map(([left, top, long]) => {
    const box = [left, top, left + (long ? side : thick), top + (long ? thick : side)];
    return meanIn(view, view.busy, box, side * thick);
  });
  return Math.max(...busy);
}

/** The twelve numbers that are weighed, of a candidate at its exact place, and that place. */
function lookAt(view, candidate) {
  const { n, pitch } = candidate;
  const gutter = rint(candidate.gutter * pitch);
  const { five: across, place: x } = axisOf(view.across, n, pitch, gutter, candidate.x, candidate.y);
  const { five: down, place: y } = axisOf(view.down, n, pitch, gutter, candidate.y, candidate.x);
  const lines = gutters(view.small, false, x, y, n, pitch, gutter) + gutters(view.small, true, y, x, n, pitch, gutter);
  const size = Math.log((n * pitch) / Math.max(view.height, view.width));
  const five = across.map((value, i) => value + down[i]);
  const [blank, calm] = textureOf(view, n, pitch, x, y);
  const around = aroundOf(view, n, pitch, gutter, x, y);
  return { values: [...five, n === 4, blank, candidate.gutter > 0, size, lines, calm, around], x, y };
}

/** The candidate at its exact place, with its score. */
export function judge(view, candidate) {
  const { values, x, y } = lookAt(view, candidate);
  const score = sum(Object.values(WEIGHTS).map((weight, i) => weight * values[i]));
  return { ...candidate, score, x, y };
}

/** The same grid a row or a column aside, and of 3×3 the four of 4×4 around it. */
export function neighbours({ width, height }, { n, pitch, gutter, x, y }) {
  const aside = [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ];
  const moved = aside.map(([i, j]) => [n, x + i * pitch, y + j * pitch]);
  if (n === 3) for (const i of [0, 1]) for (const j of [0, 1]) moved.push([4, x - i * pitch, y - j * pitch]);
  const inside = ([m, u, v]) => {
    const side = (m - gutter) * pitch;
    return Math.min(u, v) > -3 && Math.max(u + side - width, v + side - height) < 2.5;
  };
  return moved
    .filter(inside)
    .map(([m, u, v]) => ({ score: 0, n: m, pitch, gutter, x: Math.max(0, u), y: Math.max(0, v) }));
}

const WORST_ROW = Object.keys(WEIGHTS).indexOf("worst_row");
const goesOn = (view, one) => one.n === 4 && lookAt(view, one).values[WORST_ROW] >= GOES_ON;

/** A 3×3 whose lines go on beyond it is a part of a 4×4: that one, or `best` itself. */
export function wholeOf(view, best) {
  if (best.n !== 3) return best;
  const around = [1, CLOSER].flatMap((f) => neighbours(view, { ...best, pitch: f * best.pitch }));
  const [whole] = around
    .filter((one) => goesOn(view, one))
    .map((one) => judge(view, one))
    .filter(({ score }) => score >= SURE)
    .sort(descending);
  return whole ?? best;
}

/**
 * The highest score of another grid, 0 where there is none; a part of a 4×4 whose lines all stand out is no other.
 */
function rivalOf(view, best, judged) {
  const aside = APART * best.pitch;
  const whole = goesOn(view, best);
  const other = (one) =>
    one.n !== best.n ||
    Math.max(Math.abs(one.x - best.x), Math.abs(one.y - best.y), Math.abs(one.pitch - best.pitch)) > aside;
  const part = ({ n, x, y, pitch }) => {
    const steps = [x - best.x, y - best.y];
    const beyond = steps.map((step) => (best.n - n) * best.pitch - step);
    return n === 3 && Math.abs(pitch - best.pitch) <= aside && Math.min(...steps, ...beyond) >= -aside;
  };
  const scores = judged.filter((one) => other(one) && !(whole && part(one))).map(({ score }) => score);
  return scores.length ? Math.max(...scores) : 0;
}

/**
 * The best candidate and its lead over the next best grid, null where no grid is sure; `wanted` is 3 or 4 where that
 * is known.
 */
export function search(view, wanted = null, least = LEAST) {
  const judgeAll = (candidates) =>
    candidates.filter(({ n }) => wanted === null || n === wanted).map((one) => judge(view, one));
  const judged = judgeAll(propose(view, least));
  let found = [...judged].sort(descending).slice(0, 4);
  let best = { score: 0, n: 0, pitch: 0, gutter: 0, x: 0, y: 0 };
  for (;;) {
    const [top] = [...found].sort(descending);
    if (!top || descending(top, best) >= 0) break;
    best = top;
    found = found.slice(0, 3).flatMap((one) => judgeAll(neighbours(view, one)));
    judged.push(...found);
  }
  if (wanted === null) best = wholeOf(view, best);
  return best.score >= SURE ? { best, lead: best.score - rivalOf(view, best, judged) } : null;
}
