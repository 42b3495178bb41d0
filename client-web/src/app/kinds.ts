// Schemas as the screens see them, and values between their form and the protocol's.
import type {
  FieldInfo,
  FieldType,
  Judgement,
  KindInfo,
  Option,
  Problem,
  ProblemKind,
  Text,
  Value,
  Values,
} from "./api.ts";
import { compareBytes, hex, isText, unhex } from "../proto/bytes.ts";
import { LIMITS } from "../proto/generated.ts";
import { type Name, ZERO_ID, ZERO_TAG, makeName } from "../proto/name.ts";
import type { Rec } from "../proto/record.ts";
import {
  HELD,
  type Kind,
  PARTICIPANT,
  type SchemaField,
  TYPE,
  checkValue,
  missingFields,
} from "../proto/schema.ts";
import { type Element, type SetChange, type Single, type Value as OpValue, isBytes } from "../proto/value.ts";

const TYPES: Readonly<Record<number, FieldType>> = Object.fromEntries(
  Object.entries(TYPE).map(([name, nr]) => [nr, name.toLowerCase() as FieldType]),
);
const SETS: readonly number[] = [TYPE.CODESET, TYPE.REFSET, TYPE.SCOPESET];
export const isSetField = (f: SchemaField): boolean => SETS.includes(f.type);

const MISSING: Readonly<Record<number, Text>> = {
  [-97]: { nl: "onderdrukt", en: "suppressed" },
  [-98]: { nl: "niet gevraagd", en: "not asked" },
  [-99]: { nl: "onbekend", en: "unknown" },
};
const text = (nl: string | null, en: string | null): Text | null =>
  nl === null && en === null ? null : { nl: nl ?? en ?? "", en: en ?? nl ?? "" };

function fieldInfo(f: SchemaField): FieldInfo {
  return {
    id: f.id,
    name: f.name,
    type: TYPES[f.type] ?? "bytes",
    label: { nl: f.nl, en: f.en },
    help: text(f.helpNl, f.helpEn),
    required: f.required,
    conditional: !f.required && f.requiredIf.length > 0,
    lowest: f.lowest === null ? null : Number(f.lowest),
    highest: f.highest === null ? null : Number(f.highest),
    unit: f.unit,
    maxBytes: f.type === TYPE.TEXT ? f.maxLength || LIMITS.TEXT_BYTES_MAX : f.maxLength,
    options: f.codes.map((c): Option => ({ code: c.code, label: { nl: c.nl, en: c.en } })),
    missing: f.missing.map((code): Option => ({
      code,
      label: MISSING[code] ?? { nl: `${code}`, en: `${code}` },
    })),
    refKind: f.ref,
  };
}
export const kindInfo = (k: Kind): KindInfo => ({
  id: k.id,
  name: k.name,
  label: { nl: k.nl, en: k.en },
  needsClient: k.participant === PARTICIPANT.REQUIRED,
  fields: k.fields.map(fieldInfo),
  occurred: k.occurred,
  readonly: k.newer === true,
});

/** What carers log: the kinds of a team that belong to a client and are kept for a window of days. */
export const isLogKind = (k: Kind): boolean =>
  k.scope === 2 && k.participant === PARTICIPANT.REQUIRED && k.fields.some((f) => f.name === "project");

// -- values ---------------------------------------------------------------------------------------------

/** A shown value of a field that is no set. */
export const outOf = (v: Single): Value => (isBytes(v) ? hex(v) : typeof v === "bigint" ? Number(v) : v);
export const setOut = (list: readonly Element[]): readonly number[] | readonly string[] =>
  list.some(isBytes) ? list.map((e) => (isBytes(e) ? hex(e) : `${e}`)) : list.map(Number);

const isHex = (v: unknown): v is string => typeof v === "string" && /^([0-9a-f]{2})*$/.test(v);

/** A value of the screens as the protocol has it; undefined when it is none of this field's type. */
export function into(f: SchemaField, v: Value): Single | undefined {
  if (v === null) return null;
  if (f.type === TYPE.REF || f.type === TYPE.BYTES) return isHex(v) ? unhex(v) : undefined;
  if (f.type === TYPE.TEXT) return typeof v === "string" && isText(v) ? v : undefined;
  return typeof v === "number" && Number.isSafeInteger(v) && !Object.is(v, -0) ? v : undefined;
}
/** Elements, ascending and each once; undefined when they are none of this field's type. */
export function elementsOf(f: SchemaField, v: Value): Element[] | undefined {
  if (v === null) return [];
  if (!Array.isArray(v)) return undefined;
  const list: readonly (number | string)[] = v;
  if (f.type === TYPE.REFSET)
    return list.every(isHex) ? [...new Set(list)].sort().map((h) => unhex(h)) : undefined;
  if (!list.every((e): e is number => Number.isSafeInteger(e))) return undefined;
  return [...new Set(list as number[])].sort((a, b) => a - b);
}
const same = (a: Element, b: Element): boolean =>
  isBytes(a) && isBytes(b) ? compareBytes(a, b) === 0 : a === b;
