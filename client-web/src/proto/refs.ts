// Names in rows, of the rows themselves and those that they mention (PROTOCOL.md 11.3): each is told by where
// it stood before, or anew by writer, seq and tag.
import { hex, unhex } from "./bytes.ts";
import { fail } from "./error.ts";
import { add64, sub64 } from "./int64.ts";
import {
  ID_BYTES,
  type Id,
  type Name,
  TAG_BYTES,
  ZERO_TAG,
  makeName,
  seqOf,
  tagOf,
  writerOf,
} from "./name.ts";
import { Bits, Choice, type Coder, Numbers } from "./range.ts";
import { perCreates } from "./shapes.ts";

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

/** A name of a message is found again among so many that were named last. */
const RANKS_MAX = 255;

/** The two runs beside the coded stream. */
export interface Runs {
  text(n: number, p: Uint8Array | undefined): Uint8Array;
  raw(n: number, p: Uint8Array | undefined): Uint8Array;
}

export class Place {
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

export class Refs {
  readonly #c: Coder;
  readonly #ctx: RowsContext;
  readonly #runs: Runs;
  /** of the whole message */
  nRows = 0;

  readonly #writers: Id[];
  readonly #names: Name[] = [];
  readonly #rowNames: Name[] = [];
  readonly #known = new Map<Name, number>();
  readonly places = Object.fromEntries(PLACES.map((p) => [p, new Place()])) as Record<
    (typeof PLACES)[number],
    Place
  >;
  readonly #rowWriters = new Choice<number>();
  readonly #rowLast = new Map<number, number>();

  readonly #back = new Numbers();
  readonly #writerModel = new Numbers();
  readonly #rowSeq = perCreates(() => new Numbers());

  constructor(c: Coder, ctx: RowsContext, runs: Runs) {
    this.#c = c;
    this.#ctx = ctx;
    this.#runs = runs;
    this.#writers = [ctx.writer, ctx.server];
  }

  #writer(id: Id | undefined): number {
    const known = id === undefined ? 0 : this.#writers.indexOf(id);
    const n = this.#writers.length;
    const i = this.#c.count(this.#writerModel, known < 0 ? n : known, n);
    if (i === n)
      this.#writers.push(hex(this.#runs.raw(ID_BYTES, id === undefined ? undefined : unhex(id))));
    return i;
  }
  nameOf(ref: number): Name {
    return ref < this.nRows ? this.#rowNames[ref] : this.#names[ref - this.nRows];
  }
  /** Is it a name of this very push? Its tag is not known to the receiver yet. */
  ofThisPush(n: Name): boolean {
    const seq = seqOf(n);
    return (
      !this.#ctx.named &&
      writerOf(n) === this.#ctx.writer &&
      seq >= this.#ctx.firstSeq &&
      seq < this.#ctx.firstSeq + this.nRows
    );
  }
  #seq(last: number, m: Numbers, want: number | undefined): number {
    const seq = add64(last, this.#c.sint(m, want === undefined ? 0 : sub64(want, last)));
    if (typeof seq !== "number" || seq < 1) fail("format", "seq");
    return seq;
  }
  #tag(n: Name | undefined): string {
    return hex(this.#runs.raw(TAG_BYTES, n === undefined ? undefined : unhex(tagOf(n))));
  }
  #newName(place: Place, want: Name | undefined): number {
    const w = this.#writer(want === undefined ? undefined : writerOf(want));
    const last = place.last.get(w) ?? (w === 0 && !this.#ctx.named ? this.#ctx.firstSeq : 0);
    const seq = this.#seq(last, place.seq, want === undefined ? undefined : seqOf(want));
    place.last.set(w, seq);
    const name = makeName(this.#writers[w], seq, this.#tag(want));
    if (this.ofThisPush(name) && tagOf(name) === ZERO_TAG)
      fail("format", "a name of this push without a tag");
    this.#names.push(name);
    const ref = this.nRows + this.#names.length - 1;
    if (!this.#known.has(name)) this.#known.set(name, ref);
    return ref;
  }
  #miss(place: Place, row: number, want: Name | undefined): number {
    const known = want === undefined ? undefined : this.#known.get(want);
    const how = this.#c.tree(place.how, 2, known === undefined ? 0 : known < this.nRows ? 1 : 2);
    if (how === 0) return this.#newName(place, want);
    if (how === 1) return row - 1 - this.#c.count(this.#back, row - 1 - (known ?? 0), row - 1);
    if (how === 2) {
      const end = this.nRows + this.#names.length - 1;
      return end - this.#c.count(this.#back, end - (known ?? 0), this.#names.length - 1);
    }
    return fail("format");
  }
  ref(place: Place, row: number, want: Name | undefined, rank = place.rank): number {
    const known = want === undefined ? undefined : this.#known.get(want);
    const at = known === undefined ? -1 : place.latest.indexOf(known);
    const k = this.#c.count(rank, at + 1, place.latest.length);
    const ref = k > 0 ? place.latest[k - 1] : this.#miss(place, row, want);
    place.front(ref);
    return ref;
  }
  person(place: Place, row: number, want: Name | undefined): number {
    const known = want === undefined ? undefined : this.#known.get(want);
    const at = this.#c.choose(place.persons, known === undefined ? -1 : (place.personAt.get(known) ?? -1));
    if (at >= 0) return place.persons.items[at];
    const ref = this.#miss(place, row, want);
    place.personAt.set(ref, place.persons.items.length);
    place.persons.add(ref);
    return ref;
  }

  /** The name of the next row itself. */
  ofRow(row: number, creates: boolean, want: Name | undefined): Name {
    const name = this.#ofRow(row, creates, want);
    this.#rowNames.push(name);
    this.#known.set(name, row);
    return name;
  }
  #ofRow(row: number, creates: boolean, want: Name | undefined): Name {
    if (!this.#ctx.named) return want ?? makeName(this.#ctx.writer, this.#ctx.firstSeq + row, ZERO_TAG);
    const known = want === undefined ? -1 : this.#writers.indexOf(writerOf(want));
    const at = this.#c.choose(this.#rowWriters, known < 0 ? -1 : this.#rowWriters.items.indexOf(known));
    const w =
      at >= 0 ? this.#rowWriters.items[at] : this.#writer(want === undefined ? undefined : writerOf(want));
    if (at < 0) this.#rowWriters.add(w);
    const last = this.#rowLast.get(w) ?? 0;
    const seq = this.#seq(last, this.#rowSeq[creates ? 1 : 0], want === undefined ? undefined : seqOf(want));
    if (creates || last === 0) this.#rowLast.set(w, seq);
    return makeName(this.#writers[w], seq, this.#tag(want));
  }
}
