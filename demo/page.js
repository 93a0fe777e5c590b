// The demo page: takes pictures from the reader, asks the network about their tiles, and shows what it says for one
// target and threshold.
import { enumerate, fill, judged, sentence, thingsOf } from "./answer.js";
import { cutTiles, locate } from "./challenge.js";
import { Network } from "./network.js";
import { openPicture, PictureError } from "./picture.js";
import { covered, drawFall } from "./look.js";
import { show, showPicture } from "./stage.js";

const by = (id) => document.getElementById(`demo-${id}`);
const { base, files, megabytes, classes, thresholds, words } = JSON.parse(by("data").textContent);
const say = (id, text) => {
  by(id).textContent = text;
};
const sayIn = (id, word, ...values) => say(id, fill(words[word], ...values));
const things = thingsOf(words.things);
const target = by("target");
const slider = by("threshold");
const choices = [...document.querySelectorAll("input[name=demo-grid]")];
const samples = [...document.querySelectorAll(".demo-sample")];

let last = null; // the last answer: picture, grid, probs, sample, and how long it took
let given = null; // the last picture that could be read, answered or not
let moved = null; // the threshold where the reader has moved it
let asked = 0;

function report(error) {
  if (error instanceof PictureError) return sayIn("error", error.word, ...error.values);
  console.error(error);
  return sayIn("error", "failed", error?.message ?? error);
}

/** Says which tiles show the target, and marks them. */
function tell() {
  const i = Math.max(0, classes.indexOf(target.value));
  const own = thresholds[i];
  const threshold = moved ?? own;
  if (moved === null) {
    sayIn("threshold-value", "model", own.toFixed(2));
    slider.value = own;
  } else sayIn("threshold-value", "moved", moved.toFixed(2), own.toFixed(2));
  by("mark").style.left = `${100 * own}%`;
  by("reset").disabled = moved === null;
  if (!last) return;
  const tiles = judged(last.probs, i, threshold);
  const answer = sentence(tiles, things.get(target.value) ?? target.value, words);
  if (by("answer").textContent !== answer) say("answer", answer);
  say(
    "labels",
    last.sample?.target === target.value ? fill(words.labels, enumerate(last.sample.tiles, words.and)) : "",
  );
  say("look", "");
  show(tiles, (tile) => fill(words.tile, tile.number, tile.probability.toFixed(2), tile.said ? words.yes : words.no));
}

const addresses = Object.entries(files).map(([name, address]) => [name, new URL(address, location).href]);
const loading = Network.load(Object.fromEntries(addresses));

/** Answers a file of the reader's, or a sample; where that can't be done, says why and leaves the last answer. */
async function ask(file, sample = null) {
  const mine = ++asked;
  try {
    const picture = await openPicture(file);
    if (mine === asked) given = { file, sample };
    const network = await loading;
    if (mine !== asked) return;
    const start = performance.now();
    const grid = locate(picture, choices.find((choice) => choice.checked).value);
    const found = performance.now();
    const probs = await network.probs(cutTiles(picture, grid));
    const { duration } = performance.measure("demo answer", { start, detail: { grid: found - start } });
    if (mine !== asked) return;
    last = { picture, grid, probs, sample };
    if (sample) target.value = sample.target;
    moved = sample ? null : moved;
    say("error", "");
    sayIn("status", "took", Math.round(duration), network.threads);
    showPicture(picture, grid);
    tell();
    by("stage").scrollIntoView({ block: "nearest" });
  } catch (error) {
    if (mine === asked) report(error);
  }
}

/** Covers one patch of a tile after the other, and shows where that makes the probability fall. */
async function look(k) {
  const { picture, grid, probs } = last;
  const mine = asked;
  const i = classes.indexOf(target.value);
  const network = await loading;
  const falls = [];
  for (const batch of covered(cutTiles(picture, grid), k)) {
    falls.push(...(await network.probs(batch)).map((now) => probs[k][i] - now[i]));
    await new Promise((done) => setTimeout(done)); // let the page breathe
  }
  if (mine !== asked || i !== classes.indexOf(target.value)) return;
  drawFall(by("tiles").children[k], falls);
  const whole = probs[k][i].toFixed(2);
  const least = (probs[k][i] - Math.max(0, ...falls)).toFixed(2);
  if (least === whole) sayIn("look", "stays", k + 1, whole);
  else sayIn("look", "looks", k + 1, least, whole);
}

/** Has the service worker keep all that the page is made of, for a day without a network. */
async function keep() {
  const shelf = await navigator.serviceWorker.register(`${base}sw.js`, { scope: base });
  const tellKept = () => {
    if (shelf.active) say("kept", shelf.waiting ? words.newer : words.kept);
  };
  shelf.addEventListener("updatefound", () => shelf.installing.addEventListener("statechange", tellKept));
  await navigator.serviceWorker.ready;
  tellKept();
}

/** Shows the first sample, and answers it when the network is there. */
async function begin() {
  const [first] = samples;
  const image = first.querySelector("img");
  sayIn("answer", "loading", megabytes);
  image.decode().then(
    () => last || by("canvas").getContext("2d").drawImage(image, 0, 0),
    () => {},
  );
  let network;
  try {
    network = await loading;
  } catch (error) {
    console.error(error);
    say("answer", "");
    return sayIn("error", "not_loaded", error.message);
  }
  if (!last) await askSample(first);
  await network.warmUp();
  by("stage").dataset.ready = network.threads;
  keep().catch(() => {}); // a browser may refuse to keep anything; the page works without
}

async function askSample(button) {
  const { target: wanted, tiles } = button.dataset;
  try {
    const response = await fetch(button.querySelector("img").src);
    choices[0].checked = true;
    await ask(await response.blob(), { target: wanted, tiles: tiles.split(" ") });
  } catch (error) {
    report(error);
  }
}

function hand(transfer) {
  const file = transfer.files[0];
  if (file) ask(file);
  return Boolean(file);
}

for (const id of ["file", "photo"]) {
  by(id).addEventListener("change", ({ target: input }) => {
    hand(input);
    input.value = ""; // the same file may be chosen again
  });
}
for (const button of samples) button.addEventListener("click", () => askSample(button));
addEventListener("paste", (event) => {
  if (hand(event.clipboardData)) event.preventDefault();
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  by("stage").classList.add("over");
});
addEventListener("dragleave", () => by("stage").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  by("stage").classList.remove("over");
  if (!hand(event.dataTransfer)) report(new PictureError("not_picture"));
});
target.addEventListener("change", () => {
  moved = null;
  tell();
});
slider.addEventListener("input", () => {
  moved = Number(slider.value);
  tell();
});
by("reset").addEventListener("click", () => {
  moved = null;
  tell();
  slider.focus(); // the button can't keep the focus
});
for (const choice of choices) choice.addEventListener("change", () => given && ask(given.file, given.sample));
by("tiles").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (item) look([...item.parentElement.children].indexOf(item)).catch(report);
});
addEventListener("error", ({ error, message }) => report(error ?? message));
addEventListener("unhandledrejection", ({ reason }) => report(reason));

tell();
begin();
