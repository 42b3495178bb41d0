// Seeded values, ops, logs and histories of records for property and differential tests.
import { chainOp, chainStart, keyOwner } from "../../src/proto/chain.ts";
import { type FoldIn, fold } from "../../src/proto/fold.ts";
import type { Verdict } from "../../src/proto/generated.ts";
import { type Int, norm } from "../../src/proto/int64.ts";
import { type Name, ZERO_TAG, compareNames, makeName, nameBytes, withTag } from "../../src/proto/name.ts";
import { type Op, type WholeOp, opProblem } from "../../src/proto/op.ts";
import { replacesAll, replacesFor } from "../../src/proto/record.ts";
import { type Element, type Value, compareValues } from "../../src/proto/value.ts";

export class Random {
  #s: number;
  constructor(seed: number) {
    this.#s = seed >>> 0;
  }
  /** 32 bits */
  u32(): number {
    this.#s = (this.#s + 0x9e3779b9) >>> 0;
    let z = this.#s;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }
  int(n: number): number {
    return this.u32() % n;
  }
  chance(of: number): boolean {
    return this.int(of) === 0;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)];
  }
  bytes(n: number): Uint8Array {
    return Uint8Array.from({ length: n }, () => this.int(256));
  }
  hex(n: number): string {
    let s = "";
    for (let i = 0; i < n; i++) s += this.int(256).toString(16).padStart(2, "0");
    return s;
  }
  shuffle<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const k = this.int(i + 1);
      [list[i], list[k]] = [list[k], list[i]];
    }
    return list;
  }
}

const WORDS = [
  "rustig",
  "onrustig",
  "wakker",
  "naar bed",
  "twee keer",
  "café",
  "€ 3",
  "🌙",
  "om 3 uur",
  "-",
  "lamp",
  "ë",
];
const EDGES: Int[] = [
  0,
  1,
  -1,
  127,
  128,
  -32,
  -33,
  255,
  256,
  65535,
  65536,
  4294967295,
  4294967296,
  -2147483648,
  -2147483649,
  9007199254740991,
  -9007199254740991,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  -98,
  -99,
];

export function randomInt(r: Random): Int {
  switch (r.int(6)) {
    case 0:
      return r.pick(EDGES);
    case 1:
      return 1763800000 + r.int(100000);
    case 2:
      return 20400 + r.int(40);
    case 3:
      return -97 - r.int(3);
    case 4:
      return norm(BigInt.asIntN(64, (BigInt(r.u32()) << 32n) | BigInt(r.u32())) >> BigInt(r.int(64)));
    default:
      return r.int(6);
  }
}

function randomElements(r: Random, names: Name[], n: number): Element[] {
  return Array.from({ length: n }, (): Element => {
    if (r.chance(4)) return names.length ? nameBytes(r.pick(names)) : r.bytes(28);
    if (r.chance(8)) return r.bytes(r.int(70));
    return r.chance(8) ? randomInt(r) : r.int(12);
  });
}
export function randomSet(r: Random, names: Name[]): Value {
  const all = randomElements(r, names, r.int(6)).sort(compareValues);
  const unique = all.filter((e, i) => i === 0 || compareValues(all[i - 1], e) !== 0);
  const add = unique.filter(() => r.chance(2));
  return { add, del: unique.filter((e) => !add.includes(e)) };
}
const text = (r: Random) => Array.from({ length: r.int(6) }, () => r.pick(WORDS)).join(" ");

/** type: 0 number, 1 text, 2 set, 3 bytes or reference, else any */
export function randomValue(r: Random, names: Name[], type: number): Value {
  if (r.chance(12)) return null;
  if (r.chance(30)) return randomValue(r, names, r.int(4));
  if (type === 0) return randomInt(r);
  if (type === 1) return text(r);
  if (type === 2) return randomSet(r, names);
  return r.chance(2) && names.length
    ? nameBytes(r.pick(names))
    : r.bytes(r.pick([0, 1, 28, 32, 64, 65, 200]));
}

export interface LogContext {
  organisation: string;
  writer: string;
  /** names of people, participants and records of others */
  others: Name[];
}
export const randomName = (r: Random, writers: string[]): Name =>
  makeName(r.pick(writers), 1 + r.int(2000), r.hex(4));

/** One field of a kind keeps its type, as it does in life. */
const typeOfField = (kind: number, id: number) => (kind * 7 + id) % 4;

function randomFields(r: Random, kind: number, names: Name[]): WholeOp["fields"] {
  const ids = new Set<number>();
  for (let i = 0, n = r.int(8); i < n; i++) ids.add(2 + r.int(r.chance(20) ? 126 : 12));
  return [...ids]
    .sort((a, b) => a - b)
    .map((id) => ({ id, value: randomValue(r, names, typeOfField(kind, id)) }));
}

function randomHeader(r: Random, log: LogContext, records: Name[]) {
  const creates = !records.length || r.chance(2);
  return {
    scope: r.pick([2, 2, 2, 1, 0, 3, 4294967295]),
    record: creates ? null : r.pick(records),
    kind: r.pick([20, 20, 21, 24, 24, 4095]),
    version: r.pick([1, 1, 1, 2, 65535]),
    participant: r.chance(4) ? null : r.pick(log.others),
    author: r.chance(6) ? null : r.pick(log.others),
    time: r.chance(40) ? (r.chance(2) ? 9007199254740991 : -9007199254740991) : 1763800000 + r.int(30000),
  };
}

