// The engine in Node: an IndexedDB in memory, the real WebCrypto, a real WebSocket to a real server, and
// what a browser has besides, made here. Several engines on one `Browser` are tabs of it.
import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { webcrypto } from "node:crypto";
import WebSocket from "ws";
import type { App } from "../../src/app/api.ts";
import { Engine } from "../../src/app/app.ts";
import { type Channel, type Env, LocalLocks, type Mark } from "../../src/app/env.ts";
import { NO_SHELL } from "../../src/app/shell.ts";

globalThis.crypto ??= webcrypto as Crypto;

export interface Tap {
  sent: Uint8Array[];
  received: Uint8Array[];
}

/** One browser profile. */
export class Browser {
  indexedDB: IDBFactory = new IDBFactory();
  readonly marks: { text: string | null }[] = [{ text: null }, { text: null }];
  readonly #locks = new LocalLocks();
  readonly #channels = new Set<{ name: string; listeners: Set<(m: unknown) => void> }>();
  readonly #wakers = new Set<() => void>();
  readonly tap: Tap = { sent: [], received: [] };
  /** added to the clock, ms */
  clockMs = 0;
  /** where the clock stands still, ms since 1970; null: it goes */
  stoodMs: number | null = null;
  online = true;
  /** the disk has no room */
  full = false;
  /** asked of the database so far */
  requests = 0;
  readonly sockets = new Set<WebSocket>();
  /** where the server listens now, whatever the enrolment says */
  port: number;

  constructor(port: number) {
    this.port = port;
  }
  async open(): Promise<App> {
    globalThis.indexedDB = this.indexedDB;
    current = this;
    const tap = {
      sent: (f: Uint8Array) => this.tap.sent.push(f),
      received: (f: Uint8Array) => this.tap.received.push(f),
    };
    return new Engine({ env: this.#env(), shell: NO_SHELL, version: "test", tap }).open();
  }
  wake(): void {
    for (const w of this.#wakers) w();
  }
  /** What a browser does that lacks room: all data of the site go, the cookie stays. */
  evict(): void {
    this.indexedDB = new IDBFactory();
    this.marks[0].text = null;
  }
  cut(): void {
    for (const s of this.sockets) s.terminate();
  }
  #env(): Env {
    return {
      nowMs: () => (this.stoodMs ?? Date.now()) + this.clockMs,
      jitter: () => 0,
      socket: (url, protocol) => {
        const s = new WebSocket(this.#reach(url), protocol, {
          perMessageDeflate: false,
        });
        this.sockets.add(s);
        s.on("close", () => this.sockets.delete(s));
        s.on("error", () => undefined); // a browser says it by close
        return s as unknown as globalThis.WebSocket;
      },
      lock: (name, work, options) => this.#locks.lock(name, work, options),
      channel: (name) => this.#channel(name),
      marks: this.marks.map((m): Mark => ({
        read: () => m.text,
        write: (text) => void (m.text = text),
      })),
      defaultUrl: `ws://127.0.0.1:${this.port}/sync`,
      persist: async () => true,
      online: () => this.online,
      onWake: (listener) => {
        this.#wakers.add(listener);
        return () => void this.#wakers.delete(listener);
      },
    };
  }
  #reach(url: string): string {
    const nowhere = !this.online || new URL(url).port === "9";
    return nowhere ? "ws://127.0.0.1:9/sync" : `ws://127.0.0.1:${this.port}/sync`;
  }
  /** As a newer app would leave it. */
  async upgradeDatabase(version: number): Promise<void> {
    const request = this.indexedDB.open("overdracht", version);
    await new Promise((resolve, reject) => {
      request.onsuccess = resolve;
      request.onerror = reject;
    });
    request.result.close();
  }
  #channel(name: string): Channel {
    const own = { name, listeners: new Set<(m: unknown) => void>() };
    this.#channels.add(own);
    return {
      post: (m) => {
        const text = structuredClone(m);
        for (const c of this.#channels)
          if (c !== own && c.name === name) queueMicrotask(() => c.listeners.forEach((l) => l(text)));
      },
      listen: (l) => void own.listeners.add(l),
      close: () => void this.#channels.delete(own),
    };
  }
}

/** Until it holds; says what did not. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 20_000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((r) => setTimeout(r, 20));
  }
}

/** All rows of a browser's database, by table. */
export async function dump(browser: Browser): Promise<Record<string, unknown[]>> {
  const request = browser.indexedDB.open("overdracht");
  await new Promise((resolve) => (request.onsuccess = resolve));
  const db = request.result;
  const rows: Record<string, unknown[]> = {};
  for (const table of db.objectStoreNames) {
    const all = db.transaction(table).objectStore(table).getAll();
    await new Promise((resolve) => (all.onsuccess = resolve));
    rows[table] = all.result;
  }
  db.close();
  return rows;
}

// Each request to a database is counted for its browser, and writing fails where there is no room.
const owners = new WeakMap<IDBDatabase, Browser>();
let current: Browser | undefined;
const openFactory = IDBFactory.prototype.open;
IDBFactory.prototype.open = function (...args) {
  const request = openFactory.apply(this, args);
  const browser = current;
  if (browser?.indexedDB === this)
    request.addEventListener("success", () => owners.set(request.result, browser));
  return request;
};
type Method = (...args: unknown[]) => unknown;
function count(
  prototype: object,
  names: string[],
  database: (self: never) => IDBDatabase,
  writes: boolean,
): void {
  const methods = prototype as Record<string, Method>;
  for (const name of names) {
    const method = methods[name];
    methods[name] = function (this: never, ...args: unknown[]) {
      const browser = owners.get(database(this));
      if (browser) browser.requests++;
      if (browser?.full && writes) throw new DOMException("no room", "QuotaExceededError");
      return method.apply(this, args);
    };
  }
}
const READS = ["get", "getKey", "getAll", "getAllKeys", "count", "openCursor", "openKeyCursor"];
const ofStore = (s: IDBObjectStore) => s.transaction.db;
count(IDBObjectStore.prototype, READS, ofStore, false);
count(IDBObjectStore.prototype, ["put", "add"], ofStore, true);
count(IDBIndex.prototype, READS, (i: IDBIndex) => i.objectStore.transaction.db, false);
