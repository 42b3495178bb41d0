// The state of a record: what a fold gives, what DELTA carries, what a client keeps (PROTOCOL.md sections
// 14, 10.8 and 20).
import { compareBytes, hex } from "./bytes.ts";
import { fail } from "./error.ts";
import { LIMITS, VERDICTS } from "./generated.ts";
import { isInt } from "./int64.ts";
import { Reader, Writer } from "./mp.ts";
import { type Name, compareNames, readName, readNameOrNil, writeName, writeNameOrNil } from "./name.ts";
import { FIELD_RETRACTED, type Op, type WholeOp } from "./op.ts";
import {
  type Element,
  type SetChange,
  type Single,
  compareValues,
  equalValues,
  isBytes,
  isSet,
  readSingle,
  writeSingle,
} from "./value.ts";

/** An applied op that still holds a live value, or created the record. */
export interface RecordOp {
  name: Name;
  author: Name | null;
  /** corrected, in seconds (PROTO-92) */
  time: number;
  /** CLOCK_SUSPECT; other bits have no meaning yet and are kept */
  flags: number;
}
/** The clock of the op's device was more than 300 seconds off. */
export const CLOCK_SUSPECT = 1;
/** A live value. In a set field one entry for each element, with 1 (added) or 0 (deleted). */
export interface Live {
  field: number;
  element?: Element;
  value: Single;
  /** index in ops */
  op: number;
}
export interface Held {
  name: Name;
  verdict: number;
  reason: number;
}
export interface Rec {
  name: Name;
  kind: number;
  version: number;
  scope: number;
  participant: Name | null;
  /** the creating op is applied; then it is among ops */
  created: boolean;
  /** ascending names */
  ops: RecordOp[];
  /** ascending cells; within a cell the latest (time, name) first: the shown value leads */
  live: Live[];
  /** ascending names; held and dismissed */
  held: Held[];
  /** those of ops that a live retraction names, ascending */
  seen: Name[];
}

export const elementKey = (e: Element): string => (isInt(e) ? `i${e}` : `b${hex(e)}`);
export const cellKey = (field: number, element: Element | undefined): string =>
  element === undefined ? `${field}` : `${field}/${elementKey(element)}`;

/** By cell: field, single values before elements, element. */
export function compareCells(a: Live, b: Live): number {
  if (a.field !== b.field) return a.field - b.field;
  if (a.element === undefined || b.element === undefined)
    return (a.element === undefined ? 0 : 1) - (b.element === undefined ? 0 : 1);
  return compareValues(a.element, b.element);
}
const sameCell = (a: Live, b: Live): boolean => compareCells(a, b) === 0;

/** Puts live entries in order, for these ops. */
export function sortLive(live: Live[], ops: RecordOp[]): void {
  live.sort(
    (a, b) =>
      compareCells(a, b) || ops[b.op].time - ops[a.op].time || compareNames(ops[b.op].name, ops[a.op].name),
  );
}

// -- what is asked of a record --------------------------------------------------------------------------

/** Live entries of a field; the shown one first (in a set field: of each element). */
export const liveOf = (r: Rec, field: number): Live[] => r.live.filter((l) => l.field === field);
/** The value that is shown; undefined when there is none. */
export const shown = (r: Rec, field: number): Single | undefined =>
  r.live.find((l) => l.field === field && l.element === undefined)?.value;
/** Elements of a set field that are shown as added. */
export function shownElements(r: Rec, field: number): Element[] {
  const list = liveOf(r, field).filter((l) => l.element !== undefined);
  return list
    .filter((l, i) => (i === 0 || !sameCell(list[i - 1], l)) && l.value === 1)
    .map((l) => l.element!);
}

export type Retracted = "live" | "retracted" | "conflict";
/** PROTO-97 */
export function retracted(r: Rec): Retracted {
  const first = liveOf(r, FIELD_RETRACTED);
  const saying = first.filter((l) => l.value !== null);
  if (!saying.length) return "live";
  const seen = new Set(r.seen);
  for (const l of saying) seen.add(r.ops[l.op].name);
  const unseen = r.live.some((l) => l.field !== FIELD_RETRACTED && !seen.has(r.ops[l.op].name));
  return unseen || saying.length < first.length ? "conflict" : "retracted";
}

