// Rows: ops side by side, coded column by column (PROTOCOL.md section 11): the byte string and its parts.
import { Buf } from "./bytes.ts";
import type { Sample } from "./columns.ts";
import { fail } from "./error.ts";
import { LIMITS } from "./generated.ts";
import { type Int, isInt, sub64 } from "./int64.ts";
import { type Name, ZERO_TAG, seqOf, tagOf, withTag, writerOf } from "./name.ts";
import { type Op, opProblem } from "./op.ts";
import { Decoder, Encoder } from "./range.ts";
import type { RowsContext } from "./refs.ts";
import { columnOf } from "./shapes.ts";
import { SCOPE_COLUMN, Walk } from "./walk.ts";

export type { RowsContext };

/** The values that will go into each column, in order. */
function gather(w: Walk, ops: Op[]): Map<number, Sample[]> {
  const samples = new Map<number, Sample[]>();
  const put = (key: number, value: Int, t: number) => {
    const list = samples.get(key);
    if (list) list.push({ value, t });
    else samples.set(key, [{ value, t }]);
  };
  const times: { last: number; created: number | undefined } = { last: 0, created: undefined };
  let timed = false;
  for (const op of ops) {
    if (op.form === "void") continue;
    const creates = op.record === null;
    put(SCOPE_COLUMN, op.scope, 0);
    const base = w.ctx.named && creates ? (times.created ?? times.last) : times.last;
    if (timed) put(w.timeColumn(creates), sub64(op.time, base), 0);
    timed = true;
    times.last = op.time;
    if (creates) times.created = op.time;
    if (op.form === "whole")
      for (const f of op.fields) if (isInt(f.value)) put(columnOf(op.kind, f.id), f.value, op.time);
  }
  return samples;
}

/** The byte string of so many ops. In PUSH form they have been chained. `textEnd`: where its compressible
 *  part ends. */
export function encodeRows(ctx: RowsContext, ops: Op[]): { bytes: Uint8Array; textEnd: number } {
  if (ops.length > LIMITS.FRAME_ROWS_MAX) fail("limit", "rows");
  const text = new Buf();
  const raw = new Buf();
  const give = (run: Buf) => (_n: number, p: Uint8Array | undefined) => {
    run.bytes(p!);
    return p!;
  };
  const coder = new Encoder();
  const w = new Walk(coder, ctx, { text: give(text), raw: give(raw) });
  w.samples = gather(w, ops);
  w.refs.nRows = coder.count(w.count, ops.length, LIMITS.FRAME_ROWS_MAX);
  ops.forEach((op, i) => w.row(i, op));
  const out = new Buf();
  out.varint(text.length);
  out.varint(raw.length);
  out.bytes(text.take());
  const textEnd = out.length;
  out.bytes(raw.take());
  out.bytes(coder.end());
  return { bytes: out.take(), textEnd };
}

function readVarint(p: Uint8Array, at: { at: number }): number {
  let v = 0;
  for (let unit = 1; ; unit *= 128) {
    const b = p[at.at++];
    if (b === undefined || unit > 2 ** 28) fail("format", "length of a run");
    v += (b & 127) * unit;
    if (b < 128) return b === 0 && unit > 1 ? fail("format", "length of a run") : v;
  }
}

/** In PUSH form the names of the rows themselves, and references to them, come back with a tag of zeros:
 *  see resolveRow. */
export function decodeRows(ctx: RowsContext, p: Uint8Array): Op[] {
  const at = { at: 0 };
  const textLength = readVarint(p, at);
  const rawLength = readVarint(p, at);
  if (textLength + rawLength > p.length - at.at) fail("format", "runs");
  const run = (from: number, n: number) => ({ at: from, end: from + n });
  const runs = { text: run(at.at, textLength), raw: run(at.at + textLength, rawLength) };
  const take = (r: { at: number; end: number }) => (n: number) => {
    if (n > r.end - r.at) fail("format", "a run is too short");
    r.at += n;
    return p.subarray(r.at - n, r.at);
  };
  const coder = new Decoder(p.subarray(runs.raw.end));
  const w = new Walk(coder, ctx, { text: take(runs.text), raw: take(runs.raw) });
  const n = coder.uint(w.count, 0);
  if (n > LIMITS.FRAME_ROWS_MAX) fail("limit", "rows");
  w.refs.nRows = Number(n);
  if (!ctx.named && ctx.firstSeq + w.refs.nRows - 1 > LIMITS.SEQ_MAX) fail("format", "seq");
  const ops: Op[] = [];
  for (let i = 0; i < w.refs.nRows; i++) {
    const op = w.row(i, undefined);
    checkDecoded(op, ctx.named);
    ops.push(op);
  }
  if (runs.text.at !== runs.text.end || runs.raw.at !== runs.raw.end || !coder.ended())
    fail("format", "bytes left over");
  return ops;
}

/** Canonical and within the limits (PROTO-61). In PUSH form the order of `replaces` is known only after
 *  chaining. */
function checkDecoded(op: Op, named: boolean): void {
  if (op.form === "verbatim" || op.form === "void") return;
  const problem = opProblem(op.form === "whole" && !named ? { ...op, replaces: [] } : op);
  if (problem) fail(problem === "op_limit" ? "limit" : "format", "an op of the rows");
}

/** Fills in the tags of names of this push in ops[i]; ops[0 … i − 1] have been chained. */
export function resolveRow(ctx: RowsContext, ops: Op[], i: number): void {
  const op = ops[i];
  if (op.form === "void") return;
  const fill = (n: Name): Name => {
    const at = seqOf(n) - ctx.firstSeq;
    if (tagOf(n) !== ZERO_TAG || writerOf(n) !== ctx.writer || at < 0 || at >= ops.length) return n;
    return at < i ? withTag(n, tagOf(ops[at].name)) : fail("format", "a name that does not exist yet");
  };
  if (op.record !== null) op.record = fill(op.record);
  if (op.participant !== null) op.participant = fill(op.participant);
  if (op.author !== null) op.author = fill(op.author);
  if (op.form !== "whole") return;
  op.replaces = op.replaces.map(fill);
  const problem = opProblem(op);
  if (problem) fail(problem === "op_limit" ? "limit" : "format", "an op of the rows");
}
