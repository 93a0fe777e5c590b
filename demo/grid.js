// Finds the tiles of a challenge in a picture of it: a port of `find_grid` of recaptcha/grid.py, where every step is
// explained (notebook 06b). A picture is {width, height, data}, four bytes a pixel; names and numbers are Python's, so
// that both can be read side by side.
import { ALONG, clip, edgeMap, mean, meanRows, plain, plane, range, rint, standOut, sum, widen } from "./lines.js";
import { CLEAR, COARSE, FINE, PAYLOAD, SEAMS, SURE, WEIGHTS } from "./numbers.js";
import { measure } from "./measure.js";
import { shrink } from "./picture.js";

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

/** Largest first, as Python's sorted(…, reverse=True) of tuples. */
function descending(a, b) {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : b[at] - a[at];
}

function propose(Ex, Ey) {
  const W = Ex[0].length - 1;
  const H = Ey[0].length - 1;
  const found = [];
  for (const [top, bottom] of [
    [0, 1],
    [0, 0.5],
    [0.25, 0.75],
    [0.5, 1],
  ]) {
    const q = widen(standOut(meanRows(Ex, Math.trunc(top * Ex.length), Math.max(1, Math.trunc(bottom * Ex.length)))));
    for (const n of [3, 4]) {
      const pitches = range(Math.max(16, (0.22 * Math.max(H, W)) / n), (Math.min(H, W) / n) * 1.06 + 0.5);
      for (const g of pitches.length ? [0, 0.045, 0.085] : []) {
        for (const [s, p, x] of lattices(
          q,
          n,
          pitches,
          Math.max(0, Math.ceil(W - n * pitches[0] + 0.1 * pitches[0] + 1.5)),
          g,
          5,
        )) {
          const a = Math.trunc(x / ALONG);
          const r = widen(standOut(meanRows(Ey, a, Math.max(a + 1, Math.trunc(Math.min(W, x + n * p) / ALONG)))));
          for (const [t, better, y] of lattices(
            r,
            n,
            [p - 0.5, p, p + 0.5],
            Math.ceil(Math.max(1, H - n * p + g * p + 2.5)),
            g,
            2,
          ))
            found.push([s + t, n, better, g, x, y]);
        }
      }
    }
  }
  const best = [];
  for (const f of found.sort(descending)) {
    if (!best.some((o) => f[1] === o[1] && f[3] === o[3] && [2, 4, 5].every((i) => Math.abs(f[i] - o[i]) < 2)))
      best.push(f);
  }
  return [3, 4].flatMap((n) => best.filter((f) => f[1] === n).slice(0, 16)).map((f) => f.slice(1));
}

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
  return { W: width, H: height, one, two };
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

function judge(small, Ex, Ey, sums, n, pitch, gutter, x, y) {
  const { W, H, one, two } = sums;
  const G = rint(gutter * pitch);
  const at = [];
  let seen = [0, 0, 0, 0, 0];
  let blank = 0;
  for (const [E, u, v] of [
    [Ex, x, y],
    [Ey, y, x],
  ]) {
    const q = range(0, n).map((k) => {
      const lo = clip(rint((v + k * pitch) / ALONG), 0, E.length - 1);
      const hi = clip(rint((v + (k + 1) * pitch - G) / ALONG), 1, E.length);
      return widen(standOut(meanRows(E, lo, Math.max(lo + 1, hi))));
    });
    let best = -Infinity;
    let bestSeen;
    let bestPlace;
    for (const place of [u - 1, u, u + 1]) {
      const now = seenOf(q, place, pitch, G, n);
      const score = sum(now.map((value, i) => value * [1, 0.35, 0.5, 0.25, 0.1][i]));
      if (score > best) [best, bestSeen, bestPlace] = [score, now, place];
    }
    seen = seen.map((value, i) => value + bestSeen[i]);
    at.push(bestPlace);
  }
  const place = (origin, k, share, most) => clip(Math.trunc(origin + (k + share) * pitch), 0, most);
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      const [l, r, t, b] = [
        place(at[0], i, 0.1, W),
        place(at[0], i, 0.8, W),
        place(at[1], j, 0.1, H),
        place(at[1], j, 0.8, H),
      ];
      const inside = (s) =>
        (s[b * (W + 1) + r] - s[t * (W + 1) + r] - s[b * (W + 1) + l] + s[t * (W + 1) + l]) /
        Math.max((r - l) * (b - t), 1);
      blank += inside(two) - inside(one) ** 2 < 0.5;
    }
  }
  const white = gutters(small, false, ...at, n, pitch, G) + gutters(small, true, at[1], at[0], n, pitch, G);
  const values = [...seen, n === 4, blank, gutter > 0, Math.log((n * pitch) / Math.max(H, W)), white];
  return [sum(Object.values(WEIGHTS).map((weight, i) => weight * values[i])), n, pitch, gutter, ...at];
}

function neighbours([n, p, g, x, y], W, H) {
  const moved = [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ].map(([i, j]) => [n, x + i * p, y + j * p]);
  if (n === 3) for (const i of [0, 1]) for (const j of [0, 1]) moved.push([4, x - i * p, y - j * p]);
  return moved
    .filter(([m, u, v]) => Math.min(u, v) > -3 && Math.max(u + (m - g) * p - W, v + (m - g) * p - H) < 2.5)
    .map(([m, u, v]) => [m, p, g, Math.max(0, u), Math.max(0, v)]);
}

/**
 * The grid of `picture` as {n, x, y, size, pitch, score}, null where there is none; `wanted` is 3 or 4 where that is
 * known.
 */
export function findGrid(picture, wanted = null) {
  const full = shrink(picture, FINE);
  const small = shrink(full, COARSE);
  const { width: W, height: H } = small;
  if (Math.min(W, H) < 48) return null;
  const Ex = edgeMap(plane(small, false));
  const Ey = edgeMap(plane(small, true));
  const sums = greySums(small);
  const look = (grids) =>
    grids.filter((grid) => wanted === null || grid[0] === wanted).map((grid) => judge(small, Ex, Ey, sums, ...grid));
  let judged = look(propose(Ex, Ey)).sort(descending).slice(0, 4);
  let best = [0];
  for (;;) {
    const top = [...judged].sort(descending)[0];
    if (!top || descending(top, best) >= 0) break;
    best = top;
    judged = judged.slice(0, 3).flatMap((grid) => look(neighbours(grid.slice(1), W, H)));
  }
  if (best[0] < SURE) return null;
  const [score, n, p, , x, y] = best;
  const scale = full.width / W;
  const exact = measure(full, n, p * scale, x * scale, y * scale, scale);
  const f = picture.width / full.width;
  return { n, x: exact.x * f, y: exact.y * f, size: (exact.pitch - exact.gutter) * f, pitch: exact.pitch * f, score };
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
    const square = side >= wanted && Math.max(width, height) <= 1.05 * side;
    return square ? { n: wanted, x: 0, y: 0, size: side / wanted, pitch: side / wanted, score: 0 } : null;
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
