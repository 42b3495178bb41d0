// What a session keeps: the interface, and a store in memory. A method may give its answer at once or
// later; what a session changes in one step comes in one `apply`, which is one transaction.
import { type Id, type Name, seqOf, writerOf } from "./name.ts";
import { fail } from "./error.ts";
import { type Entry, type LogState, type OldLog, type Receipt, entryRecord } from "./log.ts";
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
  /** receipts of ops, on top until the server part has them; the log is on the server up to `upTo`. Nothing of
   *  it  counts when the log was rewound meanwhile, so that they do not follow on what is acknowledged */
  | { to: "acked"; writer: Id; upTo: number; receipts: { seq: number; receipt: Receipt }[] }
  /** no longer on top of the server part */
  | { to: "absorbed"; names: Name[] }
  | { to: "safe"; writer: Id; upTo: number }
  /** the server has less than was acknowledged: what comes after is to be sent again, and lies on top */
  | { to: "rollback"; writer: Id; upTo: number }
  /** all of every log is to be sent again; what the server part has stays in it (PROTO-85) */
  | { to: "again" }
  | { to: "refused"; writer: Id; seq: number; error: number }
  /** the log is left behind, and another one begun; askedMs: as of an old log, of the one that is left */
  | { to: "newWriter"; writer: Id; device: Id; head: Uint8Array; askedMs: number }
  /** the server was asked what it has of a log */
  | { to: "asked"; writer: Id; ms: number }
  | { to: "key"; of: KeyOf; key: Uint8Array }
  /** the server that the cursors belong to. Another one than before was asked about no log yet */
  | { to: "server"; server: Id }
  /** server time less own, milliseconds */
  | { to: "clock"; offsetMs: number }
  /** records of these kinds whose last change lies before this (seconds) */
  | { to: "window"; kinds: number[]; before: number }
  /** everything received (PROTO-122) */
  | { to: "purge" };

/** Do these receipts go on where the log is acknowledged? */
export const follows = (log: LogState, c: Extract<Change, { to: "acked" }>): boolean =>
  (c.receipts[0]?.seq ?? c.upTo + 1) <= log.acked + 1;
/** What changes a log. */
export type LogChange = Extract<
  Change,
  { to: "acked" | "absorbed" | "safe" | "rollback" | "again" | "refused" | "newWriter" | "asked" }
>;

export interface Store {
  /** The live log: what is written goes behind it. */
  log(): Later<LogState>;
  /** The logs of this device that it left behind, in the order in which it did. */
  oldLogs(): Later<OldLog[]>;
  /** Entries of a log from … to, at most `max` of them. */
  entries(writer: Id, from: number, to: number, max: number): Later<Entry[]>;
  /** Heads of a log after these seqs; undefined for a seq that it has not. */
  heads(writer: Id, seqs: number[]): Later<(Uint8Array | undefined)[]>;
  /** Acknowledged ops that still lie on top, in the order in which they were written. Of no log before this
   *  server was asked about it (PROTO-113). */
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

/** A log, its entries, and the head before them. */
interface Kept {
  log: OldLog;
  entries: Entry[];
  head0: Uint8Array;
}
const kept = (writer: Id, device: Id, head0: Uint8Array): Kept => ({
  log: { writer, device, seq: 0, head: head0, acked: 0, safe: 0, askedMs: 0 },
  entries: [],
  head0,
});

export class MemoryStore implements Store {
  /** in the order in which they were begun; the last one is live */
  readonly #logs: Kept[];
  #server: Id | null = null;
  #offset = 0;
  #cursors = new Map<number, ScopeCursor>();
  #parts = new Map<number, Map<Name, ServerPart>>();
  #staged = new Map<number, { cursor: ScopeCursor | undefined; parts: Map<Name, ServerPart> }>();
  readonly #keys = new Map<KeyOf, Uint8Array>();
  purged = false;

