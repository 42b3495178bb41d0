// Columns of integers (PROTOCOL.md 11.5): the head, a value, and how an encoder chooses a head.
import { fail } from "./error.ts";
import { type Int, add64, mul64, sub64 } from "./int64.ts";
import { Bits, type Coder, Meter, Numbers } from "./range.ts";

export const SCALES = [1, 2, 5, 10, 15, 20, 30, 60, 100, 300, 600, 900, 1000, 1800, 3600, 86400];
const PLAIN = 0;
const SECONDS = 1;
const DAYS = 2;
const WIDE = 3;
const APART_MAX = 4;

export interface Head {
  mode: number;
  apart: Int[];
  /** index in SCALES */
  scale: number;
  low: Int;
  max: Int;
}

/** Models that the heads of all columns share. */
export class HeadModels {
  readonly mode = new Bits(4);
  readonly apartCount = new Bits(8);
  readonly apart = new Numbers();
  readonly scale = new Bits(16);
  readonly low = [new Numbers(), new Numbers(), new Numbers()];
  readonly max = new Numbers();
}

export class Column {
  head: Head | undefined;
  readonly isApart = new Bits(1);
  readonly apart = new Bits(256);
  readonly symbols = new Bits(256);
  readonly wide = new Numbers();
  /** rank of references in a field of names */
  readonly rank = new Numbers();
}

export function codeHead(c: Coder, m: HeadModels, head: Head): Head {
  const mode = c.tree(m.mode, 2, head.mode);
  if (mode === WIDE) return { mode, apart: [], scale: 0, low: 0, max: 0 };
  const n = c.tree(m.apartCount, 3, head.apart.length);
  if (n > APART_MAX) fail("format");
  const apart: Int[] = [];
  for (let i = 0; i < n; i++) apart.push(c.sint(m.apart, head.apart[i] ?? 0));
  const scale = c.tree(m.scale, 4, head.scale);
  return { mode, apart, scale, low: c.sint(m.low[mode], head.low), max: c.uint(m.max, head.max) };
}

const floorTo = (t: number, unit: number): number => t - (((t % unit) + unit) % unit);

function baseOf(mode: number, scale: number, t: number): number {
  if (mode === SECONDS) return floorTo(t, scale);
  return mode === DAYS ? floorTo(t, 86400) / 86400 : 0;
}

export function codeValue(c: Coder, col: Column, head: Head, t: number, value: Int): Int {
  if (head.mode === WIDE) return c.sint(col.wide, value);
  const n = head.apart.length;
  if (n) {
    const at = head.apart.indexOf(value);
    if (c.flag(col.isApart, at >= 0)) return head.apart[Number(c.symbol(col.apart, n - 1, at))];
  }
  const scale = SCALES[head.scale];
  const base = add64(baseOf(head.mode, scale, t), head.low);
  const symbol = c.symbol(col.symbols, head.max, divide(sub64(value, base), scale));
  return add64(base, mul64(symbol, scale));
}

/** Exact for what an encoder gives; of no matter in a decoder. */
const divide = (v: Int, scale: number): Int =>
  typeof v === "number" ? Math.floor(v / scale) : v / BigInt(scale);

// -- choosing -------------------------------------------------------------------------------------------

export interface Sample {
  value: Int;
  t: number;
}
const WIDE_HEAD: Head = { mode: WIDE, apart: [], scale: 0, low: 0, max: 0 };
/** Values that a choice looks at; all of them decide what fits. */
const SAMPLES_MAX = 256;

const gcd = (a: number, b: number): number => {
  while (b) [a, b] = [b, a % b];
  return a;
};

/** Index of the largest scale that divides g; of 0 that is 1, as nothing is to be gained. */
function lastDividing(g: number): number {
  let at = 0;
  if (g) SCALES.forEach((unit, i) => g % unit === 0 && (at = i));
  return at;
}

function costOf(head: Head, samples: Sample[]): number {
  const meter = new Meter();
  codeHead(meter, new HeadModels(), head);
  const col = new Column();
  const n = Math.min(samples.length, SAMPLES_MAX);
  for (let i = 0; i < n; i++) codeValue(meter, col, head, samples[i].t, samples[i].value);
  return meter.bits;
}

/** The head of this mode and scale that leaves no value outside, or undefined when the scale does not
 *  divide them. */
function headOf(mode: number, scale: number, apart: number[], samples: Sample[]): Head | undefined {
  const unit = SCALES[scale];
  let low = Infinity;
  let high = -Infinity;
  for (const s of samples) {
    if (apart.includes(s.value as number)) continue;
    const d = (s.value as number) - baseOf(mode, unit, s.t);
    if (d < low) low = d;
    if (d > high) high = d;
  }
  if (low === Infinity) low = high = 0;
  // else the differences below were not exact
  if (![low, high, high - low].every(Number.isSafeInteger)) return undefined;
  for (const s of samples) {
    if (!apart.includes(s.value as number) && ((s.value as number) - baseOf(mode, unit, s.t) - low) % unit)
      return undefined;
  }
  return { mode, apart, scale, low, max: (high - low) / unit };
}

/** Scales worth a try, largest first. */
function scalesFor(mode: number, apart: number[], samples: Sample[]): number[] {
  if (mode === SECONDS) return SCALES.map((_, i) => i).reverse();
  let low: number | undefined;
  let g = 0;
  for (const s of samples) {
    if (apart.includes(s.value as number)) continue;
    const d = (s.value as number) - baseOf(mode, 1, s.t);
    low ??= d;
    g = gcd(g, Math.abs(d - low));
  }
  return [lastDividing(g)];
}

/** Sets of values to set apart: the outermost on either side. */
function apartSets(samples: Sample[], mode: number): number[][] {
  const d = new Map<number, number>();
  for (const s of samples) {
    const at = (s.value as number) - baseOf(mode, 1, s.t);
    const before = d.get(s.value as number);
    if (before === undefined || Math.abs(at) > Math.abs(before)) d.set(s.value as number, at);
  }
  const order = [...d.keys()].sort((a, b) => d.get(a)! - d.get(b)!);
  const sets: number[][] = [];
  const most = Math.min(APART_MAX, order.length - 1);
  for (let below = 0; below <= most; below++)
    for (let above = 0; below + above <= most; above++)
      sets.push([...order.slice(0, below), ...order.slice(order.length - above)]);
  return sets;
}

/** The cheapest head for these values, given in the order in which they will be coded. */
export function chooseHead(samples: Sample[]): Head {
  if (!samples.every((s) => typeof s.value === "number")) return WIDE_HEAD;
  let best = WIDE_HEAD;
  let cost = costOf(WIDE_HEAD, samples);
  const modes = samples.every((s) => s.t === 0) ? [PLAIN] : [PLAIN, SECONDS, DAYS];
  for (const mode of modes)
    for (const apart of apartSets(samples, mode)) {
      let tries = 2;
      for (const scale of scalesFor(mode, apart, samples)) {
        const head = headOf(mode, scale, apart, samples);
        if (!head) continue;
        const c = costOf(head, samples);
        if (c < cost) [best, cost] = [head, c];
        if (--tries === 0) break;
      }
    }
  return best;
}
