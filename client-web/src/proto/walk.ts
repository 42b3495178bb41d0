// The walk over rows (PROTOCOL.md 11.3 and 11.4), written once for both directions: each step takes what an
// encoder has to say (undefined in a decoder) and gives what was coded.
import { hex, unhex, utf8, utf8Decode } from "./bytes.ts";
import { Column, type Head, HeadModels, type Sample, chooseHead, codeHead, codeValue } from "./columns.ts";
import { OvError, fail } from "./error.ts";
import { LIMITS } from "./generated.ts";
import { type Int, add64, isInt, sub64 } from "./int64.ts";
import { type Field, type HeaderOp, type Op, decodePayload } from "./op.ts";
import {
  HASH_BYTES,
  ID_BYTES,
  type Id,
  NAME_BYTES,
  type Name,
  TAG_BYTES,
  ZERO_TAG,
  isName,
  makeName,
  seqOf,
  tagOf,
  writerOf,
} from "./name.ts";
import { Bits, Choice, type Coder, Numbers } from "./range.ts";
import { type Element, type Value, isBytes, isSet } from "./value.ts";

export interface RowsContext {
  /** true: DELTA, each row carries its name. false: PUSH, the rows are (writer, firstSeq + row) and their
   *  tags come from chaining. */
  named: boolean;
  /** the log's writer (PUSH), the server's id (DELTA) */
  writer: Id;
  /** PUSH: the server that HELLO named, or zeros; DELTA: WELCOME's */
  server: Id;
  firstSeq: number;
  /** seconds */
  baseTime: number;
}

const FORMS = ["whole", "verbatim", "absent", "void"] as const;
const [WHOLE, VERBATIM, ABSENT, VOID] = [0, 1, 2, 3];
const T = { NIL: 0, INT: 1, TEXT: 2, BYTES: 3, SET: 4, NAME: 5 };
export const SCOPE_COLUMN = -1;
const TIME_COLUMN = -2;
const CREATE_TIME_COLUMN = -3;
const RANKS_MAX = 255;
const EXPECTED_BACK = 8;
/** Bytes values up to this length travel in the raw run. */
const RAW_BYTES_MAX = 64;
/** Fields, elements and names that the rows of one message may mean: a few bits can stand for thousands of
 *  them. */
const DECODED_MAX = 262144;

interface FieldShape {
  id: number;
  type: number;
}
interface Shape {
  form: number;
  kind: number;
  version: number;
  creates: boolean;
  participant: boolean;
  author: boolean;
  fields: FieldShape[];
}
interface Row {
  shape: Shape;
  record: number;
  participant: number;
  /** the row before it of the same record, or −1 */
  before: number;
}

class Place {
  readonly how = new Bits(4);
  readonly seq = new Numbers();
  readonly rank = new Numbers();
  readonly latest: number[] = [];
  readonly last = new Map<number, number>();
  readonly persons = new Choice<number>();
  readonly personAt = new Map<number, number>();

  front(ref: number): void {
    const at = this.latest.indexOf(ref);
    if (at >= 0) this.latest.splice(at, 1);
    this.latest.unshift(ref);
    if (this.latest.length > RANKS_MAX) this.latest.pop();
  }
}

const PLACES = ["record", "participant", "author", "replaces", "value"] as const;
const perCreates = <M>(make: () => M): [M, M] => [make(), make()];

/** The two runs beside the coded stream. */
export interface Runs {
  text(n: number, p: Uint8Array | undefined): Uint8Array;
  raw(n: number, p: Uint8Array | undefined): Uint8Array;
}

export class Walk {
  readonly c: Coder;
  readonly ctx: RowsContext;
  readonly runs: Runs;
  nRows = 0;
  left = DECODED_MAX;
  /** what the encoder will put into each column */
  samples: Map<number, Sample[]> | undefined;

  readonly writers: Id[];
  readonly names: Name[] = [];
  readonly rowNames: Name[] = [];
  readonly refs = new Map<Name, number>();
  readonly rows: Row[] = [];
  readonly lastOfRecord = new Map<number, number>();
  readonly places = Object.fromEntries(PLACES.map((p) => [p, new Place()])) as Record<
    (typeof PLACES)[number],
    Place
  >;

