// Ops: the canonical header and payload that the chain hashes (PROTOCOL.md section 6).
import { utf8 } from "./bytes.ts";
import { type ErrorSlug, OvError, fail } from "./error.ts";
import { LIMITS } from "./generated.ts";
import { Reader, Writer, prescan } from "./mp.ts";
import {
  type Name,
  compareNames,
  isName,
  readName,
  readNameOrNil,
  seqOf,
  writeName,
  writeNameOrNil,
} from "./name.ts";
import { type Value, readValue, valueProblem, writeValue } from "./value.ts";

/** Field 1 of every kind (PROTO-26). */
export const FIELD_RETRACTED = 1;
export const KIND = {
  SCHEMA: 1,
  ORGANISATION: 2,
  TEAM: 3,
  PERSON: 4,
  DEVICE: 5,
  PARTICIPANT: 6,
  RULING: 15,
  PURGE: 17,
  LOOK: 18,
} as const;

export interface Header {
  scope: number;
  /** null: the op creates its record, which is called as the op is */
  record: Name | null;
  kind: number;
  version: number;
  participant: Name | null;
  author: Name | null;
  /** seconds since 1970 by the device's own clock: a claim */
  time: number;
}
export interface Field {
  id: number;
  value: Value;
}
export interface Payload {
  fields: Field[];
  replaces: Name[];
}
/** whole: header and fields. verbatim: header and bytes that are no canonical payload. absent: header and
 *  commitment. void: two hashes. A name's tag is zero until the op is chained. */
export type Op =
  | ({ form: "whole"; name: Name } & Header & Payload)
  | ({ form: "verbatim"; name: Name; payload: Uint8Array; refused: "op_format" | "op_limit" } & Header)
  | ({ form: "absent"; name: Name; commitment: Uint8Array } & Header)
  | { form: "void"; name: Name; headerHash: Uint8Array; commitment: Uint8Array };
export type WholeOp = Extract<Op, { form: "whole" }>;
export type HeaderOp = Exclude<Op, { form: "void" }>;

export const recordOf = (op: HeaderOp): Name => op.record ?? op.name;
export const fieldOf = (op: Payload, id: number): Field | undefined => op.fields.find((f) => f.id === id);

/** In ops, broken bytes and bytes over a limit have codes of their own. */
const opError = (slug: ErrorSlug): ErrorSlug =>
  slug === "format" ? "op_format" : slug === "limit" ? "op_limit" : slug;

export function writeHeader(w: Writer, h: Header): void {
  w.array(7);
  w.int(h.scope);
  writeNameOrNil(w, h.record);
  w.int(h.kind);
  w.int(h.version);
  writeNameOrNil(w, h.participant);
  writeNameOrNil(w, h.author);
  w.int(h.time);
}
export function encodeHeader(h: Header): Uint8Array {
  const w = new Writer();
  writeHeader(w, h);
  return w.take();
}

export function encodePayload(p: Payload): Uint8Array {
  const w = new Writer();
  w.array(2);
  w.map(p.fields.length);
  for (const f of p.fields) {
    w.int(f.id);
    writeValue(w, f.value);
  }
  w.array(p.replaces.length);
  for (const n of p.replaces) writeName(w, n);
  return w.take();
}

/** An integer within lo … hi; above hi is `limit`, below lo `format`. */
function bounded(r: Reader, lo: number, hi: number): number {
  const v = r.int();
  if (v > hi) r.fail("limit");
  else if (v < lo) r.fail();
  return r.err ? lo : Number(v);
}

function opDone(r: Reader): void {
  try {
    r.done();
  } catch (e) {
    throw new OvError(opError((e as OvError).slug));
  }
}

function opReader(p: Uint8Array): Reader {
  const problem = prescan(p);
  if (problem) fail(opError(problem));
  return new Reader(p, true);
}

