import assert from "node:assert/strict";
import test from "node:test";
import { unhex } from "../src/proto/bytes.ts";
import { OvError } from "../src/proto/error.ts";
import { ZERO_TAG, tagOf, withTag } from "../src/proto/name.ts";
import type { Op } from "../src/proto/op.ts";
import { type RowsContext, decodeRows, encodeRows, resolveRow } from "../src/proto/rows.ts";
import { type Json, opJson, opOf, vectors } from "./lib/vectors.ts";

const contextOf = (c: Json): RowsContext => ({
  named: c.named,
  writer: c.writer,
  server: c.server,
  firstSeq: c.first_seq ?? 0,
  baseTime: c.base_time,
});

/** What chaining would do: gives the rows the tags that the vector says. */
function complete(ctx: RowsContext, got: Op[], want: Op[]): Op[] {
  got.forEach((op, i) => {
    if (!ctx.named) {
      assert.equal(tagOf(op.name), ZERO_TAG);
      resolveRow(ctx, got, i);
      op.name = withTag(op.name, tagOf(want[i].name));
    }
  });
  return got;
}

/** Refused, or other ops: never a crash. */
function survives(ctx: RowsContext, p: Uint8Array): boolean {
  try {
    decodeRows(ctx, p);
    return true;
  } catch (e) {
    assert.ok(e instanceof OvError, String(e));
    return false;
  }
}

for (const v of vectors("rows")) {
  const ctx = contextOf(v.context);
  const want: Op[] = v.ops.map(opOf);
  test(`rows: ${v.name}: decoded`, () => {
    const got = complete(ctx, decodeRows(ctx, unhex(v.hex)), want);
    assert.deepEqual(got.map(opJson), want.map(opJson));
  });
  test(`rows: ${v.name}: there and back`, () => {
    const { bytes } = encodeRows(ctx, want);
    const got = complete(ctx, decodeRows(ctx, bytes), want);
    assert.deepEqual(got.map(opJson), want.map(opJson));
    console.log(`${v.name}: ${bytes.length} bytes, the vector's ${v.hex.length / 2}`);
  });
  test(`rows: ${v.name}: cut short or made longer`, () => {
    const p = unhex(v.hex);
    let refused = 0;
    for (let n = 0; n < p.length; n++) if (!survives(ctx, p.subarray(0, n))) refused++;
    // what is missing at the end reads as zeros: that may give other numbers, which the chain finds out
    assert.ok(refused > 0);
    assert.ok(!survives(ctx, unhex(`${v.hex}0000000001`)), "bytes that are never read");
  });
}
