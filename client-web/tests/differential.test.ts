// The C core and this implementation, given the same random logs and histories: same bytes, heads,
// records, conflicts.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { hex, unhex } from "../src/proto/bytes.ts";
import { OvError } from "../src/proto/error.ts";
import { absorb, fold } from "../src/proto/fold.ts";
import { packFrame, unpackFrame } from "../src/proto/frame.ts";
import { ERRORS, PEER, TYPES } from "../src/proto/generated.ts";
import { decodeMessage } from "../src/proto/msg.ts";
import { nameText, tagOf, withTag } from "../src/proto/name.ts";
import {
  type Op,
  decodeHeader,
  decodePayload,
  encodeHeader,
  encodePayload,
  opProblem,
} from "../src/proto/op.ts";
import { encodeRecord, fieldConflict, replacesAll, replacesFor, decodeRecord } from "../src/proto/record.ts";
import { type RowsContext, decodeRows, encodeRows, resolveRow } from "../src/proto/rows.ts";
import { Core, coreMissing } from "./lib/core.ts";
import { messageJson, typeName } from "./lib/messages.ts";
import { type LogContext, Random, randomHistory, randomLog, randomName } from "./lib/random.ts";
import { foldInJson, recordJson } from "./lib/records.ts";
import { type Json, opJson, opOf, vectors } from "./lib/vectors.ts";

const skip = coreMissing ?? false;
const core = coreMissing ? (undefined as unknown as Core) : new Core();
after(() => core?.end());

const context = (r: Random): LogContext => {
  const writers = [r.hex(16), r.hex(16), r.hex(16)];
  return {
    organisation: r.hex(16),
    writer: r.hex(16),
    others: Array.from({ length: 12 }, () => randomName(r, writers)),
  };
};
const contextJson = (c: RowsContext): Json => ({
  named: c.named,
  writer: c.writer,
  server: c.server,
  base_time: c.baseTime,
  first_seq: c.firstSeq,
});
/** The error that something is refused with, or what it gives. */
function outcome<T>(f: () => T): T | { error: string } {
  try {
    return f();
  } catch (e) {
    if (e instanceof OvError) return { error: e.slug };
    throw e;
  }
}

test("ops: the same bytes, and the same names and heads of a chain", { skip }, async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const r = new Random(seed);
    const log = context(r);
    const { ops, keys, links } = randomLog(r, log, 30);
    const chained = await core.ask("chain", {
      organisation: log.organisation,
      writer: log.writer,
      ops: ops.map((o) => ({ ...opJson(o), name: nameText(withTag(o.name, "00000000")) })),
      keys: keys.map((k) => k && hex(k)),
    });
    const mine = ops.map((o, i) => ({
      name: nameText(o.name),
      header_hash: hex(links[i].headerHash),
      commitment: hex(links[i].commitment),
      head: hex(links[i].head),
    }));
    assert.deepEqual(chained.links, mine, `seed ${seed}`);
    for (const op of ops) {
      if (op.form !== "whole") continue;
      const want = await core.ask("encode", { op: opJson(op) });
      assert.equal(opProblem(op), undefined);
      assert.deepEqual({ header: hex(encodeHeader(op)), payload: hex(encodePayload(op)) }, want);
    }
  }
});

