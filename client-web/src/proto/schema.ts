// Schemas as data: loaded from the bytes that a schema record carries, and what they say of ops and
// records (PROTOCOL.md section 21).
import { OvError, fail } from "./error.ts";
import { LIMITS } from "./generated.ts";
import type { Int } from "./int64.ts";
import { Reader, Writer } from "./mp.ts";
import { NAME_BYTES, isName, nameBytes } from "./name.ts";
import { hex } from "./bytes.ts";
import { FIELD_RETRACTED, type HeaderOp, KIND, textBytes } from "./op.ts";
import { type Rec, shown, shownElements } from "./record.ts";
import { type Element, type Single, type Value, isBytes, isSet, writeSingle } from "./value.ts";

export const TYPE = {
  INT: 0,
  BOOL: 1,
  CODE: 2,
  CODESET: 3,
  DATE: 4,
  DATETIME: 5,
  TEXT: 6,
  REF: 7,
  REFSET: 8,
  SCOPESET: 9,
  BYTES: 10,
} as const;
export const PARTICIPANT = { NONE: 0, OPTIONAL: 1, REQUIRED: 2, SELF: 3 } as const;
/** Why a value or an op would be held (PROTO-91, PROTO-153). */
export const HELD = {
  TYPE: 1,
  RANGE: 2,
  CODE: 3,
  LENGTH: 4,
  UNKNOWN_FIELD: 5,
  SCOPE: 8,
  KIND: 10,
  REF: 11,
} as const;

export interface Code {
  code: number;
  nl: string;
  en: string;
}
export interface Condition {
  field: number;
  negate: boolean;
  codes: number[];
}
export interface SchemaField {
  id: number;
  name: string;
  type: number;
  nl: string;
  en: string;
  required: boolean;
  requiredIf: Condition[];
  lowest: Int | null;
  highest: Int | null;
  /** bytes; 0: the protocol's limit */
  maxLength: number;
  unit: string | null;
  exported: boolean;
  /** kind that a reference points to; 0 any or none */
  ref: number;
  codes: Code[];
  /** −97 … −99 that may stand instead of a value */
  missing: number[];
  helpNl: string | null;
  helpEn: string | null;
}
export interface Kind {
  id: number;
  name: string;
  version: number;
  /** 0 programme, 1 organisation, 2 team */
  scope: number;
  participant: number;
  windowed: boolean;
  /** field that says when it happened; 0 none */
  occurred: number;
  /** field ids, 0 is the participant */
  naturalKey: number[];
  nl: string;
  en: string;
  fields: SchemaField[];
  /** the schema says more than this program can read: what there is may be shown, and nothing be written */
  newer?: true;
}

const INT32 = 2147483647;
const label = (r: Reader): string => r.strMax(LIMITS.LABEL_BYTES_MAX);
const orNil = <T>(r: Reader, read: () => T): T | null => (r.nil() ? null : read());
function listOf<T>(r: Reader, max: number, read: () => T): T[] {
  const n = r.array();
  if (n > max) r.fail("limit");
  const list: T[] = [];
  for (let i = 0; i < n && !r.err; i++) list.push(read());
  return list;
}
const codeNumber = (r: Reader): number => r.intIn(-INT32 - 1, INT32);

function readCondition(r: Reader): Condition {
  r.arrayOf(3);
  return {
    field: r.intIn(1, LIMITS.FIELD_ID_MAX),
    negate: r.bool(),
    codes: listOf(r, LIMITS.SCHEMA_CODES_MAX, () => codeNumber(r)),
  };
}
function readCode(r: Reader): Code {
  r.arrayOf(3);
  return { code: codeNumber(r), nl: label(r), en: label(r) };
}
const FIELD_ELEMENTS = 17;
const KIND_ELEMENTS = 11;
/** The elements of a field, its type at most so high. */
function readField(r: Reader, typeMax: number): SchemaField {
  return {
    id: r.intIn(2, LIMITS.FIELD_ID_MAX),
    name: r.strMax(LIMITS.FIELD_NAME_MAX),
    type: r.uint(typeMax),
    nl: label(r),
    en: label(r),
    required: r.bool(),
    requiredIf: listOf(r, LIMITS.SCHEMA_CODES_MAX, () => readCondition(r)),
    lowest: orNil(r, () => r.int()),
    highest: orNil(r, () => r.int()),
    maxLength: r.uint(LIMITS.TEXT_BYTES_MAX),
    unit: orNil(r, () => label(r)),
    exported: r.bool(),
    ref: r.uint(LIMITS.KIND_ID_MAX),
    codes: listOf(r, LIMITS.SCHEMA_CODES_MAX, () => readCode(r)),
    missing: listOf(r, LIMITS.SCHEMA_CODES_MAX, () => codeNumber(r)),
    helpNl: orNil(r, () => label(r)),
    helpEn: orNil(r, () => label(r)),
  };
}