export function decodeHeader(p: Uint8Array): Header {
  if (p.length > LIMITS.HEADER_BYTES_MAX) fail("op_limit", "header");
  const r = opReader(p);
  r.arrayOf(7);
  const scope = bounded(r, 0, 0xffffffff);
  const record = readNameOrNil(r);
  const kind = bounded(r, 1, LIMITS.KIND_ID_MAX);
  const version = bounded(r, 0, 65535);
  const participant = readNameOrNil(r);
  const author = readNameOrNil(r);
  const time = r.int();
  if (time > LIMITS.TIME_S_MAX || time < -LIMITS.TIME_S_MAX) r.fail("limit");
  opDone(r);
  return { scope, record, kind, version, participant, author, time: Number(time) };
}

function readFields(r: Reader): Field[] {
  const n = r.map();
  if (n > LIMITS.OP_FIELDS_MAX) r.fail("limit");
  const fields: Field[] = [];
  for (let i = 0, last = 0; i < n && !r.err; i++) {
    const id = bounded(r, 1, LIMITS.FIELD_ID_MAX);
    if (id <= last) r.fail();
    last = id;
    fields.push({ id, value: readValue(r) });
  }
  return fields;
}

function readReplaces(r: Reader): Name[] {
  const n = r.array();
  if (n > LIMITS.OP_REPLACES_MAX) r.fail("limit");
  const names: Name[] = [];
  for (let i = 0; i < n && !r.err; i++) {
    names.push(readName(r));
    if (i && compareNames(names[i - 1], names[i]) >= 0) r.fail();
  }
  return names;
}

export function decodePayload(p: Uint8Array): Payload {
  if (p.length > LIMITS.PAYLOAD_BYTES_MAX) fail("op_limit", "payload");
  const r = opReader(p);
  r.arrayOf(2);
  const fields = readFields(r);
  const replaces = readReplaces(r);
  opDone(r);
  return { fields, replaces };
}

function namesProblem(names: (Name | null)[]): ErrorSlug | undefined {
  return names.every((n) => n === null || isName(n)) ? undefined : "op_format";
}

function headerProblem(h: Header): ErrorSlug | undefined {
  const whole = [h.scope, h.kind, h.version, h.time].every(Number.isSafeInteger);
  if (!whole || h.scope < 0 || h.kind < 1 || h.version < 0) return "op_format";
  if (h.scope > 0xffffffff || h.kind > LIMITS.KIND_ID_MAX || h.version > 65535) return "op_limit";
  return namesProblem([h.record, h.participant, h.author]);
}

function ascends<T>(list: T[], compare: (a: T, b: T) => number): boolean {
  return list.every((v, i) => i === 0 || compare(list[i - 1], v) < 0);
}

function payloadProblem(p: Payload): ErrorSlug | undefined {
  if (p.fields.length > LIMITS.OP_FIELDS_MAX || p.replaces.length > LIMITS.OP_REPLACES_MAX) return "op_limit";
  if (!ascends(p.fields, (a, b) => a.id - b.id) || !ascends(p.replaces, compareNames)) return "op_format";
  for (const f of p.fields) {
    if (!Number.isInteger(f.id) || f.id < 1) return "op_format";
    const problem = f.id > LIMITS.FIELD_ID_MAX ? "op_limit" : valueProblem(f.value);
    if (problem) return problem;
  }
  return (
    namesProblem(p.replaces) ?? (encodePayload(p).length > LIMITS.PAYLOAD_BYTES_MAX ? "op_limit" : undefined)
  );
}

/** What passes here encodes to bytes that every decoder takes. */
export function opProblem(op: Op): ErrorSlug | undefined {
  const seq = seqOf(op.name);
  if (seq < 1 || seq > LIMITS.SEQ_MAX) return "op_format";
  if (op.form === "void") return undefined;
  return (
    headerProblem(op) ??
    (op.form === "whole" ? payloadProblem(op) : op.form === "verbatim" ? op.refused : undefined)
  );
}

/** Bytes of a text as it will travel. */
export const textBytes = (text: string): number => utf8(text).length;
