// The search page: asks Pagefind's index, which the build made, as the reader types. Nothing leaves this site.

const input = document.getElementById("q");
const status = document.getElementById("search-status");
const results = document.getElementById("results");
const say = (key, value) => { status.textContent = key ? status.dataset[key].replace("{}", value) : ""; };

async function load() {
  try {
    const pagefind = await import(status.dataset.index);
    await pagefind.options({ excerptLength: 28 });
    return pagefind;
  } catch {
    return null;
  }
}
const loading = load();

async function loadWords() {
  try {
    const { same, known } = await (await fetch(status.dataset.words)).json();
    return { same, known: known.split(" ") };
  } catch {
    return { same: {}, known: [] }; // then what is typed is looked for as it is
  }
}
const words = loadWords();

// Lower case without accents, as `plain` in _fastpages/search_words.py has it.
const plain = (text) => text.toLowerCase().replaceAll("æ", "ae").replaceAll("ø", "o").normalize("NFKD")
  .replace(/\p{M}/gu, "");
const parts = (text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
// How the words of a text begin: the ends of long ones may differ ("sigmoids" finds "sigmoid").
const stems = (text) => parts(text).map((word) => word.slice(0, Math.max(4, Math.ceil(word.length * 0.7))));

/** How many slips of the pen lie between two words: letters that are missing, added, wrong, or in the wrong order. */
function slips(one, other, most) {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let [before, last] = [[], Array.from({ length: other.length + 1 }, (_, place) => place)];
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const wrong = one[i - 1] === other[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + wrong);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    if (Math.min(...row) > most) return most + 1;
    [before, last] = [last, row];
  }
  return last[other.length];
}

/** The word of the site that was meant by one that it does not have; the word itself where none is near. */
function meant(word, known) {
  const most = word.length > 6 ? 2 : 1;
  if (word.length < 4 || /[^a-z]/.test(word) || known.some((other) => other.startsWith(word))) return word;
  let [best, least] = [word, most + 1];
  for (const other of known) {
    const distance = other[0] === word[0] || most === 2 ? slips(word, other, least - 1) : least;
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

/** All that is looked for, the likeliest first: what was typed; its words as the site spells them; what it calls them. */
async function readings(typed) {
  const { same, known } = await words;
  const has = (word) => Object.hasOwn(same, word);
  const spelt = parts(plain(typed)).map((word) => (has(word) ? word : meant(word, known)));
  const corrected = spelt.join(" ") === parts(plain(typed)).join(" ") ? typed : spelt.join(" ");
  const whole = plain(corrected).trim();
  const others = has(whole) ? same[whole] : spelt.flatMap((word) => (has(word) ? same[word] : []));
  const strange = spelt.length === 1 && others.length && !known.includes(whole); // "bro" is how "browser" begins, too
  return [...new Set(strange ? [...others, typed] : [typed, corrected, ...others])];
}

// Pagefind shortens a word that it does not know until something fits, down to its first letter. A page has to hold
// at least the better part of each word.
function holds(data, text) {
  const content = `${data.meta.title} ${data.content ?? data.excerpt}`.toLowerCase();
  return stems(text).every((stem) => content.includes(stem));
}

/** The part of a page that is named as what was typed, as a function of the module is. */
function named(data, text) {
  const name = (sub) => decodeURIComponent(sub.url.split("#")[1] ?? "").split(".").pop().toLowerCase();
  return data.sub_results?.find((sub) => name(sub) === text.toLowerCase());
}

// Lessons and posts come before what documents the module, unless that says far more of what is looked for, or is it.
const REFERENCE = /\/(?:toolkit|api)\//;
const rank = ({ score, data, text }) => score * (named(data, text) ? 2 : REFERENCE.test(data.url) ? 0.8 : 1);

/** The pages that hold a text, the best first, each with the text; several words that the typed one stands for are
 * looked for as they are.
 */
async function pagesWith(pagefind, text, asItIs) {
  const hits = (await pagefind.search(asItIs && text.includes(" ") ? `"${text}"` : text)).results.slice(0, 20);
  const pages = await Promise.all(hits.map(async (hit) => ({ text, score: hit.score, data: await hit.data() })));
  return pages.filter(({ data }) => holds(data, text)).sort((one, other) => rank(other) - rank(one));
}

/** The address at which the page marks what was looked for. */
function marking(url, text) {
  const [page, place] = url.split("#");
  return `${page}?found=${encodeURIComponent(stems(text).join(" "))}${place ? `#${place}` : ""}`;
}

// What is named as was typed; else the part under a heading that says most of it, which is prose before code; else the
// page.
const says = (sub) => sub.weighted_locations.reduce((sum, place) => sum + place.balanced_score, 0);
function best(data, text) {
  const sections = data.sub_results?.filter((sub) => sub.url.includes("#")) ?? [];
  return named(data, text) ?? sections.sort((one, other) => says(other) - says(one))[0] ?? data;
}

function entry({ data, text }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const part = best(data, text);
  link.href = marking(part.url, text);
  link.textContent = data.meta.title;
  item.append(link);
  if (part !== data) {
    const section = document.createElement("span");
    section.className = "section";
    section.textContent = part.title;
    item.append(" ", section);
  }
  const excerpt = document.createElement("p");
  excerpt.innerHTML = part.excerpt; // Pagefind escapes the text and adds nothing but <mark>
  item.append(excerpt);
  return item;
}

/** What was found for each reading, the typed one's pages first, each page once. */
async function find(pagefind, typed) {
  const texts = await readings(typed);
  const found = (await Promise.all(texts.map((text) => pagesWith(pagefind, text, text !== typed)))).flat();
  const first = new Map();
  for (const page of found) if (!first.has(page.data.url)) first.set(page.data.url, page);
  return { texts, pages: [...first.values()] };
}

let asked = 0;
async function search() {
  const typed = input.value.trim();
  history.replaceState(null, "", typed ? `?q=${encodeURIComponent(typed)}` : location.pathname);
  const mine = ++asked;
  const pagefind = await loading;
  if (!pagefind) return say("missing");
  const { texts, pages } = typed ? await find(pagefind, typed) : { texts: [], pages: [] };
  if (mine !== asked) return; // an answer to what was typed before
  results.replaceChildren(...pages.map(entry));
  if (!typed) say(null);
  else if (!pages.length) say("none", typed);
  else if (texts.length === 1) say("found", pages.length);
  else {
    const others = texts.filter((text) => text !== typed).join(", ");
    status.textContent = status.dataset.also.replace("{}", pages.length).replace("{}", others);
  }
}

input.addEventListener("input", search);
input.form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== input) {
    event.preventDefault();
    input.focus();
  }
});
input.value ||= new URLSearchParams(location.search).get("q") ?? ""; // what was typed before this script came stays
search();
