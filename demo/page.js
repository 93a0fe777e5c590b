// The demo page: takes pictures from the reader, asks the network about their tiles, and shows what it says for one
// target and threshold.
import { confidenceOf, doubts, enumerate, fill, judged, KINDS, numbersOf, sentence, thingsOf } from "./answer.js";
import { busy } from "./busy.js";
import { cutTiles, locate, photographOf } from "./challenge.js";
import { layOver, surest } from "./map.js";
import { Network } from "./network.js";
import { openPicture, PictureError } from "./picture.js";
import { listClasses, showPresent } from "./present.js";
import { show, showPicture } from "./stage.js";

const by = (id) => document.getElementById(`demo-${id}`);
const { base, files, sizes, megabytes, classes, thresholds, words } = JSON.parse(by("data").textContent);
const say = (id, text) => {
  by(id).textContent = text;
};
const sayIn = (id, word, ...values) => say(id, fill(words[word], ...values));
const things = thingsOf(words.things);
const target = by("target");
const slider = by("threshold");
const choices = [...document.querySelectorAll("input[name=demo-grid]")];
const samples = [...document.querySelectorAll(".demo-sample")];

let last = null; // the last answer: picture, sample, grid, kind, probs, maps
let given = null; // the last picture that could be opened, answered or not, and the sample that it is
let moved = null; // the threshold where the reader has moved it
let open = []; // the tiles, from 0, whose map is shown
let asked = 0;

function report(error) {
  if (error instanceof PictureError) return sayIn("error", error.word, ...error.values);
  console.error(error);
  return sayIn("error", "failed", error?.message ?? error);
}

function tellThreshold(own) {
  if (moved === null) {
    sayIn("threshold-value", "model", own.toFixed(2));
    slider.value = own;
  } else sayIn("threshold-value", "moved", moved.toFixed(2), own.toFixed(2));
  by("mark").style.left = `${100 * own}%`;
  by("reset").disabled = moved === null;
}

/** Says how likely the answer is right, and that it is unsure; of a moved threshold nothing is known. */
function tellConfidence(i, own) {
  const { grid, probs, kind } = last;
  const answer = confidenceOf(probs, i, own, kind);
  const found = moved === null ? doubts(grid.confidence, answer).map((word) => words[word]) : [];
  say("confidence", moved === null ? fill(words.confidence, answer.toFixed(2), grid.confidence.toFixed(2)) : "");
  say("unsure", found.length ? fill(words.unsure, found.join("; ")) : "");
}

/** Lays the maps that are open over their tiles, and says what they show. */
function tellMap(i) {
  const { grid, kind, maps } = last;
  const items = [...by("tiles").children];
  items.forEach((item, k) => item.querySelector("button").setAttribute("aria-pressed", String(open.includes(k))));
  if (!open.length) return say("look", "");
  const of = (k) => maps[k].map((row) => row[i]);
  const thing = things.get(target.value) ?? target.value;
  if (kind === "photograph") {
    const { probability, number } = surest(of(0), grid.n);
    layOver(items, of(0));
    return sayIn("look", "map", thing, probability.toFixed(2), number);
  }
  const [k] = open;
  layOver([items[k]], of(k));
  return sayIn("look", "map_of", k + 1, thing, surest(of(k), 1).probability.toFixed(2));
}

/** Shows the map of a tile, or of a photograph, or hides it again. */
function press(k) {
  const all = last.kind === "photograph" ? last.probs.map((_, square) => square) : [k];
  open = open.includes(k) ? [] : all;
  tell();
}

