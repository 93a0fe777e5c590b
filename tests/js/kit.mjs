// What the tests share: Python's golden vectors, and the demo page's scripts, from the folder that
// tests/test_demo_scripts.py fills.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.env.GOLDEN;
if (!folder) throw new Error("GOLDEN names no folder: run `python -m pytest tests/test_demo_scripts.py`");

const json = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));

export const golden = json("golden.json");
export const words = json("words.json");
export const script = (name) => import(pathToFileURL(join(folder, name)));

/** A picture as the page has it: {width, height, data}. */
export function picture({ file, width, height }) {
  return { width, height, data: new Uint8ClampedArray(readFileSync(join(folder, file))) };
}

/** The largest difference between numbers in lists of the same shape. */
export function apart(ours, theirs) {
  if (typeof theirs === "number") return Math.abs(ours - theirs);
  if (ours.length !== theirs.length) return Infinity;
  return theirs.reduce((most, value, i) => Math.max(most, apart(ours[i], value)), 0);
}
