// A record as the screens see it, and where it is found.
import type { Clock, FieldView, HeldEntry, Id, Place, RecordView, Said, Value, Values } from "./api.ts";
import { hmac } from "@noble/hashes/hmac";
import { sha256 } from "@noble/hashes/sha2";
import { hex } from "../proto/bytes.ts";
import { VERDICTS } from "../proto/generated.ts";
import type { Entry, LogState } from "../proto/log.ts";
import { type Name, seqOf, writerOf } from "../proto/name.ts";
import { FIELD_RETRACTED } from "../proto/op.ts";
import {
  CLOCK_SUSPECT,
  type Live,
  type Rec,
  conflicts,
  fieldConflict,
  liveOf,
  retracted,
  shownElements,
} from "../proto/record.ts";
import {
  type Kind,
  type Schemas,
  type SchemaField,
  TYPE,
  fieldOfKind,
  missingFields,
  naturalKey,
} from "../proto/schema.ts";
import { type Element, isSet } from "../proto/value.ts";
import type { ViewRow } from "./db.ts";
import { DISMISSED, REFUSED, heldNotice } from "./errors.ts";
import { isSetField, outOf, setOut } from "./kinds.ts";

// -- where it is found ----------------------------------------------------------------------------------

interface When {
  day: number;
  occurredAt: number | null;
}
const createdTime = (r: Rec): number =>
  r.ops.find((o) => o.name === r.name)?.time ?? r.ops.reduce((t, o) => Math.min(t, o.time), Infinity);
const changedTime = (r: Rec): number => r.ops.reduce((t, o) => Math.max(t, o.time), -Infinity);
const finite = (t: number): number => (Number.isFinite(t) ? t : 0);

/** Local day of occurrence; without one, of creation. */
function whenOf(r: Rec, k: Kind | undefined, clock: Clock): When {
  const f = k?.occurred ? fieldOfKind(k, k.occurred) : undefined;
  const v = f && liveOf(r, f.id)[0]?.value;
  if (f && typeof v === "number" && !f.missing.includes(v))
    return f.type === TYPE.DATE ? { day: v, occurredAt: null } : { day: clock.day(v), occurredAt: v };
  return { day: clock.day(finite(createdTime(r))), occurredAt: null };
}

export interface IndexPorts {
  schemas(): Schemas;
  clock(): Clock;
  /** secret of this store, so that a key of a double says nothing */
  doubleKey: Uint8Array;
}
export function viewRow(p: IndexPorts, r: Rec, scope: number | null): ViewRow {
  const k = p.schemas().kind(r.kind);
  const state = retracted(r);
  const at = scope ?? r.scope;
  const row: ViewRow = {
    name: r.name,
    scope: at,
    kind: r.kind,
    client: r.participant ?? "",
    day: whenOf(r, k, p.clock()).day,
    at: finite(changedTime(r)),
    made: finite(createdTime(r)),
    ret: state === "retracted" ? 1 : 0,
    lacks: k && state !== "retracted" && missingFields(k, r).length ? 1 : 0,
  };
  if (conflicts(r) || r.held.some((h) => h.verdict === VERDICTS.held)) row.att = at;
  const key = k && state !== "retracted" ? naturalKey(k, r) : null;
  if (key) row.dk = `${r.kind} ${hex(hmac(sha256, p.doubleKey, key).subarray(0, 16))}`;
  return row;
}

// -- what is shown --------------------------------------------------------------------------------------

export interface ViewPorts {
  kind: Kind | undefined;
  clock: Clock;
  teamOf(scope: number): Id | null;
  nameOf(person: Id | null): string | null;
  log: LogState;
  /** own entries among the record's held ops, and those refused */
  own: readonly Entry[];
  doubles: readonly Id[];
}

const said = (p: ViewPorts, r: Rec, l: Live, value: Value): Said => {
  const op = r.ops[l.op];
  return {
    value,
    by: op.author,
    byName: p.nameOf(op.author),
    at: op.time,
    clockSuspect: (op.flags & CLOCK_SUSPECT) !== 0,
  };
};
const sameValue = (a: Value, b: Value): boolean => JSON.stringify(a) === JSON.stringify(b);

