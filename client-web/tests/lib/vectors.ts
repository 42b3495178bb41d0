// The vectors of proto/vectors, and ops, values and records in their notation (PROTOCOL.md section 20).
import { readFileSync } from "node:fs";
import { hex, unhex } from "../../src/proto/bytes.ts";
import { norm } from "../../src/proto/int64.ts";
import { nameText, parseName } from "../../src/proto/name.ts";
import type { Op } from "../../src/proto/op.ts";
import { type Element, type Value, isBytes, isSet } from "../../src/proto/value.ts";

declare const SOURCE_DIR: string;
export const sourceDir = SOURCE_DIR;
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

export const vectors = (file: string): Json[] =>
  JSON.parse(readFileSync(`${SOURCE_DIR}proto/vectors/${file}.json`, "utf8"));

export function valueOf(j: Json): Value {
  if (j === null) return null;
  if ("int" in j) return norm(BigInt(j.int));
  if ("text" in j) return j.text;
  if ("bytes" in j) return unhex(j.bytes);
  return { add: j.add.map(valueOf) as Element[], del: j.delete.map(valueOf) as Element[] };
}
export function jsonOf(v: Value): Json {
  if (v === null) return null;
  if (typeof v === "string") return { text: v };
  if (isBytes(v)) return { bytes: hex(v) };
  if (isSet(v)) return { add: v.add.map(jsonOf), delete: v.del.map(jsonOf) };
  return { int: String(v) };
}

const nameOrNull = (text: string | null) => (text === null ? null : parseName(text));

export function opOf(j: Json): Op {
  const name = parseName(j.name);
  if (j.void)
    return { form: "void", name, headerHash: unhex(j.header_hash), commitment: unhex(j.commitment) };
  const header = {
    name,
    scope: j.scope,
    record: nameOrNull(j.record),
    kind: j.kind,
    version: j.version,
    participant: nameOrNull(j.participant),
    author: nameOrNull(j.author),
    time: j.device_time,
  };
  if (j.payload_absent) return { form: "absent", ...header, commitment: unhex(j.commitment) };
  if (j.payload !== undefined)
    return { form: "verbatim", ...header, payload: unhex(j.payload), refused: j.refused ?? "op_format" };
  const fields = j.fields.map(([id, v]: [number, Json]) => ({ id, value: valueOf(v) }));
  return { form: "whole", ...header, fields, replaces: j.replaces.map(parseName) };
}

export function opJson(op: Op): Json {
  const name = nameText(op.name);
  if (op.form === "void")
    return { name, void: true, header_hash: hex(op.headerHash), commitment: hex(op.commitment) };
  const text = (n: string | null) => (n === null ? null : nameText(n));
  const header = {
    name,
    scope: op.scope,
    record: text(op.record),
    kind: op.kind,
    version: op.version,
    participant: text(op.participant),
    author: text(op.author),
    device_time: op.time,
  };
  if (op.form === "absent") return { ...header, payload_absent: true, commitment: hex(op.commitment) };
  if (op.form === "verbatim") return { ...header, payload: hex(op.payload), refused: op.refused };
  return {
    ...header,
    fields: op.fields.map((f) => [f.id, jsonOf(f.value)]),
    replaces: op.replaces.map(nameText),
  };
}
