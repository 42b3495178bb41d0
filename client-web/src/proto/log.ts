// A client's own log: entries as they are kept, how one is added, and how they lie on top of what the
// server sent.
import { type Link, chainOp } from "./chain.ts";
import { fail } from "./error.ts";
import { type FoldIn, absorb } from "./fold.ts";
import { type Id, type Name, ZERO_TAG, makeName } from "./name.ts";
import { type Header, type Op, type Payload, type WholeOp, opProblem, recordOf } from "./op.ts";
import type { Rec } from "./record.ts";

/** What an ACK said of an op. Times in milliseconds. */
export interface Receipt {
  serverMs: number;
  offsetMs: number;
  /** 0, or why it is held */
  reason: number;
}
export interface Entry extends Link {
  seq: number;
  op: Op;
  /** null: not on the server, as far as is known */
  receipt: Receipt | null;
  /** still lies on top of the server part (PROTO-108) */
  onTop: boolean;
  /** the error with which the server refused the whole op; it travels as a void from then on (PROTO-84) */
  refused: number;
}

export interface LogState {
  writer: Id;
  /** the device under which the writer began */
  device: Id;
  /** last op */
  seq: number;
  head: Uint8Array;
  /** last op that is on the server, covered by a signed ACK */
  acked: number;
  /** last op that is in a verified backup or on a second server */
  safe: number;
  /** server time at which the server was asked what it has of it; 0: this server was not */
  askedMs: number;
}

/** A log of this device that it left behind: another copy of the store went on with it (PROTO-58). */
export type OldLog = LogState;
const ASK_AGAIN_MS = 86_400_000;
/** PROTO-66: WELCOME speaks of one log only, and another server, or one that was restored, may lack what
 *  was  acknowledged of this one. So it is asked about: whenever another server answers than before, and
 *  once a day until it is safe. */
export const isDue = (o: OldLog, serverMs: number): boolean =>
  !o.askedMs || (o.safe < o.seq && Math.abs(serverMs - o.askedMs) >= ASK_AGAIN_MS);
export const isUnsent = (log: LogState): boolean => log.acked < log.seq;

/** Chains an op behind the log. Throws op_format or op_limit when no receiver would take it. */
export function appendOp(
  log: LogState,
  draft: Header & Payload,
  key: Uint8Array,
): { entry: Entry; log: LogState } {
  const seq = log.seq + 1;
  const op: WholeOp = { form: "whole", name: makeName(log.writer, seq, ZERO_TAG), ...draft };
  const problem = opProblem(op);
  if (problem) fail(problem);
  const link = chainOp(op, key, log.head);
  return {
    entry: { seq, op, ...link, receipt: null, onTop: true, refused: 0 },
    log: { ...log, seq, head: link.head },
  };
}

/** What travels for an entry: the whole op, or the void in its place. */
export const travelling = (e: Entry): Op =>
  e.refused && e.op.form !== "void"
    ? { form: "void", name: e.op.name, headerHash: e.headerHash, commitment: e.commitment }
    : e.op;

/** What the fold takes of an own op. offsetMs: the last known, for an op without a receipt (PROTO-92). */
export function foldInOf(e: Entry, offsetMs: number): FoldIn {
  const reason = e.receipt?.reason ?? 0;
  return {
    op: e.op,
    verdict: e.refused ? "void" : reason ? "held" : "applied",
    reason,
    serverTime: e.receipt ? Math.floor(e.receipt.serverMs / 1000) : null,
    offset: Math.floor((e.receipt?.offsetMs ?? offsetMs) / 1000),
  };
}

/** The server part with own ops on top, in order of seq; null when there is nothing. */
export function overlay(base: Rec | null, own: Entry[], offsetMs: number): Rec | null {
  let rec = base;
  for (const e of own) if (e.op.form !== "void") rec = absorb(rec, foldInOf(e, offsetMs));
  return rec;
}

export const entryRecord = (e: Entry): Name | null => (e.op.form === "void" ? null : recordOf(e.op));