test("headers and payloads with a byte spoiled: refused alike, or read alike", { skip }, async () => {
  const r = new Random(7);
  let refused = 0;
  for (let round = 0; round < 12; round++) {
    const { ops } = randomLog(r, context(r), 30);
    for (const op of ops) {
      if (op.form !== "whole") continue;
      for (const what of ["header", "payload"] as const) {
        const p: Uint8Array = what === "header" ? encodeHeader(op) : encodePayload(op);
        p[r.int(p.length)] ^= 1 << r.int(8);
        const want = await core.ask(`decode_${what}`, { hex: hex(p) });
        const got = outcome<object>(() => (what === "header" ? decodeHeader(p) : decodePayload(p)));
        const j: Json =
          "error" in got ? got : what === "header" ? headerJson(got as never) : payloadJson(got as never);
        const theirs = want.error
          ? want
          : what === "header"
            ? headerJson(opOf(want.op) as never)
            : payloadJson(opOf(want.op) as never);
        assert.deepEqual(j, theirs, `${what} ${hex(p)}`);
        if (want.error) refused++;
      }
    }
  }
  assert.ok(refused > 100);
});
const headerJson = (h: Extract<Op, { form: "whole" }>): Json => ({
  scope: h.scope,
  record: h.record,
  kind: h.kind,
  version: h.version,
  participant: h.participant,
  author: h.author,
  time: h.time,
});
const payloadJson = (p: Extract<Op, { form: "whole" }>): Json => {
  const { fields, replaces } = opJson({
    ...p,
    form: "whole",
    name: "11".repeat(28),
    scope: 0,
    record: null,
    kind: 1,
    version: 0,
    participant: null,
    author: null,
    time: 0,
  });
  return { fields, replaces };
};

async function rowsBothWays(ctx: RowsContext, ops: Op[], what: string): Promise<[number, number]> {
  const mine = encodeRows(ctx, ops).bytes;
  const theirs = await core.ask("rows_encode", { context: contextJson(ctx), ops: ops.map(opJson) });
  assert.ok(theirs.hex, `${what}: ${JSON.stringify(theirs)}`);
  const want = ops.map(opJson);
  const tags = ops.map((o) => tagOf(o.name));
  const read = await core.ask("rows_decode", { context: contextJson(ctx), hex: hex(mine), tags });
  assert.deepEqual(read.ops ?? read, want, `${what}: C reads what this wrote`);
  const got = decodeRows(ctx, unhex(theirs.hex));
  if (!ctx.named)
    got.forEach((op, i) => {
      resolveRow(ctx, got, i);
      op.name = withTag(op.name, tags[i]);
    });
  assert.deepEqual(got.map(opJson), want, `${what}: this reads what C wrote`);
  return [mine.length, theirs.hex.length / 2];
}

test("rows: each reads what the other wrote, in both forms", { skip }, async () => {
  let [mine, theirs] = [0, 0];
  for (let seed = 1; seed <= 150; seed++) {
    const r = new Random(1000 + seed);
    const log = context(r);
    const first = 1 + r.int(100);
    const { ops } = randomLog(r, log, r.int(60), first);
    const named = seed % 3 === 0;
    const server = r.hex(16);
    const ctx = {
      named,
      writer: named ? server : log.writer,
      server: r.chance(3) && !named ? "0".repeat(32) : server,
      firstSeq: named ? 0 : first,
      baseTime: 1763800000,
    };
    const [a, b] = await rowsBothWays(ctx, ops, `seed ${seed}`);
    mine += a;
    theirs += b;
  }
  console.log(`rows of random logs: ${mine} bytes, the core's ${theirs}`);
  assert.ok(mine <= theirs * 1.03);
});

test("rows: spoiled bytes are refused alike, or mean the same", { skip }, async () => {
  const r = new Random(77);
  let [refused, read, differ] = [0, 0, 0];
  for (let round = 0; round < 500; round++) {
    const log = context(r);
    const { ops } = randomLog(r, log, 1 + r.int(12), 1);
    const named = r.chance(2);
    const ctx = {
      named,
      writer: log.writer,
      server: r.hex(16),
      firstSeq: named ? 0 : 1,
      baseTime: 1763800000,
    };
    const p = encodeRows(ctx, ops).bytes;
    for (let i = 0, n = 1 + r.int(3); i < n; i++) p[r.int(p.length)] ^= 1 << r.int(8);
    const theirs = await core.ask("rows_decode", { context: contextJson(ctx), hex: hex(p) });
    const mine = outcome(() => {
      const got = decodeRows(ctx, p);
      if (!named) got.forEach((_, k) => resolveRow(ctx, got, k));
      return { ops: got.map(opJson) };
    });
    if ("error" in mine || theirs.error) {
      assert.deepEqual(
        [round, "error" in mine],
        [round, theirs.error !== undefined],
        `${JSON.stringify(mine).slice(0, 300)} ${theirs.error} ${JSON.stringify(contextJson(ctx))} ${hex(p)}`,
      );
      if ((mine as Json).error !== theirs.error) differ++;
      refused++;
    } else {
      assert.deepEqual(mine, theirs, hex(p));
      read++;
    }
  }
  console.log(`spoiled rows: ${refused} refused (${differ} with another error), ${read} read`);
  assert.ok(refused > 50 && read > 20);
});

