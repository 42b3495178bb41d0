// The pushing half of a session: hands over one log, op after op, and takes the answers.
import { equalBytes } from "./bytes.ts";
import { signedAck, signedPush } from "./chain.ts";
import { errorNumber, errorOfNumber, fail } from "./error.ts";
import { LIMITS } from "./generated.ts";
import { type Entry, type LogState, type Receipt, travelling } from "./log.ts";
import type { Ack, ErrorMsg, Push, Tip } from "./messages.ts";
import { bodyOf, encodeMessage } from "./msg.ts";
import { type Name, SIG_BYTES, ZERO_ID, seqOf, writerOf } from "./name.ts";
import { encodeRows } from "./rows.ts";
import { type Step, get } from "./steps.ts";
import { type KeyOf, type Store, scopeKey } from "./store.ts";
import type { Event, Identity, Met, Ports } from "./talk.ts";

interface Sent {
  firstSeq: number;
  lastSeq: number;
  names: Name[];
  withKeys: boolean;
  /** its answer says nothing any more (PROTO-56) */
  dropped: boolean;
}

const SEARCHES_MAX = 4; // of a place to push from, in one session

/** The session that it is part of. */
export interface OutLine {
  isOpen(): boolean;
  push(m: { type: "PUSH" } & Push, plain: Uint8Array, textEnd: number): void;
  tell(event: Event): void;
}

export class Outbox {
  readonly #id: Identity;
  readonly #ports: Pick<Ports, "sign" | "verify">;
  readonly #store: Store;
  readonly #met: Met;
  readonly #line: OutLine;

  /** how far the log was acknowledged when this session began, and when it last looked */
  #from = 0;
  #known = 0;
  /** next op to push, and the head before it when a PUSH must say so */
  #next = 1;
  #prev: Uint8Array | null = null;
  #sent: Sent[] = [];
  #searches = 0;
  /** nothing more is pushed */
  blocked = false;
  /** another copy of this store has pushed */
  double = false;

  constructor(id: Identity, ports: Ports, met: Met, line: OutLine) {
    this.#id = id;
    this.#ports = ports;
    this.#store = ports.store;
    this.#met = met;
    this.#line = line;
  }
  begin(log: LogState): void {
    this.#from = this.#known = log.acked;
    this.#next = log.acked + 1;
  }
  /** An answer is still to come. */
  get waits(): boolean {
    return this.#sent.length > 0;
  }

