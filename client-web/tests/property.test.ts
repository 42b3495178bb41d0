// What must hold of everything, on seeded random input, without the C core.
import assert from "node:assert/strict";
import test from "node:test";
import { hex } from "../src/proto/bytes.ts";
import { OvError } from "../src/proto/error.ts";
import { type FoldIn, absorb, fold } from "../src/proto/fold.ts";
import { packFrame, unpackFrame } from "../src/proto/frame.ts";
import { add64, intCompare, mul64, norm, sub64, unzigzag, zigzag } from "../src/proto/int64.ts";
import { Reader, Writer } from "../src/proto/mp.ts";
import { type Op, decodeHeader, decodePayload, encodeHeader, encodePayload } from "../src/proto/op.ts";
import { Bits, Choice, Decoder, Encoder, Meter, Numbers } from "../src/proto/range.ts";
import { conflicts, decodeRecord, encodeRecord, recordFromRows, recordToRows } from "../src/proto/record.ts";
import { decodeRows, encodeRows, resolveRow } from "../src/proto/rows.ts";
import { retryDelayMs } from "../src/proto/enrol.ts";
import { tagOf, withTag } from "../src/proto/name.ts";
import { compareValues } from "../src/proto/value.ts";
import { Random, randomHistory, randomInt, randomLog, randomName, randomValue } from "./lib/random.ts";
import { opJson } from "./lib/vectors.ts";

test("integers of 64 bits: sums, products and zig-zag are those of bigints", () => {
  const r = new Random(1);
  for (let i = 0; i < 20000; i++) {
    const [a, b] = [randomInt(r), randomInt(r)];
    assert.equal(add64(a, b), norm(BigInt.asIntN(64, BigInt(a) + BigInt(b))));
    assert.equal(sub64(a, b), norm(BigInt.asIntN(64, BigInt(a) - BigInt(b))));
    assert.equal(mul64(a, b), norm(BigInt.asIntN(64, BigInt(a) * BigInt(b))));
    assert.equal(unzigzag(zigzag(a)), a);
    assert.equal(intCompare(a, b), BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0);
  }
});

test("MessagePack: every integer there and back, in its shortest form only", () => {
  const r = new Random(2);
  for (let i = 0; i < 5000; i++) {
    const v = randomInt(r);
    const w = new Writer();
    w.int(v);
    const p = w.take();
    const reader = new Reader(p);
    assert.equal(reader.int(), v);
    reader.done();
  }
  for (const long of [
    "cc7f",
    "cd00ff",
    "ce0000ffff",
    "cf00000000ffffffff",
    "d0e0",
    "d1ff80",
    "d2ffff8000",
    "d3ffffffff80000000",
    "d000",
    "cfffffffffffffffff",
  ]) {
    const reader = new Reader(Uint8Array.from(Buffer.from(long, "hex")));
    reader.int();
    assert.equal(reader.err, "format", long);
  }
});

test("the order of values is one order", () => {
  const r = new Random(3);
  const names = [randomName(r, ["ab".repeat(16)])];
  for (let i = 0; i < 2000; i++) {
    const [a, b, c] = [0, 1, 2].map(() => randomValue(r, names, r.int(4)));
    assert.equal(Math.sign(compareValues(a, b)) + Math.sign(compareValues(b, a)), 0);
    if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) assert.ok(compareValues(a, c) <= 0);
  }
});

