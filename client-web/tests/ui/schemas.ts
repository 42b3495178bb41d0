// Kinds for the stand-in, from the schema files themselves.
import type { FieldInfo, FieldType, KindInfo, Text, Values } from "../../src/app/api.ts";

export interface SchemaField {
  id: number;
  name: string;
  type: string;
  label: Text;
  help?: Text;
  required?: boolean;
  required_if?: { field: string; in?: number[]; not_in?: number[] }[];
  range?: [number, number];
  unit?: string;
  max_length?: number;
  codes?: { code: number; nl: string; en: string }[];
  missing?: number[];
}
export interface SchemaFile {
  kind: string;
  id: number;
  label: Text;
  participant: string;
  log: boolean;
  occurred?: string;
  fields: SchemaField[];
}

const MISSING: Readonly<Record<number, Text>> = {
  [-98]: { nl: "niet gevraagd", en: "not asked" },
  [-99]: { nl: "onbekend", en: "unknown" },
};

const fieldOf = (f: SchemaField): FieldInfo => ({
  id: f.id,
  name: f.name,
  type: f.type as FieldType,
  label: f.label,
  help: f.help ?? null,
  required: f.required ?? false,
  conditional: f.required_if !== undefined,
  lowest: f.range?.[0] ?? null,
  highest: f.range?.[1] ?? null,
  unit: f.unit ?? null,
  maxBytes: f.max_length ?? 0,
  options: (f.codes ?? []).map((c) => ({ code: c.code, label: { nl: c.nl, en: c.en } })),
  missing: (f.missing ?? []).map((code) => ({ code, label: MISSING[code] })),
  refKind: f.type === "ref" ? 1 : 0,
});

export const kindOf = (s: SchemaFile): KindInfo => ({
  id: s.id,
  name: s.kind,
  label: s.label,
  needsClient: s.participant === "required",
  fields: s.fields.map(fieldOf),
  occurred: s.fields.find((f) => f.name === s.occurred)?.id ?? 0,
  readonly: false,
});

export function requiredIf(schema: SchemaFile, name: string, values: Values): boolean {
  const field = schema.fields.find((f) => f.name === name)!;
  return (field.required_if ?? []).some((c) => {
    const v = values[schema.fields.find((f) => f.name === c.field)!.id];
    const among = (list: number[]) => typeof v === "number" && list.includes(v);
    return c.in ? among(c.in) : !among(c.not_in!);
  });
}