function singleView(p: ViewPorts, r: Rec, field: number): FieldView {
  const all = liveOf(r, field).map((l) => said(p, r, l, outOf(l.value)));
  const others = all.filter((s, i) => all.findIndex((o) => sameValue(o.value, s.value)) === i && i > 0);
  return { field, ...all[0], others, doubted: [] };
}
/** A set: who wrote last speaks for it; elements about which writers differ are in doubt. */
function setView(p: ViewPorts, r: Rec, field: number): FieldView {
  const live = liveOf(r, field).filter((l) => l.element !== undefined);
  const latest = live.reduce((a, b) => (r.ops[b.op].time > r.ops[a.op].time ? b : a));
  const shownNow = shownElements(r, field);
  const doubted = doubtedElements(r, field);
  const others = doubted.length ? otherSets(p, r, live, shownNow) : [];
  const marks = doubted.filter((e): e is number => typeof e === "number");
  return { field, ...said(p, r, latest, setOut(shownNow)), others, doubted: marks };
}
const keyOf = (e: Element): string => (e instanceof Uint8Array ? hex(e) : `${e}`);
export function doubtedElements(r: Rec, field: number): Element[] {
  const values = new Map<string, { element: Element; of: Set<unknown> }>();
  for (const l of liveOf(r, field)) {
    if (l.element === undefined) continue;
    const at = values.get(keyOf(l.element)) ?? { element: l.element, of: new Set() };
    at.of.add(l.value);
    values.set(keyOf(l.element), at);
  }
  return [...values.values()].filter((v) => v.of.size > 1).map((v) => v.element);
}
/** The set as each other writer would have it: what is shown, with what that one said. */
function otherSets(p: ViewPorts, r: Rec, live: Live[], shownNow: Element[]): Said[] {
  const out: Said[] = [];
  for (const op of new Set(live.map((l) => l.op))) {
    const set = new Map(shownNow.map((e) => [keyOf(e), e]));
    for (const l of live)
      if (l.op !== op) continue;
      else if (l.value === 1) set.set(keyOf(l.element!), l.element!);
      else set.delete(keyOf(l.element!));
    const value = setOut([...set.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)));
    const value1 = value.every((v) => typeof v === "number")
      ? [...(value as number[])].sort((a, b) => a - b)
      : value;
    if (!sameValue(value1, setOut(shownNow)))
      out.push(
        said(
          p,
          r,
          live.find((l) => l.op === op)!,
          value1,
        ),
      );
  }
  return out;
}

function fieldViews(p: ViewPorts, r: Rec): FieldView[] {
  const ids = [...new Set(r.live.map((l) => l.field))].filter((id) => id !== FIELD_RETRACTED);
  return ids
    .map((id) =>
      liveOf(r, id).some((l) => l.element !== undefined) ? setView(p, r, id) : singleView(p, r, id),
    )
    .filter((v) => v.others.length || (v.value !== null && !(Array.isArray(v.value) && !v.value.length)));
}

function entryValues(e: Entry, field: (id: number) => SchemaField | undefined): Values {
  const values: Record<number, Value> = {};
  if (e.op.form === "whole")
    for (const { id, value } of e.op.fields) {
      const f = field(id);
      values[id] = isSet(value) ? setOut(value.add) : f && isSetField(f) ? [] : outOf(value);
    }
  return values;
}
function heldViews(p: ViewPorts, r: Rec): HeldEntry[] {
  const field = (id: number) => (p.kind ? fieldOfKind(p.kind, id) : undefined);
  const own = new Map(p.own.map((e) => [e.op.name, e]));
  const entry = (name: Name, reason: number, is: HeldEntry["is"]): HeldEntry => {
    const e = own.get(name);
    const op = e && e.op.form !== "void" ? e.op : undefined;
    return {
      reason,
      is,
      notice: is === "refused" ? REFUSED : is === "dismissed" ? DISMISSED : heldNotice(reason),
      own: !!e,
      by: op?.author ?? null,
      byName: p.nameOf(op?.author ?? null),
      at: op?.time ?? null,
      values: e ? entryValues(e, field) : {},
    };
  };
  const held = r.held.map((h) =>
    h.verdict === VERDICTS.dismissed ? entry(h.name, 0, "dismissed") : entry(h.name, h.reason, "held"),
  );
  const refused = p.own.filter((e) => e.refused).map((e) => entry(e.op.name, 0, "refused"));
  return [...held, ...refused];
}

/** Where what this tablet wrote of it is: the farthest behind counts. What others wrote is on the server. */
function placeOf(r: Rec, log: LogState): Place {
  const names = [...r.ops.map((o) => o.name), ...r.held.map((h) => h.name)];
  const own = names.filter((n) => writerOf(n) === log.writer).map(seqOf);
  if (own.some((seq) => seq > log.acked)) return "tablet";
  return own.length && own.every((seq) => seq <= log.safe) ? "safe" : "server";
}

export function recordView(p: ViewPorts, r: Rec, scope: number | null): RecordView {
  const fields = fieldViews(p, r);
  const state = retracted(r);
  const retraction = liveOf(r, FIELD_RETRACTED).find((l) => l.value !== null);
  const creator = r.ops.find((o) => o.name === r.name);
  const inConflict = [...new Set(r.live.map((l) => l.field))].filter((id) => fieldConflict(r, id));
  return {
    id: r.name,
    kind: r.kind,
    client: r.participant,
    team: p.teamOf(scope ?? r.scope),
    ...whenOf(r, p.kind, p.clock),
    createdBy: creator?.author ?? null,
    createdByName: p.nameOf(creator?.author ?? null),
    createdAt: finite(createdTime(r)),
    changedAt: finite(changedTime(r)),
    fields,
    values: Object.fromEntries(fields.map((f) => [f.field, f.value])),
    conflicts: inConflict,
    retracted: state === "live" ? "no" : state === "retracted" ? "yes" : "conflict",
    retraction: retraction ? said(p, r, retraction, outOf(retraction.value)) : null,
    held: heldViews(p, r),
    doubles: p.doubles,
    lacking: p.kind && state !== "retracted" ? missingFields(p.kind, r) : [],
    place: placeOf(r, p.log),
    seen: r,
  };
}
