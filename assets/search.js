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

// Pagefind shortens a word that it does not know until something fits, down to its first letter. A page has to hold
// at least the better part of each word; its end may differ ("sigmoids" finds "sigmoid").
function holds(data, words) {
  const text = `${data.meta.title} ${data.content ?? data.excerpt}`.toLowerCase();
  return words.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean)
    .every((word) => text.includes(word.slice(0, Math.max(3, Math.ceil(word.length * 0.7)))));
}

// The part of a page that is named as what was typed, as a function of the module is; else the one that fits best,
// where there is one with a heading; else the page.
function best(data, words) {
  const parts = data.sub_results?.filter((sub) => sub.url.includes("#")) ?? [];
  const name = (sub) => decodeURIComponent(sub.url.split("#").pop()).split(".").pop().toLowerCase();
  return parts.find((sub) => name(sub) === words.toLowerCase()) ?? parts[0] ?? data;
}

function entry(data, words) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const part = best(data, words);
  link.href = part.url;
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

let asked = 0;
async function search() {
  const words = input.value.trim();
  history.replaceState(null, "", words ? `?q=${encodeURIComponent(words)}` : location.pathname);
  const mine = ++asked;
  const pagefind = await loading;
  if (!pagefind) return say("missing");
  let found = [];
  if (words) {
    const hits = (await pagefind.search(words)).results.slice(0, 20);
    found = (await Promise.all(hits.map((hit) => hit.data()))).filter((data) => holds(data, words));
  }
  if (mine !== asked) return; // an answer to what was typed before
  results.replaceChildren(...found.map((data) => entry(data, words)));
  say(words ? (found.length ? "found" : "none") : null, found.length || words);
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
