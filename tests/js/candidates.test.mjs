// Each step of the finder: as recaptcha/candidates.py and recaptcha/grid.py go.
import assert from "node:assert/strict";
import { test } from "node:test";
import { golden, picture, script } from "./kit.mjs";

const { judge, neighbours, propose, search, viewOf } = await script("candidates.js");
const { findGrid } = await script("grid.js");
const { shrink } = await script("picture.js");
const { COARSE, FINE } = await script("numbers.js");

/** Asserts that each of `names` has Python's value, a value of `ours` that may be none of theirs aside. */
function alike(ours, theirs, near, names = Object.keys(theirs)) {
  for (const name of names) {
    assert.ok(Math.abs(ours[name] - theirs[name]) <= near, `${name}: ${ours[name]} is not ${theirs[name]}`);
  }
}

for (const { about, picture: file, proposed, judged, neighbours: around, best, lead, grid } of golden.finder) {
  const image = picture(file);
  const view = viewOf(shrink(shrink(image, FINE), COARSE));

  test(`proposed in ${about}`, () => {
    const ours = propose(view);
    assert.equal(ours.length, proposed.length);
    ours.forEach((one, i) => alike(one, proposed[i], 0.02));
  });

  test(`judged in ${about}`, () => {
    judged.forEach((theirs, i) => alike(judge(view, proposed[4 * i]), theirs, 0.05));
  });

  test(`around the first in ${about}`, () => {
    const ours = neighbours(view, proposed[0]);
    assert.equal(ours.length, around.length);
    ours.forEach((one, i) => alike(one, around[i], 1e-9));
  });

  test(`found in ${about}`, () => {
    const found = search(view);
    alike(found.best, best, 0.05);
    assert.ok(Math.abs(found.lead - lead) < 0.1, `a lead of ${found.lead} is not ${lead}`);
    alike(findGrid(image), grid, 0.5);
  });
}