/** First entry of each cell that holds different live values. */
function conflictCells(r: Rec): Live[] {
  const cells: Live[] = [];
  for (let i = 1; i < r.live.length; i++) {
    const [a, b] = [r.live[i - 1], r.live[i]];
    if (!sameCell(a, b) || equalValues(a.value, b.value)) continue;
    if (!cells.length || !sameCell(cells[cells.length - 1], b)) cells.push(b);
  }
  return cells;
}
/** Is a field in conflict? Field 1 is when its reasons differ, and when the retraction itself is. */
export const fieldConflict = (r: Rec, field: number): boolean =>
  conflictCells(r).some((l) => l.field === field) ||
  (field === FIELD_RETRACTED && retracted(r) === "conflict");
/** Cells in conflict; the retraction counts as one at most. */
export const conflicts = (r: Rec): number =>
  conflictCells(r).filter((l) => l.field !== FIELD_RETRACTED).length +
  (fieldConflict(r, FIELD_RETRACTED) ? 1 : 0);

function namesOf(r: Rec, live: Live[]): Name[] {
  const names = new Set<Name>();
  for (const l of live) if (names.size < LIMITS.OP_REPLACES_MAX) names.add(r.ops[l.op].name);
  return [...names].sort(compareNames);
}
/** The shown value of each cell before those that it hides. */
function shownFirst(live: Live[]): Live[] {
  const lead = live.filter((l, i) => i === 0 || !sameCell(live[i - 1], l));
  return [...lead, ...live.filter((l, i) => i > 0 && sameCell(live[i - 1], l))];
}
/** What an op names that writes this field having seen the record (PROTO-99). */
export const replacesFor = (r: Rec, field: number): Name[] => namesOf(r, shownFirst(liveOf(r, field)));
/** What a retraction names. */
export const replacesAll = (r: Rec): Name[] => namesOf(r, shownFirst(r.live));

// -- encoding -------------------------------------------------------------------------------------------

/** Equal states give equal bytes. */
export function encodeRecord(r: Rec): Uint8Array {
  const w = new Writer();
  w.array(10);
  writeName(w, r.name);
  w.int(r.kind);
  w.int(r.version);
  w.int(r.scope);
  writeNameOrNil(w, r.participant);
  w.bool(r.created);
  w.array(r.ops.length);
  for (const o of r.ops) {
    w.array(4);
    writeName(w, o.name);
    writeNameOrNil(w, o.author);
    w.int(o.time);
    w.int(o.flags);
  }
  w.array(r.live.length);
  for (const l of r.live) {
    w.array(l.element === undefined ? 3 : 4);
    w.int(l.field);
    w.int(l.op);
    if (l.element !== undefined) writeSingle(w, l.element);
    writeSingle(w, l.value);
  }
  w.array(r.held.length);
  for (const h of r.held) {
    w.array(3);
    writeName(w, h.name);
    w.int(h.verdict);
    w.int(h.reason);
  }
  w.array(r.seen.length);
  for (const n of r.seen) writeName(w, n);
  return w.take();
}

function readOps(r: Reader): RecordOp[] {
  const ops: RecordOp[] = [];
  for (let i = 0, n = r.array(); i < n && !r.err; i++) {
    r.arrayOf(4);
    const o = {
      name: readName(r),
      author: readNameOrNil(r),
      time: r.intIn(-LIMITS.TIME_S_MAX, LIMITS.TIME_S_MAX),
      flags: r.uint(255),
    };
    if (i && compareNames(ops[i - 1].name, o.name) >= 0) r.fail();
    ops.push(o);
  }
  return ops;
}
function readLive(r: Reader, ops: RecordOp[]): Live[] {
  const live: Live[] = [];
  for (let i = 0, n = r.array(); i < n && !r.err; i++) {
    const size = r.array();
    if (size !== 3 && size !== 4) r.fail();
    const place = { field: r.intIn(1, LIMITS.FIELD_ID_MAX), op: r.uint(ops.length - 1) };
    const element = size === 4 ? readSingle(r) : undefined;
    const value = readSingle(r);
    if (element === undefined) live.push({ ...place, value });
    else if ((isInt(element) || isBytes(element)) && (value === 0 || value === 1))
      live.push({ ...place, element, value });
    else r.fail();
  }
  return live;
}

