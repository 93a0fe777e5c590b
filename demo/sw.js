// The demo page's service worker: keeps what the page has loaded, so that it works without a network, and sets the headers that isolate
// the page from other origins, without which a browser lends it no threads. An address with ?v= names its content's hash and is never
// asked for twice; everything else comes from the network where there is one.

const CACHE = `demo ${registration.scope}`;
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Resource-Policy": "same-origin" };

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

function isolated(response) {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

async function answer(event) {
  const { request } = event, cache = await caches.open(CACHE), fixed = new URL(request.url).searchParams.has("v");
  const page = request.mode === "navigate" && new URL(request.url).pathname === new URL(registration.scope).pathname;
  const key = page ? registration.scope : request.url, kept = await cache.match(key, { ignoreVary: true });
  if (kept && fixed && !page) return isolated(kept);
  try {
    const response = await fetch(request);
    if (!response.ok) return response;
    if (kept || fixed) event.waitUntil(cache.put(key, response.clone()));
    return isolated(response);
  } catch (error) {
    if (kept) return isolated(kept);
    throw error;
  }
}

/** Keeps these addresses and no other. */
async function keep(addresses) {
  const cache = await caches.open(CACHE), stored = new Set((await cache.keys()).map((request) => request.url));
  await cache.addAll(addresses.filter((address) => !stored.has(address)));
  await Promise.all([...stored].filter((address) => !addresses.includes(address)).map((address) => cache.delete(address)));
}

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && new URL(request.url).origin === location.origin) event.respondWith(answer(event));
});
addEventListener("message", (event) => event.waitUntil(keep(event.data).then(() => event.source.postMessage("kept"))));