test("folds: the same record in the same bytes, whatever the order", { skip }, async () => {
  let inConflict = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const r = new Random(5000 + seed);
    const ins = randomHistory(r, 1 + r.int(14));
    const want = await core.ask("fold", { ops: ins.map(foldInJson) });
    for (let k = 0; k < 4; k++) {
      const got = fold(r.shuffle([...ins]));
      assert.deepEqual(recordJson(got), want.record, `seed ${seed}`);
      assert.equal(hex(encodeRecord(got)), want.encoded, `seed ${seed}`);
    }
    const rec = decodeRecord(unhex(want.encoded));
    for (const field of [1, 2, 3, 4, 12]) {
      const asked = await core.ask("replaces", { hex: want.encoded, field });
      assert.deepEqual(
        {
          field: replacesFor(rec, field).map(nameText),
          all: replacesAll(rec).map(nameText),
          conflict: fieldConflict(rec, field),
        },
        asked,
        `seed ${seed} field ${field}`,
      );
    }
    if (want.record.conflicts) inConflict++;
  }
  assert.ok(inConflict > 50);
});

test("an op absorbed gives what the core gives", { skip }, async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const r = new Random(9000 + seed);
    const ins = randomHistory(r, 2 + r.int(10));
    const last = ins.pop()!;
    const base = ins.length ? fold(ins) : null;
    const got = absorb(base, last);
    const want = await core.ask("absorb", { base: base && hex(encodeRecord(base)), ...foldInJson(last) });
    assert.equal(hex(encodeRecord(got)), want.encoded, `seed ${seed} ${JSON.stringify(want.record)}`);
  }
  const only = randomHistory(new Random(1), 1);
  const want = await core.ask("absorb", { base: null, ...foldInJson(only[0]) });
  assert.equal(hex(encodeRecord(absorb(null, only[0]))), want.encoded);
});

test("DELTA: the records that the core wrote", { skip }, async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const r = new Random(20000 + seed);
    const server = r.hex(16);
    const records = Array.from({ length: r.int(12) }, () => fold(randomHistory(r, 1 + r.int(8))));
    const changed = records.map(() => 1763810000 - r.int(5) * 60);
    const gone = Array.from({ length: r.int(3) }, () => randomName(r, [server]));
    const { hex: plain } = await core.ask("delta", {
      server,
      scope: 2,
      to: 500,
      time: 1763810100,
      records: records.map((rec, i) => ({ encoded: hex(encodeRecord(rec)), changed: changed[i] })),
      gone: gone.map(nameText),
    });
    const m = decodeMessage(unhex(plain), server);
    assert.equal(m.type, "DELTA");
    if (m.type !== "DELTA") continue;
    assert.deepEqual(
      m.records.map((e) => hex(encodeRecord(e.record))),
      records.map((rec) => hex(encodeRecord(rec))),
      `seed ${seed}`,
    );
    assert.deepEqual(
      m.records.map((e) => e.changed),
      changed,
    );
    assert.deepEqual(m.gone, gone);
  }
});

