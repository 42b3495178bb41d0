// The fold: the state of a record is a pure function of the set of its ops, their verdicts and receipts
// (PROTOCOL.md section 14).
import { fail } from "./error.ts";
import { LIMITS, VERDICTS, type Verdict } from "./generated.ts";
import { type Name, compareNames } from "./name.ts";
import { FIELD_RETRACTED, type HeaderOp, type Op, recordOf } from "./op.ts";
import {
  CLOCK_SUSPECT,
  type Held,
  type Live,
  type Rec,
  type RecordOp,
  cellKey,
  liveOfField,
  sortLive,
} from "./record.ts";

export interface FoldIn {
  op: Op;
  verdict: Verdict;
  /** why it is held */
  reason: number;
  /** seconds, of the earliest receipt; null while there is none */
  serverTime: number | null;
  /** seconds to add to the device's time, of the earliest receipt; without one, the last known */
  offset: number;
}

const keepTime = (t: number): number => Math.max(-LIMITS.TIME_S_MAX, Math.min(LIMITS.TIME_S_MAX, t));
/** PROTO-92 */
export function correctedTime(time: number, offset: number, serverTime: number | null): number {
  const t = keepTime(time + offset);
  return serverTime !== null && serverTime < t ? serverTime : t;
}
const recordOp = (op: HeaderOp, i: FoldIn): RecordOp => ({
  name: op.name,
  author: op.author,
  time: correctedTime(op.time, i.offset, i.serverTime),
  flags: Math.abs(i.offset) > LIMITS.CLOCK_SUSPECT_S ? CLOCK_SUSPECT : 0,
});
const isHeld = (i: FoldIn): boolean => i.verdict === "held" || i.verdict === "dismissed";
const heldOf = (i: FoldIn): Held => ({ name: i.op.name, verdict: VERDICTS[i.verdict], reason: i.reason });

interface Carrier {
  /** index among the ops */
  at: number;
  live: Live;
}

/** Who carries which cell. Only applied, held and dismissed ops give anything. */
function gatherCells(ins: FoldIn[]): Map<string, Map<number, Carrier>> {
  const cells = new Map<string, Map<number, Carrier>>();
  let values = 0;
  ins.forEach((i, at) => {
    if (i.op.form !== "whole" || (i.verdict !== "applied" && !isHeld(i))) return;
    for (const f of i.op.fields)
      for (const live of liveOfField(f.id, f.value, at)) {
        if (++values > LIMITS.RECORD_VALUES_MAX) fail("limit", "values of a record");
        const key = cellKey(live.field, live.element);
        let cell = cells.get(key);
        if (!cell) cells.set(key, (cell = new Map()));
        cell.set(at, { at, live });
      }
  });
  return cells;
}

/** For each op, the ops of this record that it names. */
function gatherLinks(ins: FoldIn[]): number[][] {
  const index = new Map<Name, number>();
  ins.forEach((i, at) => {
    if (index.has(i.op.name)) fail("invalid", "a name twice");
    index.set(i.op.name, at);
  });
  let links = 0;
  return ins.map((i, at) => {
    if (i.op.form !== "whole") return [];
    const named = i.op.replaces
      .map((n) => index.get(n))
      .filter((k): k is number => k !== undefined && k !== at);
    if ((links += named.length) > LIMITS.RECORD_LINKS_MAX) fail("limit", "links of a record");
    return named;
  });
}

/** The live values of one cell: PROTO-94 and PROTO-95. */
function liveOfCell(cell: Map<number, Carrier>, ins: FoldIn[], links: number[][]): Live[] {
  const counting = new Set<number>();
  const replaced = new Set<number>();
  const work = [...cell.keys()].filter((at) => ins[at].verdict === "applied");
  for (const at of work) counting.add(at);
  for (let at = work.pop(); at !== undefined; at = work.pop())
    for (const n of links[at]) {
      if (!cell.has(n)) continue;
      replaced.add(n);
      if (counting.has(n)) continue;
      counting.add(n);
      work.push(n);
    }
  return [...cell.values()]
    .filter((c) => ins[c.at].verdict === "applied" && !replaced.has(c.at))
    .map((c) => c.live);
}

/** The op that gives kind, scope and participant (PROTO-98). */
function headerOp(ins: FoldIn[]): HeaderOp {
  let best: HeaderOp | undefined;
  for (const { op } of ins) {
    if (op.form === "void") continue;
    if (op.record === null) return op;
    if (!best || compareNames(op.name, best.name) < 0) best = op;
  }
  return best ?? fail("invalid", "a record of voids alone");
}

