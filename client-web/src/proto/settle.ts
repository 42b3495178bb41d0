// What of the own entries the server part takes over: at SYNCED those that were acknowledged and whose
// record did not come (PROTO-113), and the keys that records carry.
import { absorb } from "./fold.ts";
import { type Entry, entryRecord, foldInOf } from "./log.ts";
import { type Name, seqOf, writerOf } from "./name.ts";
import { KIND } from "./op.ts";
import { type Rec, shown, shownElements } from "./record.ts";
import { type Step, get } from "./steps.ts";
import { type Change, type KeyOf, type ServerPart, type Store, scopeKey } from "./store.ts";

/** What came to lie at each record. */
type Parts = Map<Name, ServerPart | undefined>;
/** Scopes that this client has. */
type Scopes = ReadonlyMap<number, unknown>;

/** PROTO-113: acknowledged ops whose record did not come. */
export function* settle(store: Store, scopes: Scopes, offsetMs: number): Step<void> {
  const rest = yield* absorbable(store, yield* get(store.ackedOnTop()));
  if (!rest.length) return;
  const names = [...new Set(rest.map(entryRecord).filter((n): n is Name => n !== null))];
  const parts = yield* get(store.parts(names));
  const at: Parts = new Map(names.map((n, i) => [n, parts[i]]));
  for (const e of rest) {
    const name = entryRecord(e);
    if (name !== null) at.set(name, absorbOne(at.get(name), e, offsetMs));
  }
  const changes: Change[] = [{ to: "absorbed", names: rest.map((e) => e.op.name) }];
  for (const [i, name] of names.entries()) {
    const part = at.get(name);
    if (!part) continue;
    const scope = parts[i]?.scope ?? (yield* placeOf(store, scopes, part.record, at));
    if (scope !== undefined && scopes.has(scope))
      changes.push({ to: "put", staged: false, part: { ...part, scope } });
  }
  yield* get(store.apply(changes));
}
/** Those that rest on nothing of a log which is still to be asked about or sent. */
function* absorbable(store: Store, acked: Entry[]): Step<Entry[]> {
  if (!acked.length) return acked;
  const all = [...(yield* get(store.oldLogs())), yield* get(store.log())];
  const logs = new Map(all.map((o) => [o.writer, o]));
  const later = new Set<Name>();
  const waits = (name: Name): boolean => {
    const log = logs.get(writerOf(name));
    return later.has(name) || (log !== undefined && (!log.askedMs || seqOf(name) > log.acked));
  };
  return acked.filter((e) => {
    const { op } = e;
    if (op.form === "void") return true;
    const on = [op.record, op.participant, ...(op.form === "whole" ? op.replaces : [])];
    if (!on.some((name) => name !== null && waits(name))) return true;
    later.add(op.name);
    return false;
  });
}
/** PROTO-128: where a record lies that the server did not send; undefined: in no scope of this client. */
function* placeOf(store: Store, scopes: Scopes, r: Rec, at: Parts): Step<number | undefined> {
  if (r.kind === KIND.LOOK || r.kind === KIND.PURGE) return undefined;
  const about = r.kind === KIND.PARTICIPANT ? r.name : r.participant;
  if (about === null) return r.scope;
  const of = at.get(about) ?? (yield* get(store.parts([about])))[0];
  if (!of) return undefined;
  const teams = shownElements(of.record, 4).map(Number);
  return teams.length ? teams.find((team) => scopes.has(team)) : of.record.scope;
}
function absorbOne(part: ServerPart | undefined, e: Entry, offsetMs: number): ServerPart | undefined {
  if (e.refused || e.op.form === "void") return part;
  if (!part && e.op.record !== null) return undefined; // what it edits is not here
  const record = absorb(part?.record ?? null, foldInOf(e, offsetMs));
  return { scope: part?.scope ?? e.op.scope, record, changed: Math.floor(e.receipt!.serverMs / 1000) };
}

/** PROTO-32: commit keys that a record carries. */
export function keysOf(r: Rec, changes: Change[]): void {
  const put = (of: KeyOf, field: number) => {
    const key = shown(r, field);
    if (key instanceof Uint8Array && key.length === 32) changes.push({ to: "key", of, key });
  };
  if (r.kind === KIND.ORGANISATION) put(scopeKey(1), 3);
  if (r.kind === KIND.PARTICIPANT) put(r.name, 5);
  const scope = r.kind === KIND.TEAM ? shown(r, 3) : undefined;
  if (typeof scope === "number") put(scopeKey(scope), 4);
}
