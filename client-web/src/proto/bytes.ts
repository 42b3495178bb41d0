// Bytes: a growing buffer, hex, order, UTF-8.
import { fail } from "./error.ts";

const hexDigits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

export function hex(p: Uint8Array): string {
  let s = "";
  for (let i = 0; i < p.length; i++) s += hexDigits[p[i]];
  return s;
}

export function unhex(text: string): Uint8Array {
  if (text.length % 2 || !/^[0-9a-f]*$/i.test(text)) fail("invalid", "no hex");
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** Order of bytes; a shorter string stands before one that it begins. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && compareBytes(a, b) === 0;

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** ASCII or any well-formed text; lone surrogates must have been refused by then. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** undefined for what PROTO-14 refuses: broken or overlong forms, surrogates, U+0000. */
export function utf8Decode(p: Uint8Array): string | undefined {
  if (p.includes(0)) return undefined;
  try {
    return decoder.decode(p);
  } catch {
    return undefined;
  }
}

/** Can it travel (PROTO-14)? */
export function isText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0) return false;
    if (c < 0xd800 || c > 0xdfff) continue;
    if (c > 0xdbff || ++i >= text.length) return false;
    const low = text.charCodeAt(i);
    if (low < 0xdc00 || low > 0xdfff) return false;
  }
  return true;
}

/** A seq as 8 bytes big-endian. */
export function be64(n: number): Uint8Array {
  const out = new Uint8Array(8);
  for (let i = 7; i >= 0; i--) {
    out[i] = n % 256;
    n = Math.floor(n / 256);
  }
  return out;
}

export class Buf {
  #p: Uint8Array;
  length = 0;
  constructor(capacity = 256) {
    this.#p = new Uint8Array(capacity);
  }
  #room(n: number): void {
    const need = this.length + n;
    if (need <= this.#p.length) return;
    const grown = new Uint8Array(Math.max(need, 2 * this.#p.length));
    grown.set(this.#p.subarray(0, this.length));
    this.#p = grown;
  }
  byte(b: number): void {
    this.#room(1);
    this.#p[this.length++] = b;
  }
  bytes(p: Uint8Array): void {
    this.#room(p.length);
    this.#p.set(p, this.length);
    this.length += p.length;
  }
  /** n bytes of a non-negative safe integer, big-endian. */
  be(value: number, n: number): void {
    this.#room(n);
    for (let i = n - 1; i >= 0; i--) {
      this.#p[this.length + i] = value % 256;
      value = Math.floor(value / 256);
    }
    this.length += n;
  }
  /** LEB128, shortest form. */
  varint(n: number): void {
    while (n >= 128) {
      this.byte(n % 128 | 128);
      n = Math.floor(n / 128);
    }
    this.byte(n);
  }
  /** A copy of what was written. */
  take(): Uint8Array {
    return this.#p.slice(0, this.length);
  }
  /** Adds one to the number whose digits in base 256 end here (carry of the range coder). */
  carry(): void {
    for (let i = this.length - 1; i >= 0; i--) {
      this.#p[i] = (this.#p[i] + 1) & 255;
      if (this.#p[i]) return;
    }
  }
  trimZeros(): void {
    while (this.length > 0 && this.#p[this.length - 1] === 0) this.length--;
  }
}
