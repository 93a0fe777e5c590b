// What the page says of the network's probabilities: which tiles show the target, the sentence for that, and how sure
// it is. As `Answer` of recaptcha/answers.py.
import { SURE_ANSWER, SURE_GRID, TRUST } from "./numbers.js";

const LEAST = 1e-6; // a probability of 0 is taken for this one, one of 1 for one as near to it

/** Tiles a side: what the picture is, one tile, nine, or a photograph in sixteen squares. */
export const KINDS = { 1: "tile", 3: "tiles", 4: "photograph" };

/** The text with the values in the places that are marked {}, in their order. */
export function fill(text, ...values) {
  const parts = text.split("{}");
  return parts.slice(1).reduce((filled, part, i) => filled + (values[i] ?? "{}") + part, parts[0]);
}

/** "1, 2 and 3". */
export function enumerate(things, and) {
  const [last] = things.slice(-1);
  const before = things.slice(0, -1).join(", ");
  return before ? `${before} ${and} ${last}` : String(last ?? "");
}

/** How a sentence calls each class, from "Bus = a bus, Car = a car". */
export function thingsOf(text) {
  return new Map(text.split(",").map((pair) => pair.split("=").map((part) => part.trim())));
}

/** Each tile's probability of class `i`, its number from 1, and whether it is said to show it. */
export function judged(probs, i, threshold) {
  return probs.map((row, k) => ({ probability: row[i], said: row[i] > threshold, number: k + 1 }));
}

/** The numbers of the tiles that are said to show it. */
export const numbersOf = (tiles) => tiles.filter((tile) => tile.said).map((tile) => tile.number);

/** The answer in words; `words` are the page's. */
export function sentence(tiles, thing, words) {
  const numbers = numbersOf(tiles);
  if (!numbers.length) return fill(words.nothing, thing);
  return fill(numbers.length > 1 ? words.several : words.single, enumerate(numbers, words.and), thing);
}

function logit(probability) {
  const p = Math.min(Math.max(probability, LEAST), 1 - LEAST);
  return Math.log(p / (1 - p));
}

/** How likely every tile is right about class `i`, if the grid is the right one. */
export function confidenceOf(probs, i, threshold, kind) {
  const own = logit(threshold);
  const doubts = probs.map((row) => Math.log1p(Math.exp(-Math.abs(logit(row[i]) - own))));
  const product = Math.exp(-doubts.reduce((sum, doubt) => sum + doubt, 0));
  const { slope, shift } = TRUST[kind];
  return 1 / (1 + Math.exp(-(slope * logit(product) + shift)));
}

/** Why an answer is not to be relied on: the names of the page's words for that. */
export function doubts(grid, answer) {
  const found = [];
  if (grid < SURE_GRID) found.push("unsure_grid");
  if (answer < SURE_ANSWER) found.push("unsure_tiles");
  return found;
}
