// Messages: each is a table of its elements, as in PROTOCOL.md section 10, read and written by the same
// few lines.
import {
  type Codec,
  UINT32,
  bin,
  bytes,
  credit,
  flag,
  flat,
  frameBytes,
  id,
  int,
  mapped,
  name,
  names,
  optional,
  optionalList,
  orNil,
  position,
  scope,
  seq,
  sums,
  text,
  time,
  uint,
} from "./elements.ts";
import { OvError, fail } from "./error.ts";
import { LIMITS, type MsgName, TYPES, VERDICTS } from "./generated.ts";
import {
  type Ack,
  type Cursor,
  type Delta,
  type Msg,
  OWN,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MIN,
  SCOPE_STATE,
  type ScopeKey,
  type Tip,
} from "./messages.ts";
import { Reader, Writer, prescan } from "./mp.ts";
import {
  HASH_BYTES,
  ID_BYTES,
  type Id,
  KEY_BYTES,
  type Name,
  POSHASH_BYTES,
  PUBKEY_BYTES,
  SIG_BYTES,
} from "./name.ts";
import type { Op } from "./op.ts";
import { type Beside, type Held, NOTHING_BESIDE, recordFromRows } from "./record.ts";
import { decodeRows } from "./rows.ts";

// -- tables ---------------------------------------------------------------------------------------------

const tips = optionalList(flat<Tip>({ seq, head: bin(HASH_BYTES) }, LIMITS.TIPS_MAX));
const ladder = optionalList(flat<Tip>({ seq, head: bin(8) }, LIMITS.LADDER_MAX));

type Receipt = Ack["receipts"][number];
const receipts = mapped<Receipt, Receipt>(
  flat<Receipt>({ upTo: position, timeMs: time, offsetMs: time }, LIMITS.ACK_RECEIPTS_MAX),
  (list, r) => {
    const out = sums(list, ["upTo", "timeMs"], 1, {});
    if (
      list.some((e) => e.upTo === 0) ||
      out.some((e) => !Number.isSafeInteger(e.upTo) || !Number.isSafeInteger(e.timeMs))
    )
      r.fail();
    return out;
  },
  (list) => sums(list, ["upTo", "timeMs"], -1, {}),
);
type AckHeld = Ack["held"][number];
const ackHeld = mapped<AckHeld, AckHeld>(
  flat<AckHeld>({ seq: position, reason: uint(255) }, LIMITS.ACK_HELD_MAX),
  (list, r) => {
    const out = sums(list, ["seq"], 1, {});
    if (list.some((e) => e.seq === 0) || out.some((e) => !Number.isSafeInteger(e.seq))) r.fail();
    return out;
  },
  (list) => sums(list, ["seq"], -1, {}),
);

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Table = [string, Codec<any>][];
const versions: Table = [
  ["versionMin", uint(65535)],
  ["versionMax", uint(65535)],
];

/** What DELTA carries before its rows are made into records. */
interface DeltaWire {
  scope: number;
  from: number;
  to: number;
  hash: Uint8Array;
  time: number;
  more: boolean;
  rows: Uint8Array;
  changed: { records: number; time: number }[];
  extras: Extra[];
  gone: Name[];
}
interface Extra extends Beside {
  at: number;
}

const heldList = flat<Held>(
  { name, verdict: int(VERDICTS.held, VERDICTS.dismissed), reason: uint(255) },
  LIMITS.DELTA_HELD_MAX,
);
const seenList = names(LIMITS.RECORD_OPS_MAX);
const extra: Codec<Extra> = {
  read(r) {
    const n = r.array();
    if (n < 2 || n > 5) r.fail();
    const e = {
      at: r.uint(LIMITS.FRAME_ROWS_MAX),
      notCreated: r.uint(1) === 1,
      flags: new Uint8Array(0),
      held: [] as Held[],
      seen: [] as Name[],
    };
    if (n > 2) e.flags = Uint8Array.from(r.bin());
    if (n > 3) e.held = heldList.read(r);
    if (n > 4) e.seen = seenList.read(r);
    return e;
  },
  write(w, e) {
    const n = e.seen.length ? 5 : e.held.length ? 4 : e.flags.length ? 3 : 2;
    w.array(n);
    w.int(e.at);
    w.int(e.notCreated ? 1 : 0);
    if (n > 2) w.bin(e.flags);
    if (n > 3) heldList.write(w, e.held);
    if (n > 4) seenList.write(w, e.seen);
  },
};
const extras: Codec<Extra[]> = {
  read(r) {
    const list: Extra[] = [];
    for (let i = 0, n = r.array(); i < n && !r.err; i++) {
      list.push(extra.read(r));
      if (i && list[i - 1].at >= list[i].at) r.fail();
    }
    return list;
  },
  write(w, list) {
    w.array(list.length);
    for (const e of list) extra.write(w, e);
  },
};