  constructor(writer: Id, device: Id, head0: Uint8Array) {
    this.#logs = [kept(writer, device, head0)];
  }
  get #live(): Kept {
    return this.#logs[this.#logs.length - 1];
  }
  #of(writer: Id): Kept {
    return this.#logs.find((k) => k.log.writer === writer) ?? fail("corrupt", "no such log");
  }
  log = (): LogState => this.#live.log;
  oldLogs = (): OldLog[] => this.#logs.slice(0, -1).map((k) => k.log);
  entries = (writer: Id, from: number, to: number, max: number) =>
    this.#of(writer).entries.slice(from - 1, Math.min(to, from - 1 + max));
  heads = (writer: Id, seqs: number[]) => {
    const { head0, entries } = this.#of(writer);
    return seqs.map((s) => (s === 0 ? head0 : entries[s - 1]?.head));
  };
  ackedOnTop = () =>
    this.#logs
      .filter((k) => k.log.askedMs)
      .flatMap((k) => k.entries.filter((e) => e.onTop && e.receipt));
  server = () => this.#server;
  cursors = () => [...this.#cursors.values()];
  clockOffset = () => this.#offset;
  key = (of: KeyOf) => this.#keys.get(of);
  parts = (names: Name[]) => names.map((n) => this.part(n));

  /** Adds an entry that appendOp made. */
  append(entry: Entry, log: LogState): void {
    this.#live.entries.push(entry);
    this.#live.log = { ...this.#live.log, ...log };
  }
  part(name: Name): ServerPart | undefined {
    for (const parts of this.#parts.values()) if (parts.has(name)) return parts.get(name);
    return undefined;
  }
  allParts(): ServerPart[] {
    return [...this.#parts.values()].flatMap((m) => [...m.values()]);
  }
  onTop(name: Name): Entry[] {
    return this.#logs.flatMap((k) => k.entries).filter((e) => e.onTop && entryRecord(e) === name);
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
        if (this.#server !== c.server) for (const k of this.#logs) k.log = { ...k.log, askedMs: 0 };
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
  #changeLog(c: LogChange): void {
    switch (c.to) {
      case "acked":
        if (!follows(this.#of(c.writer).log, c)) return;
        for (const { seq, receipt } of c.receipts) this.#edit(c.writer, seq, { receipt, onTop: true });
        return this.#put(c.writer, { acked: Math.max(c.upTo, this.#of(c.writer).log.acked) });
      case "absorbed":
        for (const name of c.names) this.#edit(writerOf(name), seqOf(name), { onTop: false });
        return;
      case "safe":
        return this.#put(c.writer, { safe: c.upTo });
      case "asked":
        return this.#put(c.writer, { askedMs: c.ms });
      case "rollback":
        for (let seq = c.upTo + 1; seq <= this.#of(c.writer).log.acked; seq++)
          this.#edit(c.writer, seq, { receipt: null, onTop: true });
        return this.#rewind(c.writer, c.upTo);
      case "again":
        for (const k of this.#logs) {
          k.entries = k.entries.map((e) => ({ ...e, receipt: null }));
          this.#rewind(k.log.writer, 0);
        }
        return;
      case "refused":
        return this.#edit(c.writer, c.seq, { refused: c.error });
      case "newWriter":
        this.#put(this.#live.log.writer, { askedMs: c.askedMs });
        this.#logs.push(kept(c.writer, c.device, c.head));
    }
  }
  #rewind(writer: Id, upTo: number): void {
    const { acked, safe } = this.#of(writer).log;
    this.#put(writer, { acked: Math.min(upTo, acked), safe: Math.min(upTo, safe) });
  }
  #put(writer: Id, to: Partial<OldLog>): void {
    const k = this.#of(writer);
    k.log = { ...k.log, ...to };
  }
  #edit(writer: Id, seq: number, to: Partial<Entry>): void {
    const { entries } = this.#of(writer);
    entries[seq - 1] = { ...entries[seq - 1], ...to };
  }
}