/** Ops of one record in any order. */
export function fold(ins: FoldIn[]): Rec {
  if (ins.length > LIMITS.RECORD_OPS_MAX) fail("limit", "ops of a record");
  const header = headerOp(ins);
  const links = gatherLinks(ins);
  const all: Live[] = [];
  for (const cell of gatherCells(ins).values()) all.push(...liveOfCell(cell, ins, links));
  const holding = new Set(all.map((l) => l.op));
  const created = ins.some((i) => i.op.form !== "void" && i.op.record === null && i.verdict === "applied");
  const kept = ins
    .map((i, at) => ({ i, at }))
    .filter(
      ({ i, at }) =>
        holding.has(at) || (i.verdict === "applied" && i.op.form !== "void" && i.op.record === null),
    )
    .sort((a, b) => compareNames(a.i.op.name, b.i.op.name));
  const ops = kept.map(({ i }) => recordOp(i.op as HeaderOp, i));
  const place = new Map(kept.map(({ at }, k) => [at, k]));
  const live = all.map((l) => ({ ...l, op: place.get(l.op)! }));
  sortLive(live, ops);
  const applied = ins
    .filter((i) => i.verdict === "applied" && i.op.form !== "void")
    .map((i) => (i.op as HeaderOp).version);
  return {
    name: recordOf(header),
    kind: header.kind,
    version: Math.max(header.version, ...applied),
    scope: header.scope,
    participant: header.participant,
    created,
    ops,
    live,
    held: ins
      .filter(isHeld)
      .map(heldOf)
      .sort((a, b) => compareNames(a.name, b.name)),
    seen: seenBy(
      live.filter((l) => l.field === FIELD_RETRACTED && l.value !== null).map((l) => kept[l.op].i.op),
      ops,
    ),
  };
}

/** Those of ops that one of these retractions names. */
function seenBy(retractions: Op[], ops: RecordOp[]): Name[] {
  const named = new Set<Name>();
  for (const op of retractions)
    if (op.form === "whole") for (const n of op.replaces) if (n !== op.name) named.add(n);
  return ops.map((o) => o.name).filter((n) => named.has(n));
}

const emptyRecord = (op: HeaderOp): Rec => ({
  name: recordOf(op),
  kind: op.kind,
  version: op.version,
  scope: op.scope,
  participant: op.participant,
  created: false,
  ops: [],
  live: [],
  held: [],
  seen: [],
});

/** The state after one more op (PROTO-113). Equals the fold of the whole set if the base is nothing or
 *  created, no op of it names the new one, the new one names no held op of it, and it replaces all live
 *  retractions or none. Else it errs until the next DELTA. */
export function absorb(base: Rec | null, i: FoldIn): Rec {
  const op = i.op;
  if (op.form === "void") return base ?? fail("invalid", "a void alone");
  const from = base ?? emptyRecord(op);
  if (from.ops.some((o) => o.name === op.name) || from.held.some((h) => h.name === op.name)) return from;
  const header = op.record === null ? { kind: op.kind, scope: op.scope, participant: op.participant } : {};
  const next: Rec = { ...from, ...header };
  if (isHeld(i)) next.held = [...from.held, heldOf(i)].sort((a, b) => compareNames(a.name, b.name));
  return i.verdict === "applied" ? applyTo(next, op, i) : next;
}

function applyTo(from: Rec, op: HeaderOp, i: FoldIn): Rec {
  const mine =
    op.form === "whole" ? op.fields.flatMap((f) => liveOfField(f.id, f.value, from.ops.length)) : [];
  const cells = new Set(mine.map((l) => cellKey(l.field, l.element)));
  const named = new Set(op.form === "whole" ? op.replaces : []);
  const stays = (l: Live) => !cells.has(cellKey(l.field, l.element)) || !named.has(from.ops[l.op].name);
  const all = [...from.live.filter(stays), ...mine];
  const ops = [...from.ops, recordOp(op, i)];
  const holding = new Set(all.map((l) => l.op));
  const created = from.created || op.record === null;
  const kept = ops
    .map((o, at) => ({ o, at }))
    .filter(({ o, at }) => holding.has(at) || o.name === from.name)
    .sort((a, b) => compareNames(a.o.name, b.o.name));
  const place = new Map(kept.map(({ at }, k) => [at, k]));
  const live = all.map((l) => ({ ...l, op: place.get(l.op)! }));
  const list = kept.map(({ o }) => o);
  sortLive(live, list);
  return {
    ...from,
    version: Math.max(from.version, op.version),
    created,
    ops: list,
    live,
    seen: seenAfter(from, op, live, list, named),
  };
}

/** A retraction adds what it saw. Once none of those is live that were, what they saw is forgotten. */
function seenAfter(from: Rec, op: HeaderOp, live: Live[], ops: RecordOp[], named: Set<Name>): Name[] {
  const says = (l: Live) => l.field === FIELD_RETRACTED && l.value !== null;
  const retracts = live.some((l) => says(l) && ops[l.op].name === op.name);
  const older = live.some((l) => says(l) && ops[l.op].name !== op.name);
  const before = new Set(older ? from.seen : []);
  return ops.map((o) => o.name).filter((n) => before.has(n) || (retracts && named.has(n) && n !== op.name));
}