const TABLES: Record<MsgName, Table> = {
  ENROL: [
    ...versions,
    ["code", text(LIMITS.CODE_TEXT_MAX)],
    ["publicKey", bin(PUBKEY_BYTES)],
    ["deviceName", text(LIMITS.DEVICE_NAME_MAX)],
  ],
  ENROLLED: [
    ["version", uint(65535)],
    ["device", id],
    ["organisation", id],
    ["server", id],
    ["serverKey", bin(PUBKEY_BYTES)],
    ["deviceRecord", name],
    ["scopes", flat<ScopeKey>({ scope, key: bin(KEY_BYTES) }, LIMITS.SCOPES_MAX)],
    ["timeMs", time],
    ["zone", text(64)],
    ["pin", optional(orNil(bin(HASH_BYTES)), null)],
  ],
  HELLO: [
    ...versions,
    ["device", id],
    ["writer", id],
    ["ownSeq", position],
    ["ownHead", bin(HASH_BYTES)],
    ["server", orNil(id)],
    ["cursors", flat<Cursor>({ scope, pos: position, hash: bin(POSHASH_BYTES) }, LIMITS.SCOPES_MAX)],
    ["timeMs", time],
    ["nonce", bin(ID_BYTES)],
    ["flags", uint(7)],
    ["credit", credit],
    ["frameBytes", frameBytes],
    ["signature", bin(SIG_BYTES)],
  ],
  WELCOME: [
    ["version", uint(65535)],
    ["server", id],
    ["timeMs", time],
    ["own", uint(OWN.LADDER)],
    ["safeUpTo", optional(position, 0)],
    [
      "scopes",
      optionalList(flat({ scope, state: int(SCOPE_STATE.REFETCH, SCOPE_STATE.GONE) }, 2 * LIMITS.SCOPES_MAX)),
    ],
    ["frameBytes", optional(frameBytes, LIMITS.FRAME_BYTES_DEFAULT as number)],
    ["credit", optional(credit, LIMITS.CREDIT_DEFAULT as number)],
    ["retryS", optional(uint(UINT32), 0)],
    ["tips", tips],
    ["ladder", ladder],
    ["strict", optional(uint(1), 0)],
    ["share", optional(bin(KEY_BYTES) as Codec<Uint8Array | null>, null)],
  ],
  CHALLENGE: [
    ["nonce", bin(ID_BYTES)],
    ["timeMs", time],
  ],
  PROOF: [["signature", bin(SIG_BYTES)]],
  PUSH: [
    ["firstSeq", seq],
    ["more", flag],
    ["rows", bytes],
    ["signature", bin(SIG_BYTES)],
    ["prev", optional(orNil(bin(HASH_BYTES)), null)],
    ["keys", optionalList(flat({ of: name, key: bin(KEY_BYTES) }, LIMITS.PUSH_KEYS_MAX))],
  ],
  ACK: [
    ["upTo", position],
    ["head", bin(HASH_BYTES)],
    ["safeUpTo", position],
    ["receipts", receipts],
    ["held", ackHeld],
    ["refusedSeq", seq],
    ["refusedError", int(1, 99)],
    ["signature", bin(SIG_BYTES)],
  ],
  DELTA: [
    ["scope", scope],
    ["from", position],
    ["to", position],
    ["hash", bin(POSHASH_BYTES)],
    ["time", time],
    ["more", flag],
    ["rows", { ...bytes, absent: () => new Uint8Array(0), isAbsent: (v: Uint8Array) => v.length === 0 }],
    ["changed", optionalList(flat({ records: int(1, LIMITS.FRAME_ROWS_MAX), time }, LIMITS.FRAME_ROWS_MAX))],
    ["extras", optionalList(extras)],
    ["gone", optionalList(names(LIMITS.FRAME_OBJECTS_MAX))],
  ],
  ACKED: [["cursors", flat({ scope, pos: position }, LIMITS.SCOPES_MAX)]],
  BYE: [
    ["reason", optional(uint(99), 0)],
    ["retryS", optional(uint(UINT32), 0)],
  ],
  ERROR: [
    ["error", int(1, 99)],
    ["seq", optional(position, 0)],
    ["retryS", optional(uint(UINT32), 0)],
    ["text", optional(text(LIMITS.ERROR_TEXT_MAX), "")],
    ["tips", tips],
    ["ladder", ladder],
    ["names", optionalList(names(LIMITS.PUSH_KEYS_MAX))],
  ],
  SYNCED: [],
};

// -- plain messages -------------------------------------------------------------------------------------

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Fields = Record<string, any>;

/** Elements 6 and 7 of ACK stand both or neither. */
function elementsOf(type: MsgName, n: number): Table {
  const table = TABLES[type];
  return type === "ACK" && n === table.length - 2
    ? table.filter(([key]) => !key.startsWith("refused"))
    : table;
}

function writeElements(type: MsgName, table: Table, m: Fields): Writer {
  let n = table.length;
  while (n > 0 && table[n - 1][1].isAbsent?.(m[table[n - 1][0]])) n--;
  const w = new Writer();
  w.array(n + 1);
  w.int(TYPES[type]);
  for (const [key, codec] of table.slice(0, n)) codec.write(w, m[key]);
  return w;
}

