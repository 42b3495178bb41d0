// Ids and names. Inside the program both are lower-case hex, which sorts as their bytes do and serves as a
// key of maps and tables.
import { be64, hex, unhex } from "./bytes.ts";
import { fail } from "./error.ts";
import { LIMITS } from "./generated.ts";
import type { Reader, Writer } from "./mp.ts";

/** 32 hex digits: organisation, device, writer, server (PROTO-17). */
export type Id = string;
/** 56 hex digits: writer, seq as 8 bytes big-endian, tag (PROTO-18). The tag is 00000000 until the op is
 *  chained. */
export type Name = string;

export const ID_BYTES = 16;
export const TAG_BYTES = 4;
export const NAME_BYTES = 28;
export const HASH_BYTES = 32;
export const KEY_BYTES = 32;
export const SIG_BYTES = 64;
export const PUBKEY_BYTES = 65;
export const POSHASH_BYTES = 16;

export const ZERO_ID: Id = "0".repeat(32);
export const ZERO_TAG = "00000000";

const seqHex = (seq: number): string => seq.toString(16).padStart(16, "0");
export const makeName = (writer: Id, seq: number, tag: string): Name => writer + seqHex(seq) + tag;
export const writerOf = (n: Name): Id => n.slice(0, 32);
export const seqOf = (n: Name): number => parseInt(n.slice(32, 48), 16);
export const tagOf = (n: Name): string => n.slice(48);
export const withTag = (n: Name, tag: string): Name => n.slice(0, 48) + tag;
/** First 4 bytes of a chain head. */
export const tagOfHead = (head: Uint8Array): string => hex(head.subarray(0, TAG_BYTES));
export const idBytes = unhex;
export const nameBytes = unhex;
export const compareNames = (a: Name, b: Name): number => (a < b ? -1 : a > b ? 1 : 0);

const SEQ_MAX_HEX = seqHex(LIMITS.SEQ_MAX);
/** Do 28 bytes read as the name of an op (seq 1 … 2^53 − 1)? */
export function isName(n: Name): boolean {
  const seq = n.slice(32, 48);
  return n.length === 2 * NAME_BYTES && seq > "0000000000000000" && seq <= SEQ_MAX_HEX;
}

/** Text form for people: 32 hex digits, '-', decimal seq, '-', 8 hex digits. */
export const nameText = (n: Name): string => `${writerOf(n)}-${seqOf(n)}-${tagOf(n)}`;
export function parseName(text: string): Name {
  const m = /^([0-9a-f]{32})-([1-9][0-9]{0,15})-([0-9a-f]{8})$/.exec(text);
  if (!m || Number(m[2]) > LIMITS.SEQ_MAX) fail("invalid", "no name");
  return makeName(m[1], Number(m[2]), m[3]);
}

/** `what` of ids and names in byte strings that are hashed or signed. */
export const seqBytes = be64;

export const readId = (r: Reader): Id => hex(r.binOf(ID_BYTES));
export const writeId = (w: Writer, id: Id): void => w.bin(idBytes(id));
export function readName(r: Reader): Name {
  const n = hex(r.binOf(NAME_BYTES));
  if (!r.err && !isName(n)) r.fail();
  return n;
}
export const writeName = (w: Writer, n: Name): void => w.bin(nameBytes(n));
export const readNameOrNil = (r: Reader): Name | null => (r.nil() ? null : readName(r));
export function writeNameOrNil(w: Writer, n: Name | null): void {
  if (n === null) w.nil();
  else writeName(w, n);
}
