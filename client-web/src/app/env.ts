// What the engine takes from its surroundings, in one place: the browser gives all of it, tests in Node
// a part.

export interface Env {
  nowMs(): number;
  /** 0 … 1, for jitter only */
  jitter(): number;
  socket(url: string, protocol: string): WebSocket;
  /** One holder of a name at a time over all tabs; released when `work` settles or the tab ends. */
  lock<T>(name: string, work: () => Promise<T>, options?: { signal?: AbortSignal }): Promise<T>;
  channel(name: string): Channel;
  /** Small texts that outlive the database: the canary. Each place fails on its own. */
  marks: Mark[];
  /** Where the app came from, ws(s)://host/sync. */
  defaultUrl: string;
  persist(): Promise<boolean>;
  online(): boolean;
  /** Tells when it may pay to try again: online, visible. */
  onWake(listener: () => void): () => void;
}
export interface Channel {
  post(message: unknown): void;
  listen(listener: (message: unknown) => void): void;
  close(): void;
}
export interface Mark {
  read(): string | null;
  /** May fail without a word: it is a canary, no store. */
  write(text: string): void;
}

export const randomBytes = (n: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(n));

/** Runs what wants the same name one after the other: within one page only. */
export class LocalLocks {
  readonly #tails = new Map<string, Promise<unknown>>();

  lock<T>(name: string, work: () => Promise<T>, options?: { signal?: AbortSignal }): Promise<T> {
    const before = this.#tails.get(name) ?? Promise.resolve();
    const run = before.then(() => {
      if (options?.signal?.aborted) throw new DOMException("aborted", "AbortError");
      return work();
    });
    this.#tails.set(
      name,
      run.catch(() => undefined),
    );
    return run;
  }
}

const MARK = "overdracht";
const localMark: Mark = {
  read() {
    try {
      return localStorage.getItem(MARK);
    } catch {
      return null;
    }
  },
  write(text) {
    try {
      localStorage.setItem(MARK, text);
    } catch {
      // no room, or forbidden
    }
  },
};
/** A cookie is kept apart from the storage that a browser evicts. It is sent to the own server only,
 *  which passes  it over; it holds a random log id and a number. */
const cookieMark: Mark = {
  read: () => /(?:^|; )overdracht-mark=([^;]*)/.exec(document.cookie)?.[1] ?? null,
  write(text) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `overdracht-mark=${text}; Max-Age=34560000; Path=/; SameSite=Strict${secure}`;
  },
};

function browserChannel(name: string): Channel {
  const c = new BroadcastChannel(name);
  return {
    post: (m) => c.postMessage(m),
    listen: (l) => c.addEventListener("message", (e) => l(e.data)),
    close: () => c.close(),
  };
}

export function browserEnv(): Env {
  const local = new LocalLocks();
  return {
    nowMs: () => Date.now(),
    jitter: () => Math.random(),
    socket: (url, protocol) => new WebSocket(url, protocol),
    lock: (name, work, options) =>
      navigator.locks
        ? (navigator.locks.request(`overdracht-${name}`, options ?? {}, work) as Promise<never>)
        : local.lock(name, work, options),
    channel: browserChannel,
    marks: [localMark, cookieMark],
    defaultUrl: `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/sync`,
    persist: async () => {
      try {
        return (await navigator.storage.persisted()) || (await navigator.storage.persist());
      } catch {
        return false;
      }
    },
    online: () => navigator.onLine,
    onWake(listener) {
      const visible = () => document.visibilityState === "visible" && listener();
      addEventListener("online", listener);
      document.addEventListener("visibilitychange", visible);
      return () => {
        removeEventListener("online", listener);
        document.removeEventListener("visibilitychange", visible);
      };
    },
  };
}