const beyondSafe = (j: Json): boolean =>
  typeof j === "number"
    ? !Number.isSafeInteger(j)
    : typeof j === "object" && j !== null && Object.values(j).some(beyondSafe);

test("messages with a byte spoiled: refused alike, or read alike", { skip }, async () => {
  const r = new Random(3);
  const server = "505152535455565758595a5b5c5d5e5f";
  const all = vectors("messages");
  let [refused, read] = [0, 0];
  for (let round = 0; round < 1500; round++) {
    const p = unhex(r.pick(all).plain);
    for (let i = 0, n = 1 + r.int(2); i < n; i++) p[r.int(p.length)] ^= 1 << r.int(8);
    const want = await core.ask("message", { hex: hex(p), server });
    const got = outcome(() => decodeMessage(p, server));
    const mine =
      "error" in got && !("type" in got)
        ? { error: got.error }
        : { type: TYPES[(got as { type: keyof typeof TYPES }).type], fields: messageJson(got as never) };
    if (!beyondSafe(want)) assert.deepEqual(mine, want, `${typeName(p[1])} ${hex(p)}`);
    else assert.ok(want.error || (mine as Json).error === "format", "a number beyond 2^53 (PROTO-21)");
    if (want.error) refused++;
    else read++;
  }
  assert.ok(refused > 200 && read > 200);
});

test("frames: each reads the other's", { skip }, async () => {
  const r = new Random(4);
  for (let round = 0; round < 60; round++) {
    const p =
      round % 2
        ? new TextEncoder().encode(
            Array.from({ length: r.int(200) }, () =>
              r.pick(["rustige nacht ", "wakker ", "sleep_check ", "x"]),
            ).join(""),
          )
        : r.bytes(1 + r.int(3000));
    const textEnd = p.length ? r.int(p.length) : 0;
    assert.equal((await core.ask("unpack", { hex: hex(packFrame(p, textEnd)) })).hex, hex(p));
    assert.equal(hex(unpackFrame(unhex((await core.ask("pack", { hex: hex(p) })).hex))), hex(p));
  }
});

test("the table of states is the core's", { skip }, async () => {
  const table = await core.ask("peer_table");
  for (const role of ["client", "server"] as const)
    for (const [state, sends] of Object.entries(PEER)) {
      const mine = Object.fromEntries(
        Object.entries(sends[role]).map(([type, to]) => [
          String(TYPES[type as keyof typeof TYPES]),
          to.toLowerCase(),
        ]),
      );
      assert.deepEqual(mine, table[role][state.toLowerCase()], `${role} ${state}`);
    }
  assert.ok(Object.keys(ERRORS).length > 10);
});

test("a shift: the rows take no more than the core's, and 5 % either way", { skip }, async () => {
  for (let tablet = 0; tablet < 4; tablet++) {
    const work = await core.ask("workload", { seed: 40 + tablet, tablet, records: 2000 });
    const ops: Op[] = work.ops.map(opOf);
    const first = Number(work.ops[0].name.split("-")[1]);
    const ctx = {
      named: false,
      writer: work.ops[0].name.slice(0, 32),
      server: work.server,
      firstSeq: first,
      baseTime:
        ops[ops.length - 1].form === "whole" ? (ops[ops.length - 1] as { time: number }).time + 60 : 0,
    };
    const [mine, theirs] = await rowsBothWays(ctx, ops, `tablet ${tablet}`);
    const frame = packFrame(encodeRows(ctx, ops).bytes, encodeRows(ctx, ops).textEnd).length;
    const coreRows = await core.ask("rows_encode", { context: contextJson(ctx), ops: work.ops });
    const coreFrame = (await core.ask("pack", { hex: coreRows.hex })).hex.length / 2;
    console.log(
      `a shift's rows: ${mine} bytes, the core's ${theirs}; as a frame ${frame}, the core's ${coreFrame}`,
    );
    assert.ok(Math.abs(frame / coreFrame - 1) <= 0.05);
  }
});
