// The receiving half of a session: what comes of each scope is kept with the position that it leads to.
import { fail } from "./error.ts";
import { LIMITS } from "./generated.ts";
import { entryRecord } from "./log.ts";
import { type Acked, type Delta, SCOPE_STATE, type Welcome } from "./messages.ts";
import type { Name } from "./name.ts";
import { keysOf } from "./settle.ts";
import { type Step, get } from "./steps.ts";
import type { Change, ScopeCursor, Store } from "./store.ts";
import type { Event, Met, Ports } from "./talk.ts";

/** The session that it is part of. */
export interface InLine {
  acked(cursors: Acked["cursors"]): void;
  tell(event: Event): void;
}

export class Inbox {
  readonly #store: Store;
  readonly #ports: Pick<Ports, "windowedKinds">;
  readonly #met: Met;
  readonly #line: InLine;

  readonly cursors = new Map<number, ScopeCursor>();
  /** scopes that come from position 0 beside the old copy; the position that has come */
  readonly #refetch = new Map<number, number | undefined>();
  readonly #moved = new Set<number>();
  #uncredited = 0;
  #windowS = -Infinity;

  constructor(ports: Ports, met: Met, line: InLine) {
    this.#store = ports.store;
    this.#ports = ports;
    this.#met = met;
    this.#line = line;
  }
  clear(): void {
    this.cursors.clear();
    this.#refetch.clear();
  }

  *delta(m: Delta): Step<void> {
    const staged = this.#refetch.has(m.scope);
    const at = staged ? (this.#refetch.get(m.scope) ?? 0) : (this.cursors.get(m.scope)?.pos ?? 0);
    if (m.from !== at || m.to < m.from) fail("state", "DELTA's position");
    const changes: Change[] = [];
    if (staged && this.#refetch.get(m.scope) === undefined) changes.push({ to: "stage", scope: m.scope });
    for (const { record, changed } of m.records) {
      changes.push({ to: "put", staged, part: { scope: m.scope, record, changed } });
      keysOf(record, changes);
    }
    for (const name of m.gone) changes.push({ to: "gone", staged, scope: m.scope, name });
    const cursor = { scope: m.scope, pos: m.to, hash: Uint8Array.from(m.hash) };
    changes.push({ to: "cursor", staged, cursor });
    const names = m.records.map((r) => r.record.name);
    yield* this.#offTop(new Set([...names, ...m.gone]), changes);
    this.#keepPosition(m, staged, cursor, changes);
    this.leaveWindow(m.time, changes);
    yield* get(this.#store.apply(changes));
    this.#line.tell({ is: "received", scope: m.scope, names, gone: m.gone });
    this.#moved.add(m.scope);
    if (++this.#uncredited >= Math.max(1, this.#met.credit >> 1)) this.acked();
  }
  #keepPosition(m: Delta, staged: boolean, cursor: ScopeCursor, changes: Change[]): void {
    if (!staged) this.cursors.set(m.scope, cursor);
    else if (m.more) this.#refetch.set(m.scope, m.to);
    else {
      this.#refetch.delete(m.scope);
      this.cursors.set(m.scope, cursor);
      changes.push({ to: "swap", scope: m.scope });
    }
  }
  /** PROTO-111 */
  *#offTop(names: Set<Name>, changes: Change[]): Step<void> {
    const acked = yield* get(this.#store.ackedOnTop());
    const told = acked.filter((e) => names.has(entryRecord(e) ?? "")).map((e) => e.op.name);
    if (told.length) changes.push({ to: "absorbed", names: told });
  }
  acked(): void {
    if (!this.#moved.size) return;
    const cursors = [...this.#moved]
      .sort((a, b) => a - b)
      .map((scope) => ({ scope, pos: this.#refetch.get(scope) ?? this.cursors.get(scope)!.pos }));
    this.#line.acked(cursors);
    this.#moved.clear();
    this.#uncredited = 0;
  }
  /** A scope that was to come from position 0 and of which nothing came is empty now. */
  *emptyScopes(): Step<void> {
    const changes: Change[] = [];
    for (const [scope, come] of this.#refetch)
      if (come === undefined) {
        changes.push({ to: "drop", scope });
        this.#refetch.delete(scope);
        this.cursors.delete(scope);
      }
    if (changes.length) yield* get(this.#store.apply(changes));
  }
  /** PROTO-116; in a live session once an hour. */
  leaveWindow(nowS: number, changes: Change[]): void {
    if (nowS < this.#windowS + 3600) return;
    this.#windowS = nowS;
    changes.push({
      to: "window",
      kinds: this.#ports.windowedKinds(),
      before: nowS - LIMITS.WINDOW_DAYS * 86400,
    });
  }
  /** PROTO-109 */
  scopes(m: Welcome, changes: Change[]): void {
    if (this.#met.helloServer !== m.server) changes.push({ to: "server", server: m.server });
    const refetch = (scope: number) => this.#refetch.set(scope, undefined);
    if (this.#met.helloServer !== null && this.#met.helloServer !== m.server)
      [...this.cursors.keys()].forEach(refetch);
    for (const { scope, state } of m.scopes) {
      if (state === SCOPE_STATE.REFETCH) refetch(scope);
      if (state === SCOPE_STATE.NEW) this.cursors.delete(scope);
      if (state !== SCOPE_STATE.GONE) continue;
      this.cursors.delete(scope);
      this.#refetch.delete(scope);
      changes.push({ to: "drop", scope });
    }
  }
}
