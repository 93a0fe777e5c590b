// What pages do beyond showing themselves: theme switch, copy buttons, folds that links open, contents that follow the
// reader, marks of what was searched for, citations, what is kept for a reader without a network.
// Every word comes from the page's data- attributes, which are filled from _data/words.yml.

const THEMES = ["system", "light", "dark"];

function switchTheme(button) {
  const root = document.documentElement;
  const show = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    button.dataset.now = theme;
    button.setAttribute("aria-label", `${button.dataset.name}: ${button.dataset[theme]}`);
    button.title = button.getAttribute("aria-label");
  };
  show(root.dataset.theme || "system");
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(button.dataset.now) + 1) % THEMES.length];
    show(next);
    try {
      if (next === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch {
      // storage is off: the choice lasts as long as the page
    }
  });
}

let forget; // the timer that takes back what was last said of a copy
function addCopyButton(pre, said) {
  const button = document.createElement("button");
  button.className = "copy";
  button.type = "button";
  button.textContent = said.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(pre.querySelector("code").textContent);
    button.textContent = said.textContent = said.dataset.copied;
    setTimeout(() => { button.textContent = said.dataset.copy; }, 2000);
    clearTimeout(forget);
    forget = setTimeout(() => { said.textContent = ""; }, 2000);
  });
  pre.after(button);
}

const CLOSED = "details:not([open])";

// What the address leads to may be the heading of a folded section, or stand in a fold: it is opened.
function openTarget() {
  const target = document.querySelector(":target");
  if (!target) return;
  const section = document.querySelector(`.deeper[aria-labelledby="${CSS.escape(target.id)}"]`);
  if (section) section.open = true;
  if (!target.closest(CLOSED)) return;
  while (target.closest(CLOSED)) target.closest(CLOSED).open = true;
  target.scrollIntoView();
}

function openForLinks() {
  addEventListener("load", openTarget);
  addEventListener("hashchange", openTarget); // which comes of every link but the one that was followed last
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) openTarget();
  });
}

function followReader(contents) {
  const links = new Map();
  for (const link of contents.querySelectorAll("a")) {
    const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (heading) links.set(heading, link);
  }
  const headings = [...links.keys()];
  let current = null;
  const mark = () => {
    // The section being read: the last whose heading is in the upper quarter of the window or above it, or at the
    // page's end the last of all.
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const shown = headings.filter((heading) => !heading.closest(CLOSED));
    const above = shown.filter((heading) => heading.getBoundingClientRect().top < innerHeight / 4);
    const next = links.get(atEnd ? shown.at(-1) : above.at(-1)) || null;
    if (next === current) return;
    current?.removeAttribute("aria-current");
    next?.setAttribute("aria-current", "true");
    current = next;
    if (next && getComputedStyle(contents).position === "sticky") {
      const gap = next.getBoundingClientRect().top - contents.getBoundingClientRect().top;
      if (gap < 0 || gap > contents.clientHeight - 40) contents.scrollTop += gap - contents.clientHeight / 2;
    }
  };
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  };
  addEventListener("scroll", later, { passive: true });
  new ResizeObserver(later).observe(document.body); // fonts and pictures that come late move the headings
  mark();
}

// Which parts of the series this browser has shown, by their paths; nothing where storage is off.
function visitedParts(path) {
  try {
    const known = new Set(JSON.parse(localStorage.getItem("visited")) ?? []).add(path);
    localStorage.setItem("visited", JSON.stringify([...known]));
    return known;
  } catch {
    return new Set();
  }
}

function markVisited(menu) {
  const visited = visitedParts(location.pathname), links = [...menu.querySelectorAll("li > a")];
  const seen = links.filter((link) => visited.has(link.pathname));
  for (const link of seen) {
    const mark = document.createElement("span");
    mark.className = "unseen";
    mark.textContent = ` (${menu.dataset.visited})`;
    link.classList.add("visited");
    link.append(mark);
  }
  if (!seen.length) return;
  const count = document.createElement("p");
  count.className = "series-count";
  count.textContent = menu.dataset.count.replace("{}", seen.length).replace("{}", links.length);
  menu.querySelector("ol").after(count);
}

// Escape takes away the reference that is shown beside a citation, until the reader comes to it again.
function hushCitation(cited) {
  cited.addEventListener("keydown", (event) => cited.classList.toggle("quiet", event.key === "Escape"));
  for (const left of ["focusout", "mouseleave"]) cited.addEventListener(left, () => cited.classList.remove("quiet"));
}

// What the search looked for, as it gave the address: each word that begins like one of these is marked in the text.
const UNMARKED = ".math, .cited-work, .sidenote, .anchor, script, style";
const MOST_MARKS = 500;

function markIn(node, wanted) {
  const range = document.createRange();
  for (const match of [...node.data.matchAll(wanted)].reverse()) { // from the end, so that the places stay right
    range.setStart(node, match.index);
    range.setEnd(node, match.index + match[0].length);
    range.surroundContents(document.createElement("mark"));
  }
}

function markFound(main) {
  const address = new URL(location.href);
  const stems = address.searchParams.get("found")?.split(" ").filter((stem) => /^[\p{L}\p{N}]{2,}$/u.test(stem));
  if (!stems?.length) return;
  const wanted = new RegExp(`(?<![\\p{L}\\p{N}])(?:${stems.join("|")})[\\p{L}\\p{N}]*`, "giu");
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode() && nodes.length < MOST_MARKS) {
    const node = walker.currentNode;
    if (node.data.search(wanted) >= 0 && !node.parentElement.closest(UNMARKED)) nodes.push(node);
  }
  nodes.forEach((node) => markIn(node, wanted));
  address.searchParams.delete("found");
  history.replaceState(history.state, "", address); // who hands the address on, hands on the page alone
}

// The site's service worker (_fastpages/sw.js), once all is shown: it gets what this page has loaded without it.
async function keepForOffline(shelf) {
  const { active } = await shelf;
  if (!active || navigator.serviceWorker.controller) return;
  active.postMessage([location.href, ...performance.getEntriesByType("resource").map(({ name }) => name)]);
}

if (navigator.serviceWorker && !navigator.connection?.saveData) {
  const worker = new URL("../sw.js", document.currentScript.src);
  worker.search = "";
  addEventListener("load", () => {
    navigator.serviceWorker.register(worker).then(() => keepForOffline(navigator.serviceWorker.ready)).catch(() => {});
  });
}

markFound(document.getElementById("site-main"));
openForLinks();
switchTheme(document.getElementById("site-theme"));
const menu = document.querySelector("nav.series-menu");
if (menu) markVisited(menu);
const said = document.getElementById("site-said");
if (said && navigator.clipboard) document.querySelectorAll(".code > pre").forEach((pre) => addCopyButton(pre, said));
document.querySelectorAll(".cited").forEach(hushCitation);
const contents = document.querySelector("nav.contents");
if (contents) followReader(contents);