/** `format` when it is not such an encoding, order and indices included. */
export function decodeRecord(p: Uint8Array): Rec {
  const r = new Reader(p);
  r.arrayOf(10);
  const head = {
    name: readName(r),
    kind: r.intIn(1, LIMITS.KIND_ID_MAX),
    version: r.uint(65535),
    scope: r.uint(0xffffffff),
  };
  const participant = readNameOrNil(r);
  const created = r.bool();
  const ops = readOps(r);
  const live = readLive(r, ops);
  const held: Held[] = [];
  for (let i = 0, n = r.array(); i < n && !r.err; i++) {
    r.arrayOf(3);
    held.push({
      name: readName(r),
      verdict: r.intIn(VERDICTS.held, VERDICTS.dismissed),
      reason: r.uint(255),
    });
  }
  const seen: Name[] = [];
  for (let i = 0, n = r.array(); i < n && !r.err; i++) seen.push(readName(r));
  r.done();
  const rec = { ...head, participant, created, ops, live, held, seen };
  if (compareBytes(encodeRecord(ordered(rec)), p) !== 0) fail("format", "record");
  return rec;
}
function ordered(r: Rec): Rec {
  const live = [...r.live];
  sortLive(live, r.ops);
  const held = [...r.held].sort((a, b) => compareNames(a.name, b.name));
  return { ...r, live, held, seen: [...r.seen].sort(compareNames) };
}

// -- rows -----------------------------------------------------------------------------------------------

/** A record as DELTA carries it (PROTO-47): the creating row first, or an empty one in its place. */
export function recordToRows(r: Rec): WholeOp[] {
  const header = {
    form: "whole" as const,
    kind: r.kind,
    version: r.version,
    scope: r.scope,
    participant: r.participant,
  };
  const rows: WholeOp[] = r.ops.map((o, i) => {
    const own = r.live.filter((l) => l.op === i);
    const fields = [...new Set(own.map((l) => l.field))].map((id) => ({
      id,
      value: fieldValue(own.filter((l) => l.field === id)),
    }));
    return {
      ...header,
      name: o.name,
      record: o.name === r.name ? null : r.name,
      author: o.author,
      time: o.time,
      fields,
      replaces: [],
    };
  });
  const first = rows.findIndex((o) => o.record === null);
  if (first < 0)
    return [
      { ...header, name: r.name, record: null, author: null, time: 0, fields: [], replaces: [] },
      ...rows,
    ];
  return [rows[first], ...rows.filter((_, i) => i !== first)];
}
function fieldValue(live: Live[]): Single | SetChange {
  if (live[0].element === undefined) return live[0].value;
  const of = (v: number) => live.filter((l) => l.value === v).map((l) => l.element!);
  return { add: of(1), del: of(0) };
}

/** What travels beside the rows of a record. */
export interface Beside {
  notCreated: boolean;
  flags: Uint8Array;
  held: Held[];
  seen: Name[];
}
export const NOTHING_BESIDE: Beside = { notCreated: false, flags: new Uint8Array(0), held: [], seen: [] };

/** One record from its rows; `format` when they are not such rows. */
export function recordFromRows(rows: Op[], beside: Beside): Rec {
  const first = rows[0];
  if (first.form !== "whole" || first.record !== null)
    return fail("format", "a record without a creating row");
  const kept = beside.notCreated ? rows.slice(1) : rows;
  if (beside.notCreated && first.fields.length) fail("format", "a stand-in row with values");
  const list = kept.map((o) => {
    if (o.form !== "whole" || (o !== first && o.record !== first.name) || o.replaces.length)
      return fail("format", "a row of a record");
    return o;
  });
  list.sort((a, b) => compareNames(a.name, b.name));
  if (list.some((o, i) => i > 0 && list[i - 1].name === o.name)) fail("format", "a name twice");
  if (beside.flags.length && beside.flags.length !== list.length) fail("format", "flags");
  const ops = list.map((o, i) => ({
    name: o.name,
    author: o.author,
    time: o.time,
    flags: beside.flags[i] ?? 0,
  }));
  const live = list.flatMap((o, i) => o.fields.flatMap((f) => liveOfField(f.id, f.value, i)));
  sortLive(live, ops);
  const rec: Rec = {
    name: first.name,
    kind: first.kind,
    version: first.version,
    scope: first.scope,
    participant: first.participant,
    created: !beside.notCreated,
    ops,
    live,
    held: beside.held,
    seen: beside.seen,
  };
  checkBeside(rec);
  return rec;
}
export function liveOfField(field: number, value: Single | SetChange, op: number): Live[] {
  if (!isSet(value)) return [{ field, value, op }];
  return [
    ...value.add.map((element) => ({ field, element, value: 1, op })),
    ...value.del.map((element) => ({ field, element, value: 0, op })),
  ];
}
function checkBeside(r: Rec): void {
  const names = new Set(r.ops.map((o) => o.name));
  const ascends = (list: Name[]) => list.every((n, i) => i === 0 || compareNames(list[i - 1], n) < 0);
  if (!ascends(r.seen) || !r.seen.every((n) => names.has(n))) fail("format", "seen");
  if (!ascends(r.held.map((h) => h.name)) || r.held.some((h) => names.has(h.name))) fail("format", "held");
}
