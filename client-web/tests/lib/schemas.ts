// The schemas of proto/schema in the form that travels (PROTO-150, PROTO-151), made from their files as a
// server does.
import { readFileSync, readdirSync } from "node:fs";
import { Writer } from "../../src/proto/mp.ts";
import { PARTICIPANT, TYPE } from "../../src/proto/schema.ts";
import { type Json, sourceDir } from "./vectors.ts";

const TYPES: Record<string, number> = {
  int: TYPE.INT,
  bool: TYPE.BOOL,
  code: TYPE.CODE,
  codeset: TYPE.CODESET,
  date: TYPE.DATE,
  datetime: TYPE.DATETIME,
  text: TYPE.TEXT,
  ref: TYPE.REF,
  refset: TYPE.REFSET,
  scopeset: TYPE.SCOPESET,
  bytes: TYPE.BYTES,
};
const MODES: Record<string, number> = {
  none: PARTICIPANT.NONE,
  optional: PARTICIPANT.OPTIONAL,
  required: PARTICIPANT.REQUIRED,
  self: PARTICIPANT.SELF,
};
const DATES = [10957, 47847]; // 2000-01-01 … 2100-12-31

const read = (dir: string): Json[] =>
  readdirSync(dir)
    .filter((f) => f.endsWith(".json"))
    .map((f) => JSON.parse(readFileSync(`${dir}/${f}`, "utf8")));

function range(f: Json): (number | null)[] {
  if (f.range) return f.range;
  if (f.type === "date") return DATES;
  return f.type === "datetime" ? [DATES[0] * 86400, DATES[1] * 86400 + 86399] : [null, null];
}
const orNil = <T>(w: Writer, v: T | null | undefined, write: (v: T) => void) =>
  v === null || v === undefined ? w.nil() : write(v);

function writeField(w: Writer, f: Json, all: Json[], kinds: Json[]): void {
  w.array(17);
  w.int(f.id);
  w.str(f.name);
  w.int(TYPES[f.type]);
  w.str(f.label.nl);
  w.str(f.label.en);
  w.bool(f.required ?? false);
  w.array((f.required_if ?? []).length);
  for (const c of f.required_if ?? []) {
    w.array(3);
    w.int(all.find((o) => o.name === c.field).id);
    w.bool(c.not_in !== undefined);
    const codes = c.in ?? c.not_in;
    w.array(codes.length);
    for (const code of codes) w.int(code);
  }
  const [lo, hi] = range(f);
  orNil(w, lo, (v) => w.int(v));
  orNil(w, hi, (v) => w.int(v));
  w.int(f.max_length ?? 0);
  orNil(w, f.unit, (v: string) => w.str(v));
  w.bool(f.exported ?? false);
  w.int(f.ref ? kinds.find((k) => k.kind === f.ref).id : 0);
  w.array((f.codes ?? []).length);
  for (const c of f.codes ?? []) {
    w.array(3);
    w.int(c.code);
    w.str(c.nl);
    w.str(c.en);
  }
  w.array((f.missing ?? []).length);
  for (const c of f.missing ?? []) w.int(c);
  orNil(w, f.help?.nl, (v: string) => w.str(v));
  orNil(w, f.help?.en, (v: string) => w.str(v));
}

function writeKind(k: Json, kinds: Json[]): Uint8Array {
  const w = new Writer();
  const idOf = (name: string): number =>
    name === "participant" ? 0 : k.fields.find((f: Json) => f.name === name).id;
  w.array(11);
  w.int(k.id);
  w.str(k.kind);
  w.int(k.version);
  w.int(["programme", "organisation", "team"].indexOf(k.scope));
  w.int(MODES[k.participant]);
  w.bool(k.windowed);
  w.int(k.occurred ? idOf(k.occurred) : 0);
  w.array((k.natural_key ?? []).length);
  for (const name of k.natural_key ?? []) w.int(idOf(name));
  w.str(k.label.nl);
  w.str(k.label.en);
  w.array(k.fields.length);
  for (const f of k.fields) writeField(w, f, k.fields, kinds);
  return w.take();
}

export function schemaFiles(dir = `${sourceDir}proto/schema`): Uint8Array[] {
  const kinds = read(dir).sort((a, b) => a.id - b.id);
  return kinds.map((k) => writeKind(k, kinds));
}
