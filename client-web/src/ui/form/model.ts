// A form as data: which questions it has, what an answer is, what changed. No DOM, so that it can be tested
// alone.
import type { Clock, FieldInfo, Judgement, KindInfo, Value, Values } from "../../app/api.ts";
import { hintsOf, nightField } from "../kinds.ts";

export interface Layout {
  /** context: the project, when, by which source */
  given: FieldInfo[];
  /** what is asked: required with the values as they are, in the schema's order */
  main: FieldInfo[];
  /** what may stay open */
  more: FieldInfo[];
}

/** An empty text or set is no answer; 0 and a missing code are one. */
export const answered = (value: Value | undefined): boolean =>
  value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);

export const isMissing = (field: FieldInfo, value: Value | undefined): boolean =>
  typeof value === "number" && field.missing.some((m) => m.code === value);

const drawable = (field: FieldInfo): boolean => !["bytes", "scopeset"].includes(field.type);
/** Asked only when another answer asks for it. */
const conditional = (field: FieldInfo): boolean => field.conditional;
/** The phase follows from the project's dates (a server's and an export's affair): not asked, but shown if
 *  set. */
const derived = (field: FieldInfo): boolean => field.name === "phase";

/** The questions of a form. `start`: the values that it began with; context that was not known is asked. */
export function layout(kind: KindInfo, values: Values, start: Values, judged: Judgement): Layout {
  const hints = hintsOf(kind);
  const known = (f: FieldInfo) => answered(start[f.id]);
  const context = (f: FieldInfo) =>
    known(f) &&
    (f.id === kind.occurred ||
      f.name === "project" ||
      hints.given.includes(f.name) ||
      f === nightField(kind));
  const result: Layout = { given: [], main: [], more: [] };
  for (const f of kind.fields.filter(drawable)) {
    const there = answered(values[f.id]);
    if (context(f)) result.given.push(f);
    else if (derived(f) && !there) continue;
    else if (judged.required.has(f.id) || hints.asked.includes(f.name)) result.main.push(f);
    else if (!conditional(f) || there) result.more.push(f);
  }
  const note = result.more.findIndex((f) => f.name === "note");
  if (note >= 0) result.more.push(...result.more.splice(note, 1));
  return result;
}

export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (!answered(a) && !answered(b)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((e) => (b as Value[]).includes(e));
  return a === b;
}

/** What an edit sends: fields whose value is another now. What was emptied is null. */
export function changes(before: Values, after: Values): Record<number, Value> {
  const result: Record<number, Value> = {};
  for (const id of new Set([...Object.keys(before), ...Object.keys(after)].map(Number)))
    if (!sameValue(before[id], after[id])) result[id] = answered(after[id]) ? after[id] : null;
  return result;
}

/** Only what has an answer. */
export const filled = (values: Values): Record<number, Value> =>
  Object.fromEntries(Object.entries(values).filter(([, v]) => answered(v)));

/** The usual times without those that say how it went. */
export function copied(kind: KindInfo, usual: Values): Values {
  const outcome = hintsOf(kind).outcomeTimes;
  const allowed = kind.fields.filter(
    (f) => f.type === "datetime" && !outcome.includes(f.name) && f.id !== kind.occurred,
  );
  return Object.fromEntries(
    allowed
      .filter((f) => answered(usual[f.id]) && !isMissing(f, usual[f.id]))
      .map((f) => [f.id, usual[f.id]]),
  );
}

const NOON = 720;
const DAY = 1440;

/** A clock time of a night: from noon on the evening of the night's own day, before noon the morning after. */
export const nightTime = (clock: Clock, night: number, minutes: number): number =>
  clock.at(night + (minutes < NOON ? 1 : 0), minutes);

/** When the night of a record changes, its times move along. */
export function moveNight(kind: KindInfo, values: Values, from: number, to: number, clock: Clock): Values {
  const night = nightField(kind);
  if (!night || from === to) return values;
  const moved: Record<number, Value> = { ...values, [night.id]: to };
  for (const f of kind.fields) {
    const at = values[f.id];
    if (f.type !== "datetime" || typeof at !== "number" || isMissing(f, at)) continue;
    moved[f.id] = clock.at(clock.day(at) - from + to, clock.minutes(at));
  }
  return moved;
}

/** "22:30" is 1350; null when it is no time. */
export function parseTime(text: string): number | null {
  const m = /^(\d{1,2})[:.]?(\d{2})$/.exec(text.trim());
  if (!m) return null;
  const minutes = Number(m[1]) * 60 + Number(m[2]);
  return Number(m[1]) < 24 && Number(m[2]) < 60 ? minutes : null;
}
export const timeText = (minutes: number): string =>
  `${String(Math.floor(minutes / 60) % 24).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

/** Times to offer for a field of a night: about the usual one, else the hints; as minutes after midnight. */
export function offeredTimes(
  kind: KindInfo,
  field: FieldInfo,
  usual: Value | undefined,
  clock: Clock,
): number[] {
  if (typeof usual === "number" && !isMissing(field, usual)) {
    const base = Math.round(clock.minutes(usual) / 15) * 15;
    return [-60, -30, 0, 30, 60].map((d) => (base + d + DAY) % DAY);
  }
  return (hintsOf(kind).times[field.name] ?? []).map((t) => parseTime(t)!);
}

const inRange = (f: FieldInfo, n: number): boolean =>
  n >= (f.lowest ?? -Infinity) && n <= (f.highest ?? Infinity);

/** Numbers to offer as buttons; `all`: no further number exists. */
export function offeredNumbers(f: FieldInfo): { numbers: number[]; all: boolean } {
  const span = f.lowest === null || f.highest === null ? Infinity : f.highest - f.lowest;
  if (span <= 6) return { numbers: Array.from({ length: span + 1 }, (_, i) => f.lowest! + i), all: true };
  if (f.unit === "min")
    return { numbers: [0, 5, 10, 15, 30, 45, 60].filter((n) => inRange(f, n)), all: false };
  if (f.unit === null && (f.lowest ?? 0) <= 1 && (f.highest ?? 0) <= 50)
    return { numbers: [0, 1, 2, 3, 4, 5].filter((n) => inRange(f, n)), all: false };
  return { numbers: [], all: false };
}

const encoder = new TextEncoder();
export const textBytes = (text: string): number => encoder.encode(text).length;
