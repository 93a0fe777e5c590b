// Which tiles are chosen, how that is said, and how sure it is: as the command line has it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { golden, script, words } from "./kit.mjs";

const { confidenceOf, doubts, enumerate, fill, judged, sentence, thingsOf } = await script("answer.js");
const said = {
  and: words.demo_and,
  several: words.demo_several,
  single: words.demo_single,
  nothing: words.demo_nothing,
};

test("tiles above a class's threshold", () => {
  const things = thingsOf(words.demo_things);
  for (const { target, index, threshold, probs, tiles, sentence: theirs } of golden.answers) {
    const here = judged(probs, index, threshold);
    assert.deepEqual(
      here.filter((tile) => tile.said).map((tile) => tile.number),
      tiles,
      target,
    );
    assert.deepEqual(
      here.map((tile) => tile.probability),
      probs.map((row) => row[index]),
    );
    assert.equal(sentence(here, things.get(target), said), theirs);
  }
});

test("how sure an answer is, and why it is not", () => {
  assert.ok(golden.answers.some((of) => of.doubts.length === 2) && golden.answers.some((of) => !of.doubts.length));
  for (const { target, index, threshold, probs, kind, grid, confidence, doubts: theirs } of golden.answers) {
    const here = confidenceOf(probs, index, threshold, kind);
    assert.ok(Math.abs(here - confidence) < 1e-9, `${target}: ${here} is not ${confidence}`);
    assert.deepEqual(doubts(grid, here), theirs, target);
  }
});

test("values stand where they belong, whatever they hold", () => {
  assert.equal(fill("{} of {}", "{}", "$&"), "{} of $&");
  assert.equal(fill("nothing", 1), "nothing");
});

test("lists of one and of none", () => {
  assert.deepEqual(
    [[], [3], [1, 2], [1, 2, 3]].map((numbers) => enumerate(numbers, "and")),
    ["", "3", "1 and 2", "1, 2 and 3"],
  );
});
