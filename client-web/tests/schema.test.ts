import assert from "node:assert/strict";
import test, { after } from "node:test";
import { kindInfo } from "../src/app/kinds.ts";
import { hex } from "../src/proto/bytes.ts";
import { OvError } from "../src/proto/error.ts";
import { fold } from "../src/proto/fold.ts";
import { makeName, nameBytes } from "../src/proto/name.ts";
import type { WholeOp } from "../src/proto/op.ts";
import { encodeRecord } from "../src/proto/record.ts";
import {
  type Kind,
  type SchemaField,
  Schemas,
  TYPE,
  checkOp,
  checkValue,
  missingFields,
  naturalKey,
  occurredDay,
  outsideWindow,
  readKind,
  readNewerKind,
} from "../src/proto/schema.ts";
import type { Value } from "../src/proto/value.ts";
import { Core, coreMissing } from "./lib/core.ts";
import { Random, randomName, randomValue } from "./lib/random.ts";
import { schemaFiles } from "./lib/schemas.ts";
import { opJson } from "./lib/vectors.ts";

const skip = coreMissing ?? false;
const core = coreMissing ? (undefined as unknown as Core) : new Core();
after(() => core?.end());

const files = schemaFiles();
const schemas = new Schemas();
for (const p of files) schemas.add(p);

/** Mostly what the field takes, often just beside it. */
function valueFor(r: Random, f: SchemaField, wild: boolean): Value {
  const names = [randomName(r, ["ab".repeat(16)])];
  if (wild && r.chance(8)) return randomValue(r, names, r.int(4));
  const near = (v: number) => v + r.int(3) - 1;
  const code = () => (r.chance(5) ? r.int(40) : f.codes.length ? r.pick(f.codes).code : 1);
  switch (f.type) {
    case TYPE.INT:
    case TYPE.DATE:
    case TYPE.DATETIME:
      if (r.chance(4)) return -97 - r.int(3);
      return near(Number(r.pick([f.lowest ?? 0, f.highest ?? 100])));
    case TYPE.BOOL:
      return r.int(3);
    case TYPE.CODE:
      return r.chance(5) ? -97 - r.int(3) : code();
    case TYPE.CODESET:
    case TYPE.SCOPESET: {
      const all = [...new Set([code(), code(), code()])].sort((a, b) => a - b);
      const add = all.filter(() => r.chance(2));
      return { add, del: all.filter((c) => !add.includes(c)) };
    }
    case TYPE.TEXT:
      return "é".repeat(
        r.pick([0, 1, Math.floor((f.maxLength || 2000) / 2), Math.floor((f.maxLength || 2000) / 2) + 1]),
      );
    default:
      return r.chance(2) ? nameBytes(names[0]) : r.bytes(r.pick([0, 28, 32, 200]));
  }
}

function randomOp(r: Random, k: Kind, seq: number, record: string | null, wild = true): WholeOp {
  const name = makeName("cd".repeat(16), seq, r.hex(4));
  const fields = [
    ...k.fields.filter(() => r.chance(2)).map((f) => ({ id: f.id, value: valueFor(r, f, wild) })),
  ];
  if (r.chance(10)) fields.push({ id: 126, value: 1 });
  if (r.chance(10)) fields.unshift({ id: 1, value: r.chance(3) ? null : "x".repeat(r.pick([3, 500, 501])) });
  return {
    form: "whole",
    name,
    scope: r.chance(8) ? r.int(3) : k.scope === 2 ? 2 + r.int(2) : k.scope,
    record,
    kind: k.id,
    version: r.chance(10) ? k.version + r.int(3) - 1 : k.version,
    participant: r.chance(k.participant === 2 ? 8 : 2)
      ? null
      : r.chance(4)
        ? record
        : randomName(r, ["ef".repeat(16)]),
    author: null,
    time: 1763800000 + r.int(1000),
    fields,
    replaces: [],
  };
}

test("every schema of proto/schema is read", () => {
  assert.ok(files.length >= 20);
  assert.equal(schemas.all().length, files.length);
  const sleep = schemas.byName("sleep")!;
  assert.equal(sleep.fields.find((f) => f.name === "quality")!.codes.length, 5);
  assert.ok(sleep.windowed);
});

test("a lower or equal version changes nothing, damaged bytes are refused", () => {
  const s = new Schemas();
  const first = s.add(files[5]);
  assert.equal(s.add(files[5]), first);
  for (let n = 0; n < files[5].length; n += 3)
    assert.throws(() => readKind(files[5].subarray(0, n)), OvError);
});

