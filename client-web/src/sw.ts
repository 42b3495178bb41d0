// The service worker: keeps the app shell, so that the app starts without a network. Each build has its
// own list of files with their hashes; a version is taken whole or not at all, and waits until the app
// says that it may start. It touches nothing else: data, the socket and the server's other addresses
// pass by.
declare const SHELL: readonly { url: string; sha256: string }[];
declare const VERSION: string;

interface ExtendableEvent extends Event {
  waitUntil(p: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(r: Promise<Response>): void;
}
interface Scope {
  readonly location: Location;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", l: (e: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", l: (e: FetchEvent) => void): void;
  addEventListener(type: "message", l: (e: MessageEvent) => void): void;
}
const sw = globalThis as unknown as Scope;

const PREFIX = "shell-";
const CACHE = `${PREFIX}${VERSION}`;
const paths = new Set(SHELL.map((f) => f.url));

async function sha256(body: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return [...hash].map((b) => b.toString(16).padStart(2, "0")).join("");
}
/** Files of two builds never mix: one that is not as listed ends the installation, and the next look
 *  tries again. */
async function keep(cache: Cache, file: { url: string; sha256: string }): Promise<void> {
  const answer = await fetch(file.url, { cache: "no-cache", redirect: "error" });
  if (!answer.ok) throw new Error(`${file.url}: ${answer.status}`);
  const body = await answer.clone().arrayBuffer();
  if ((await sha256(body)) !== file.sha256) throw new Error(`${file.url} is not of this build`);
  await cache.put(file.url, answer);
}

sw.addEventListener("install", (e) =>
  e.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      try {
        await Promise.all(SHELL.map((f) => keep(cache, f)));
      } catch (error) {
        await caches.delete(CACHE);
        throw error;
      }
    })(),
  ),
);
sw.addEventListener("activate", (e) =>
  e.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
      await sw.clients.claim();
    })(),
  ),
);
sw.addEventListener("message", (e) => {
  if (e.data === "activate") void sw.skipWaiting();
});
sw.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || url.origin !== sw.location.origin) return;
  const path = url.pathname === "/index.html" ? "/" : url.pathname;
  if (!paths.has(path)) return;
  e.respondWith((async () => (await (await caches.open(CACHE)).match(path)) ?? fetch(e.request))());
});
