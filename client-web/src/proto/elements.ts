// Elements of messages: how each sort is read and written, and lists of them (PROTO-16).
import { LIMITS } from "./generated.ts";
import type { Reader, Writer } from "./mp.ts";
import { type Id, type Name, readId, readName, writeId, writeName } from "./name.ts";

export interface Codec<T> {
  read(r: Reader): T;
  write(w: Writer, v: T): void;
  /** optional elements: what stands for one that is left out */
  absent?: () => T;
  isAbsent?: (v: T) => boolean;
}

export const UINT32 = 0xffffffff;
export const int = (lo: number, hi: number): Codec<number> => ({
  read: (r) => r.intIn(lo, hi),
  write: (w, v) => w.int(v),
});
export const uint = (max: number): Codec<number> => int(0, max);
export const time = int(-LIMITS.TIME_S_MAX, LIMITS.TIME_S_MAX);
export const seq = int(1, LIMITS.SEQ_MAX);
export const position = uint(LIMITS.SEQ_MAX);
export const scope = uint(UINT32);
export const bin = (n: number): Codec<Uint8Array> => ({ read: (r) => r.binOf(n), write: (w, v) => w.bin(v) });
export const bytes: Codec<Uint8Array> = { read: (r) => r.bin(), write: (w, v) => w.bin(v) };
export const text = (max: number): Codec<string> => ({
  read: (r) => r.strMax(max),
  write: (w, v) => w.str(v),
});
export const id: Codec<Id> = { read: readId, write: writeId };
export const name: Codec<Name> = { read: readName, write: writeName };
export const flag: Codec<boolean> = { read: (r) => r.uint(1) === 1, write: (w, v) => w.int(v ? 1 : 0) };

/** 0 on the wire stands for the default. */
const defaulting = (usual: number, lo: number, hi: number): Codec<number> => ({
  read(r) {
    const v = r.uint(hi);
    if (v === 0) return usual;
    if (v < lo) r.fail();
    return v;
  },
  write: (w, v) => w.int(v === usual ? 0 : v),
});
export const credit = defaulting(LIMITS.CREDIT_DEFAULT, 1, LIMITS.CREDIT_MAX);
export const frameBytes = defaulting(
  LIMITS.FRAME_BYTES_DEFAULT,
  LIMITS.FRAME_BYTES_MIN,
  LIMITS.FRAME_BYTES_MAX,
);

export function orNil<T>(c: Codec<T>): Codec<T | null> {
  return {
    read: (r) => (r.nil() ? null : c.read(r)),
    write: (w, v) => (v === null ? w.nil() : c.write(w, v)),
  };
}
export function optional<T>(c: Codec<T>, usual: T): Codec<T> {
  return { ...c, absent: () => usual, isAbsent: (v) => v === usual };
}
export function optionalList<T>(c: Codec<T[]>): Codec<T[]> {
  return { ...c, absent: () => [], isAbsent: (v) => v.length === 0 };
}

/** PROTO-16: an array of the parts of all entries. */
export function flat<T>(parts: { [K in keyof T]: Codec<T[K]> }, max: number): Codec<T[]> {
  const keys = Object.keys(parts) as (keyof T)[];
  return {
    read(r) {
      const n = r.array();
      if (n % keys.length) r.fail();
      if (n > max * keys.length) r.fail("limit");
      const list: T[] = [];
      for (let i = 0; i < n && !r.err; i += keys.length) {
        const entry = {} as T;
        for (const k of keys) entry[k] = parts[k].read(r);
        list.push(entry);
      }
      return list;
    },
    write(w, list) {
      w.array(list.length * keys.length);
      for (const entry of list) for (const k of keys) parts[k].write(w, entry[k]);
    },
  };
}
export function names(max: number): Codec<Name[]> {
  return {
    read(r) {
      const n = r.array();
      if (n > max) r.fail("limit");
      const list: Name[] = [];
      for (let i = 0; i < n && !r.err; i++) list.push(readName(r));
      return list;
    },
    write(w, list) {
      w.array(list.length);
      for (const n of list) writeName(w, n);
    },
  };
}
/** Entries that travel as differences from the entry before: undo adds them up, the other way takes them
 *  apart. */
export function mapped<A, B>(
  c: Codec<A[]>,
  undo: (list: A[], r: Reader) => B[],
  apply: (list: B[]) => A[],
): Codec<B[]> {
  return { read: (r) => undo(c.read(r), r), write: (w, list) => c.write(w, apply(list)) };
}
export function sums<T>(
  list: T[],
  keys: (keyof T)[],
  sign: 1 | -1,
  start: Partial<Record<keyof T, number>>,
): T[] {
  const before = { ...start } as Record<keyof T, number>;
  return list.map((e) => {
    const out = { ...e };
    for (const k of keys) {
      const v = Number(e[k]);
      const last = before[k] ?? 0;
      (out as Record<keyof T, number>)[k] = v + sign * last;
      before[k] = sign > 0 ? v + last : v;
    }
    return out;
  });
}