test("the range coder: what goes in comes out, at about the cost that the meter says", () => {
  for (let seed = 0; seed < 60; seed++) {
    const r = new Random(100 + seed);
    const items = Array.from({ length: 400 }, () => ({
      kind: r.int(6),
      value: randomInt(r),
      small: r.int(300),
      max: r.pick([0, 1, 7, 255, 256, 70000, 2 ** 45]),
    }));
    const run = (c: Encoder | Decoder | Meter) => {
      const [bits, numbers, symbols, choice] = [
        new Bits(16),
        new Numbers(),
        new Map<number, Bits>(),
        new Choice<number>(),
      ];
      return items.map((it) => {
        if (it.kind === 0) return c.sint(numbers, c instanceof Decoder ? 0 : it.value);
        if (it.kind === 1) return c.tree(bits, 4, c instanceof Decoder ? 0 : it.small & 15);
        if (it.kind === 2)
          return c.flat(60, c instanceof Decoder ? 0 : norm(BigInt.asUintN(60, BigInt(it.value))));
        if (it.kind === 3) {
          const at = c.choose(choice, c instanceof Decoder ? 0 : choice.items.indexOf(it.small & 3));
          if (at >= 0) return choice.items[at];
          const fresh = Number(c.flat(2, c instanceof Decoder ? 0 : it.small & 3));
          choice.add(fresh);
          return fresh;
        }
        const m = symbols.get(it.max) ?? new Bits(256);
        symbols.set(it.max, m);
        return c.symbol(m, it.max, c instanceof Decoder ? 0 : it.small % (it.max + 1));
      });
    };
    const encoder = new Encoder();
    const said = run(encoder);
    const bytes = encoder.end();
    assert.deepEqual(run(new Decoder(bytes)), said);
    const meter = new Meter();
    run(meter);
    assert.ok(
      Math.abs(bytes.length - meter.bits / 8) < 40 + bytes.length / 50,
      `${bytes.length} bytes, ${meter.bits / 8}`,
    );
  }
});

test("ops: header and payload there and back; a byte spoiled is refused or canonical again", () => {
  const r = new Random(4);
  const log = { organisation: r.hex(16), writer: r.hex(16), others: [randomName(r, [r.hex(16)])] };
  for (const op of randomLog(r, log, 400).ops) {
    if (op.form !== "whole") continue;
    const [h, p] = [encodeHeader(op), encodePayload(op)];
    assert.deepEqual(
      opJson({ form: "whole", name: op.name, ...decodeHeader(h), ...decodePayload(p) }),
      opJson(op),
    );
    p[r.int(p.length)] ^= 1 << r.int(8);
    try {
      assert.equal(hex(encodePayload(decodePayload(p))), hex(p));
    } catch (e) {
      assert.ok(e instanceof OvError && e.slug.startsWith("op_"), String(e));
    }
  }
});

test("rows: there and back in both forms, and no input breaks the decoder", () => {
  for (let seed = 0; seed < 60; seed++) {
    const r = new Random(600 + seed);
    const log = {
      organisation: r.hex(16),
      writer: r.hex(16),
      others: Array.from({ length: 8 }, () => randomName(r, [r.hex(16), r.hex(16)])),
    };
    const { ops } = randomLog(r, log, r.int(80), 5);
    const ctx = {
      named: seed % 2 === 0,
      writer: log.writer,
      server: r.hex(16),
      firstSeq: 5,
      baseTime: 1763800000,
    };
    const { bytes, textEnd } = encodeRows(ctx, ops);
    assert.ok(textEnd <= bytes.length);
    const got: Op[] = decodeRows(ctx, bytes);
    if (!ctx.named)
      got.forEach((op, i) => {
        resolveRow(ctx, got, i);
        op.name = withTag(op.name, tagOf(ops[i].name));
      });
    assert.deepEqual(got.map(opJson), ops.map(opJson));
    for (let k = 0; k < 20; k++) {
      const junk =
        k % 2
          ? r.bytes(1 + r.int(60))
          : Uint8Array.from(bytes, (b) => (r.chance(40) ? b ^ (1 << r.int(8)) : b));
      try {
        decodeRows(ctx, junk);
      } catch (e) {
        assert.ok(e instanceof OvError, String(e));
      }
    }
  }
});

