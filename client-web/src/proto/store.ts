// What a session keeps: the interface, and a store in memory. A method may give its answer at once or
// later; what a session changes in one step comes in one `apply`, which is one transaction.
import type { Id, Name } from "./name.ts";
import { type Entry, type LogState, type Receipt, entryRecord } from "./log.ts";
import type { Rec } from "./record.ts";

export type Later<T> = T | Promise<T>;

export interface ScopeCursor {
  scope: number;
  pos: number;
  hash: Uint8Array;
}
export interface ServerPart {
  scope: number;
  record: Rec;
  /** server time of the last change, seconds */
  changed: number;
}
/** Commit keys by owner: the name of a participant, or `scope:` and its number. */
export type KeyOf = string;
export const scopeKey = (scope: number): KeyOf => `scope:${Math.max(scope, 1)}`;

export type Change =
  /** a record of the scope, or of its copy that is being collected (PROTO-109) */
  | { to: "put"; staged: boolean; part: ServerPart }
  | { to: "gone"; staged: boolean; scope: number; name: Name }
  | { to: "cursor"; staged: boolean; cursor: ScopeCursor }
  /** starts a copy beside the old one; puts it in its place */
  | { to: "stage"; scope: number }
  | { to: "swap"; scope: number }
  | { to: "drop"; scope: number }
  /** receipts of ops; the log is on the server up to `upTo` */
  | { to: "acked"; upTo: number; receipts: { seq: number; receipt: Receipt }[] }
  /** no longer on top of the server part */
  | { to: "absorbed"; seqs: number[] }
  | { to: "safe"; upTo: number }
  /** the server has less than was acknowledged: what comes after is to be sent again */
  | { to: "rollback"; upTo: number }
  | { to: "refused"; seq: number; error: number }
  | { to: "newWriter"; writer: Id; device: Id; head: Uint8Array }
  | { to: "key"; of: KeyOf; key: Uint8Array }
  /** the server that the cursors belong to */
  | { to: "server"; server: Id }
  /** server time less own, milliseconds */
  | { to: "clock"; offsetMs: number }
  /** records of these kinds whose last change lies before this (seconds) */
  | { to: "window"; kinds: number[]; before: number }
  /** everything received (PROTO-122) */
  | { to: "purge" };

export interface Store {
  log(): Later<LogState>;
  /** Entries of the live writer from … to, at most `max` of them. */
  entries(from: number, to: number, max: number): Later<Entry[]>;
  /** Heads of the live writer after these seqs; undefined for a seq that it has not. */
  heads(seqs: number[]): Later<(Uint8Array | undefined)[]>;
  /** Acknowledged ops that still lie on top, in order. */
  ackedOnTop(): Later<Entry[]>;
  /** The server this store last knew; null before the first session. */
  server(): Later<Id | null>;
  cursors(): Later<ScopeCursor[]>;
  clockOffset(): Later<number>;
  /** The server part of each record, in whatever scope. */
  parts(names: Name[]): Later<(ServerPart | undefined)[]>;
  key(of: KeyOf): Later<Uint8Array | undefined>;
  apply(changes: Change[]): Later<void>;
}

export class MemoryStore implements Store {
  #log: LogState;
  #entries: Entry[] = [];
  readonly oldLogs: { log: LogState; entries: Entry[] }[] = [];
  #server: Id | null = null;
  #offset = 0;
  #cursors = new Map<number, ScopeCursor>();
  #parts = new Map<number, Map<Name, ServerPart>>();
  #staged = new Map<number, { cursor: ScopeCursor | undefined; parts: Map<Name, ServerPart> }>();
  readonly #keys = new Map<KeyOf, Uint8Array>();
  #head0: Uint8Array;
  purged = false;