/** One kind from its bytes. `format`, `limit` */
export function readKind(p: Uint8Array): Kind {
  if (p.length > LIMITS.SCHEMA_BYTES_MAX) fail("limit", "schema");
  const r = new Reader(p);
  r.arrayOf(KIND_ELEMENTS);
  const head = readHead(r);
  const fields = listOf(r, LIMITS.OP_FIELDS_MAX, () => {
    r.arrayOf(FIELD_ELEMENTS);
    return readField(r, TYPE.BYTES);
  });
  const kind: Kind = { ...head, fields };
  r.done();
  checkKind(kind);
  return kind;
}
const readHead = (r: Reader): Omit<Kind, "fields"> => ({
  id: r.intIn(2, LIMITS.KIND_ID_MAX),
  name: r.strMax(LIMITS.FIELD_NAME_MAX),
  version: r.intIn(1, 65535),
  scope: r.uint(2),
  participant: r.uint(PARTICIPANT.SELF),
  windowed: r.bool(),
  occurred: r.uint(LIMITS.FIELD_ID_MAX),
  naturalKey: listOf(r, LIMITS.OP_FIELDS_MAX, () => r.uint(LIMITS.FIELD_ID_MAX)),
  nl: label(r),
  en: label(r),
});

/** Of a schema that readKind refuses, because it was made for a later program, what can be read all the same:
 *  fields of unknown types count as values to be shown, further elements are passed over, and nothing is
 *  required by rules that are known in part (PROTO-152). undefined: not even the kind's name. */
export function readNewerKind(p: Uint8Array): Kind | undefined {
  const r = new Reader(p.subarray(0, LIMITS.SCHEMA_BYTES_MAX));
  if (r.array() < KIND_ELEMENTS) return undefined;
  const head = readHead(r);
  if (r.err) return undefined;
  const fields = new Map<number, SchemaField>();
  for (let left = r.array(); left > 0 && !r.err; left--) {
    const f = new Reader(r.raw());
    if (f.array() < FIELD_ELEMENTS) continue;
    const field = readField(f, 255);
    if (!f.err) fields.set(field.id, { ...field, required: false, requiredIf: [] });
  }
  const list = [...fields.values()].sort((a, b) => a.id - b.id);
  const occurred = fields.has(head.occurred) ? head.occurred : 0;
  return { ...head, occurred, naturalKey: [], fields: list, newer: true };
}
function checkKind(k: Kind): void {
  const ids = new Set(k.fields.map((f) => f.id));
  if (k.fields.some((f, i) => i > 0 && k.fields[i - 1].id >= f.id)) fail("format", `${k.name}: field ids`);
  if (new Set(k.fields.map((f) => f.name)).size < k.fields.length) fail("format", `${k.name}: field names`);
  const known = (id: number) => id === 0 || ids.has(id);
  if (!known(k.occurred) || !k.naturalKey.every(known)) fail("format", `${k.name}: occurred, natural key`);
  if (!k.fields.every((f) => f.requiredIf.every((c) => ids.has(c.field))))
    fail("format", `${k.name}: required_if`);
}

/** Field 1 of every kind; it is in no schema (PROTO-26). */
export const RETRACTION: SchemaField = {
  id: FIELD_RETRACTED,
  name: "retracted",
  type: TYPE.TEXT,
  nl: "Per ongeluk ingevoerd",
  en: "Entered in error",
  required: false,
  requiredIf: [],
  lowest: null,
  highest: null,
  maxLength: LIMITS.RETRACTION_BYTES_MAX,
  unit: null,
  exported: false,
  ref: 0,
  codes: [],
  missing: [],
  helpNl: null,
  helpEn: null,
};

/** The newest version of each kind. */
export class Schemas {
  readonly #kinds = new Map<number, Kind>();