export function encodeMessage(m: Exclude<Msg, { type: "DELTA" }>): Uint8Array {
  if (m.type !== "ACK") return writeElements(m.type, TABLES[m.type], m).take();
  const all = { ...m, refusedSeq: m.refused?.seq, refusedError: m.refused?.error };
  return writeElements("ACK", elementsOf("ACK", m.refused ? 8 : 6), all).take();
}

/** The bytes of HELLO and ACK that are signed: all before the signature, which is the last element and a
 *  bin of 64. */
export const bodyOf = (plain: Uint8Array): Uint8Array => plain.subarray(0, plain.length - SIG_BYTES - 2);
/** The whole of a message whose body was encoded with any signature. */
export function withSignature(plain: Uint8Array, signature: Uint8Array): Uint8Array {
  const out = plain.slice();
  out.set(signature, plain.length - SIG_BYTES);
  return out;
}

/** Of a plain message that has been scanned. */
export function typeOf(plain: Uint8Array): MsgName {
  const r = new Reader(plain, true);
  if (r.array() < 1) r.fail();
  const nr = r.uint(255);
  const type = (Object.keys(TYPES) as MsgName[]).find((k) => TYPES[k] === nr);
  return !r.err && type ? type : fail("format", "type");
}

/** PROTO-44, PROTO-45: looked at before anything else of ENROL and HELLO. */
function checkVersions(plain: Uint8Array): void {
  const r = new Reader(plain, true);
  if (r.array() < 3) r.fail();
  r.uint(255);
  const lo = r.uint(65535);
  const hi = r.uint(65535);
  if (r.err || lo > hi) fail("format", "versions");
  if (lo > PROTOCOL_VERSION || hi < PROTOCOL_VERSION_MIN) fail("version");
}

function readElements(type: MsgName, plain: Uint8Array): Fields {
  const r = new Reader(plain, true);
  const n = r.array() - 1;
  r.uint(255);
  const table = elementsOf(type, n);
  const open = type === "ENROL" || type === "HELLO"; // a later version may have more elements
  const least = table.filter(([, c]) => !c.isAbsent).length;
  if (n < least || (n > table.length && !open)) fail("format", "number of elements");
  const out: Fields = {};
  const passOver = () => {
    for (let i = table.length; i < n; i++) r.skip();
  };
  table.forEach(([key, codec], i) => {
    if (type === "HELLO" && i === table.length - 1) passOver();
    out[key] = i < n ? codec.read(r) : codec.absent!();
  });
  if (type === "ENROL") passOver();
  r.done();
  return out;
}

/** server: whose DELTA it is. */
export function decodeMessage(plain: Uint8Array, server: Id): Msg {
  const problem = prescan(plain);
  if (problem) throw new OvError(problem);
  const type = typeOf(plain);
  if (type === "ENROL" || type === "HELLO") checkVersions(plain);
  const m = readElements(type, plain);
  if (type === "DELTA") return { type, ...deltaOf(m as DeltaWire, server) };
  if (type === "ACK") return { type, ...ackOf(m) };
  return { type, ...m } as Msg;
}

function ackOf(m: Fields): Ack {
  const { refusedSeq, refusedError, ...rest } = m;
  return {
    ...(rest as Ack),
    refused: refusedSeq === undefined ? null : { seq: refusedSeq, error: refusedError },
  };
}

// -- DELTA ----------------------------------------------------------------------------------------------

/** Runs of rows that are one record each (PROTO-46). */
function splitRecords(rows: Op[]): Op[][] {
  const records: Op[][] = [];
  for (const row of rows) {
    const last = records[records.length - 1];
    if (row.form !== "whole") return fail("format", "a row of a record");
    if (last && row.record === last[0].name) last.push(row);
    else if (row.record !== null) fail("format", "a record without a creating row");
    else if (last && row.name === last[0].name) fail("format", "a record follows itself");
    else records.push([row]);
  }
  return records;
}

/** Each record's last change, from runs with one time. */
function changeTimes(m: DeltaWire, n: number): number[] {
  const times: number[] = [];
  let time = m.time;
  for (const run of m.changed) {
    time += run.time;
    if (!Number.isSafeInteger(time) || times.length + run.records > n) fail("format", "changed");
    for (let i = 0; i < run.records; i++) times.push(time);
  }
  return times.length === n ? times : fail("format", "changed");
}

function deltaOf(m: DeltaWire, server: Id): Delta {
  const ctx = { named: true, writer: server, server, firstSeq: 0, baseTime: m.time };
  const records = m.rows.length ? splitRecords(decodeRows(ctx, m.rows)) : [];
  const times = changeTimes(m, records.length);
  const beside = new Map(m.extras.map((e) => [e.at, e]));
  if (m.extras.some((e) => e.at >= records.length)) fail("format", "extras");
  return {
    scope: m.scope,
    from: m.from,
    to: m.to,
    hash: m.hash,
    time: m.time,
    more: m.more,
    records: records.map((rows, i) => ({
      record: recordFromRows(rows, beside.get(i) ?? NOTHING_BESIDE),
      changed: times[i],
    })),
    gone: m.gone,
  };
}
