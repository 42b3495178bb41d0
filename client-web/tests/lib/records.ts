// Records and fold inputs in the notation of the vectors.
import { type FoldIn } from "../../src/proto/fold.ts";
import type { Verdict } from "../../src/proto/generated.ts";
import { nameText } from "../../src/proto/name.ts";
import { type Rec, conflicts, retracted } from "../../src/proto/record.ts";
import { type Json, jsonOf, opJson, opOf } from "./vectors.ts";

const text = (n: string | null) => (n === null ? null : nameText(n));

export function recordJson(r: Rec): Json {
  return {
    name: nameText(r.name),
    kind: r.kind,
    version: r.version,
    scope: r.scope,
    participant: text(r.participant),
    created: r.created,
    ops: r.ops.map((o) => ({ name: nameText(o.name), author: text(o.author), time: o.time, flags: o.flags })),
    live: r.live.map((l) => ({
      field: l.field,
      value: jsonOf(l.value),
      op: nameText(r.ops[l.op].name),
      ...(l.element === undefined ? {} : { element: jsonOf(l.element) }),
    })),
    held: r.held.map((h) => ({ name: nameText(h.name), verdict: h.verdict, reason: h.reason })),
    seen: r.seen.map(nameText),
    retracted: retracted(r),
    conflicts: conflicts(r),
  };
}

export const foldIn = (j: Json): FoldIn => ({
  op: opOf(j.op),
  verdict: j.verdict as Verdict,
  reason: j.reason,
  serverTime: j.server_time,
  offset: j.clock_offset,
});
export const foldInJson = (i: FoldIn): Json => ({
  op: opJson(i.op),
  verdict: i.verdict,
  reason: i.reason,
  server_time: i.serverTime,
  clock_offset: i.offset,
});

/** Every order of a list. */
export function* orders<T>(list: T[], n = list.length): Generator<T[]> {
  if (n <= 1) {
    yield [...list];
    return;
  }
  for (let i = 0; i < n; i++) {
    yield* orders(list, n - 1);
    const at = n % 2 ? 0 : i;
    [list[at], list[n - 1]] = [list[n - 1], list[at]];
  }
}
