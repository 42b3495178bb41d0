// The walk over rows (PROTOCOL.md 11.3 and 11.4), written once for both directions: each step takes what an
// encoder has to say (undefined in a decoder) and gives what was coded.
import { hex, unhex, utf8, utf8Decode } from "./bytes.ts";
import { Column, type Head, HeadModels, type Sample, chooseHead, codeHead, codeValue } from "./columns.ts";
import { OvError, fail } from "./error.ts";
import { LIMITS } from "./generated.ts";
import { type Int, add64, isInt, sub64 } from "./int64.ts";
import { type Field, type HeaderOp, type Op, decodePayload } from "./op.ts";
import { HASH_BYTES, NAME_BYTES, type Name, isName } from "./name.ts";
import { Bits, type Coder, Numbers } from "./range.ts";
import { Refs, type RowsContext, type Runs } from "./refs.ts";
import {
  ABSENT,
  type FieldShape,
  type Shape,
  Shapes,
  T,
  VERBATIM,
  VOID,
  columnOf,
  perCreates,
  shapeOf,
} from "./shapes.ts";
import { type Element, type Value, isSet } from "./value.ts";

export const SCOPE_COLUMN = -1;
const TIME_COLUMN = -2;
const CREATE_TIME_COLUMN = -3;
const EXPECTED_BACK = 8;
/** Bytes values up to this length travel in the raw run. */
const RAW_BYTES_MAX = 64;
/** Fields, elements and names that the rows of one message may mean: a few bits can stand for thousands of
 *  them. */
const DECODED_MAX = 262144;

interface Row {
  shape: Shape;
  record: number;
  participant: number;
  /** the row before it of the same record, or −1 */
  before: number;
}

export class Walk {
  readonly c: Coder;
  readonly ctx: RowsContext;
  readonly runs: Runs;
  left = DECODED_MAX;
  /** what the encoder will put into each column */
  samples: Map<number, Sample[]> | undefined;

  readonly refs: Refs;
  readonly rows: Row[] = [];
  readonly lastOfRecord = new Map<number, number>();

  readonly shapes: Shapes;
  readonly columns = new Map<number, Column>();
  readonly heads = new HeadModels();

  readonly count = new Numbers();
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
    this.refs = new Refs(c, ctx, runs);
    this.shapes = new Shapes(c);
  }

  spend(n: number): void {
    this.left -= n;
    if (this.left < 0) fail("limit", "rows");
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
    const shape = this.shapes.next(op && shapeOf(op, (v) => this.isNameValue(v)));
    const name = this.refs.ofRow(row, shape.creates, op?.name);
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
    if (shape.creates) this.refs.places.record.front(row);
    else info.record = this.refs.ref(this.refs.places.record, row, op?.record ?? undefined);
    info.before = this.lastOfRecord.get(info.record) ?? -1;
    this.lastOfRecord.set(info.record, row);
    if (shape.participant) info.participant = this.#participant(row, info, op?.participant ?? undefined);
    const author = shape.author
      ? this.refs.nameOf(this.refs.person(this.refs.places.author, row, op?.author ?? undefined))
      : null;
    const scope = this.int(SCOPE_COLUMN, 0, op?.scope);
    if (scope < 0 || scope > 0xffffffff) fail("format", "scope");
    const header = {
      name,
      scope: Number(scope),
      record: shape.creates ? null : this.refs.nameOf(info.record),
      kind: shape.kind,
      version: shape.version,
      participant: shape.participant ? this.refs.nameOf(info.participant) : null,
      author,
      time: this.time(shape.creates, op?.time),
    };
    return this.#payload(row, shape, header, op);
  }
  #participant(row: number, info: Row, want: Name | undefined): number {
    const before = info.before < 0 ? -1 : this.rows[info.before].participant;
    if (before >= 0 && this.c.flag(this.sameParticipant, want === this.refs.nameOf(before))) return before;
    return this.refs.person(this.refs.places.participant, row, want);
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
    const ref = this.refs.ref(this.refs.places.value, row, want && hex(want), col.rank);
    if (!this.ctx.named && ref < this.refs.nRows) fail("format", "a value that names a row");
    return unhex(this.refs.nameOf(ref));
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
    return isName(n) && !this.refs.ofThisPush(n);
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
      const own = !shape.creates && this.c.flag(this.isRecord, want?.[i] === this.refs.nameOf(record));
      names.push(this.refs.nameOf(own ? record : this.refs.ref(this.refs.places.replaces, row, want?.[i])));
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
    const place = (ref: number) => this.refs.nameOf(ref).slice(0, 48);
    return [...refs]
      .sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : a - b))
      .map((ref) => this.refs.nameOf(ref));
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
}

function readVerbatim(header: Omit<HeaderOp, "form">, payload: Uint8Array): Op {
  try {
    return { form: "whole", ...header, ...decodePayload(payload) };
  } catch (e) {
    if (!(e instanceof OvError) || (e.slug !== "op_format" && e.slug !== "op_limit")) throw e;
    return { form: "verbatim", ...header, payload, refused: e.slug };
  }
}
