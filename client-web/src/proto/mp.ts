// MessagePack as PROTOCOL.md section 4 has it: shortest forms only, no floats, no extension types. The
// bytes are scanned before anything is built from them; the reader keeps its first error and gives zero
// from then on, so that a decoder reads like its table and asks once at the end.
import { Buf, utf8, utf8Decode } from "./bytes.ts";
import { type ErrorSlug, OvError } from "./error.ts";
import { LIMITS } from "./generated.ts";
import { type Int, norm } from "./int64.ts";

export type MpType = "end" | "nil" | "bool" | "int" | "str" | "bin" | "array" | "map";

/** Bytes that a length or number takes after its type byte, by type byte from 0xc0 on; −1: refused. */
const AFTER = [
  0, -1, 0, 0, 1, 2, 4, -1, -1, -1, -1, -1, 1, 2, 4, 8, 1, 2, 4, 8, -1, -1, -1, -1, -1, 1, 2, 4, 2, 4, 2, 4,
];

interface Head {
  type: MpType;
  /** length of a str or bin, children of an array, pairs of a map; the number's offset for an int */
  n: number;
  /** offset behind the head (behind the number of an int) */
  at: number;
}

function be(p: Uint8Array, at: number, n: number): number {
  let v = 0;
  for (let i = 0; i < n; i++) v = v * 256 + p[at + i];
  return v;
}

function headType(b: number): MpType {
  if (b < 0x80 || b >= 0xe0) return "int";
  if (b < 0x90) return "map";
  if (b < 0xa0) return "array";
  if (b < 0xc0) return "str";
  if (b === 0xc0) return "nil";
  if (b <= 0xc3) return "bool";
  if (b <= 0xc6) return "bin";
  if (b <= 0xd3) return "int";
  if (b <= 0xdb) return "str";
  return b <= 0xdd ? "array" : "map";
}

const fixedLength = (b: number): number => (b < 0xa0 ? b & 15 : b & 31);

/** The head at `at`, or undefined when it is refused or cut short. */
function readHead(p: Uint8Array, at: number, end: number): Head | undefined {
  if (at >= end) return undefined;
  const b = p[at++];
  const type = headType(b);
  if (b < 0xc0 || b >= 0xe0) return type === "int" ? { type, n: 0, at } : { type, n: fixedLength(b), at };
  const extra = AFTER[b - 0xc0];
  if (extra < 0 || end - at < extra) return undefined;
  return { type, n: type === "int" ? 0 : be(p, at, extra), at: at + extra };
}

/** One object that fills the bytes. Returns the error, or undefined. Needs no memory that the bytes could
 *  make grow. */
export function prescan(p: Uint8Array, objectsMax: number = LIMITS.FRAME_OBJECTS_MAX): ErrorSlug | undefined {
  const open: number[] = []; // children still to come, of each open container
  let at = 0;
  let objects = 0;
  let left = 1;
  while (left > 0) {
    const h = readHead(p, at, p.length);
    if (!h) return "format";
    if (++objects > objectsMax) return "limit";
    left--;
    at = h.at;
    if (h.type === "str" || h.type === "bin") {
      if (h.n > p.length - at) return "format";
      at += h.n;
    } else if (h.type === "array" || h.type === "map") {
      const children = h.type === "map" ? 2 * h.n : h.n;
      if (children > p.length - at || open.length >= LIMITS.NESTING_MAX) return "format";
      open.push(left);
      left = children;
    }
    while (left === 0 && open.length) left = open.pop()!;
  }
  return at === p.length ? undefined : "format";
}

export class Reader {
  err: ErrorSlug | undefined;
  readonly #p: Uint8Array;
  readonly #end: number;
  #at: number;