/** What makes the set `shown` into `wanted`. settle: elements that are said in any case. */
export function setChange(wanted: Element[], shown: Element[], settle: Element[]): SetChange {
  const has = (list: Element[], e: Element) => list.some((o) => same(o, e));
  return {
    add: wanted.filter((e) => !has(shown, e) || has(settle, e)),
    del: sorted([...shown, ...settle.filter((e) => !has(shown, e))]).filter((e) => !has(wanted, e)),
  };
}
const sorted = (list: Element[]): Element[] =>
  list.sort((a, b) =>
    isBytes(a) ? (isBytes(b) ? compareBytes(a, b) : 1) : isBytes(b) ? -1 : Number(a) - Number(b),
  );

// -- judging --------------------------------------------------------------------------------------------

const TEXTS: Record<ProblemKind, (f: SchemaField) => Text> = {
  required: () => ({ nl: "Dit is nog niet ingevuld.", en: "This is not filled in yet." }),
  type: () => ({ nl: "Dit antwoord past hier niet.", en: "This answer does not fit here." }),
  range: (f) => ({
    nl: `Kies een waarde van ${f.lowest} tot en met ${f.highest}.`,
    en: `Choose a value from ${f.lowest} to ${f.highest}.`,
  }),
  code: () => ({ nl: "Kies een antwoord uit de lijst.", en: "Choose an answer from the list." }),
  length: (f) => ({
    nl: `Deze tekst is te lang. Er passen ${f.maxLength || LIMITS.TEXT_BYTES_MAX} tekens in.`,
    en: `This text is too long. It holds ${f.maxLength || LIMITS.TEXT_BYTES_MAX} characters.`,
  }),
  order: () => ({
    nl: "Deze tijd ligt vóór een tijd die eerder kwam.",
    en: "This time lies before one that came earlier.",
  }),
};
/** For dates and times a range of numbers says nothing to anybody. */
const TOO_FAR: Text = {
  nl: "Deze dag of tijd is te vroeg of te laat.",
  en: "This day or time is too early or too late.",
};
const IS: Readonly<Record<number, ProblemKind>> = {
  [HELD.TYPE]: "type",
  [HELD.RANGE]: "range",
  [HELD.CODE]: "code",
  [HELD.LENGTH]: "length",
  [HELD.REF]: "type",
};
function problem(f: SchemaField, is: ProblemKind): Problem {
  const far = is === "range" && (f.type === TYPE.DATE || f.type === TYPE.DATETIME);
  const blocks = is !== "required" && is !== "order";
  return { field: f.id, is, text: far ? TOO_FAR : TEXTS[is](f), blocks };
}

/** A record with these values alone, for what asks a record. */
export function recordOfValues(k: Kind, values: Values): Rec {
  const name: Name = makeName(ZERO_ID.replace(/0$/, "1"), 1, ZERO_TAG);
  const live = k.fields.flatMap((f) => {
    const v = values[f.id];
    if (v === undefined) return [];
    if (isSetField(f))
      return (elementsOf(f, v) ?? []).map((element) => ({ field: f.id, element, value: 1, op: 0 }));
    const value = into(f, v);
    return value === undefined ? [] : [{ field: f.id, value, op: 0 }];
  });
  const ops = [{ name, author: null, time: 0, flags: 0 }];
  const { id: kind, version } = k;
  return { name, kind, version, scope: 2, participant: null, created: true, ops, live, held: [], seen: [] };
}

function valueProblem(f: SchemaField, v: Value): Problem | null {
  const elements = isSetField(f) ? elementsOf(f, v) : undefined;
  const value: OpValue | undefined = isSetField(f) ? elements && { add: elements, del: [] } : into(f, v);
  if (value === undefined) return problem(f, "type");
  const reason = checkValue(f, value);
  return reason ? problem(f, IS[reason] ?? "type") : null;
}

/** Times of a kind that follow one another, in the order in which the form has them. */
function orderProblems(k: Kind, values: Values): Problem[] {
  const times = k.name === "sleep" ? k.fields.filter((f) => f.type === TYPE.DATETIME) : [];
  let last = -Infinity;
  const out: Problem[] = [];
  for (const f of times) {
    const v = values[f.id];
    if (typeof v !== "number" || f.missing.includes(v)) continue;
    if (v < last) out.push(problem(f, "order"));
    last = Math.max(last, v);
  }
  return out;
}

export function judge(k: Kind, values: Values): Judgement {
  const record = recordOfValues(k, values);
  const without = { ...record, live: [] as Rec["live"] };
  const problems: Problem[] = [];
  for (const f of k.fields) {
    const v = values[f.id];
    const p = v === undefined ? null : valueProblem(f, v);
    if (p) problems.push(p);
  }
  const required = new Set(requiredFields(k, record, without));
  for (const id of missingFields(k, record))
    if (!problems.some((p) => p.field === id))
      problems.push(
        problem(
          k.fields.find((f) => f.id === id)!,
          "required",
        ),
      );
  problems.push(...orderProblems(k, values).filter((o) => !problems.some((p) => p.field === o.field)));
  problems.sort((a, b) => a.field - b.field);
  return {
    problems,
    required,
    savable: !problems.some((p) => p.blocks),
    complete: !problems.some((p) => p.is === "required" || p.blocks),
  };
}
/** Required now, filled or not: what would be missing if only the conditions' fields stood there. */
function requiredFields(k: Kind, record: Rec, empty: Rec): number[] {
  return k.fields
    .filter((f) => {
      if (f.required) return true;
      if (!f.requiredIf.length) return false;
      const others = { ...empty, live: record.live.filter((l) => l.field !== f.id) };
      return missingFields(k, others).includes(f.id);
    })
    .map((f) => f.id);
}
