// Shapes of rows (PROTOCOL.md 11.3): what a row has, without its values. A shape is written once, and then by
// its place in a list.
import { fail } from "./error.ts";
import { LIMITS } from "./generated.ts";
import type { Op } from "./op.ts";
import { Bits, Choice, type Coder, Numbers } from "./range.ts";
import { type Value, isBytes, isSet } from "./value.ts";

const FORMS = ["whole", "verbatim", "absent", "void"] as const;
export const [WHOLE, VERBATIM, ABSENT, VOID] = [0, 1, 2, 3];
export const T = { NIL: 0, INT: 1, TEXT: 2, BYTES: 3, SET: 4, NAME: 5 };

export interface FieldShape {
  id: number;
  type: number;
}
export interface Shape {
  form: number;
  kind: number;
  version: number;
  creates: boolean;
  participant: boolean;
  author: boolean;
  fields: FieldShape[];
}

/** Two models: of rows that change a record, and of those that create one. */
export const perCreates = <M>(make: () => M): [M, M] => [make(), make()];
export const columnOf = (kind: number, field: number): number => kind * (LIMITS.FIELD_ID_MAX + 1) + field;

export class Shapes {
  readonly #c: Coder;
  readonly #shapes = new Choice<Shape>();
  readonly #shapeAt = new Map<string, number>();
  readonly #kinds: { kind: number; version: number }[] = [];
  readonly #typeOf = new Map<number, number>();

  readonly #form = new Bits(4);
  readonly #kindIndex = new Numbers();
  readonly #kindModel = new Numbers();
  readonly #version = new Numbers();
  readonly #creates = new Bits(1);
  readonly #hasParticipant = perCreates(() => new Bits(1));
  readonly #hasAuthor = perCreates(() => new Bits(1));
  readonly #fieldCount = perCreates(() => new Numbers());
  readonly #fieldStep = perCreates(() => new Numbers());
  readonly #sameType = new Bits(1);
  readonly #typeModel = new Bits(8);

  constructor(c: Coder) {
    this.#c = c;
  }

  next(want: Shape | undefined): Shape {
    const key = want && JSON.stringify(want);
    const at = this.#c.choose(this.#shapes, key === undefined ? -1 : (this.#shapeAt.get(key) ?? -1));
    if (at >= 0) return this.#shapes.items[at];
    const shape = this.#newShape(want);
    if (key !== undefined) this.#shapeAt.set(key, this.#shapes.items.length);
    this.#shapes.add(shape);
    return shape;
  }
  #newShape(want: Shape | undefined): Shape {
    const s: Shape = {
      form: 0,
      kind: 0,
      version: 0,
      creates: false,
      participant: false,
      author: false,
      fields: [],
    };
    s.form = this.#c.tree(this.#form, 2, want?.form ?? 0);
    if (s.form === VOID) return s;
    const { kind, version } = this.#kind(want);
    Object.assign(s, { kind, version });
    s.creates = this.#c.flag(this.#creates, want?.creates ?? false);
    const k = s.creates ? 1 : 0;
    s.participant = this.#c.flag(this.#hasParticipant[k], want?.participant ?? false);
    s.author = this.#c.flag(this.#hasAuthor[k], want?.author ?? false);
    if (s.form === WHOLE) this.#fields(s, k, want?.fields);
    return s;
  }
  #kind(want: Shape | undefined): { kind: number; version: number } {
    const known = want ? this.#kinds.findIndex((e) => e.kind === want.kind && e.version === want.version) : 0;
    const i = this.#c.count(this.#kindIndex, known < 0 ? this.#kinds.length : known, this.#kinds.length);
    if (i < this.#kinds.length) return this.#kinds[i];
    const kind = this.#c.count(this.#kindModel, want?.kind ?? 0, LIMITS.KIND_ID_MAX);
    const version = this.#c.count(this.#version, want?.version ?? 0, 65535);
    if (kind === 0) fail("format", "kind 0");
    this.#kinds.push({ kind, version });
    return this.#kinds[i];
  }
  #fields(s: Shape, k: number, want: FieldShape[] | undefined): void {
    const n = this.#c.count(this.#fieldCount[k], want?.length ?? 0, LIMITS.OP_FIELDS_MAX);
    for (let i = 0, last = 0; i < n; i++) {
      const id: number =
        last + 1 + this.#c.count(this.#fieldStep[k], want ? want[i].id - last - 1 : 0, LIMITS.FIELD_ID_MAX);
      if (id > LIMITS.FIELD_ID_MAX) fail("format", "field id");
      s.fields.push({ id, type: this.#type(columnOf(s.kind, id), want?.[i].type) });
      last = id;
    }
  }
  #type(column: number, want: number | undefined): number {
    const before = this.#typeOf.get(column);
    let type = before ?? 0;
    if (before === undefined || !this.#c.flag(this.#sameType, want === before))
      type = this.#c.tree(this.#typeModel, 3, want ?? 0);
    if (type > T.NAME) fail("format", "type");
    this.#typeOf.set(column, type);
    return type;
  }
}

/** What an encoder says of an op. isName: is it a value that names a record? */
export function shapeOf(op: Op, isName: (p: Uint8Array) => boolean): Shape {
  const none = { kind: 0, version: 0, creates: false, participant: false, author: false, fields: [] };
  const form = FORMS.indexOf(op.form);
  if (op.form === "void") return { form, ...none };
  return {
    form,
    kind: op.kind,
    version: op.version,
    creates: op.record === null,
    participant: op.participant !== null,
    author: op.author !== null,
    fields: op.form === "whole" ? op.fields.map((f) => ({ id: f.id, type: typeOf(f.value, isName) })) : [],
  };
}
function typeOf(v: Value, isName: (p: Uint8Array) => boolean): number {
  if (v === null) return T.NIL;
  if (typeof v === "string") return T.TEXT;
  if (isBytes(v)) return isName(v) ? T.NAME : T.BYTES;
  return isSet(v) ? T.SET : T.INT;
}