/** A log of so many ops with their links; keys come from the owner of each. */
export function randomLog(r: Random, log: LogContext, n: number, firstSeq = 1) {
  let head = chainStart(log.organisation, log.writer);
  const ops: Op[] = [];
  const keys: (Uint8Array | null)[] = [];
  const links = [];
  const records = log.others.filter(() => r.chance(3));
  for (let i = 0; i < n; i++) {
    const op = randomOp(r, log, records, makeName(log.writer, firstSeq + i, ZERO_TAG), ops);
    const key = op.form === "void" || op.form === "absent" ? null : keyFor(op);
    const link = chainOp(op, key, head);
    head = link.head;
    if (op.form !== "void" && op.record === null) records.push(op.name);
    ops.push(op);
    keys.push(key);
    links.push(link);
  }
  return { ops, keys, links };
}
/** A key that depends on whose it is. */
export function keyFor(op: Exclude<Op, { form: "void" }>): Uint8Array {
  const owner = keyOwner(op);
  if (owner.of === "zero") return new Uint8Array(32);
  return new Uint8Array(32).fill(owner.of === "participant" ? 4 : owner.of === "organisation" ? 5 : 6);
}

function randomOp(r: Random, log: LogContext, records: Name[], name: Name, before: Op[]): Op {
  const header = { name, ...randomHeader(r, log, records) };
  if (r.chance(25)) return { form: "void", name, headerHash: r.bytes(32), commitment: r.bytes(32) };
  if (r.chance(25)) return { form: "absent", ...header, commitment: r.bytes(32) };
  if (r.chance(25))
    return { form: "verbatim", ...header, payload: r.bytes(1 + r.int(80)), refused: "op_format" };
  const names = [...log.others, ...before.slice(-10).map((o) => o.name)];
  const op: WholeOp = {
    form: "whole",
    ...header,
    fields: randomFields(r, header.kind, names),
    replaces: randomReplaces(r, header.record, before, log),
  };
  return opProblem({ ...op, name: withTag(name, "00000001") }) ? randomOp(r, log, records, name, before) : op;
}
function randomReplaces(r: Random, record: Name | null, before: Op[], log: LogContext): Name[] {
  if (record === null) return r.chance(10) ? [r.pick(log.others)] : [];
  const known = before
    .filter((o) => o.form !== "void" && (o.record === record || o.name === record))
    .map((o) => o.name);
  const names = new Set<Name>(r.chance(4) ? [record] : []);
  for (const n of known.slice(-3)) if (r.chance(2)) names.add(n);
  if (r.chance(6)) names.add(r.pick(log.others));
  return [...names].sort(compareNames);
}

// -- histories of one record ----------------------------------------------------------------------------

const VERDICTS_OFTEN: Verdict[] = [
  "applied",
  "applied",
  "applied",
  "applied",
  "applied",
  "held",
  "held",
  "dismissed",
  "waiting",
  "erased",
];

/** Ops of one record by several writers, each naming what its author could have seen, or nonsense. */
export function randomHistory(r: Random, n: number): FoldIn[] {
  const writers = Array.from({ length: 1 + r.int(4) }, () => r.hex(16));
  const seqs = new Map<string, number>();
  const fresh = () => {
    const w = r.pick(writers);
    const seq = (seqs.get(w) ?? 0) + 1 + r.int(3);
    seqs.set(w, seq);
    return makeName(w, seq, r.hex(4));
  };
  const ins: FoldIn[] = [];
  const creator = fresh();
  const kind = r.pick([20, 21]);
  for (let i = 0; i < n; i++) {
    const name = i === 0 ? creator : fresh();
    const header = {
      scope: 2,
      record: i === 0 ? null : creator,
      kind,
      version: 1 + r.int(3),
      participant: null,
      author: r.chance(3) ? null : fresh(),
      time: 1763800000 + 60 * r.int(2 * n) + (r.chance(20) ? 40000 : 0),
    };
    const seen = ins.filter(() => !r.chance(4));
    const op: WholeOp = { form: "whole", name, ...header, ...historyPayload(r, seen, i) };
    ins.push({
      op,
      verdict: i === 0 && !r.chance(8) ? "applied" : r.pick(VERDICTS_OFTEN),
      reason: 1 + r.int(12),
      serverTime: 1763810000 + r.int(100),
      offset: r.pick([0, 0, 0, 5, -5, 301, -400]),
    });
  }
  // a creating op may be missing
  return r.chance(8) && ins.length > 1 ? ins.slice(1) : ins;
}

function historyPayload(
  r: Random,
  seen: FoldIn[],
  i: number,
): { fields: WholeOp["fields"]; replaces: Name[] } {
  const state = seen.length ? fold(seen) : undefined;
  if (i && r.chance(6)) {
    const value = r.chance(3) ? null : r.pick(["verkeerd", "dubbel"]);
    return { fields: [{ id: 1, value }], replaces: state ? replacesAll(state) : [] };
  }
  const fields = [2, 3, 4, 12].filter(() => r.chance(2)).map((id) => ({ id, value: historyValue(r, id) }));
  const names = new Set<Name>();
  if (state) for (const f of fields) for (const n of replacesFor(state, f.id)) if (!r.chance(8)) names.add(n);
  for (const s of seen) if (r.chance(7)) names.add(s.op.name);
  return { fields, replaces: [...names].sort(compareNames) };
}
function historyValue(r: Random, id: number): Value {
  if (id === 12) return randomSet(r, []);
  if (id === 4) return r.pick(["rustig", "onrustig", null]);
  return r.chance(6) ? null : r.int(4);
}
