// Values of fields (PROTO-24): nil, an integer of 64 bits, a text, bytes, or a set change.
import { compareBytes, isText, utf8 } from "./bytes.ts";
import { type ErrorSlug } from "./error.ts";
import { LIMITS } from "./generated.ts";
import { type Int, intCompare, isInt } from "./int64.ts";
import type { Reader, Writer } from "./mp.ts";

export type Element = Int | Uint8Array;
/** Both ascending: integers first, then bytes; no element on both sides. */
export interface SetChange {
  add: Element[];
  del: Element[];
}
/** What a cell holds. A set's elements are cells of their own with 1 (added) or 0 (deleted). */
export type Single = null | Int | string | Uint8Array;
export type Value = Single | SetChange;

export const isBytes = (v: unknown): v is Uint8Array => v instanceof Uint8Array;
export const isSet = (v: Value): v is SetChange => v !== null && typeof v === "object" && !isBytes(v);

const rank = (v: Value): number =>
  v === null
    ? 0
    : typeof v === "number" || typeof v === "bigint"
      ? 1
      : typeof v === "string"
        ? 2
        : isBytes(v)
          ? 3
          : 4;

function compareLists(a: Element[], b: Element[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const c = compareValues(a[i], b[i]);
    if (c) return c;
  }
  return a.length - b.length;
}

/** Order: nil, integers, texts, bytes, sets; then content. Texts order by their bytes. */
export function compareValues(a: Value, b: Value): number {
  const ra = rank(a);
  const rb = rank(b);
  if (ra !== rb) return ra - rb;
  if (ra === 1) return intCompare(a as Int, b as Int);
  if (ra === 2) return a === b ? 0 : compareBytes(utf8(a as string), utf8(b as string));
  if (ra === 3) return compareBytes(a as Uint8Array, b as Uint8Array);
  if (ra === 4)
    return (
      compareLists((a as SetChange).add, (b as SetChange).add) ||
      compareLists((a as SetChange).del, (b as SetChange).del)
    );
  return 0;
}
export const equalValues = (a: Value, b: Value): boolean => compareValues(a, b) === 0;

function elementsProblem(list: Element[]): ErrorSlug | undefined {
  for (let i = 0; i < list.length; i++) {
    const e = list[i];
    if (isBytes(e)) {
      if (e.length > LIMITS.TEXT_BYTES_MAX) return "op_limit";
    } else if (!isInt(e)) return "op_format";
    if (i && compareValues(list[i - 1], e) >= 0) return "op_format";
  }
  return undefined;
}

/** Two ascending lists without a common element? */
function disjoint(a: Element[], b: Element[]): boolean {
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const c = compareValues(a[i], b[k]);
    if (c === 0) return false;
    if (c < 0) i++;
    else k++;
  }
  return true;
}

/** What keeps a value from travelling; undefined when nothing does. */
export function valueProblem(v: Value): ErrorSlug | undefined {
  if (v === null) return undefined;
  if (typeof v === "string")
    return !isText(v) ? "op_format" : utf8(v).length > LIMITS.TEXT_BYTES_MAX ? "op_limit" : undefined;
  if (isBytes(v)) return v.length > LIMITS.TEXT_BYTES_MAX ? "op_limit" : undefined;
  if (!isSet(v)) return isInt(v) ? undefined : "op_format";
  if (v.add.length + v.del.length > LIMITS.SET_ELEMENTS_MAX) return "op_limit";
  return (
    elementsProblem(v.add) ?? elementsProblem(v.del) ?? (disjoint(v.add, v.del) ? undefined : "op_format")
  );
}

export function writeSingle(w: Writer, v: Single): void {
  if (v === null) w.nil();
  else if (typeof v === "string") w.str(v);
  else if (isBytes(v)) w.bin(v);
  else w.int(v);
}

export function writeValue(w: Writer, v: Value): void {
  if (!isSet(v)) return writeSingle(w, v);
  w.array(2);
  for (const list of [v.add, v.del]) {
    w.array(list.length);
    for (const e of list) writeSingle(w, e);
  }
}

function readElements(r: Reader, room: number): Element[] {
  const n = r.array();
  if (n > room) r.fail("limit");
  const list: Element[] = [];
  for (let i = 0; i < n && !r.err; i++) {
    const e: Element = r.peek() === "int" ? r.int() : r.bin();
    if (isBytes(e) && e.length > LIMITS.TEXT_BYTES_MAX) r.fail("limit");
    if (i && compareValues(list[i - 1], e) >= 0) r.fail();
    list.push(e);
  }
  return list;
}

function readSet(r: Reader): SetChange {
  r.arrayOf(2);
  const add = readElements(r, LIMITS.SET_ELEMENTS_MAX);
  const del = readElements(r, LIMITS.SET_ELEMENTS_MAX - add.length);
  if (!r.err && !disjoint(add, del)) r.fail();
  return { add, del };
}

export function readSingle(r: Reader): Single {
  switch (r.peek()) {
    case "nil":
      r.nil();
      return null;
    case "int":
      return r.int();
    case "str":
      return r.strMax(LIMITS.TEXT_BYTES_MAX);
    case "bin": {
      const p = r.bin();
      if (p.length > LIMITS.TEXT_BYTES_MAX) r.fail("limit");
      return p;
    }
    default:
      r.fail();
      return null;
  }
}

export const readValue = (r: Reader): Value => (r.peek() === "array" ? readSet(r) : readSingle(r));