  /** The log of this session as it stands now. */
  *log(): Step<LogState> {
    const live = yield* get(this.#store.log());
    if (live.writer === this.#met.writer) return live;
    const old = yield* get(this.#store.oldLogs());
    return old.find((o) => o.writer === this.#met.writer) ?? fail("corrupt", "the log has gone");
  }
  *headAt(seq: number): Step<Uint8Array | undefined> {
    return (yield* get(this.#store.heads(this.#met.writer, [seq])))[0];
  }

  /** PROTO-58: a tip that is not in the log of this store. */
  *lookForDouble(tips: Tip[]): Step<void> {
    if (this.double || this.#met.old || !tips.length) return;
    const mine = yield* get(this.#store.heads(this.#met.writer, tips.map((t) => t.seq)));
    this.double = tips.some((t, i) => !mine[i] || !equalBytes(mine[i], t.head));
    if (this.double) this.#line.tell({ is: "double" });
  }
  /** PROTO-55: the highest rung that stands in the own log; from there everything is pushed again. */
  *findPlace(tips: Tip[], ladder: Tip[]): Step<void> {
    for (const s of this.#sent) s.dropped = true;
    if (++this.#searches > SEARCHES_MAX) return this.#block(0);
    const rungs = [...tips, ...ladder].sort((a, b) => b.seq - a.seq);
    const mine = yield* get(this.#store.heads(this.#met.writer, rungs.map((r) => r.seq)));
    const at = rungs.findIndex(
      (r, i) => mine[i] && equalBytes(mine[i].subarray(0, 8), r.head.subarray(0, 8)),
    );
    const log = yield* this.log();
    const seq = Math.min(at < 0 ? 0 : rungs[at].seq, log.acked);
    yield* get(this.#store.apply([{ to: "rollback", writer: this.#met.writer, upTo: seq }]));
    this.#from = Math.min(this.#from, seq);
    this.#known = seq;
    yield* this.#restart(seq + 1);
  }
  *push(): Step<void> {
    if (!this.#line.isOpen()) return;
    const log = yield* this.log();
    if (log.acked < this.#known && !this.blocked) {
      // offered again meanwhile
      this.#from = this.#known = log.acked;
      yield* this.#restart(log.acked + 1);
    }
    while (!this.blocked && this.#next <= log.seq && this.#sent.length < LIMITS.PUSHES_UNANSWERED_MAX)
      yield* this.#pushSome(log);
  }
  *#pushSome(log: LogState, keys: Push["keys"] = []): Step<void> {
    const entries = yield* get(
      this.#store.entries(this.#met.writer, this.#next, log.seq, LIMITS.FRAME_ROWS_MAX),
    );
    if (!entries.length) fail("corrupt", "the log has a hole");
    let n = entries.length;
    let made = this.#makePush(entries, log, keys);
    // a frame holds what fits, or one op
    while (made.plain.length > this.#met.frameBytes && n > 1) {
      n = Math.max(1, Math.min(n - 1, Math.floor((0.95 * n * this.#met.frameBytes) / made.plain.length)));
      made = this.#makePush(entries.slice(0, n), log, keys);
    }
    const last = entries[n - 1];
    const { organisation, device } = this.#id;
    const signature = yield* get(
      this.#ports.sign(signedPush(organisation, device, this.#met.writer, last.seq, last.head)),
    );
    const push: Push = { ...made.push, signature };
    this.#line.push({ type: "PUSH", ...push }, encodeMessage({ type: "PUSH", ...push }), made.textEnd);
    const names = keys.map((k) => k.of);
    this.#sent.push({
      firstSeq: this.#next,
      lastSeq: last.seq,
      names,
      withKeys: keys.length > 0,
      dropped: false,
    });
    this.#next = last.seq + 1;
    this.#prev = null;
  }
  #makePush(
    entries: Entry[],
    log: LogState,
    keys: Push["keys"],
  ): { push: Push; plain: Uint8Array; textEnd: number } {
    const firstSeq = entries[0].seq;
    const ctx = {
      named: false,
      writer: this.#met.writer,
      server: this.#met.helloServer ?? ZERO_ID,
      firstSeq,
      baseTime: this.#met.helloS,
    };
    const { bytes, textEnd } = encodeRows(ctx, entries.map(travelling));
    const more = entries[entries.length - 1].seq < log.seq;
    const push: Push = {
      firstSeq,
      more,
      rows: bytes,
      signature: new Uint8Array(SIG_BYTES),
      prev: this.#prev,
      keys,
    };
    const plain = encodeMessage({ type: "PUSH", ...push });
    return { push, plain, textEnd: rowsAt(plain, bytes) + textEnd };
  }

  #answered(): Sent {
    return this.#sent.shift() ?? fail("state", "an answer to nothing");
  }
  *ack(m: Ack): Step<void> {
    const sent = this.#answered();
    const body = bodyOf(encodeMessage({ type: "ACK", ...m }));
    const { server, writer } = this.#met;
    const signed = signedAck(server, this.#id.organisation, writer, body);
    const fits = yield* get(this.#ports.verify(signed, m.signature));
    const head = yield* this.headAt(m.upTo);
    if (!fits || !head || !equalBytes(head, m.head)) fail("auth", "ACK");
    if (sent.dropped) return;
    yield* this.#takeAck(m, sent);
    if (m.refused) yield* this.#takeRefusal(m.refused.seq, m.refused.error);
    else if (m.upTo < sent.lastSeq) yield* this.#restart(m.upTo + 1);
  }
  *#takeAck(m: Ack, sent: Sent): Step<void> {
    const log = yield* this.log();
    const held = new Map(m.held.map((h) => [h.seq, h.reason]));
    const receipts: { seq: number; receipt: Receipt }[] = [];
    const upTo = Math.min(m.upTo, sent.lastSeq); // what came after it has its own answer
    const { helloS, offsetMs } = this.#met;
    let run = 0;
    for (let seq = sent.firstSeq; seq <= upTo; seq++) {
      while (run < m.receipts.length - 1 && m.receipts[run].upTo < seq) run++;
      const r = m.receipts[run] ?? { timeMs: 1000 * helloS + offsetMs, offsetMs };
      receipts.push({
        seq,
        receipt: { serverMs: r.timeMs, offsetMs: r.offsetMs, reason: held.get(seq) ?? 0 },
      });
    }
    yield* get(
      this.#store.apply([
        { to: "acked", writer: this.#met.writer, upTo, receipts },
        { to: "safe", writer: this.#met.writer, upTo: m.safeUpTo },
      ]),
    );
    this.#known = upTo;
    for (const [seq, reason] of held) this.#line.tell({ is: "held", seq, reason });
    this.#line.tell({ is: "acked", from: this.#from, upTo, safe: m.safeUpTo, total: log.seq });
  }
  /** PROTO-84: the op travels as a void from now on. */
  *#takeRefusal(seq: number, error: number): Step<void> {
    const [entry] = yield* get(this.#store.entries(this.#met.writer, seq, seq, 1));
    if (!entry || entry.refused) return this.#block(error);
    yield* get(this.#store.apply([{ to: "refused", writer: this.#met.writer, seq, error }]));
    this.#line.tell({ is: "refused", seq, error });
    yield* this.#restart(seq);
  }
  /** What is on its way counts for nothing; goes on with this op. */
  *#restart(seq: number): Step<void> {
    for (const s of this.#sent) s.dropped = true;
    const head = yield* this.headAt(seq - 1);
    this.#next = seq;
    this.#prev = head ?? fail("corrupt", "the log has no head there");
  }
  /** ERROR in answer to a PUSH. */
  *refused(m: ErrorMsg): Step<void> {
    const sent = this.#answered();
    if (sent.dropped) return;
    switch (errorOfNumber(m.error)) {
      case "gap":
      case "branch":
        yield* this.lookForDouble(m.tips);
        return yield* this.findPlace(m.tips, m.ladder);
      case "need_keys":
        return yield* this.#sendKeys(m.names, sent);
      default:
        for (const s of this.#sent) s.dropped = true;
        this.#met.retryS = Math.max(this.#met.retryS, m.retryS);
        this.#block(m.error);
    }
  }
  #block(error: number): void {
    this.blocked = true;
    this.#line.tell({ is: "blocked", error, retryS: this.#met.retryS });
  }
  /** PROTO-57 */
  *#sendKeys(names: Name[], sent: Sent): Step<void> {
    const keys: Push["keys"] = [];
    for (const of of names) {
      const key = yield* get(this.#store.key(keyOf(of)));
      if (key) keys.push({ of, key });
    }
    const again = sent.withKeys && keys.every((k) => sent.names.includes(k.of));
    yield* this.#restart(sent.firstSeq);
    if (!keys.length || again) this.#block(errorNumber("need_keys"));
    else yield* this.#pushSome(yield* this.log(), keys);
  }
}

/** Where the rows stand in a PUSH: behind their length, which follows type, first seq and flags. */
function rowsAt(plain: Uint8Array, rows: Uint8Array): number {
  for (let at = 4; at < 24; at++) if (equalBytes(plain.subarray(at, at + rows.length), rows)) return at;
  return fail("invalid", "rows");
}
/** PROTO-57: a zero writer and the scope as seq stand for the key of a scope. */
const keyOf = (n: Name): KeyOf => (writerOf(n) === ZERO_ID ? scopeKey(seqOf(n)) : n);
