// From what a carer filled in to the op that says it: fields, and what they replace of what was on the
// screen.
import type { Value, Values } from "./api.ts";
import { utf8 } from "../proto/bytes.ts";
import { LIMITS } from "../proto/generated.ts";
import { type Name, compareNames } from "../proto/name.ts";
import { FIELD_RETRACTED, type Field, type Header, type Payload } from "../proto/op.ts";
import { type Rec, replacesAll, replacesFor, shownElements } from "../proto/record.ts";
import { type Kind, RETRACTION, type SchemaField, fieldOfKind } from "../proto/schema.ts";
import { elementsOf, into, isSetField, setChange } from "./kinds.ts";
import { doubtedElements } from "./views.ts";
import { appError } from "./errors.ts";

export interface Who {
  author: Name;
  /** the tablet's own clock: a claim that the server puts right */
  deviceS: number;
}
export type OpDraft = Header & Payload;

function fieldValue(f: SchemaField, v: Value, seen: Rec | null, settle: boolean): Field | null {
  if (!isSetField(f)) {
    const value = into(f, v);
    if (value === undefined) throw appError("problems");
    return { id: f.id, value };
  }
  const wanted = elementsOf(f, v);
  if (!wanted) throw appError("problems");
  const doubted = settle && seen ? doubtedElements(seen, f.id) : [];
  const change = setChange(wanted, seen ? shownElements(seen, f.id) : [], doubted);
  return change.add.length || change.del.length ? { id: f.id, value: change } : null;
}

function fieldsOf(k: Kind, values: Values, seen: Rec | null, settle: boolean): Field[] {
  const fields: Field[] = [];
  for (const [id, v] of Object.entries(values)) {
    const f = fieldOfKind(k, Number(id));
    if (!f) throw appError("problems");
    if (v === undefined || (seen === null && v === null)) continue;
    const field = fieldValue(f, v, seen, settle);
    if (field) fields.push(field);
  }
  return fields.sort((a, b) => a.id - b.id);
}

const names = (list: Name[]): Name[] =>
  [...new Set(list)].sort(compareNames).slice(0, LIMITS.OP_REPLACES_MAX);

export function createOp(k: Kind, scope: number, client: Name | null, values: Values, who: Who): OpDraft {
  return {
    scope,
    record: null,
    kind: k.id,
    version: k.version,
    participant: client,
    author: who.author,
    time: who.deviceS,
    fields: fieldsOf(k, values, null, false),
    replaces: [],
  };
}
function change(k: Kind, seen: Rec, who: Who, fields: Field[], replaces: Name[]): OpDraft {
  const { scope, participant } = seen;
  const header = { scope, record: seen.name, kind: seen.kind, version: k.version, participant };
  return { ...header, author: who.author, time: who.deviceS, fields, replaces: names(replaces) };
}
/** null: nothing changes. settle: a set says its codes in doubt in any case. */
export function editOp(k: Kind, seen: Rec, values: Values, who: Who, settle = false): OpDraft | null {
  const fields = fieldsOf(k, values, seen, settle);
  if (!fields.length) return null;
  return change(
    k,
    seen,
    who,
    fields,
    fields.flatMap((f) => replacesFor(seen, f.id)),
  );
}
export function retractOp(k: Kind, seen: Rec, reason: string, who: Who): OpDraft {
  const value = into(RETRACTION, reason);
  if (typeof value !== "string" || !value || utf8(value).length > LIMITS.RETRACTION_BYTES_MAX)
    throw appError("problems");
  return change(k, seen, who, [{ id: FIELD_RETRACTED, value }], replacesAll(seen));
}
export const keepOp = (k: Kind, seen: Rec, who: Who): OpDraft =>
  change(k, seen, who, [{ id: FIELD_RETRACTED, value: null }], replacesFor(seen, FIELD_RETRACTED));