  constructor(writer: Id, device: Id, head0: Uint8Array) {
    this.#log = { writer, device, seq: 0, head: head0, acked: 0, safe: 0 };
    this.#head0 = head0;
  }
  log = () => this.#log;
  entries = (from: number, to: number, max: number) =>
    this.#entries.slice(from - 1, Math.min(to, from - 1 + max));
  heads = (seqs: number[]) => seqs.map((s) => (s === 0 ? this.#head0 : this.#entries[s - 1]?.head));
  ackedOnTop = () => this.#entries.filter((e) => e.onTop && e.receipt);
  server = () => this.#server;
  cursors = () => [...this.#cursors.values()];
  clockOffset = () => this.#offset;
  key = (of: KeyOf) => this.#keys.get(of);
  parts = (names: Name[]) => names.map((n) => this.part(n));

  /** Adds an entry that appendOp made. */
  append(entry: Entry, log: LogState): void {
    this.#entries.push(entry);
    this.#log = log;
  }
  part(name: Name): ServerPart | undefined {
    for (const parts of this.#parts.values()) if (parts.has(name)) return parts.get(name);
    return undefined;
  }
  allParts(): ServerPart[] {
    return [...this.#parts.values()].flatMap((m) => [...m.values()]);
  }
  onTop(name: Name): Entry[] {
    return this.#entries.filter((e) => e.onTop && entryRecord(e) === name);
  }

  apply(changes: Change[]): void {
    for (const c of changes) this.#change(c);
  }
  #scope(scope: number, staged: boolean): Map<Name, ServerPart> {
    if (staged) return this.#staged.get(scope)!.parts;
    let parts = this.#parts.get(scope);
    if (!parts) this.#parts.set(scope, (parts = new Map()));
    return parts;
  }
  #change(c: Change): void {
    switch (c.to) {
      case "put":
        this.#scope(c.part.scope, c.staged).set(c.part.record.name, c.part);
        break;
      case "gone":
        this.#scope(c.scope, c.staged).delete(c.name);
        break;
      case "cursor":
        if (c.staged) this.#staged.get(c.cursor.scope)!.cursor = c.cursor;
        else this.#cursors.set(c.cursor.scope, c.cursor);
        break;
      case "stage":
        this.#staged.set(c.scope, { cursor: undefined, parts: new Map() });
        break;
      case "swap": {
        const fresh = this.#staged.get(c.scope)!;
        this.#parts.set(c.scope, fresh.parts);
        if (fresh.cursor) this.#cursors.set(c.scope, fresh.cursor);
        this.#staged.delete(c.scope);
        break;
      }
      case "drop":
        for (const m of [this.#parts, this.#cursors, this.#staged]) m.delete(c.scope);
        break;
      case "window":
        this.#window(c.kinds, c.before);
        break;
      case "key":
        this.#keys.set(c.of, c.key);
        break;
      case "server":
        this.#server = c.server;
        break;
      case "clock":
        this.#offset = c.offsetMs;
        break;
      case "purge":
        this.#purge();
        break;
      default:
        this.#changeLog(c);
    }
  }
  #window(kinds: number[], before: number): void {
    for (const parts of this.#parts.values())
      for (const [name, p] of parts)
        if (kinds.includes(p.record.kind) && p.changed < before) parts.delete(name);
  }
  #purge(): void {
    this.purged = true;
    for (const m of [this.#parts, this.#cursors, this.#staged]) m.clear();
    this.#keys.clear();
  }
  #changeLog(
    c: Extract<Change, { to: "acked" | "absorbed" | "safe" | "rollback" | "refused" | "newWriter" }>,
  ): void {
    switch (c.to) {
      case "acked":
        for (const { seq, receipt } of c.receipts) this.#edit(seq, { receipt });
        this.#log = { ...this.#log, acked: Math.max(c.upTo, this.#log.acked) };
        break;
      case "absorbed":
        for (const seq of c.seqs) this.#edit(seq, { onTop: false });
        break;
      case "safe":
        this.#log = { ...this.#log, safe: c.upTo };
        break;
      case "rollback":
        for (let seq = c.upTo + 1; seq <= this.#log.acked; seq++)
          this.#edit(seq, { receipt: null, onTop: true });
        this.#log = { ...this.#log, acked: Math.min(c.upTo, this.#log.acked) };
        break;
      case "refused":
        this.#edit(c.seq, { refused: c.error });
        break;
      case "newWriter":
        this.oldLogs.push({ log: this.#log, entries: this.#entries });
        this.#log = { writer: c.writer, device: c.device, seq: 0, head: c.head, acked: 0, safe: 0 };
        this.#entries = [];
        this.#head0 = c.head;
        break;
    }
  }
  #edit(seq: number, to: Partial<Entry>): void {
    this.#entries[seq - 1] = { ...this.#entries[seq - 1], ...to };
  }
}
