// Integers of 64 bits: a number where a number holds it exactly, else a bigint. Every Int here is in that
// form, so === compares numbers and `intEqual` all.
export type Int = number | bigint;

export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;
const UINT64 = 2n ** 64n;

export const norm = (v: bigint): Int => (v >= -9007199254740991n && v <= 9007199254740991n ? Number(v) : v);
export const isInt = (v: unknown): v is Int =>
  (typeof v === "number" && Number.isSafeInteger(v) && !Object.is(v, -0)) ||
  (typeof v === "bigint" && v >= INT64_MIN && v <= INT64_MAX && typeof norm(v) === "bigint");
export const intEqual = (a: Int, b: Int): boolean => a === b;
export const intCompare = (a: Int, b: Int): number => (a < b ? -1 : a > b ? 1 : 0);

const wrap = (v: bigint): Int => norm(BigInt.asIntN(64, v));

/** Sums and products wrap at 64 bits, as the row codec has it. A sum of safe integers that comes out safe
 *  is exact. */
export function add64(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const s = a + b;
    if (Number.isSafeInteger(s)) return s + 0;
  }
  return wrap(BigInt(a) + BigInt(b));
}

export function sub64(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const s = a - b;
    if (Number.isSafeInteger(s)) return s + 0;
  }
  return wrap(BigInt(a) - BigInt(b));
}

export function mul64(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const s = a * b;
    if (Number.isSafeInteger(s)) return s + 0; // + 0 makes -0 into 0
  }
  return wrap(BigInt(a) * BigInt(b));
}

/** The same 64 bits read as unsigned. */
export const asUnsigned = (v: Int): Int => (v >= 0 ? v : norm(BigInt.asUintN(64, BigInt(v))));
/** Zig-zag: 0, −1, 1, −2 … as 0, 1, 2, 3 … of 64 bits. */
export function zigzag(v: Int): Int {
  if (typeof v === "number" && v >= -4503599627370496 && v <= 4503599627370495)
    return v < 0 ? -2 * v - 1 : 2 * v;
  const b = BigInt(v);
  return norm(b < 0n ? -2n * b - 1n : 2n * b);
}
export function unzigzag(z: Int): Int {
  if (typeof z === "number") return (z % 2 ? -(z + 1) / 2 : z / 2) + 0;
  return norm(z % 2n ? -(z + 1n) / 2n : z / 2n);
}
/** Bits of an unsigned number up to 2^64 − 1. */
export function bitsOf(v: Int): number {
  if (typeof v === "bigint") return v >= UINT64 ? 65 : v.toString(2).length;
  let n = 0;
  while (v >= 4294967296) {
    v = Math.floor(v / 4294967296);
    n += 32;
  }
  return n + (32 - Math.clz32(v));
}
