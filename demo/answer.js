// What the page says of the network's probabilities: which tiles show the target, and the sentence for that.

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

/** The answer in words; `words` are the page's. */
export function sentence(tiles, thing, words) {
  const numbers = tiles.filter((tile) => tile.said).map((tile) => tile.number);
  if (!numbers.length) return fill(words.nothing, thing);
  return fill(numbers.length > 1 ? words.several : words.single, enumerate(numbers, words.and), thing);
}