/** Says which tiles show the target, and marks them; and what else is there. */
function tell() {
  const i = Math.max(0, classes.indexOf(target.value));
  const levels = thresholds[last?.kind ?? "tiles"];
  tellThreshold(levels[i]);
  if (!last) return;
  const all = classes.map((_, k) => judged(last.probs, k, (k === i ? moved : null) ?? levels[k]));
  const tiles = all[i];
  const answer = sentence(tiles, things.get(target.value) ?? target.value, words);
  if (by("answer").textContent !== answer) say("answer", answer);
  say(
    "labels",
    last.sample?.target === target.value ? fill(words.labels, enumerate(last.sample.tiles, words.and)) : "",
  );
  tellConfidence(i, levels[i]);
  showPresent(
    all.map((of, k) => ({ name: classes[k], numbers: numbersOf(of) })),
    target.value,
  );
  show(tiles, (tile) => fill(words.tile, tile.number, tile.probability.toFixed(2), tile.said ? words.yes : words.no));
  tellMap(i);
}

const addresses = Object.entries(files).map(([name, address]) => [name, new URL(address, location).href]);
const loading = Network.load(Object.fromEntries(addresses), sizes);

/** Does `act` as what the reader asked for last: `act` is told whether it still is, and says nothing when it is not. */
async function turn(act) {
  const mine = ++asked;
  const current = () => mine === asked;
  try {
    await busy(() => act(current));
  } catch (error) {
    if (current()) report(error);
  }
}

/** Answers the picture that is given; where that can't be done, the last answer stays. */
async function answer(current) {
  const { picture, sample } = given;
  const network = await loading;
  if (!current()) return;
  const start = performance.now();
  const grid = locate(picture, choices.find((choice) => choice.checked).value);
  const found = performance.now();
  const kind = KINDS[grid.n];
  const seen = await (kind === "photograph"
    ? network.photograph(photographOf(picture, grid))
    : network.tiles(cutTiles(picture, grid)));
  const { duration } = performance.measure("demo answer", { start, detail: { grid: found - start } });
  if (!current()) return;
  if (last?.picture !== picture) {
    moved = null;
    if (sample) target.value = sample.target;
  }
  last = { picture, sample, grid, kind, ...seen };
  open = kind === "photograph" ? seen.probs.map((_, square) => square) : [];
  say("error", "");
  sayIn("status", "took", Math.round(duration), network.threads);
  say("scaled", picture.scaled ? fill(words.scaled, ...picture.scaled) : "");
  showPicture(picture, grid);
  tell();
  by("main").scrollIntoView({ block: "nearest", behavior: "instant" });
}

/** Takes a new picture, of which nothing is known: what was chosen for the one before does not hold for it. */
async function take(file, sample, current) {
  const picture = await openPicture(file);
  if (!current()) return;
  given = { picture, sample };
  choices[0].checked = true;
  await answer(current);
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
    network = await busy(() => loading);
  } catch (error) {
    console.error(error);
    say("answer", "");
    return sayIn("error", "not_loaded", error.message);
  }
  if (!asked) await askSample(first); // a reader may have been quicker
  await network.warmUp();
  by("stage").dataset.ready = network.threads;
  keep().catch(() => {}); // a browser may refuse to keep anything; the page works without
}

function askSample(button) {
  const { target: wanted, tiles } = button.dataset;
  return turn(async (current) => {
    const response = await fetch(button.querySelector("img").src);
    const file = await response.blob();
    if (current()) await take(file, { target: wanted, tiles: tiles.split(" ") }, current);
  });
}

function hand(transfer) {
  const file = transfer.files[0];
  if (file) turn((current) => take(file, null, current));
  return Boolean(file);
}

/** Asks for a class; its own threshold counts. */
function choose(name) {
  target.value = name;
  moved = null;
  tell();
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
target.addEventListener("change", () => choose(target.value));
slider.addEventListener("input", () => {
  moved = Number(slider.value);
  tell();
});
by("reset").addEventListener("click", () => {
  moved = null;
  tell();
  slider.focus(); // the button can't keep the focus
});
for (const choice of choices) choice.addEventListener("change", () => given && turn(answer));
by("tiles").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (item) press([...item.parentElement.children].indexOf(item));
});
addEventListener("error", ({ error, message }) => report(error ?? message));
addEventListener("unhandledrejection", ({ reason }) => report(reason));

listClasses(classes, choose);
tell();
begin();