test("rows that stand for millions of values are refused within a moment", () => {
  const fields = Array.from({ length: 128 }, (_, i) => ({ id: i + 1, value: null })).slice(0, 127);
  const ops = Array.from(
    { length: 4096 },
    (_, i): Op => ({
      form: "whole",
      name: `${"ab".repeat(16)}${(i + 1).toString(16).padStart(16, "0")}00000001`,
      scope: 2,
      record: null,
      kind: 20,
      version: 1,
      participant: null,
      author: null,
      time: 0,
      fields,
      replaces: [],
    }),
  );
  const ctx = { named: false, writer: "ab".repeat(16), server: "cd".repeat(16), firstSeq: 1, baseTime: 0 };
  const { bytes } = encodeRows({ ...ctx }, ops.slice(0, 1000));
  assert.ok(bytes.length < 1000);
  assert.equal(decodeRows(ctx, bytes).length, 1000);
  assert.throws(() => encodeRows(ctx, ops), { slug: "limit" });
});

test("folds: the order of delivery, a detour over the encoding and over rows change nothing", () => {
  let inConflict = 0;
  for (let seed = 0; seed < 300; seed++) {
    const r = new Random(3000 + seed);
    const ins = randomHistory(r, 1 + r.int(12));
    const rec = fold(ins);
    const bytes = hex(encodeRecord(rec));
    assert.equal(hex(encodeRecord(fold(r.shuffle([...ins])))), bytes);
    assert.equal(hex(encodeRecord(decodeRecord(encodeRecord(rec)))), bytes);
    const beside = {
      notCreated: !rec.created,
      flags: Uint8Array.from(rec.ops, (o) => o.flags),
      held: rec.held,
      seen: rec.seen,
    };
    assert.equal(hex(encodeRecord(recordFromRows(recordToRows(rec), beside))), bytes);
    if (conflicts(rec)) inConflict++;
  }
  assert.ok(inConflict > 30);
});

test("absorbing is folding again, where it promises to be", () => {
  let checked = 0;
  for (let seed = 0; seed < 1500; seed++) {
    const r = new Random(70000 + seed);
    const ins = randomHistory(r, 2 + r.int(8));
    const last = ins.pop()!;
    const base = ins.length ? fold(ins) : null;
    if (!promised(base, ins, last)) continue;
    assert.equal(
      hex(encodeRecord(absorb(base, last))),
      hex(encodeRecord(fold([...ins, last]))),
      `seed ${seed}`,
    );
    checked++;
  }
  assert.ok(checked > 100, `${checked}`);
});
/** The conditions under which PROTO-113's absorbing equals the fold. */
function promised(base: ReturnType<typeof fold> | null, ins: FoldIn[], last: FoldIn): boolean {
  if (last.op.form !== "whole" || !base?.created) return false;
  const replaces = last.op.replaces;
  if (ins.some((i) => i.op.form === "whole" && i.op.replaces.includes(last.op.name))) return false;
  if (base.held.some((h) => replaces.includes(h.name))) return false;
  if (!last.op.fields.some((f) => f.id === 1)) return true;
  const retractions = base.live
    .filter((l) => l.field === 1 && l.value !== null)
    .map((l) => base.ops[l.op].name);
  const hit = retractions.filter((n) => replaces.includes(n)).length;
  return hit === 0 || hit === retractions.length;
}

test("frames: whatever is packed comes back, split anywhere", () => {
  const r = new Random(9);
  for (let i = 0; i < 100; i++) {
    const p = r.bytes(r.int(5000) + 1).map((b) => (r.chance(2) ? 97 + (b % 5) : b));
    assert.equal(hex(unpackFrame(packFrame(p, r.int(p.length)))), hex(p));
  }
});

test("waiting: at least what the server asks, longer with each failure, a quarter of an hour at most", () => {
  assert.equal(retryDelayMs(10, 1, 0), 10000);
  assert.equal(retryDelayMs(10, 1, 1), 20000);
  assert.equal(retryDelayMs(10, 3, 0.5), 60000);
  assert.equal(retryDelayMs(10, 30, 1), 900000);
  assert.equal(retryDelayMs(3600, 5, 1), 3600000);
});
