// The exact grid around a rough one: a port of `measure` of recaptcha/grid.py.
import { clip, edgeMap, mean, meanRows, plain, plane, range, rint, rowSums, standOut } from "./lines.js";
import { ALONG, OF_GUTTER, OF_OUTER, OF_RIM, RIM, ROOM, WIDEST } from "./numbers.js";

/** The mean of several lines. */
const meanLine = (lines) => lines[0].map((_, x) => mean(lines.map((line) => line[x])));

/** What is needed of one axis: how lines stand out, how many columns are plain up to each, the rough place. */
function axis(full, transposed, n, low, side, rough, scale) {
  const strip = plane(full, transposed, Math.max(0, Math.trunc(low)), Math.trunc(low + side) + 1);
  const E = edgeMap(strip);
  const rows = range(0, n + 1).map((k) => Math.floor((k * Math.floor(strip.across / ALONG)) / n));
  const each = (valueOf) => meanLine(range(0, n).map((k) => valueOf(rows[k], rows[k + 1])));
  const columns = each((top, bottom) =>
    plain(
      range(top, bottom).map((row) => rowSums(strip, row * ALONG)),
      ALONG,
    ),
  );
  const c = new Float64Array(strip.length + 1);
  columns.forEach((value, x) => {
    c[x + 1] = c[x] + value;
  });
  const [near, far] = [Math.max(2, rint(2 * scale)), Math.max(6, rint(8 * scale))];
  return { q: each((top, bottom) => standOut(meanRows(E, top, bottom), near, far)), c, rough };
}

/** How well each place, pitch and gutter fits one axis: the places, and a score for each [place, pitch, gutter]. */
function fit({ q, c, rough }, n, P, G, reach, w) {
  const L = q.length - 1;
  const places = [...new Set(range(-reach, reach + 1).map((step) => clip(rint(rough) + step, 0, L)))];
  const s = new Float64Array(places.length * P.length * G).fill(-99);
  const l = new Int32Array(n);
  const r = new Int32Array(n);
  let at = 0;
  for (const a of places) {
    for (const p of P) {
      for (let k = 0; k < n; k++) l[k] = Math.min(rint(a + p * k), L);
      for (let g = 0; g < G; g++, at++) {
        if (rint(a + p * n - g) > L) continue;
        let edges = 0;
        let rim = 0;
        for (let k = 0; k < n; k++) {
          r[k] = clip(rint(a + p * (k + 1) - g), 0, L);
          rim += c[Math.min(l[k] + w, L)] - c[l[k]] + c[r[k]] - c[Math.max(r[k] - w, 0)];
          if (k) edges += (q[l[k]] + q[r[k - 1]]) / 2 + (g ? (OF_GUTTER * (c[l[k]] - c[r[k - 1]])) / g : 0);
        }
        s[at] = edges - (OF_RIM * rim) / (2 * w) + OF_OUTER * (q[l[0]] + q[r[n - 1]]);
      }
    }
  }
  return { places, s };
}

/**
 * The place, pitch and gutter of n tiles; both axes share pitch and gutter. Gutters are of one colour, the rims of
 * tiles are not.
 */
export function measure(full, n, pitch, x, y, scale) {
  const reach = Math.ceil(Math.max(3.5 * scale + 1, ROOM * pitch));
  const w = Math.max(1, rint(RIM * pitch));
  const G = Math.trunc(WIDEST * pitch) + 1;
  const P = range(-2 * scale - 1, 2 * scale + 1.01, scale < 1.7 ? 1 / 3 : 0.5).map((step) => pitch + step);
  const all = P.length * G;
  const fits = [axis(full, false, n, y, n * pitch, x, scale), axis(full, true, n, x, n * pitch, y, scale)].map((one) =>
    fit(one, n, P, G, reach, w),
  );
  const bestPlace = ({ places, s }, at) =>
    places.reduce((best, _, i) => (s[i * all + at] > s[best * all + at] ? i : best), 0);
  let best = 0;
  let most = -Infinity;
  for (let at = 0; at < all; at++) {
    let total = 0;
    for (const one of fits) total += one.s[bestPlace(one, at) * all + at];
    if (total > most) [best, most] = [at, total];
  }
  const [left, top] = fits.map((one) => one.places[bestPlace(one, best)]);
  return { x: left, y: top, pitch: P[Math.floor(best / G)], gutter: best % G };
}
