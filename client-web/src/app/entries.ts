// Entries of the own log as rows: sealed, opened, and what an ACK does to them.
import { Reader, Writer } from "../proto/mp.ts";
import {
  type Id,
  type Name,
  ZERO_TAG,
  makeName,
  seqOf,
  tagOfHead,
  withTag,
  writerOf,
} from "../proto/name.ts";
import {
  KIND,
  type Op,
  decodeHeader,
  decodePayload,
  encodeHeader,
  encodePayload,
  recordOf,
} from "../proto/op.ts";
import type { Entry, Receipt } from "../proto/log.ts";
import { fail } from "../proto/error.ts";
import type { EntryRow } from "./db.ts";
import type { Sealer } from "./seal.ts";

export const entryPlace = (w: Id, seq: number): string => `entry ${w} ${seq}`;

export async function sealEntry(sealer: Sealer, w: Id, e: Entry): Promise<EntryRow> {
  if (e.op.form !== "whole") return fail("invalid", "an entry without content");
  const wr = new Writer();
  wr.array(2);
  wr.bin(encodeHeader(e.op));
  wr.bin(encodePayload(e.op));
  const record = recordOf(e.op);
  return {
    w,
    seq: e.seq,
    top: record,
    record,
    client: e.op.participant ?? (e.op.kind === KIND.PARTICIPANT ? record : ""),
    headerHash: e.headerHash,
    commitment: e.commitment,
    head: e.head,
    receipt: e.receipt,
    refused: e.refused,
    ...(e.op.kind === KIND.LOOK ? { look: 1 as const } : {}),
    body: await sealer.sealOwn(entryPlace(w, e.seq), wr.take()),
  };
}

export async function openEntry(sealer: Sealer, row: EntryRow): Promise<Entry> {
  const name = withTag(makeName(row.w, row.seq, ZERO_TAG), tagOfHead(row.head));
  const { seq, headerHash, commitment, head, receipt, refused } = row;
  const base = { seq, headerHash, commitment, head, receipt, refused, onTop: row.top !== undefined };
  if (!row.body) return { ...base, op: { form: "void", name, headerHash, commitment } };
  const r = new Reader(await sealer.open(entryPlace(row.w, row.seq), row.body));
  r.arrayOf(2);
  const header = decodeHeader(r.bin());
  const payload = decodePayload(r.bin());
  r.done();
  const op: Op = { form: "whole", name, ...header, ...payload };
  return { ...base, op };
}

export const rowKey = (name: Name): [Id, number] => [writerOf(name), seqOf(name)];

/** On top until the server part has it. */
export function withReceipt(row: EntryRow, receipt: Receipt): EntryRow {
  const next: EntryRow = { ...row, receipt, top: row.record, ackTop: 1 };
  if (receipt.reason || next.refused) next.att = 1;
  return next;
}
export function offTop(row: EntryRow): EntryRow {
  const { top: _top, ackTop: _ackTop, ...rest } = row;
  return rest;
}
/** The server has lost it: it is to be sent again, and lies on top again. */
export const rolledBack = (row: EntryRow): EntryRow => ({ ...toSend(row), top: row.record });
/** It is to be sent again, whatever the server has. */
export function toSend(row: EntryRow): EntryRow {
  const { ackTop: _ackTop, ...rest } = row;
  if (!row.refused) delete rest.att;
  return { ...rest, receipt: null };
}