test("a schema made for a later program shows what can be read, requires nothing, and takes no entry", () => {
  const bytes = files.find((p) => readKind(p).name === "sleep")!;
  const known = readKind(bytes);
  const longer = new Uint8Array([bytes[0] + 1, ...bytes.subarray(1), 0xc0]); // one element more
  const odd = bytes.slice(); // a field of a type that is not known
  odd[Buffer.from(odd).indexOf("quality") + "quality".length] = TYPE.BYTES + 1;
  for (const p of [longer, odd]) {
    assert.throws(() => readKind(p), OvError);
    const newer = readNewerKind(p)!;
    assert.equal(newer.newer, true);
    assert.deepEqual(
      newer.fields.map((f) => [f.id, f.nl]),
      known.fields.map((f) => [f.id, f.nl]),
    );
    assert.equal(newer.fields.filter((f) => f.required).length, 0);
    assert.equal(kindInfo(newer).readonly, true);
  }
  assert.equal(kindInfo(readNewerKind(odd)!).fields.find((f) => f.name === "quality")!.type, "bytes");
  for (let n = 0; n < odd.length; n++) readNewerKind(odd.subarray(0, n)); // throws for none
  assert.equal(readNewerKind(new Uint8Array([0x90])), undefined);
});

test("ops are judged as the core judges them", { skip }, async () => {
  const r = new Random(11);
  const seen = new Map<number, number>();
  for (let round = 0; round < 10; round++) {
    const ops = schemas
      .all()
      .flatMap((k) =>
        Array.from({ length: 8 }, (_, i) =>
          randomOp(r, k, i + 1, r.chance(3) ? randomName(r, ["cd".repeat(16)]) : null),
        ),
      );
    const { found, error, why } = await core.ask("schema_check", {
      schemas: files.map(hex),
      ops: ops.map(opJson),
    });
    assert.equal(error, undefined, why);
    ops.forEach((op, i) => {
      const mine = checkOp(schemas, op);
      assert.deepEqual(
        { reason: mine?.reason ?? 0, field: mine?.field ?? 0 },
        found[i],
        `${schemas.kind(op.kind)!.name} ${JSON.stringify(opJson(op))}`,
      );
      seen.set(found[i].reason, (seen.get(found[i].reason) ?? 0) + 1);
    });
  }
  for (const reason of [0, 1, 2, 3, 4, 5, 8, 11])
    assert.ok((seen.get(reason) ?? 0) > 5, `reason ${reason}: ${seen.get(reason)}`);
});

test("what a record lacks, its day and its natural key are the core's", { skip }, async () => {
  const r = new Random(12);
  const records = schemas.all().flatMap((k) =>
    Array.from({ length: 12 }, () => {
      const first = randomOp(r, k, 1, null, false);
      const ops = [
        first,
        ...Array.from({ length: r.int(3) }, (_, i) => randomOp(r, k, i + 2, first.name, false)),
      ];
      return fold(
        ops.map((op) => ({ op, verdict: "applied", reason: 0, serverTime: 1763810000, offset: 0 })),
      );
    }),
  );
  const { found } = await core.ask("schema_records", {
    schemas: files.map(hex),
    records: records.map((rec) => hex(encodeRecord(rec))),
  });
  let keys = 0;
  records.forEach((rec, i) => {
    const k = schemas.kind(rec.kind)!;
    const key = naturalKey(k, rec);
    if (key) keys++;
    assert.deepEqual(
      { missing: missingFields(k, rec), day: occurredDay(k, rec), key: key && hex(key) },
      found[i],
      k.name,
    );
  });
  assert.ok(keys > 3);
});

test("a value is judged by its field alone", () => {
  const quality = schemas.byName("sleep")!.fields.find((f) => f.name === "quality")!;
  assert.deepEqual(
    [
      checkValue(quality, 3),
      checkValue(quality, -99),
      checkValue(quality, 6),
      checkValue(quality, "3"),
      checkValue(quality, null),
    ],
    [0, 0, 3, 1, 0],
  );
  const set = schemas.byName("sleep")!.fields.find((f) => f.name === "disturbance")!;
  assert.deepEqual(
    [
      checkValue(set, { add: [1], del: [77] }),
      checkValue(set, { add: [77], del: [] }),
      checkValue(set, null),
    ],
    [0, 3, 1],
  );
});

test("the window is 30 days by the last change", () => {
  const sleep = schemas.byName("sleep")!;
  const now = 1763800000;
  assert.deepEqual(
    [outsideWindow(sleep, now - 30 * 86400, now), outsideWindow(sleep, now - 30 * 86400 - 1, now)],
    [false, true],
  );
  assert.equal(outsideWindow(schemas.byName("participant")!, 0, now), false);
});