  /** scanned: the bytes were scanned as part of a larger object. Reads check their bounds all the same. */
  constructor(p: Uint8Array, scanned = false) {
    this.#p = p;
    this.#at = 0;
    this.#end = p.length;
    if (!scanned) this.err = prescan(p);
  }
  get offset(): number {
    return this.#at;
  }
  fail(slug: ErrorSlug = "format"): void {
    this.err ??= slug;
  }
  /** Throws the first error; `format` when bytes are left. */
  done(): void {
    if (!this.err && this.#at < this.#end) this.err = "format";
    if (this.err) throw new OvError(this.err);
  }
  peek(): MpType {
    return this.err || this.#at >= this.#end ? "end" : headType(this.#p[this.#at]);
  }
  /** Takes the head of the next object if it is of this type and in its shortest form. */
  #take(type: MpType): Head | undefined {
    if (this.err) return undefined;
    const h = readHead(this.#p, this.#at, this.#end);
    if (!h || h.type !== type || !this.#shortest(h, type)) {
      this.err = "format";
      return undefined;
    }
    this.#at = h.at;
    return h;
  }
  #shortest(h: Head, type: MpType): boolean {
    const b = this.#p[this.#at];
    if (b < 0xc0 || b >= 0xe0 || type === "int") return true;
    const size = h.at - this.#at - 1;
    if (size === 4) return h.n > 0xffff;
    if (type === "bin") return size === 1 || h.n > 0xff;
    if (type === "str") return h.n > (size === 1 ? 31 : 0xff);
    return size === 0 || h.n > 15;
  }
  array(): number {
    const n = this.#take("array")?.n ?? 0;
    if (n > this.#end - this.#at) this.fail();
    return this.err ? 0 : n;
  }
  map(): number {
    const n = this.#take("map")?.n ?? 0;
    if (2 * n > this.#end - this.#at) this.fail();
    return this.err ? 0 : n;
  }
  arrayOf(n: number): void {
    if (this.array() !== n) this.fail();
  }
  /** Any integer of 64 bits signed; one above is `format`. */
  int(): Int {
    const start = this.#at;
    const h = this.#take("int");
    if (!h) return 0;
    const b = this.#p[start];
    if (b < 0x80) return b;
    if (b >= 0xe0) return b - 256;
    const v =
      b <= 0xcf ? this.#unsigned(start + 1, 1 << (b - 0xcc)) : this.#signed(start + 1, 1 << (b - 0xd0));
    if (v === undefined) {
      this.fail();
      return 0;
    }
    return v;
  }
  #unsigned(at: number, n: number): Int | undefined {
    const least = n === 1 ? 128 : 2 ** (4 * n);
    if (n < 8) {
      const v = be(this.#p, at, n);
      return v >= least ? v : undefined;
    }
    const v = (BigInt(be(this.#p, at, 4)) << 32n) | BigInt(be(this.#p, at + 4, 4));
    return v >= 4294967296n && v < 2n ** 63n ? norm(v) : undefined;
  }
  #signed(at: number, n: number): Int | undefined {
    const most = n === 1 ? -33 : -(2 ** (4 * n - 1)) - 1;
    const v = BigInt.asIntN(
      8 * n,
      (BigInt(be(this.#p, at, Math.max(0, n - 4))) << 32n) |
        BigInt(be(this.#p, at + Math.max(0, n - 4), Math.min(4, n))),
    );
    return v <= BigInt(most) ? norm(v) : undefined;
  }
  /** A safe integer within lo … hi. */
  intIn(lo: number, hi: number): number {
    const v = this.int();
    if (typeof v === "number" && v >= lo && v <= hi) return v;
    this.fail();
    return lo > 0 ? lo : 0;
  }
  uint(max: number): number {
    return this.intIn(0, max);
  }
  bool(): boolean {
    const at = this.#at;
    return this.#take("bool") !== undefined && this.#p[at] === 0xc3;
  }
  /** true, and taken, if nil is next. */
  nil(): boolean {
    if (this.peek() !== "nil") return false;
    this.#at++;
    return true;
  }
  #body(type: "str" | "bin"): Uint8Array {
    const h = this.#take(type);
    if (!h) return new Uint8Array(0);
    if (h.n > this.#end - this.#at) {
      this.fail();
      return new Uint8Array(0);
    }
    this.#at += h.n;
    return this.#p.subarray(h.at, h.at + h.n);
  }
  str(): string {
    return this.strMax(Number.MAX_SAFE_INTEGER);
  }
  /** A text of at most so many bytes; a longer one is `limit`. */
  strMax(max: number): string {
    const p = this.#body("str");
    if (p.length > max) this.fail("limit");
    const text = utf8Decode(p);
    if (text === undefined) this.fail();
    return this.err ? "" : text!;
  }
  /** Borrows from the bytes that are read. */
  bin(): Uint8Array {
    return this.#body("bin");
  }
  /** A bin of exactly n bytes; zeros after an error. */
  binOf(n: number): Uint8Array {
    const p = this.bin();
    if (p.length !== n) this.fail();
    return this.err ? new Uint8Array(n) : p;
  }
  /** The bytes of the next object, which is passed over. */
  raw(): Uint8Array {
    const start = this.#at;
    this.skip();
    return this.#p.subarray(start, this.#at);
  }
  skip(): void {
    let left = 1;
    while (left > 0 && !this.err) {
      left--;
      const type = this.peek();
      if (type === "array") left += this.array();
      else if (type === "map") left += 2 * this.map();
      else if (type === "str") this.#body("str");
      else if (type === "bin") this.bin();
      else if (type === "int") this.int();
      else if (type === "bool") this.bool();
      else if (!this.nil()) this.fail();
    }
  }
}

/** Writes shortest forms. */
export class Writer extends Buf {
  nil(): void {
    this.byte(0xc0);
  }
  bool(v: boolean): void {
    this.byte(v ? 0xc3 : 0xc2);
  }
  int(v: Int): void {
    if (typeof v === "bigint" || v < -2147483648 || v > 4294967295) this.#long(v);
    else if (v >= 0) this.#positive(v);
    else if (v >= -32) this.byte(256 + v);
    else if (v >= -128) this.#sized(0xd0, v + 0x100, 1);
    else if (v >= -32768) this.#sized(0xd1, v + 0x10000, 2);
    else this.#sized(0xd2, v + 0x100000000, 4);
  }
  #positive(v: number): void {
    if (v < 128) this.byte(v);
    else if (v < 0x100) this.#sized(0xcc, v, 1);
    else if (v < 0x10000) this.#sized(0xcd, v, 2);
    else this.#sized(0xce, v, 4);
  }
  #long(v: Int): void {
    const b = BigInt.asUintN(64, BigInt(v));
    this.byte(v < 0 ? 0xd3 : 0xcf);
    this.be(Number(b >> 32n), 4);
    this.be(Number(b & 0xffffffffn), 4);
  }
  #sized(type: number, n: number, bytes: number): void {
    this.byte(type);
    this.be(n, bytes);
  }
  #length(n: number, fixed: number, fixedMax: number, type8: number, type16: number): void {
    if (n <= fixedMax) this.byte(fixed + n);
    else if (type8 && n < 0x100) this.#sized(type8, n, 1);
    else if (n < 0x10000) this.#sized(type16, n, 2);
    else this.#sized(type16 + 1, n, 4);
  }
  array(n: number): void {
    this.#length(n, 0x90, 15, 0, 0xdc);
  }
  map(n: number): void {
    this.#length(n, 0x80, 15, 0, 0xde);
  }
  str(text: string): void {
    const p = utf8(text);
    this.#length(p.length, 0xa0, 31, 0xd9, 0xda);
    this.bytes(p);
  }
  bin(p: Uint8Array): void {
    this.#length(p.length, 0, -1, 0xc4, 0xc5);
    this.bytes(p);
  }
}
