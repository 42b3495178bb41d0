// What each message says, as in PROTOCOL.md section 10.
import type { MsgName } from "./generated.ts";
import type { Id, Name } from "./name.ts";
import type { Rec } from "./record.ts";

/** The highest version that this program speaks, and the lowest (PROTO-44). */
export const PROTOCOL_VERSION = 1;
export const PROTOCOL_VERSION_MIN = 1;
export const SUBPROTOCOL = "overdracht.1";

export interface Cursor {
  scope: number;
  pos: number;
  hash: Uint8Array;
}
export interface ScopeKey {
  scope: number;
  key: Uint8Array;
}
export interface Tip {
  seq: number;
  head: Uint8Array;
}
export const OWN = { SAME: 0, TIPS: 1, LADDER: 2 } as const;
export const SCOPE_STATE = { REFETCH: 1, NEW: 2, GONE: 3 } as const;

export interface Enrol {
  versionMin: number;
  versionMax: number;
  code: string;
  publicKey: Uint8Array;
  deviceName: string;
}
export interface Enrolled {
  version: number;
  device: Id;
  organisation: Id;
  server: Id;
  serverKey: Uint8Array;
  deviceRecord: Name;
  scopes: ScopeKey[];
  timeMs: number;
  zone: string;
  pin: Uint8Array | null;
}
export interface Hello {
  versionMin: number;
  versionMax: number;
  device: Id;
  writer: Id;
  ownSeq: number;
  ownHead: Uint8Array;
  server: Id | null;
  cursors: Cursor[];
  timeMs: number;
  nonce: Uint8Array;
  /** 1 wants live, 2 a PUSH follows, 4 the store is closed */
  flags: number;
  credit: number;
  frameBytes: number;
  signature: Uint8Array;
}
export const HELLO_LIVE = 1;
export const HELLO_PUSH_FOLLOWS = 2;
export const HELLO_CLOSED = 4;
export interface Welcome {
  version: number;
  server: Id;
  timeMs: number;
  own: number;
  safeUpTo: number;
  scopes: { scope: number; state: number }[];
  frameBytes: number;
  credit: number;
  retryS: number;
  tips: Tip[];
  /** head: the first 8 bytes */
  ladder: Tip[];
  /** 1: the organisation protects the stores of its devices strictly (PROTO-164) */
  strict: number;
  /** this device's share of its store's key */
  share: Uint8Array | null;
}
export interface Challenge {
  nonce: Uint8Array;
  timeMs: number;
}
export interface Proof {
  signature: Uint8Array;
}
export interface Push {
  firstSeq: number;
  more: boolean;
  rows: Uint8Array;
  signature: Uint8Array;
  prev: Uint8Array | null;
  keys: { of: Name; key: Uint8Array }[];
}
export interface Ack {
  upTo: number;
  head: Uint8Array;
  safeUpTo: number;
  /** upTo: last seq of the run */
  receipts: { upTo: number; timeMs: number; offsetMs: number }[];
  held: { seq: number; reason: number }[];
  refused: { seq: number; error: number } | null;
  signature: Uint8Array;
}
export interface Delta {
  scope: number;
  from: number;
  to: number;
  hash: Uint8Array;
  /** seconds */
  time: number;
  more: boolean;
  records: { record: Rec; changed: number }[];
  gone: Name[];
}
export interface Acked {
  cursors: { scope: number; pos: number }[];
}
export interface Bye {
  reason: number;
  retryS: number;
}
export interface ErrorMsg {
  error: number;
  seq: number;
  retryS: number;
  text: string;
  tips: Tip[];
  ladder: Tip[];
  names: Name[];
}
export interface Messages {
  ENROL: Enrol;
  ENROLLED: Enrolled;
  HELLO: Hello;
  WELCOME: Welcome;
  CHALLENGE: Challenge;
  PROOF: Proof;
  PUSH: Push;
  ACK: Ack;
  DELTA: Delta;
  ACKED: Acked;
  BYE: Bye;
  ERROR: ErrorMsg;
  SYNCED: Record<string, never>;
}
export type Msg = { [K in MsgName]: { type: K } & Messages[K] }[MsgName];
