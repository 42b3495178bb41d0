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
  online = true;
  readonly sockets = new Set<WebSocket>();
  defaultUrl: string;

  constructor(port: number) {
    this.defaultUrl = `ws://127.0.0.1:${port}/sync`;
  }
  async open(): Promise<App> {
    globalThis.indexedDB = this.indexedDB;
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
      nowMs: () => Date.now() + this.clockMs,
      jitter: () => 0,
      socket: (url, protocol) => {
        const s = new WebSocket(this.online ? url : "ws://127.0.0.1:9/sync", protocol, {
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
      defaultUrl: this.defaultUrl,
      persist: async () => true,
      online: () => this.online,
      onWake: (listener) => {
        this.#wakers.add(listener);
        return () => void this.#wakers.delete(listener);
      },
    };
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