  /** A lower or equal version than the one there is changes nothing. */
  add(p: Uint8Array): Kind {
    return this.#put(readKind(p));
  }
  #put(kind: Kind): Kind {
    const before = this.#kinds.get(kind.id);
    if (before && before.version >= kind.version) return before;
    if (!before && this.#kinds.size >= LIMITS.SCHEMA_KINDS_MAX) fail("limit", "kinds");
    this.#kinds.set(kind.id, kind);
    return kind;
  }
  /** Of a record of kind 1; undefined when it carries none that says anything. One that is newer than this program
   *  stands in the way of nothing else. */
  addRecord(r: Rec): Kind | undefined {
    const body = r.kind === KIND.SCHEMA ? shown(r, 4) : undefined;
    if (!isBytes(body)) return undefined;
    try {
      return this.add(body);
    } catch (e) {
      if (!(e instanceof OvError)) throw e;
      const newer = readNewerKind(body);
      return newer && this.#put(newer);
    }
  }
  kind(id: number): Kind | undefined {
    return this.#kinds.get(id);
  }
  byName(name: string): Kind | undefined {
    return this.all().find((k) => k.name === name);
  }
  /** Ascending ids. */
  all(): Kind[] {
    return [...this.#kinds.values()].sort((a, b) => a.id - b.id);
  }
  windowedKinds(): number[] {
    return this.all()
      .filter((k) => k.windowed)
      .map((k) => k.id);
  }
}

export const fieldOfKind = (k: Kind, id: number): SchemaField | undefined =>
  id === FIELD_RETRACTED ? RETRACTION : k.fields.find((f) => f.id === id);

// -- judging values -------------------------------------------------------------------------------------

const isNumber = (v: Value): v is Int => typeof v === "number" || typeof v === "bigint";
/** 0, or why it is no reference. */
const checkReference = (v: Value): number =>
  !isBytes(v) ? HELD.TYPE : v.length === NAME_BYTES && isName(hex(v)) ? 0 : HELD.REF;
const inCodes = (f: SchemaField, v: Element): boolean => f.codes.some((c) => c.code === v);

function checkNumber(f: SchemaField, v: Value): number {
  if (!isNumber(v)) return HELD.TYPE;
  if (f.missing.includes(Number(v)) && typeof v === "number") return 0;
  if (f.type === TYPE.CODE) return inCodes(f, v) ? 0 : HELD.CODE;
  if (f.type === TYPE.BOOL) return v === 0 || v === 1 ? 0 : HELD.TYPE;
  return (f.lowest !== null && v < f.lowest) || (f.highest !== null && v > f.highest) ? HELD.RANGE : 0;
}
function checkSet(f: SchemaField, v: Value): number {
  if (v === null || !isSet(v)) return HELD.TYPE;
  for (const e of [...v.add, ...v.del]) {
    const problem = f.type === TYPE.REFSET ? checkReference(e) : isBytes(e) ? HELD.TYPE : 0;
    if (problem) return problem;
    if (f.type === TYPE.SCOPESET && ((e as Int) < 0 || (e as Int) > 0xffffffff)) return HELD.RANGE;
  }
  return f.type === TYPE.CODESET && !v.add.every((e) => inCodes(f, e) || f.missing.includes(Number(e)))
    ? HELD.CODE
    : 0;
}

/** Judges one value against its field: 0, or the reason why it would be held. */
export function checkValue(f: SchemaField, v: Value): number {
  const max = f.maxLength || LIMITS.TEXT_BYTES_MAX;
  if (f.type === TYPE.CODESET || f.type === TYPE.REFSET || f.type === TYPE.SCOPESET) return checkSet(f, v);
  if (v === null) return 0;
  switch (f.type) {
    case TYPE.TEXT:
      return typeof v !== "string" ? HELD.TYPE : textBytes(v) > max ? HELD.LENGTH : 0;
    case TYPE.REF:
      return checkReference(v);
    case TYPE.BYTES:
      return !isBytes(v) ? HELD.TYPE : v.length > max ? HELD.LENGTH : 0;
    default:
      return checkNumber(f, v);
  }
}

export interface Problem {
  reason: number;
  /** 0: the op as a whole */
  field: number;
}

function checkHeader(k: Kind, op: HeaderOp): number {
  if (op.record === null && Math.min(op.scope, 2) !== k.scope) return HELD.SCOPE;
  return participantFits(k.participant, op) ? 0 : HELD.REF;
}
/** An edit of a record that is a participant names that record (PROTO-155). */
function participantFits(mode: number, op: HeaderOp): boolean {
  if (mode === PARTICIPANT.SELF) return op.participant === op.record;
  return op.participant === null ? mode !== PARTICIPANT.REQUIRED : mode !== PARTICIPANT.NONE;
}

/** Judges the values of an op; undefined when nothing is wrong, and when the kind or its version is not
 *  known (PROTO-152). */
export function checkOp(s: Schemas, op: HeaderOp): Problem | undefined {
  const k = s.kind(op.kind);
  if (!k || op.version > k.version) return undefined;
  const reason = checkHeader(k, op);
  if (reason) return { reason, field: 0 };
  if (op.form !== "whole") return undefined;
  for (const { id, value } of op.fields) {
    const f = fieldOfKind(k, id);
    const problem = f ? checkValue(f, value) : op.version < k.version ? 0 : HELD.UNKNOWN_FIELD;
    if (problem) return { reason: problem, field: id };
  }
  return undefined;
}

// -- what a record lacks, when it happened, what it may be a double of ----------------------------------

function holds(c: Condition, k: Kind, r: Rec): boolean {
  const f = fieldOfKind(k, c.field)!;
  const values: Element[] = f.type === TYPE.CODESET ? shownElements(r, c.field) : single(shown(r, c.field));
  const among = values.some((v) => c.codes.includes(v as number));
  return c.negate ? !among : among;
}
const single = (v: Single | undefined): Element[] =>
  v === undefined || v === null || typeof v === "string" ? [] : [v];

function isThere(f: SchemaField, r: Rec): boolean {
  if (f.type === TYPE.CODESET || f.type === TYPE.REFSET || f.type === TYPE.SCOPESET)
    return shownElements(r, f.id).length > 0;
  const v = shown(r, f.id);
  return v !== undefined && !isEmpty(v);
}
/** nil, an empty text or no bytes satisfy nothing. */
const isEmpty = (v: Single): boolean => v === null || v === "" || (isBytes(v) && v.length === 0);

/** Required fields that the record lacks, ascending. */
export const missingFields = (k: Kind, r: Rec): number[] =>
  k.fields
    .filter((f) => (f.required || f.requiredIf.some((c) => holds(c, k, r))) && !isThere(f, r))
    .map((f) => f.id);

const DAY_S = 86400;
const DAY_MIN = -719162; // 0001-01-01
const DAY_MAX = 2932896; // 9999-12-31

/** Day of occurrence, days since 1970 UTC. */
export function occurredDay(k: Kind, r: Rec): number {
  const f = k.occurred ? fieldOfKind(k, k.occurred) : undefined;
  const v = f && shown(r, f.id);
  const given =
    f && typeof v === "number" && !f.missing.includes(v)
      ? f.type === TYPE.DATE
        ? v
        : Math.floor(v / DAY_S)
      : undefined;
  return Math.max(DAY_MIN, Math.min(DAY_MAX, given ?? Math.floor(firstTime(r) / DAY_S)));
}
function firstTime(r: Rec): number {
  const creator = r.ops.find((o) => o.name === r.name);
  return creator ? creator.time : r.ops.length ? Math.min(...r.ops.map((o) => o.time)) : 0;
}

/** Equal bytes within a kind are a possible double; null when the kind has no key or a part is lacking or
 *  a missing code. */
export function naturalKey(k: Kind, r: Rec): Uint8Array | null {
  if (!k.naturalKey.length) return null;
  const w = new Writer();
  w.array(k.naturalKey.length);
  for (const id of k.naturalKey) {
    const v = id === 0 ? r.participant && nameBytes(r.participant) : shown(r, id);
    if (v === undefined || v === null) return null;
    if (id !== 0 && fieldOfKind(k, id)!.missing.includes(v as number)) return null;
    writeSingle(w, v);
  }
  return w.take();
}

/** Has a windowed record left the window at `now`? (PROTO-116; all in seconds) */
export const outsideWindow = (k: Kind, changed: number, now: number): boolean =>
  k.windowed && changed < now - LIMITS.WINDOW_DAYS * DAY_S;
