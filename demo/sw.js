// The demo page's service worker: keeps the page and all that it is made of, so that it works without a network, and
// sets the headers that isolate the page from other origins, without which a browser lends it no threads.
//
// It comes with the list of one build's files and their hashes. A file is kept, and handed out, only when its content
// has the list's hash: so the page never runs with another build's scripts, and nothing between the reader and this
// site can put something else in its place. A new build brings a new worker, which fills a store of its own before the
// old worker goes; the old store goes when the new worker hands out its first page.

const BUILD = { version: "", files: {} };

const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};
const PAGE = new URL(registration.scope).pathname;
const STORES = `demo ${registration.scope}`; // how the names of all builds' stores begin
const STORE = `${STORES} ${BUILD.version}`;
const TAKE_OVER = "take over";
// A page that has the next worker take over, and is loaded again once that is active: what a browser is asked for while
// one worker follows another may never come. Chromium may not notice that the old worker is idle until it is loaded again.
const HAND_OVER = `<!DOCTYPE html>
<script>
  setInterval(async () => {
    const { waiting, active } = await navigator.serviceWorker.ready;
    if (waiting) waiting.postMessage("${TAKE_OVER}");
    else if (active.state === "activated") location.reload();
  }, 100);
  setTimeout(() => location.reload(), 1500);
</script>`;
const TRIES = 3; // to hand over; then the old page is shown
let tried = 0;
const VERSION = /^[0-9a-f]{32,64}$/; // a SHA-256, or how it begins

async function sha256(content) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const isolated = ({ content, type }) => new Response(content, { headers: { ...HEADERS, "Content-Type": type } });

/** The file that a response holds, where it is the right one; `hash` is its SHA-256, or how that begins. */
async function checked(response, hash) {
  if (!response?.ok) return null;
  const content = await response.arrayBuffer();
  const right = (await sha256(content)).startsWith(hash);
  return right ? { content, type: response.headers.get("Content-Type") } : null;
}

/** A file from the network, past the browser's own cache where that holds another; null where the network does, too. */
async function fetched(address, hash) {
  for (const cache of ["default", "reload"]) {
    const file = await checked(await fetch(address, { mode: "same-origin", cache }), hash);
    if (file) return file;
  }
  return null;
}

/** A file of the list, from this build's store, another one's or the network; null where it can't be had. */
async function listed(store, address) {
  const { sha256: hash, type } = BUILD.files[address];
  const own = await checked(await store.match(address), hash);
  const file = own ?? (await checked(await caches.match(address), hash)) ?? (await fetched(address, hash));
  return file && { content: file.content, type, stored: Boolean(own) };
}

/** Everything of the list into the store, or an error. What is there of a time when not all could be had stays. */
async function fill() {
  const store = await caches.open(STORE);
  try {
    for (const address of Object.keys(BUILD.files)) {
      const file = await listed(store, address);
      if (!file) throw new Error(`${address} is not the file of build ${BUILD.version}`);
      if (!file.stored) await store.put(address, isolated(file));
    }
  } catch (error) {
    if (error.name === "QuotaExceededError") await caches.delete(STORE);
    throw error;
  }
}

/** Removes the stores that were there before this build's; those after it hold what is there of the next one. */
async function removeOldStores() {
  const names = (await caches.keys()).filter((name) => name === STORES || name.startsWith(`${STORES} `));
  const old = names.slice(0, Math.max(0, names.indexOf(STORE))); // in the order in which they were made
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function answerListed(event, address) {
  const store = await caches.open(STORE);
  const file = await listed(store, address);
  if (file) {
    const full = () => {}; // where there is no room, the file is shown all the same
    if (!file.stored) event.waitUntil(store.put(address, isolated(file)).catch(full));
    return isolated(file);
  }
  return address.includes("?v=") ? Response.error() : fetch(event.request); // the network's page is better than none
}

/** The page, unless the next worker waits for this one to go and no other tab needs it: then that one takes over. */
async function answerPage(event) {
  const { waiting } = registration;
  if (!waiting) event.waitUntil(removeOldStores()); // no earlier: pages of the worker before may still want scripts
  if (!waiting || (await clients.matchAll({ type: "window" })).length > 1) return answerListed(event, PAGE);
  tried += 1;
  if (tried > TRIES) return answerListed(event, PAGE);
  return new Response(HAND_OVER, { headers: { "Content-Type": "text/html" } });
}

/** A file of another build's page: of the worker before, or of the network's when the store had no page to give. */
async function answerVersioned({ request }, hash) {
  const file = (await checked(await caches.match(request.url), hash)) ?? (await fetched(request.url, hash));
  return file ? isolated(file) : Response.error();
}

addEventListener("install", (event) => event.waitUntil(fill()));
addEventListener("message", (event) => {
  if (event.data === TAKE_OVER) skipWaiting();
});
addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname, search, searchParams } = new URL(url);
  const address = pathname + search;
  const hash = searchParams.get("v") ?? "";
  if (method !== "GET" || origin !== location.origin) return;
  if (mode === "navigate") {
    if (pathname === PAGE || pathname === `${PAGE}index.html`) event.respondWith(answerPage(event));
  } else if (address in BUILD.files) event.respondWith(answerListed(event, address));
  else if (VERSION.test(hash)) event.respondWith(answerVersioned(event, hash));
});
