// What a session is given and gives, and what both sides have said in it.
import type { Id, Name } from "./name.ts";
import type { Later, Store } from "./store.ts";

export interface Identity {
  device: Id;
  organisation: Id;
  /** host name that the device was enrolled for */
  serverName: string;
  serverKey: Uint8Array;
}
export interface Ports {
  store: Store;
  sign(bytes: Uint8Array): Later<Uint8Array>;
  /** Does the server's key of the enrolment verify this? */
  verify(bytes: Uint8Array, signature: Uint8Array): Later<boolean>;
  random(n: number): Uint8Array;
  /** ids of the kinds marked windowed, as far as schemas are known */
  windowedKinds(): number[];
  /** Is the store closed, so that it needs this device's share? PROTO-164 */
  closed?(): boolean;
  /** What WELCOME says of the store's protection, before anything else of it is kept. */
  protect?(strict: boolean, share: Uint8Array | null): Later<void>;
}
export interface Options {
  live: boolean;
  /** old logs that are left out this time */
  skip?: ReadonlySet<Id>;
  /** 0: the defaults */
  credit: number;
  frameBytes: number;
}
export interface Result {
  /** 0, or why the connection ends */
  error: number;
  /** code to close the WebSocket with */
  close: number;
  /** seconds to stay away at least (PROTO-118) */
  retryS: number;
  /** all ops of its log were on the server, and everything received was stored, when it ended */
  synced: boolean;
  /** another log is to be handed over, or the live one goes on: greet again at once */
  more: boolean;
}
export type Event =
  | { is: "clock"; offsetMs: number; suspect: boolean }
  /** the log of this session is on the server up to `upTo`; it was up to `from` */
  | { is: "acked"; from: number; upTo: number; safe: number; total: number }
  | { is: "held"; seq: number; reason: number }
  | { is: "refused"; seq: number; error: number }
  | { is: "received"; scope: number; names: Name[]; gone: Name[] }
  | { is: "synced" }
  /** nothing more is pushed in this session; the error that the server gave, 0: none (no place, no keys) */
  | { is: "blocked"; error: number; retryS: number }
  /** another copy of this store has pushed; the log goes on under a new writer */
  | { is: "double" };

/** What a session and its parts know of the two sides. */
export interface Met {
  /** the log of this session, and whether it is one that was left behind */
  writer: Id;
  old: boolean;
  /** the server that HELLO named, and the one that answered */
  helloServer: Id | null;
  server: Id;
  /** seconds, own clock */
  helloS: number;
  offsetMs: number;
  frameBytes: number;
  credit: number;
  /** seconds that the server asked to stay away */
  retryS: number;
}
