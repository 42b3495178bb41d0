// The range coder of rows (PROTOCOL.md 11.2). Three coders share one face, so that the walk over rows is
// written once: the encoder takes each value and gives it back, the decoder gives what it reads, the meter
// adds up what an encoder would spend.
//
// All numbers here are integers below 2^53: products of range and probability stay below 2^32 × 2^15 / 2^15.
import { Buf } from "./bytes.ts";
import { fail } from "./error.ts";
import { type Int, bitsOf, norm, unzigzag, zigzag } from "./int64.ts";

const RANGE_MIN = 0x1000000; // 2^24
const TOP = 0x100000000; // 2^32
const ONE = 32768;

/** Adaptive models of single bits: probability of 0 out of 32768, and how often each was used (at most
 *  60). */
export class Bits {
  readonly p: Uint16Array;
  readonly n: Uint8Array;
  constructor(count: number) {
    this.p = new Uint16Array(count).fill(16384);
    this.n = new Uint8Array(count);
  }
  learn(at: number, bit: number): void {
    const n = this.n[at];
    const p = this.p[at];
    const next = p + ((((bit ? 0 : ONE) - p) * Math.floor(65536 / (n + 2))) >> 16);
    this.p[at] = next < 64 ? 64 : next > 32704 ? 32704 : next;
    if (n < 60) this.n[at] = n + 1;
  }
}

const CLASS_START = [28000, 22000, 26000, 17000, 18000, 18000];

/** Models of a number of up to 64 bits. */
export class Numbers {
  readonly class = new Bits(16);
  readonly top = new Bits(16);
  constructor() {
    CLASS_START.forEach((p, i) => (this.class.p[i + 1] = p));
  }
}

/** Things met so far, with counts. `items` is parallel to the counts; a new thing is added by the caller. */
export class Choice<T> {
  readonly items: T[] = [];
  readonly counts: number[] = [];
  total = 12;
  hit(at: number): void {
    this.counts[at] += 4;
    this.total += 4;
  }
  add(item: T): void {
    this.items.push(item);
    this.counts.push(4);
    this.total += 4;
  }
}

export abstract class Coder {
  abstract bool(m: Bits, at: number, bit: number): number;
  /** One of `total` slots of width 1. */
  abstract pick(total: number, at: number): number;
  /** Index of a thing met before, or −1 for a new one. */
  abstract choose<T>(c: Choice<T>, index: number): number;

  flag(m: Bits, bit: boolean): boolean {
    return this.bool(m, 0, bit ? 1 : 0) === 1;
  }
  tree(m: Bits, bits: number, value: number, base = 0): number {
    let node = 1;
    for (let i = bits - 1; i >= 0; i--) node = 2 * node + this.bool(m, base + node, (value >> i) & 1);
    return node - (1 << bits);
  }
  /** k bits, most significant first, in parts of 16. */
  flat(k: number, value: Int): Int {
    if (k > 53) return this.#flatBig(k, BigInt(value));
    let v = Number(value);
    let out = 0;
    for (let left = k; left > 0; ) {
      const bits = Math.min(16, left);
      left -= bits;
      const unit = 2 ** left;
      const part = Math.floor(v / unit);
      v -= part * unit;
      out = out * 2 ** bits + this.pick(2 ** bits, part);
    }
    return out;
  }
  #flatBig(k: number, value: bigint): Int {
    let out = 0n;
    for (let left = k; left > 0; ) {
      const bits = Math.min(16, left);
      left -= bits;
      const part = Number((value >> BigInt(left)) & ((1n << BigInt(bits)) - 1n));
      out = (out << BigInt(bits)) | BigInt(this.pick(2 ** bits, part));
    }
    return norm(out);
  }
  /** A number 0 … max with its own models of 256 nodes. */
  symbol(m: Bits, max: Int, value: Int): Int {
    const bits = bitsOf(max);
    const low = bits > 8 ? bits - 8 : 0;
    const upper = this.#upper(m, bits - low, upperPart(max, low), upperPart(value, low));
    if (!low) return upper <= max ? upper : fail("format");
    const rest = this.flat(low, lowerPart(value, low));
    const v =
      low + 8 > 53 ? norm((BigInt(upper) << BigInt(low)) | BigInt(rest)) : upper * 2 ** low + Number(rest);
    return v <= max ? v : fail("format");
  }
  #upper(m: Bits, bits: number, top: number, value: number): number {
    let node = 1;
    let start = 0;
    for (let half = (1 << bits) >> 1; half > 0; half >>= 1) {
      const mid = start + half;
      let bit = 0;
      if (mid <= top) {
        if (m.n[node] === 0) {
          m.n[node] = 2;
          m.p[node] = Math.floor((ONE * half) / (half + Math.min(half, top - mid + 1)));
        }
        bit = this.bool(m, node, value >= mid ? 1 : 0);
      }
      if (bit) start = mid;
      node = 2 * node + bit;
    }
    return start;
  }
  /** An unsigned number of up to 64 bits. */
  uint(m: Numbers, value: Int): Int {
    const bits = bitsOf(value);
    const c = this.tree(m.class, 4, Math.min(bits, 15));
    const n = c < 15 ? c : 15 + Number(this.flat(6, bits - 15));
    if (n > 64) fail("format");
    if (n < 2) return n;
    return n < 53 ? this.#small(m, c, n, Number(value)) : this.#large(m, c, n, BigInt(value));
  }
  #small(m: Numbers, c: number, n: number, value: number): number {
    const unit = 2 ** (n - 2);
    const second = this.bool(m.top, c, Math.floor(value / unit) & 1);
    return (2 + second) * unit + Number(this.flat(n - 2, value % unit));
  }
  #large(m: Numbers, c: number, n: number, value: bigint): Int {
    const below = BigInt(n - 2);
    const second = this.bool(m.top, c, Number((value >> below) & 1n));
    return norm((BigInt(2 + second) << below) | BigInt(this.flat(n - 2, norm(value & ((1n << below) - 1n)))));
  }
  /** uint of what must be a small count or index; more is `format`. */
  count(m: Numbers, value: number, max: number): number {
    const v = this.uint(m, value);
    return typeof v === "number" && v <= max ? v : fail("format");
  }
  sint(m: Numbers, value: Int): Int {
    return unzigzag(this.uint(m, zigzag(value)));
  }
}

