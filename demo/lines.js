// Lines between the columns of a picture, or between its rows: a port of recaptcha/lines.py.
import { ALIKE, ALONG, BORDER, CAP, DULL, FAR, HIGHEST, LOWEST, MOSTLY, NEAR, SPREAD } from "./numbers.js";

export const clip = (value, low, high) => Math.min(Math.max(value, low), high);
export const sum = (values) => values.reduce((total, value) => total + value, 0);
export const mean = (values) => sum(values) / values.length;
export const range = (start, stop, step = 1) =>
  Array.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (_, i) => start + i * step);

/** Rounds halves to the even neighbour, as Python and NumPy do. */
export function rint(value) {
  const low = Math.floor(value);
  const part = value - low;
  if (part === 0.5) return low + Math.abs(low % 2);
  return part > 0.5 ? low + 1 : low;
}

/** A picture seen along x, or along y as if it were transposed; `from` and `to` cut a strip of it. */
export function plane(picture, transposed, from = 0, to = Infinity) {
  const { width, height, data } = picture;
  const [length, across, step, jump] = transposed ? [height, width, 4 * width, 4] : [width, height, 4, 4 * width];
  const [low, high] = [clip(from, 0, across), clip(to, 0, across)];
  return { data, length, across: high - low, step, jump, start: low * jump };
}

/** Sums over ALONG rows at a time, three colours a column; the last row stands in for rows that are missing. */
export function rowSums({ data, length, across, step, jump, start }, row) {
  const sums = new Uint16Array(3 * length);
  for (let y = row; y < row + ALONG; y++) {
    let at = start + Math.min(y, across - 1) * jump;
    for (let x = 0; x < 3 * length; x += 3, at += step) {
      sums[x] += data[at];
      sums[x + 1] += data[at + 1];
      sums[x + 2] += data[at + 2];
    }
  }
  return sums;
}

export function edgeMap(strip) {
  const rows = Math.ceil(strip.across / ALONG);
  const W = strip.length;
  const E = [];
  for (let row = 0; row < rows; row++) {
    const a = rowSums(strip, row * ALONG);
    const line = new Float64Array(W + 1);
    for (let x = 1; x < W; x++) {
      const l = x > 1 ? 2 : 1;
      const r = x < W - 1 ? 2 : 1;
      let most = 0;
      for (let at = 3 * x; at < 3 * x + 3; at++) {
        const right = r === 2 ? (a[at] + a[at + 3]) / 2 : a[at];
        const left = l === 2 ? (a[at - 3] + a[at - 6]) / 2 : a[at - 3];
        most = Math.max(most, Math.abs(right - left));
      }
      line[x] = Math.min(most / ALONG, CAP);
    }
    E.push(line);
  }
  return E;
}

export function meanRows(E, from, to) {
  const rows = E.slice(from, to);
  const total = new Float64Array(E[0].length);
  for (const row of rows) for (let x = 0; x < total.length; x++) total[x] += row[x];
  return total.map((value) => value / rows.length);
}

export function standOut(profile, near = NEAR, far = FAR) {
  const n = profile.length;
  const c = new Float64Array(n + 1);
  for (let x = 0; x < n; x++) c[x + 1] = c[x] + profile[x];
  return profile.map((value, x) => {
    const lo = Math.max(x - far, 0);
    const l = Math.max(x - near, 0);
    const r = Math.min(x + near + 1, n);
    const hi = Math.min(x + far + 1, n);
    const base = (c[l] - c[lo] + c[hi] - c[r]) / Math.max(l - lo + hi - r, 1);
    const q = clip((value - base) / (base + DULL), LOWEST, HIGHEST);
    return x < 3 || x >= n - 3 ? Math.max(q, BORDER) : q;
  });
}

export const widen = (q) =>
  q.map((value, x) => {
    for (let i = Math.max(x - 2, 0); i <= Math.min(x + 2, q.length - 1); i++) if (q[i] > value) value = q[i];
    return value;
  });

/** The level in the middle of a histogram of `count` values from `level` on, or the mean of the middle two. */
function median(counts, level, count) {
  let seen = counts[level];
  let low = null;
  const first = (count - 1) >> 1;
  const second = count >> 1;
  for (; ; seen += counts[++level]) {
    if (low === null && seen > first) low = level;
    if (seen > second) return (low + level) / 2;
  }
}

/**
 * Is a column of one colour from top to bottom, as a gutter is? A value of -1 to 1 for each; `rows` hold sums of
 * `parts` levels.
 */
export function plain(rows, parts) {
  const counts = new Uint32Array(255 * parts + 1);
  const found = new Float64Array(rows.length ? rows[0].length / 3 : 0);
  const middle = [0, 0, 0];
  for (let x = 0; x < found.length; x++) {
    for (let c = 0; c < 3; c++) {
      let low = counts.length;
      for (const row of rows) {
        const level = row[3 * x + c];
        counts[level] += 1;
        if (level < low) low = level;
      }
      middle[c] = median(counts, low, rows.length);
      for (const row of rows) counts[row[3 * x + c]] = 0;
    }
    let near = 0;
    for (const row of rows) {
      const off = Math.max(
        Math.abs(row[3 * x] - middle[0]),
        Math.abs(row[3 * x + 1] - middle[1]),
        Math.abs(row[3 * x + 2] - middle[2]),
      );
      if (off < ALIKE * parts) near++;
    }
    found[x] = clip((near / rows.length - MOSTLY) / SPREAD, -1, 1);
  }
  return found;
}