  readonly shapes = new Choice<Shape>();
  readonly shapeAt = new Map<string, number>();
  readonly kinds: { kind: number; version: number }[] = [];
  readonly typeOf = new Map<number, number>();
  readonly rowWriters = new Choice<number>();
  readonly rowLast = new Map<number, number>();
  readonly columns = new Map<number, Column>();
  readonly heads = new HeadModels();

  readonly count = new Numbers();
  readonly back = new Numbers();
  readonly form = new Bits(4);
  readonly kindIndex = new Numbers();
  readonly kind = new Numbers();
  readonly version = new Numbers();
  readonly creates = new Bits(1);
  readonly hasParticipant = perCreates(() => new Bits(1));
  readonly hasAuthor = perCreates(() => new Bits(1));
  readonly fieldCount = perCreates(() => new Numbers());
  readonly fieldStep = perCreates(() => new Numbers());
  readonly sameType = new Bits(1);
  readonly type = new Bits(8);
  readonly writerModel = new Numbers();
  readonly rowSeq = perCreates(() => new Numbers());
  readonly sameParticipant = new Bits(1);
  readonly firstTime = new Numbers();
  readonly payloadLength = new Numbers();
  readonly textLength = new Numbers();
  readonly bytesLength = new Numbers();
  readonly setLength = new Numbers();
  readonly element = new Bits(4);
  readonly setInt = new Numbers();
  readonly told = perCreates(() => new Bits(4));
  readonly listed = new Numbers();
  readonly isRecord = new Bits(1);

  timed = false;
  lastTime = 0;
  lastCreateTime: number | undefined;

  constructor(c: Coder, ctx: RowsContext, runs: Runs) {
    this.c = c;
    this.ctx = ctx;
    this.runs = runs;
    this.writers = [ctx.writer, ctx.server];
  }

  spend(n: number): void {
    this.left -= n;
    if (this.left < 0) fail("limit", "rows");
  }

  // -- references ---------------------------------------------------------------------------------------