function upperPart(v: Int, low: number): number {
  if (!low) return Number(v);
  return typeof v === "number" ? Math.floor(v / 2 ** low) : Number(v >> BigInt(low));
}
function lowerPart(v: Int, low: number): Int {
  return typeof v === "number" ? v % 2 ** low : norm(v & ((1n << BigInt(low)) - 1n));
}

export class Encoder extends Coder {
  #low = 0;
  #range = TOP - 1;
  readonly #out = new Buf();

  #settle(): void {
    if (this.#low >= TOP) {
      this.#out.carry();
      this.#low -= TOP;
    }
    while (this.#range < RANGE_MIN) {
      this.#out.byte(Math.floor(this.#low / RANGE_MIN));
      this.#low = (this.#low * 256) % TOP;
      this.#range *= 256;
    }
  }
  bool(m: Bits, at: number, bit: number): number {
    const bound = Math.floor(this.#range / ONE) * m.p[at];
    if (bit) {
      this.#low += bound;
      this.#range -= bound;
    } else this.#range = bound;
    m.learn(at, bit);
    this.#settle();
    return bit;
  }
  #slot(total: number, at: number, width: number): void {
    const step = Math.floor(this.#range / total);
    this.#low += step * at;
    this.#range = step * width;
    this.#settle();
  }
  pick(total: number, at: number): number {
    this.#slot(total, at, 1);
    return at;
  }
  choose<T>(c: Choice<T>, index: number): number {
    let at = 0;
    for (let i = 0; i < (index < 0 ? c.counts.length : index); i++) at += c.counts[i];
    this.#slot(c.total, at, index < 0 ? 12 : c.counts[index]);
    if (index >= 0) c.hit(index);
    return index;
  }
  /** The number within low … low + range − 1 with most zero bits at its end, without zero bytes at the
   *  end. */
  end(): Uint8Array {
    let v = this.#low;
    for (let unit = TOP; unit >= 1; unit /= 2) {
      v = Math.ceil(this.#low / unit) * unit;
      if (v <= this.#low + this.#range - 1) break;
    }
    if (v >= TOP) {
      this.#out.carry();
      v -= TOP;
    }
    this.#out.be(v, 4);
    this.#out.trimZeros();
    return this.#out.take();
  }
}

export class Decoder extends Coder {
  readonly #p: Uint8Array;
  #at = 0;
  #code = 0;
  #range = TOP - 1;

  constructor(p: Uint8Array) {
    super();
    this.#p = p;
    for (let i = 0; i < 4; i++) this.#code = this.#code * 256 + this.#next();
  }
  #next(): number {
    return this.#at < this.#p.length ? this.#p[this.#at++] : (this.#at++, 0);
  }
  #settle(): void {
    while (this.#range < RANGE_MIN) {
      this.#range *= 256;
      this.#code = ((this.#code * 256) % TOP) + this.#next();
    }
  }
  bool(m: Bits, at: number): number {
    const bound = Math.floor(this.#range / ONE) * m.p[at];
    const bit = this.#code < bound ? 0 : 1;
    if (bit) {
      this.#code -= bound;
      this.#range -= bound;
    } else this.#range = bound;
    m.learn(at, bit);
    this.#settle();
    return bit;
  }
  #point(total: number): number {
    return Math.min(Math.floor(this.#code / Math.floor(this.#range / total)), total - 1);
  }
  #take(total: number, at: number, width: number): void {
    const step = Math.floor(this.#range / total);
    this.#code -= step * at;
    this.#range = step * width;
    this.#settle();
  }
  pick(total: number): number {
    const at = this.#point(total);
    this.#take(total, at, 1);
    return at;
  }
  choose<T>(c: Choice<T>): number {
    const point = this.#point(c.total);
    let at = 0;
    for (let i = 0; i < c.counts.length; i++) {
      if (point < at + c.counts[i]) {
        this.#take(c.total, at, c.counts[i]);
        c.hit(i);
        return i;
      }
      at += c.counts[i];
    }
    this.#take(c.total, at, 12);
    return -1;
  }
  /** Were all bytes read (PROTO-60)? */
  ended(): boolean {
    return this.#at >= this.#p.length;
  }
}

/** Bits that an encoder would spend. */
export class Meter extends Coder {
  bits = 0;
  bool(m: Bits, at: number, bit: number): number {
    this.bits -= Math.log2((bit ? ONE - m.p[at] : m.p[at]) / ONE);
    m.learn(at, bit);
    return bit;
  }
  pick(total: number, at: number): number {
    this.bits += Math.log2(total);
    return at;
  }
  choose<T>(c: Choice<T>, index: number): number {
    this.bits += Math.log2(c.total / (index < 0 ? 12 : c.counts[index]));
    if (index >= 0) c.hit(index);
    return index;
  }
}
