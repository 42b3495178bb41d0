// Forms that were begun and not saved. They survive going elsewhere, a lock, a reload and the next carer's
// turn, and
// are seen by the person who began them only: the engine seals them like entries.
import type { App, Id, Values } from "../app/api.ts";

export interface DraftForm {
  /** hash of the form, and the key */
  path: string;
  kind: number;
  client: Id | null;
  values: Values;
  /** what the form began with */
  start: Values;
  /** copied and not looked at yet */
  copied: readonly number[];
  /** seconds */
  at: number;
}

/** While somebody types, not each key stroke is written. */
const WRITE_AFTER_MS = 400;

export class Drafts {
  readonly #app: App;
  readonly #byPath = new Map<string, DraftForm>();
  #of: Id | null = null;
  readonly #waiting = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(app: App) {
    this.#app = app;
  }

  /** Reads those of the person who is signed in now; forgets those of others. What is known already is newer. */
  async load(): Promise<void> {
    const person = this.#app.person?.id ?? null;
    if (person !== this.#of) this.#byPath.clear();
    this.#of = person;
    if (person === null) return;
    const read = await this.#app.drafts();
    if (person !== this.#of) return;
    for (const [path, body] of read) {
      const draft = parse(body);
      if (draft && !this.#byPath.has(path)) this.#byPath.set(path, draft);
    }
  }
  all(): DraftForm[] {
    return [...this.#byPath.values()].sort((a, b) => b.at - a.at);
  }
  get(path: string): DraftForm | undefined {
    return this.#byPath.get(path);
  }
  keep(draft: DraftForm): void {
    this.#byPath.set(draft.path, draft);
    this.#write(draft.path, JSON.stringify(draft));
  }
  drop(path: string): void {
    if (this.#byPath.delete(path)) this.#write(path, null);
  }
  /** A page that is hidden or a tablet that is locked may never come back: writes what waits. */
  flush(): void {
    for (const [path, timer] of this.#waiting) {
      clearTimeout(timer);
      this.#put(path);
    }
  }

  #write(path: string, body: string | null): void {
    clearTimeout(this.#waiting.get(path));
    if (body === null) return this.#put(path);
    this.#waiting.set(
      path,
      setTimeout(() => this.#put(path), WRITE_AFTER_MS),
    );
  }
  #put(path: string): void {
    this.#waiting.delete(path);
    const draft = this.#byPath.get(path);
    // a draft is a convenience: where it cannot be kept, the form itself says so when it is saved
    this.#app.keepDraft(path, draft ? JSON.stringify(draft) : null).catch(() => undefined);
  }
}

function parse(body: string): DraftForm | null {
  try {
    const draft = JSON.parse(body) as DraftForm;
    return typeof draft.path === "string" &&
      typeof draft.kind === "number" &&
      typeof draft.values === "object"
      ? draft
      : null;
  } catch {
    return null;
  }
}
