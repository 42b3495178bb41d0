// Forms that were begun and not saved. They survive going elsewhere, a lock, a reload and the next carer's
// turn, and are seen by the person who began them only: the engine seals them like entries. Each has a key of
// its own: a tablet that shows nothing (entryOnly) does not know what was begun before, and must not write
// over it.
import type { App, Id, Values } from "../app/api.ts";

export interface DraftForm {
  /** begins with `path`, so that an erasure finds the client in it */
  key: string;
  /** hash of the form */
  path: string;
  kind: number;
  client: Id | null;
  values: Values;
  /** what the form began with */
  start: Values;
  /** copied and not looked at yet */
  copied: readonly number[];
  /** when it was begun, seconds */
  at: number;
}

/** While somebody types, not each key stroke is written. */
const WRITE_AFTER_MS = 400;

export class Drafts {
  readonly #app: App;
  readonly #byKey = new Map<string, DraftForm>();
  /** saved or thrown away: what is still being read brings none of them back */
  readonly #gone = new Set<string>();
  #of: Id | null = null;
  readonly #waiting = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(app: App) {
    this.#app = app;
  }

  /** Reads those of the person who is signed in now; forgets those of others. What is known already is newer. */
  async load(): Promise<void> {
    const person = this.#app.person?.id ?? null;
    if (person !== this.#of) this.#byKey.clear();
    this.#of = person;
    if (person === null) return;
    const read = await this.#app.drafts();
    if (person !== this.#of) return;
    for (const [key, body] of read) {
      const draft = parse(key, body);
      if (draft && !this.#byKey.has(key) && !this.#gone.has(key)) this.#byKey.set(key, draft);
    }
  }
  /** Begun last first. */
  all(): DraftForm[] {
    return [...this.#byKey.values()].sort((a, b) => b.at - a.at);
  }
  /** Those of one form. */
  at(path: string): DraftForm[] {
    return this.all().filter((d) => d.path === path);
  }
  get(key: string): DraftForm | undefined {
    return this.#byKey.get(key);
  }
  keep(draft: DraftForm): void {
    const { key } = draft;
    this.#gone.delete(key);
    this.#byKey.set(key, draft);
    clearTimeout(this.#waiting.get(key));
    this.#waiting.set(
      key,
      setTimeout(() => this.#put(key), WRITE_AFTER_MS),
    );
  }
  drop(key: string): void {
    this.#gone.add(key);
    if (!this.#byKey.delete(key)) return;
    clearTimeout(this.#waiting.get(key));
    this.#put(key);
  }
  /** A page that is hidden or a tablet that is locked may never come back: writes what waits. */
  flush(): void {
    for (const [key, timer] of this.#waiting) {
      clearTimeout(timer);
      this.#put(key);
    }
  }

  #put(key: string): void {
    this.#waiting.delete(key);
    const draft = this.#byKey.get(key);
    // a draft is a convenience: where it cannot be kept, the form itself says so when it is saved
    this.#app.keepDraft(key, draft ? JSON.stringify(draft) : null).catch(() => undefined);
  }
}

/** For a form that is begun now. */
export function newKey(path: string): string {
  return `${path} ${[...crypto.getRandomValues(new Uint32Array(2))].map((n) => n.toString(36)).join("")}`;
}

function parse(key: string, body: string): DraftForm | null {
  try {
    const draft = JSON.parse(body) as DraftForm;
    return typeof draft.path === "string" &&
      typeof draft.kind === "number" &&
      typeof draft.values === "object"
      ? { ...draft, key }
      : null;
  } catch {
    return null;
  }
}
