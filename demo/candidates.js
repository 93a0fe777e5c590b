// Candidates for a grid, and how good each is: a port of recaptcha/candidates.py, where every step is explained.
// Numbers are Python's, and so are most names, so that both can be read side by side. A candidate is {score, n, pitch,
// gutter, x, y}.
import { clip, edgeMap, mean, meanRows, plain, plane, range, rint, standOut, sum, widen } from "./lines.js";
import {
  ACROSS,
  ALONG,
  ASIDE,
  BANDS,
  BEYOND,
  DOWN,
  GUTTERS,
  INSIDE,
  KEPT,
  LEAST,
  SMALLEST,
  SURE,
  TEXTURE,
  WEIGHTS,
} from "./numbers.js";

/** Sums of grey and of its square over everything above and left of a pixel. */
function greySums({ width, height, data }) {
  const one = new Float64Array((width + 1) * (height + 1));
  const two = new Float64Array(one.length);
  for (let y = 0; y < height; y++) {
    let row = 0;
    let rowOfSquares = 0;
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const grey = (data[at] + data[at + 1] + data[at + 2]) / 3;
      const to = (y + 1) * (width + 1) + x + 1;
      one[to] = one[to - width - 1] + (row += grey);
      two[to] = two[to - width - 1] + (rowOfSquares += grey * grey);
    }
  }
  return { width, height, one, two };
}

/** What the search knows of a small picture. */
export function viewOf(small) {
  return {
    small,
    width: small.width,
    height: small.height,
    across: edgeMap(plane(small, false)),
    down: edgeMap(plane(small, true)),
    sums: greySums(small),
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
function withGutter(view, q, n, gutter) {
  const { width: W, height: H } = view;
  const least = Math.max(SMALLEST, (LEAST * Math.max(H, W)) / n);
  const pitches = range(least, (Math.min(H, W) / n) * BEYOND + 0.5);
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

/** Grids that are worth a closer look. */
export function propose(view) {
  const profiles = BANDS.map((band) => bandOf(view, band));
  const found = profiles.flatMap((q) =>
    [3, 4].flatMap((n) => GUTTERS.flatMap((gutter) => withGutter(view, q, n, gutter))),
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

/** How many of the n-1 lines between columns of tiles are of one colour along the whole grid. */
function gutters(small, transposed, x, y, n, pitch, G) {
  const strip = plane(small, transposed, Math.max(0, rint(y)), rint(y + n * pitch - G));
  const { data, length, across, step, jump, start } = strip;
  const columns = range(1, n).flatMap((k) =>
    [-1, 0, 1].map((aside) => clip(rint(x + k * pitch - G / 2) + aside, 0, length - 1)),
  );
  const rows = range(0, across).map((row) => {
    const line = new Uint8Array(3 * columns.length);
    columns.forEach((column, i) => {
      for (let c = 0; c < 3; c++) line[3 * i + c] = data[start + row * jump + column * step + c];
    });
    return line;
  });
  const found = plain(rows, 1);
  return sum(range(0, n - 1).map((k) => Math.max(...found.slice(3 * k, 3 * k + 3), 0)));
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

/** How many tiles have no texture. */
function blankOf({ width: W, height: H, one, two }, n, pitch, x, y) {
  const places = (first, share, most) =>
    range(0, n).map((k) => clip(Math.trunc(first + (k + share) * pitch), 0, most));
  const [lefts, rights] = INSIDE.map((share) => places(x, share, W));
  const [tops, bottoms] = INSIDE.map((share) => places(y, share, H));
  const meanIn = (s, l, r, t, b) =>
    (s[b * (W + 1) + r] - s[t * (W + 1) + r] - s[b * (W + 1) + l] + s[t * (W + 1) + l]) /
    Math.max((r - l) * (b - t), 1);
  const blank = (i, j) => {
    const box = [lefts[i], rights[i], tops[j], bottoms[j]];
    return meanIn(two, ...box) - meanIn(one, ...box) ** 2 < TEXTURE;
  };
  return sum(range(0, n).map((j) => range(0, n).filter((i) => blank(i, j)).length));
}

/** The candidate at its exact place, with its score. */
export function judge(view, candidate) {
  const { n, pitch } = candidate;
  const gutter = rint(candidate.gutter * pitch);
  const { five: across, place: x } = axisOf(view.across, n, pitch, gutter, candidate.x, candidate.y);
  const { five: down, place: y } = axisOf(view.down, n, pitch, gutter, candidate.y, candidate.x);
  const lines = gutters(view.small, false, x, y, n, pitch, gutter) + gutters(view.small, true, y, x, n, pitch, gutter);
  const size = Math.log((n * pitch) / Math.max(view.height, view.width));
  const five = across.map((value, i) => value + down[i]);
  const values = [...five, n === 4, blankOf(view.sums, n, pitch, x, y), candidate.gutter > 0, size, lines];
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

/** The best candidate, null where no grid is sure; `wanted` is 3 or 4 where that is known. */
export function search(view, wanted = null) {
  const judged = (candidates) =>
    candidates.filter(({ n }) => wanted === null || n === wanted).map((one) => judge(view, one));
  let found = judged(propose(view)).sort(descending).slice(0, 4);
  let best = { score: 0, n: 0, pitch: 0, gutter: 0, x: 0, y: 0 };
  for (;;) {
    const [top] = [...found].sort(descending);
    if (!top || descending(top, best) >= 0) break;
    best = top;
    found = found.slice(0, 3).flatMap((one) => judged(neighbours(view, one)));
  }
  return best.score >= SURE ? best : null;
}
