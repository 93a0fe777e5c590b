// The service worker of all pages but the demo's, which has its own: without a network it shows the home page and the
// pages that the reader has seen. With one, everything comes from the network.
//
// It comes with the list of one build's files and how their hashes begin, and keeps a file only when its content has
// that hash: so pages, styles, scripts and pictures that are shown together are of one build. A new build brings a new
// worker with a store of its own, which takes over when no page of the old one is open any more.

const BUILD = { version: "", home: [], files: {} };

const STORES = `site ${registration.scope}`; // how the names of all builds' stores begin
const STORE = `${STORES} ${BUILD.version}`;

/** How the list calls what a URL leads to; null for what is not in it. What a page is asked makes no difference. */
function listed(url) {
  const { origin, pathname, search } = new URL(url, location.href);
  const page = pathname.replace(/(?<=\/)index\.html$/, "");
  if (origin !== location.origin) return null;
  return [pathname + search, page].find((address) => Object.hasOwn(BUILD.files, address)) ?? null;
}

async function sha256(content) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Keeps what came from the network, where it is this build's and there is room. */
async function keep(address, response) {
  const content = await response.arrayBuffer();
  if (!response.ok || !(await sha256(content)).startsWith(BUILD.files[address])) return;
  const store = await caches.open(STORE);
  const headers = { "Content-Type": response.headers.get("Content-Type") };
  await store.put(address, new Response(content, { headers })).catch(() => {});
}

/** Fetches and keeps what of some addresses is in the list and not kept yet. */
async function keepAll(urls) {
  const store = await caches.open(STORE);
  for (const address of new Set(urls.map(listed))) {
    if (address && !(await store.match(address))) await keep(address, await fetch(address));
  }
}

async function removeOldStores() {
  const names = (await caches.keys()).filter((name) => name.startsWith(`${STORES} `) && name !== STORE);
  await Promise.all(names.map((name) => caches.delete(name)));
}

/** What the network says; where there is none, what was kept. */
async function answer(event, address) {
  try {
    const response = await fetch(event.request);
    event.waitUntil(keep(address, response.clone()));
    return response;
  } catch (error) {
    const store = await caches.open(STORE);
    const kept = await store.match(address);
    if (kept) return kept;
    throw error;
  }
}

addEventListener("install", (event) => event.waitUntil(keepAll(BUILD.home)));
addEventListener("activate", (event) => event.waitUntil(removeOldStores()));
addEventListener("message", (event) => event.waitUntil(keepAll(event.data))); // what a page loaded before this came
addEventListener("fetch", (event) => {
  const { method, url, headers } = event.request;
  const address = method === "GET" && !headers.has("Range") ? listed(url) : null;
  if (address) event.respondWith(answer(event, address));
});