  writer(id: Id | undefined): number {
    const known = id === undefined ? 0 : this.writers.indexOf(id);
    const i = this.c.count(this.writerModel, known < 0 ? this.writers.length : known, this.writers.length);
    if (i === this.writers.length)
      this.writers.push(hex(this.runs.raw(ID_BYTES, id === undefined ? undefined : unhex(id))));
    return i;
  }
  nameOf(ref: number): Name {
    return ref < this.nRows ? this.rowNames[ref] : this.names[ref - this.nRows];
  }
  /** Is it a name of this very push? Its tag is not known to the receiver yet. */
  ofThisPush(n: Name): boolean {
    const seq = seqOf(n);
    return (
      !this.ctx.named &&
      writerOf(n) === this.ctx.writer &&
      seq >= this.ctx.firstSeq &&
      seq < this.ctx.firstSeq + this.nRows
    );
  }
  #seq(last: number, m: Numbers, want: number | undefined): number {
    const seq = add64(last, this.c.sint(m, want === undefined ? 0 : sub64(want, last)));
    if (typeof seq !== "number" || seq < 1) fail("format", "seq");
    return seq;
  }
  #tag(n: Name | undefined): string {
    return hex(this.runs.raw(TAG_BYTES, n === undefined ? undefined : unhex(tagOf(n))));
  }
  newName(place: Place, want: Name | undefined): number {
    const w = this.writer(want === undefined ? undefined : writerOf(want));
    const last = place.last.get(w) ?? (w === 0 && !this.ctx.named ? this.ctx.firstSeq : 0);
    const seq = this.#seq(last, place.seq, want === undefined ? undefined : seqOf(want));
    place.last.set(w, seq);
    const name = makeName(this.writers[w], seq, this.#tag(want));
    if (this.ofThisPush(name) && tagOf(name) === ZERO_TAG)
      fail("format", "a name of this push without a tag");
    this.names.push(name);
    const ref = this.nRows + this.names.length - 1;
    if (!this.refs.has(name)) this.refs.set(name, ref);
    return ref;
  }
  miss(place: Place, row: number, want: Name | undefined): number {
    const known = want === undefined ? undefined : this.refs.get(want);
    const how = this.c.tree(place.how, 2, known === undefined ? 0 : known < this.nRows ? 1 : 2);
    if (how === 0) return this.newName(place, want);
    if (how === 1) return row - 1 - this.c.count(this.back, row - 1 - (known ?? 0), row - 1);
    if (how === 2) {
      const end = this.nRows + this.names.length - 1;
      return end - this.c.count(this.back, end - (known ?? 0), this.names.length - 1);
    }
    return fail("format");
  }
  ref(place: Place, row: number, want: Name | undefined, rank = place.rank): number {
    const known = want === undefined ? undefined : this.refs.get(want);
    const at = known === undefined ? -1 : place.latest.indexOf(known);
    const k = this.c.count(rank, at + 1, place.latest.length);
    const ref = k > 0 ? place.latest[k - 1] : this.miss(place, row, want);
    place.front(ref);
    return ref;
  }
  person(place: Place, row: number, want: Name | undefined): number {
    const known = want === undefined ? undefined : this.refs.get(want);
    const at = this.c.choose(place.persons, known === undefined ? -1 : (place.personAt.get(known) ?? -1));
    if (at >= 0) return place.persons.items[at];
    const ref = this.miss(place, row, want);
    place.personAt.set(ref, place.persons.items.length);
    place.persons.add(ref);
    return ref;
  }

  // -- shapes -------------------------------------------------------------------------------------------

  shape(want: Shape | undefined): Shape {
    const key = want && JSON.stringify(want);
    const at = this.c.choose(this.shapes, key === undefined ? -1 : (this.shapeAt.get(key) ?? -1));
    if (at >= 0) return this.shapes.items[at];
    const shape = this.#newShape(want);
    if (key !== undefined) this.shapeAt.set(key, this.shapes.items.length);
    this.shapes.add(shape);
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
    s.form = this.c.tree(this.form, 2, want?.form ?? 0);
    if (s.form === VOID) return s;
    const { kind, version } = this.#kind(want);
    Object.assign(s, { kind, version });
    s.creates = this.c.flag(this.creates, want?.creates ?? false);
    const k = s.creates ? 1 : 0;
    s.participant = this.c.flag(this.hasParticipant[k], want?.participant ?? false);
    s.author = this.c.flag(this.hasAuthor[k], want?.author ?? false);
    if (s.form === WHOLE) this.#fields(s, k, want?.fields);
    return s;
  }
  #kind(want: Shape | undefined): { kind: number; version: number } {
    const known = want ? this.kinds.findIndex((e) => e.kind === want.kind && e.version === want.version) : 0;
    const i = this.c.count(this.kindIndex, known < 0 ? this.kinds.length : known, this.kinds.length);
    if (i < this.kinds.length) return this.kinds[i];
    const kind = this.c.count(this.kind, want?.kind ?? 0, LIMITS.KIND_ID_MAX);
    const version = this.c.count(this.version, want?.version ?? 0, 65535);
    if (kind === 0) fail("format", "kind 0");
    this.kinds.push({ kind, version });
    return this.kinds[i];
  }
  #fields(s: Shape, k: number, want: FieldShape[] | undefined): void {
    const n = this.c.count(this.fieldCount[k], want?.length ?? 0, LIMITS.OP_FIELDS_MAX);
    for (let i = 0, last = 0; i < n; i++) {
      const id: number =
        last + 1 + this.c.count(this.fieldStep[k], want ? want[i].id - last - 1 : 0, LIMITS.FIELD_ID_MAX);
      if (id > LIMITS.FIELD_ID_MAX) fail("format", "field id");
      s.fields.push({ id, type: this.#type(columnOf(s.kind, id), want?.[i].type) });
      last = id;
    }
  }
  #type(column: number, want: number | undefined): number {
    const before = this.typeOf.get(column);
    let type = before ?? 0;
    if (before === undefined || !this.c.flag(this.sameType, want === before))
      type = this.c.tree(this.type, 3, want ?? 0);
    if (type > T.NAME) fail("format", "type");
    this.typeOf.set(column, type);
    return type;
  }

  // -- columns ------------------------------------------------------------------------------------------

  column(key: number): Column {
    let col = this.columns.get(key);
    if (!col) this.columns.set(key, (col = new Column()));
    return col;
  }
  int(key: number, t: number, want: Int | undefined): Int {
    const col = this.column(key);
    if (!col.head) {
      const head: Head = this.samples
        ? chooseHead(this.samples.get(key)!)
        : { mode: 0, apart: [], scale: 0, low: 0, max: 0 };
      col.head = codeHead(this.c, this.heads, head);
    }
    return codeValue(this.c, col, col.head, t, want ?? 0);
  }

  // -- one row ------------------------------------------------------------------------------------------

  name(row: number, creates: boolean, want: Name | undefined): Name {
    if (!this.ctx.named) return want ?? makeName(this.ctx.writer, this.ctx.firstSeq + row, ZERO_TAG);
    const known = want === undefined ? -1 : this.writers.indexOf(writerOf(want));
    const at = this.c.choose(this.rowWriters, known < 0 ? -1 : this.rowWriters.items.indexOf(known));
    const w =
      at >= 0 ? this.rowWriters.items[at] : this.writer(want === undefined ? undefined : writerOf(want));
    if (at < 0) this.rowWriters.add(w);
    const last = this.rowLast.get(w) ?? 0;
    const seq = this.#seq(last, this.rowSeq[creates ? 1 : 0], want === undefined ? undefined : seqOf(want));
    if (creates || last === 0) this.rowLast.set(w, seq);
    return makeName(this.writers[w], seq, this.#tag(want));
  }
  time(creates: boolean, want: number | undefined): number {
    let base = this.ctx.baseTime;
    let time: Int;
    if (!this.timed)
      time = add64(base, this.c.sint(this.firstTime, want === undefined ? 0 : sub64(want, base)));
    else {
      base = this.timeBase(creates);
      time = add64(
        base,
        this.int(this.timeColumn(creates), 0, want === undefined ? undefined : sub64(want, base)),
      );
    }
    if (typeof time !== "number") return fail("format", "time");
    this.timed = true;
    this.lastTime = time;
    if (creates) this.lastCreateTime = time;
    return time;
  }
  timeBase(creates: boolean): number {
    return this.ctx.named && creates ? (this.lastCreateTime ?? this.lastTime) : this.lastTime;
  }
  timeColumn(creates: boolean): number {
    return this.ctx.named && creates ? CREATE_TIME_COLUMN : TIME_COLUMN;
  }

  row(row: number, op: Op | undefined): Op {
    const shape = this.shape(op && this.shapeOf(op));
    const name = this.name(row, shape.creates, op?.name);
    this.rowNames.push(name);
    this.refs.set(name, row);
    if (shape.form === VOID) return this.#void(shape, name, op);
    return this.#headed(row, shape, name, op as HeaderOp | undefined);
  }
  #void(shape: Shape, name: Name, op: Op | undefined): Op {
    const v = op as Extract<Op, { form: "void" }> | undefined;
    this.rows.push({ shape, record: -1, participant: -1, before: -1 });
    const headerHash = this.runs.raw(HASH_BYTES, v?.headerHash);
    return { form: "void", name, headerHash, commitment: this.runs.raw(HASH_BYTES, v?.commitment) };
  }
  #headed(row: number, shape: Shape, name: Name, op: HeaderOp | undefined): Op {
    const info: Row = { shape, record: row, participant: -1, before: -1 };
    this.rows.push(info);
    if (shape.creates) this.places.record.front(row);
    else info.record = this.ref(this.places.record, row, op?.record ?? undefined);
    info.before = this.lastOfRecord.get(info.record) ?? -1;
    this.lastOfRecord.set(info.record, row);
    if (shape.participant) info.participant = this.#participant(row, info, op?.participant ?? undefined);
    const author = shape.author
      ? this.nameOf(this.person(this.places.author, row, op?.author ?? undefined))
      : null;
    const scope = this.int(SCOPE_COLUMN, 0, op?.scope);
    if (scope < 0 || scope > 0xffffffff) fail("format", "scope");
    const header = {
      name,
      scope: Number(scope),
      record: shape.creates ? null : this.nameOf(info.record),
      kind: shape.kind,
      version: shape.version,
      participant: shape.participant ? this.nameOf(info.participant) : null,
      author,
      time: this.time(shape.creates, op?.time),
    };
    return this.#payload(row, shape, header, op);
  }
  #participant(row: number, info: Row, want: Name | undefined): number {
    const before = info.before < 0 ? -1 : this.rows[info.before].participant;
    if (before >= 0 && this.c.flag(this.sameParticipant, want === this.nameOf(before))) return before;
    return this.person(this.places.participant, row, want);
  }
  #payload(row: number, shape: Shape, header: Omit<HeaderOp, "form">, op: HeaderOp | undefined): Op {
    if (shape.form === ABSENT) {
      const given = op?.form === "absent" ? op.commitment : undefined;
      return { form: "absent", ...header, commitment: this.runs.raw(HASH_BYTES, given) };
    }
    if (shape.form === VERBATIM) {
      const given = op?.form === "verbatim" ? op.payload : undefined;
      const n = this.c.count(this.payloadLength, given?.length ?? 0, LIMITS.FRAME_BYTES_MAX);
      return readVerbatim(header, this.runs.text(n, given));
    }
    const whole = op?.form === "whole" ? op : undefined;
    this.spend(shape.fields.length + 1);
    const fields: Field[] = shape.fields.map((f, i) => ({
      id: f.id,
      value: this.#value(row, shape.kind, f, header.time, whole?.fields[i].value),
    }));
    return { form: "whole", ...header, fields, replaces: this.#replaces(row, whole?.replaces) };
  }

  // -- values -------------------------------------------------------------------------------------------

  #value(row: number, kind: number, f: FieldShape, t: number, want: Value | undefined): Value {
    const key = columnOf(kind, f.id);
    if (f.type === T.INT) return this.int(key, t, want as Int | undefined);
    if (f.type === T.TEXT) return this.#text(want as string | undefined);
    if (f.type === T.BYTES) return this.#bytes(want as Uint8Array | undefined);
    if (f.type === T.NAME) return this.#nameValue(row, this.column(key), want as Uint8Array | undefined);
    return f.type === T.SET ? this.#set(row, this.column(key), want) : null;
  }
  #text(want: string | undefined): string {
    const given = want === undefined ? undefined : utf8(want);
    const n = this.c.count(this.textLength, given?.length ?? 0, LIMITS.FRAME_BYTES_MAX);
    const text = utf8Decode(this.runs.text(n, given));
    return text ?? fail("format", "text");
  }
  #bytes(want: Uint8Array | undefined): Uint8Array {
    const n = this.c.count(this.bytesLength, want?.length ?? 0, LIMITS.FRAME_BYTES_MAX);
    return n > RAW_BYTES_MAX ? this.runs.text(n, want) : this.runs.raw(n, want);
  }
  #nameValue(row: number, col: Column, want: Uint8Array | undefined): Uint8Array {
    const ref = this.ref(this.places.value, row, want && hex(want), col.rank);
    if (!this.ctx.named && ref < this.nRows) fail("format", "a value that names a row");
    return unhex(this.nameOf(ref));
  }
  #set(row: number, col: Column, want: Value | undefined): Value {
    const set = want !== undefined && isSet(want) ? want : undefined;
    const add = this.#elements(row, col, set?.add, LIMITS.SET_ELEMENTS_MAX);
    return { add, del: this.#elements(row, col, set?.del, LIMITS.SET_ELEMENTS_MAX - add.length) };
  }
  #elements(row: number, col: Column, want: Element[] | undefined, most: number): Element[] {
    const n = this.c.count(this.setLength, want?.length ?? 0, LIMITS.FRAME_BYTES_MAX);
    if (n > most) fail("limit", "set");
    this.spend(n);
    const list: Element[] = [];
    for (let i = 0, last: Int = 0; i < n; i++) {
      const e = want?.[i];
      const type = this.c.tree(
        this.element,
        2,
        e === undefined || isInt(e) ? 0 : this.isNameValue(e) ? 2 : 1,
      );
      if (type === 0)
        list.push(
          (last = add64(last, this.c.sint(this.setInt, e === undefined ? 0 : sub64(e as Int, last)))),
        );
      else if (type === 1) list.push(this.#bytes(e as Uint8Array | undefined));
      else if (type === 2) list.push(this.#nameValue(row, col, e as Uint8Array | undefined));
      else fail("format", "element");
    }
    return list;
  }
  /** PROTO-65 */
  isNameValue(p: Uint8Array): boolean {
    if (p.length !== NAME_BYTES) return false;
    const n = hex(p);
    return isName(n) && !this.ofThisPush(n);
  }

  // -- replaces -----------------------------------------------------------------------------------------

  #replaces(row: number, want: Name[] | undefined): Name[] {
    const { shape, record } = this.rows[row];
    const k = shape.creates ? 1 : 0;
    const expected = shape.creates ? [] : this.#expected(row);
    const matches =
      want !== undefined &&
      !shape.creates &&
      want.length === expected.length &&
      want.every((n, i) => n === expected[i]);
    const told = this.c.tree(
      this.told[k],
      2,
      want === undefined ? 0 : want.length === 0 ? (matches ? 0 : 1) : matches ? 0 : 2,
    );
    if (told === 1) return [];
    if (told === 0 && !shape.creates) return expected;
    if (told !== 2) return fail("format", "replaces");
    const n = this.c.count(this.listed, want?.length ?? 0, LIMITS.OP_REPLACES_MAX);
    this.spend(n);
    const names: Name[] = [];
    for (let i = 0; i < n; i++) {
      const own = !shape.creates && this.c.flag(this.isRecord, want?.[i] === this.nameOf(record));
      names.push(this.nameOf(own ? record : this.ref(this.places.replaces, row, want?.[i])));
    }
    return names;
  }
  /** PROTO-64 */
  #expected(row: number): Name[] {
    const refs = new Set<number>();
    for (const f of this.rows[row].shape.fields) {
      const ref = this.#holder(row, f.id);
      if (ref !== undefined) refs.add(ref);
    }
    const place = (ref: number) => this.nameOf(ref).slice(0, 48);
    return [...refs]
      .sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : a - b))
      .map((ref) => this.nameOf(ref));
  }
  #holder(row: number, field: number): number | undefined {
    let at = this.rows[row].before;
    for (let i = 0; i < EXPECTED_BACK && at >= 0; i++) {
      const r = this.rows[at];
      if (r.shape.fields.some((f) => f.id === field)) return at;
      if (r.shape.creates) return undefined;
      at = r.before;
    }
    return this.rows[row].record;
  }

  // -- what an encoder says -----------------------------------------------------------------------------

  shapeOf(op: Op): Shape {
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
      fields: op.form === "whole" ? op.fields.map((f) => ({ id: f.id, type: this.#typeOf(f.value) })) : [],
    };
  }
  #typeOf(v: Value): number {
    if (v === null) return T.NIL;
    if (typeof v === "string") return T.TEXT;
    if (isBytes(v)) return this.isNameValue(v) ? T.NAME : T.BYTES;
    return isSet(v) ? T.SET : T.INT;
  }
}

export const columnOf = (kind: number, field: number): number => kind * (LIMITS.FIELD_ID_MAX + 1) + field;

function readVerbatim(header: Omit<HeaderOp, "form">, payload: Uint8Array): Op {
  try {
    return { form: "whole", ...header, ...decodePayload(payload) };
  } catch (e) {
    if (!(e instanceof OvError) || (e.slug !== "op_format" && e.slug !== "op_limit")) throw e;
    return { form: "verbatim", ...header, payload, refused: e.slug };
  }
}
