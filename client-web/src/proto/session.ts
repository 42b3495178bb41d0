// The client's side of a sync, written as steps (generators) that yield whatever their ports give later:
// signatures, stored data. A caller runs one step at a time, with runNow where all ports answer at once or
// runLater where they do not, and sends what `take` gives after each. Nothing here reads a clock, makes
// anything random or sends.
import { equalBytes, hex } from "./bytes.ts";
import { chainStart, sha256, signedAck, signedHello, signedProof, signedPush } from "./chain.ts";
import { OvError, closeCode, errorNumber, errorOfNumber, fail, isReply, wireNumber } from "./error.ts";
import { LIMITS } from "./generated.ts";
import {
  type Entry,
  type LogState,
  type OldLog,
  type Receipt,
  entryRecord,
  isDue,
  isUnsent,
  travelling,
} from "./log.ts";
import {
  type Ack,
  type Challenge,
  type Delta,
  type ErrorMsg,
  HELLO_CLOSED,
  HELLO_LIVE,
  HELLO_PUSH_FOLLOWS,
  type Hello,
  type Msg,
  OWN,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MIN,
  type Push,
  SCOPE_STATE,
  type Tip,
  type Welcome,
} from "./messages.ts";
import { bodyOf, encodeMessage, withSignature } from "./msg.ts";
import { ID_BYTES, type Id, type Name, SIG_BYTES, ZERO_ID, seqOf, writerOf } from "./name.ts";
import { Peer } from "./peer.ts";
import { encodeRows } from "./rows.ts";
import { keysOf, settle } from "./settle.ts";
import { type Step, get } from "./steps.ts";
import {
  type Change,
  type KeyOf,
  type Later,
  type ScopeCursor,
  type Store,
  scopeKey,
} from "./store.ts";

// -- what a session is given and gives ------------------------------------------------------------------

export interface Identity {
  device: Id;
  organisation: Id;
  /** host name that the device was enrolled for */
  serverName: string;
  serverKey: Uint8Array;
}
export interface Ports {
  store: Store;
  sign(bytes: Uint8Array): Later<Uint8Array>;
  /** Does the server's key of the enrolment verify this? */
  verify(bytes: Uint8Array, signature: Uint8Array): Later<boolean>;
  random(n: number): Uint8Array;
  /** ids of the kinds marked windowed, as far as schemas are known */
  windowedKinds(): number[];
  /** Is the store closed, so that it needs this device's share? PROTO-164 */
  closed?(): boolean;
  /** What WELCOME says of the store's protection, before anything else of it is kept. */
  protect?(strict: boolean, share: Uint8Array | null): Later<void>;
}
export interface Options {
  live: boolean;
  /** old logs that are left out this time */
  skip?: ReadonlySet<Id>;
  /** 0: the defaults */
  credit: number;
  frameBytes: number;
}
export interface Result {
  /** 0, or why the connection ends */
  error: number;
  /** code to close the WebSocket with */
  close: number;
  /** seconds to stay away at least (PROTO-118) */
  retryS: number;
  /** all ops of its log were on the server, and everything received was stored, when it ended */
  synced: boolean;
  /** another log is to be handed over, or the live one goes on: greet again at once */
  more: boolean;
}
export type Event =
  | { is: "clock"; offsetMs: number; suspect: boolean }
  /** the log of this session is on the server up to `upTo`; it was up to `from` */
  | { is: "acked"; from: number; upTo: number; safe: number; total: number }
  | { is: "held"; seq: number; reason: number }
  | { is: "refused"; seq: number; error: number }
  | { is: "received"; scope: number; names: Name[]; gone: Name[] }
  | { is: "synced" }
  /** nothing more is pushed in this session; the error that the server gave, 0: none (no place, no keys) */
  | { is: "blocked"; error: number; retryS: number }
  /** another copy of this store has pushed; the log goes on under a new writer */
  | { is: "double" };

interface Sent {
  firstSeq: number;
  lastSeq: number;
  names: Name[];
  withKeys: boolean;
  /** its answer says nothing any more (PROTO-56) */
  dropped: boolean;
}

const SEARCHES_MAX = 4; // of a place to push from, in one session

export class Session {
  readonly #id: Identity;
  readonly #ports: Ports;
  readonly #options: Options;
  readonly #peer: Peer;
  readonly #events: Event[] = [];
  #out: Uint8Array[] = [];
  result: Result | undefined;

  /** the log of this session, and whether it is one that was left behind */
  #writer: Id = ZERO_ID;
  #old = false;
  #from = 0;
  /** how far it was acknowledged when this session last looked */
  #known = 0;
  #helloServer: Id | null = null;
  #server: Id = ZERO_ID;
  #helloBody = new Uint8Array(0);
  #helloS = 0;
  #retryS = 0;
  #frameBytes: number = LIMITS.FRAME_BYTES_DEFAULT;
  #credit: number = LIMITS.CREDIT_DEFAULT;

  /** next op to push, and the head before it when a PUSH must say so */
  #next = 1;
  #prev: Uint8Array | null = null;
  #sent: Sent[] = [];
  #blocked = false;
  #searches = 0;
  #double = false;
  #offsetMs = 0;

  readonly #cursors = new Map<number, ScopeCursor>();
  /** scopes that come from position 0 beside the old copy; the position that has come */
  readonly #refetch = new Map<number, number | undefined>();
  readonly #moved = new Set<number>();
  #uncredited = 0;
  #syncedSeen = false;
  #deviceEnded = false; // PROTO-160: hands over what it has not sent, then wipes itself
  #windowS = -Infinity;

  constructor(id: Identity, ports: Ports, options: Options, peer = new Peer()) {
    this.#id = id;
    this.#ports = ports;
    this.#options = options;
    this.#peer = peer;
  }

  /** Frames to send, in order. */
  take(): Uint8Array[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }
  events(): Event[] {
    return this.#events.splice(0);
  }

  // -- HELLO --------------------------------------------------------------------------------------------

  /** First step: HELLO, and the first PUSHes behind it. */
  *start(nowMs: number): Step<void> {
    const { store } = this.#ports;
    this.#helloServer = yield* get(store.server());
    this.#offsetMs = yield* get(store.clockOffset());
    const log = yield* this.#choose(nowMs);
    this.#writer = log.writer;
    this.#from = this.#known = log.acked;
    if (this.#helloServer) for (const c of yield* get(store.cursors())) this.#cursors.set(c.scope, c);
    this.#next = log.acked + 1;
    const ownHead = yield* this.#headAt(log.acked);
    const follows = isUnsent(log);
    this.#helloS = Math.floor(nowMs / 1000);
    yield* this.#hello({
      versionMin: PROTOCOL_VERSION_MIN,
      versionMax: PROTOCOL_VERSION,
      device: this.#id.device,
      writer: log.writer,
      ownSeq: log.acked,
      ownHead: ownHead ?? fail("corrupt", "the log has no head where it was acknowledged"),
      server: this.#helloServer,
      cursors: [...this.#cursors.values()].sort((a, b) => a.scope - b.scope),
      timeMs: nowMs,
      nonce: this.#ports.random(ID_BYTES),
      flags: (this.#live ? HELLO_LIVE : 0) | (follows ? HELLO_PUSH_FOLLOWS : 0) |
        (this.#ports.closed?.() ? HELLO_CLOSED : 0),
      credit: this.#options.credit || LIMITS.CREDIT_DEFAULT,
      frameBytes: this.#options.frameBytes || LIMITS.FRAME_BYTES_DEFAULT,
      signature: new Uint8Array(SIG_BYTES),
    });
    yield* this.#push();
  }
  /** PROTO-66: a session hands over one log. An old one with something unsent comes first, then the live one
   *  if  it has, then an old one that the server is to be asked about. */
  *#choose(nowMs: number): Step<LogState> {
    const live = yield* get(this.#ports.store.log());
    const old = yield* this.#waiting(nowMs);
    const chosen = old.find(isUnsent) ?? (isUnsent(live) ? undefined : old[0]);
    this.#old = chosen !== undefined;
    return chosen ?? live;
  }
  /** Old logs that a session of their own is due for. */
  *#waiting(nowMs: number): Step<OldLog[]> {
    const old = yield* get(this.#ports.store.oldLogs());
    const due = (o: OldLog) => isUnsent(o) || isDue(o, nowMs + this.#offsetMs);
    return old.filter((o) => due(o) && !this.#options.skip?.has(o.writer));
  }
  /** The old log that this session is for; null: the live one. */
  get old(): Id | null {
    return this.#old ? this.#writer : null;
  }
  /** Only the live log can be followed. */
  get #live(): boolean {
    return this.#options.live && !this.#old;
  }
  /** The log of this session as it stands now. */
  *#log(): Step<LogState> {
    const live = yield* get(this.#ports.store.log());
    if (live.writer === this.#writer) return live;
    const old = yield* get(this.#ports.store.oldLogs());
    return old.find((o) => o.writer === this.#writer) ?? fail("corrupt", "the log has gone");
  }
  *#headAt(seq: number): Step<Uint8Array | undefined> {
    return (yield* get(this.#ports.store.heads(this.#writer, [seq])))[0];
  }
  *#hello(hello: Hello): Step<void> {
    const blank = encodeMessage({ type: "HELLO", ...hello });
    this.#helloBody = bodyOf(blank).slice();
    const signature = yield* get(this.#ports.sign(signedHello(this.#id.serverName, this.#helloBody)));
    this.#send({ type: "HELLO", ...hello }, withSignature(blank, signature));
  }
  #send(m: Exclude<Msg, { type: "DELTA" }>, plain?: Uint8Array, textEnd?: number): void {
    this.#out.push(this.#peer.send(m, plain, textEnd));
  }

  // -- what comes ---------------------------------------------------------------------------------------

  /** One WebSocket message. */
  *receive(frame: Uint8Array, nowMs: number): Step<void> {
    if (this.result) return;
    try {
      const m = this.#peer.receive(frame);
      yield* this.#handle(m, nowMs);
    } catch (e) {
      if (!(e instanceof OvError)) throw e;
      this.#refuse(e);
    }
  }
  /** Live: something was added to the log. */
  *changed(): Step<void> {
    if (this.result || this.#peer.state !== "OPEN") return;
    yield* this.#push();
  }
  /** The user or the app ends it. */
  stop(): void {
    if (this.result) return;
    if (this.#peer.state !== "START" && this.#peer.state !== "CLOSED")
      this.#send({ type: "BYE", reason: 0, retryS: 0 });
    this.#end(0, 0);
  }
  #end(error: number, retryS: number, synced = false, more = false): void {
    const close = error ? closeCode(error) : 1000;
    this.result ??= { error, close, retryS: retryS || this.#retryS, synced, more };
  }
  /** Ends the connection because of what came. Local errors are a fault of this program or its store. */
  #refuse(e: OvError): void {
    const nr = wireNumber(e.slug);
    if (nr === undefined) throw e;
    const text = e.message.slice(0, LIMITS.ERROR_TEXT_MAX);
    if (this.#peer.state !== "CLOSED")
      this.#send({ type: "ERROR", error: nr, seq: 0, retryS: 0, text, tips: [], ladder: [], names: [] });
    this.#end(nr, 0);
  }
  *#handle(m: Msg, nowMs: number): Step<void> {
    switch (m.type) {
      case "WELCOME":
        return yield* this.#welcome(m, nowMs);
      case "CHALLENGE":
        return yield* this.#challenge(m, nowMs);
      case "ACK":
        return yield* this.#ack(m, nowMs);
      case "DELTA":
        return yield* this.#delta(m);
      case "SYNCED":
        return yield* this.#synced(nowMs);
      case "ERROR":
        return yield* this.#error(m, nowMs);
      case "BYE":
        return this.#end(m.reason, m.retryS);
      default:
        return fail("state", m.type);
    }
  }

  *#challenge(m: Challenge, nowMs: number): Step<void> {
    this.#noteClock(m.timeMs - nowMs);
    const signature = yield* get(
      this.#ports.sign(signedProof(this.#id.serverName, m.nonce, sha256(this.#helloBody))),
    );
    this.#send({ type: "PROOF", signature });
  }
  #noteClock(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    this.#events.push({ is: "clock", offsetMs, suspect: Math.abs(offsetMs) > LIMITS.CLOCK_SUSPECT_S * 1000 });
  }

  *#welcome(m: Welcome, nowMs: number): Step<void> {
    if (m.version < PROTOCOL_VERSION_MIN || m.version > PROTOCOL_VERSION) fail("version");
    this.#noteClock(m.timeMs - nowMs);
    this.#retryS = m.retryS;
    this.#frameBytes = m.frameBytes;
    this.#credit = m.credit;
    this.#server = this.#peer.server = m.server;
    const ended = m.scopes.some((s) => s.scope === 1 && s.state === SCOPE_STATE.GONE);
    if (!ended && this.#ports.protect) yield* get(this.#ports.protect(m.strict === 1, m.share));
    const changes: Change[] = [
      { to: "clock", offsetMs: this.#offsetMs },
      { to: "safe", writer: this.#writer, upTo: m.safeUpTo },
    ];
    if (ended && this.#helloServer !== m.server) changes.push({ to: "server", server: m.server });
    if (!ended) this.#leaveWindow(Math.floor(m.timeMs / 1000), changes);
    if (!ended) this.#scopes(m, changes);
    yield* get(this.#ports.store.apply(changes));
    if (ended) yield* this.#endOfDevice();
    yield* this.#lookForDouble(m.tips);
    if (m.own !== OWN.SAME) yield* this.#findPlace(m.tips, m.ladder);
    // only now: a tablet that ended before it noted what is lacking asks again
    if (this.#old)
      yield* get(this.#ports.store.apply([{ to: "asked", writer: this.#writer, ms: m.timeMs }]));
    yield* this.#push();
  }
  /** PROTO-160, 161: what was received goes at once. */
  *#endOfDevice(): Step<void> {
    this.#deviceEnded = true;
    this.#cursors.clear();
    this.#refetch.clear();
    yield* get(this.#ports.store.apply([{ to: "purge" }]));
  }
  /** PROTO-116; in a live session once an hour. */
  #leaveWindow(nowS: number, changes: Change[]): void {
    if (nowS < this.#windowS + 3600) return;
    this.#windowS = nowS;
    changes.push({
      to: "window",
      kinds: this.#ports.windowedKinds(),
      before: nowS - LIMITS.WINDOW_DAYS * 86400,
    });
  }
  /** PROTO-109 */
  #scopes(m: Welcome, changes: Change[]): void {
    if (this.#helloServer !== m.server) changes.push({ to: "server", server: m.server });
    const refetch = (scope: number) => this.#refetch.set(scope, undefined);
    if (this.#helloServer !== null && this.#helloServer !== m.server)
      [...this.#cursors.keys()].forEach(refetch);
    for (const { scope, state } of m.scopes) {
      if (state === SCOPE_STATE.REFETCH) refetch(scope);
      if (state === SCOPE_STATE.NEW) this.#cursors.delete(scope);
      if (state !== SCOPE_STATE.GONE) continue;
      this.#cursors.delete(scope);
      this.#refetch.delete(scope);
      changes.push({ to: "drop", scope });
    }
  }

  // -- pushing ------------------------------------------------------------------------------------------

  /** PROTO-58: a tip that is not in the log of this store. */
  *#lookForDouble(tips: Tip[]): Step<void> {
    if (this.#double || this.#old || !tips.length) return;
    const mine = yield* get(this.#ports.store.heads(this.#writer, tips.map((t) => t.seq)));
    this.#double = tips.some((t, i) => !mine[i] || !equalBytes(mine[i], t.head));
    if (this.#double) this.#events.push({ is: "double" });
  }
  /** PROTO-55: the highest rung that stands in the own log; from there everything is pushed again. */
  *#findPlace(tips: Tip[], ladder: Tip[]): Step<void> {
    for (const s of this.#sent) s.dropped = true;
    if (++this.#searches > SEARCHES_MAX) return this.#block(0);
    const rungs = [...tips, ...ladder].sort((a, b) => b.seq - a.seq);
    const mine = yield* get(this.#ports.store.heads(this.#writer, rungs.map((r) => r.seq)));
    const at = rungs.findIndex(
      (r, i) => mine[i] && equalBytes(mine[i].subarray(0, 8), r.head.subarray(0, 8)),
    );
    const log = yield* this.#log();
    const seq = Math.min(at < 0 ? 0 : rungs[at].seq, log.acked);
    yield* get(this.#ports.store.apply([{ to: "rollback", writer: this.#writer, upTo: seq }]));
    this.#from = Math.min(this.#from, seq);
    this.#known = seq;
    yield* this.#restart(seq + 1);
  }
  *#push(): Step<void> {
    if (this.#peer.state === "CLOSED" || this.result) return;
    const log = yield* this.#log();
    if (log.acked < this.#known && !this.#blocked) {
      // offered again meanwhile
      this.#from = this.#known = log.acked;
      yield* this.#restart(log.acked + 1);
    }
    while (!this.#blocked && this.#next <= log.seq && this.#sent.length < LIMITS.PUSHES_UNANSWERED_MAX)
      yield* this.#pushSome(log);
  }
  *#pushSome(log: LogState, keys: Push["keys"] = []): Step<void> {
    const entries = yield* get(
      this.#ports.store.entries(this.#writer, this.#next, log.seq, LIMITS.FRAME_ROWS_MAX),
    );
    if (!entries.length) fail("corrupt", "the log has a hole");
    let n = entries.length;
    let made = this.#makePush(entries, log, keys);
    // a frame holds what fits, or one op
    while (made.plain.length > this.#frameBytes && n > 1) {
      n = Math.max(1, Math.min(n - 1, Math.floor((0.95 * n * this.#frameBytes) / made.plain.length)));
      made = this.#makePush(entries.slice(0, n), log, keys);
    }
    const last = entries[n - 1];
    const signature = yield* get(
      this.#ports.sign(signedPush(this.#id.organisation, this.#id.device, this.#writer, last.seq, last.head)),
    );
    const push: Push = { ...made.push, signature };
    this.#send({ type: "PUSH", ...push }, encodeMessage({ type: "PUSH", ...push }), made.textEnd);
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
      writer: this.#writer,
      server: this.#helloServer ?? ZERO_ID,
      firstSeq,
      baseTime: this.#helloS,
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

  // -- answers to PUSH ----------------------------------------------------------------------------------

  #answered(): Sent {
    return this.#sent.shift() ?? fail("state", "an answer to nothing");
  }
  *#ack(m: Ack, nowMs: number): Step<void> {
    const sent = this.#answered();
    const body = bodyOf(encodeMessage({ type: "ACK", ...m }));
    const fits = yield* get(
      this.#ports.verify(signedAck(this.#server, this.#id.organisation, this.#writer, body), m.signature),
    );
    const head = yield* this.#headAt(m.upTo);
    if (!fits || !head || !equalBytes(head, m.head)) fail("auth", "ACK");
    if (sent.dropped) return yield* this.#goOn(nowMs);
    yield* this.#takeAck(m, sent);
    if (m.refused) yield* this.#takeRefusal(m.refused.seq, m.refused.error);
    else if (m.upTo < sent.lastSeq) yield* this.#restart(m.upTo + 1);
    yield* this.#goOn(nowMs);
  }
  *#takeAck(m: Ack, sent: Sent): Step<void> {
    const log = yield* this.#log();
    const held = new Map(m.held.map((h) => [h.seq, h.reason]));
    const receipts: { seq: number; receipt: Receipt }[] = [];
    const upTo = Math.min(m.upTo, sent.lastSeq); // what came after it has its own answer
    let run = 0;
    for (let seq = sent.firstSeq; seq <= upTo; seq++) {
      while (run < m.receipts.length - 1 && m.receipts[run].upTo < seq) run++;
      const r = m.receipts[run] ?? { timeMs: 1000 * this.#helloS + this.#offsetMs, offsetMs: this.#offsetMs };
      receipts.push({
        seq,
        receipt: { serverMs: r.timeMs, offsetMs: r.offsetMs, reason: held.get(seq) ?? 0 },
      });
    }
    yield* get(
      this.#ports.store.apply([
        { to: "acked", writer: this.#writer, upTo, receipts },
        { to: "safe", writer: this.#writer, upTo: m.safeUpTo },
      ]),
    );
    this.#known = upTo;
    for (const [seq, reason] of held) this.#events.push({ is: "held", seq, reason });
    this.#events.push({ is: "acked", from: this.#from, upTo, safe: m.safeUpTo, total: log.seq });
  }
  /** PROTO-84: the op travels as a void from now on. */
  *#takeRefusal(seq: number, error: number): Step<void> {
    const [entry] = yield* get(this.#ports.store.entries(this.#writer, seq, seq, 1));
    if (!entry || entry.refused) return this.#block(error);
    yield* get(this.#ports.store.apply([{ to: "refused", writer: this.#writer, seq, error }]));
    this.#events.push({ is: "refused", seq, error });
    yield* this.#restart(seq);
  }
  /** What is on its way counts for nothing; goes on with this op. */
  *#restart(seq: number): Step<void> {
    for (const s of this.#sent) s.dropped = true;
    const head = yield* this.#headAt(seq - 1);
    this.#next = seq;
    this.#prev = head ?? fail("corrupt", "the log has no head there");
  }
  *#error(m: ErrorMsg, nowMs: number): Step<void> {
    if (this.#peer.state === "CLOSED") return yield* this.#ended(m);
    if (!isReply(m.error)) return this.#end(m.error, m.retryS);
    const sent = this.#answered();
    if (!sent.dropped) yield* this.#errorOf(m, sent);
    yield* this.#goOn(nowMs);
  }
  *#errorOf(m: ErrorMsg, sent: Sent): Step<void> {
    switch (errorOfNumber(m.error)) {
      case "gap":
      case "branch":
        yield* this.#lookForDouble(m.tips);
        return yield* this.#findPlace(m.tips, m.ladder);
      case "need_keys":
        return yield* this.#sendKeys(m.names, sent);
      default:
        for (const s of this.#sent) s.dropped = true;
        this.#retryS = Math.max(this.#retryS, m.retryS);
        this.#block(m.error);
    }
  }
  #block(error: number): void {
    this.#blocked = true;
    this.#events.push({ is: "blocked", error, retryS: this.#retryS });
  }
  /** PROTO-57 */
  *#sendKeys(names: Name[], sent: Sent): Step<void> {
    const keys: Push["keys"] = [];
    for (const of of names) {
      const key = yield* get(this.#ports.store.key(keyOf(of)));
      if (key) keys.push({ of, key });
    }
    const again = sent.withKeys && keys.every((k) => sent.names.includes(k.of));
    yield* this.#restart(sent.firstSeq);
    if (!keys.length || again) this.#block(errorNumber("need_keys"));
    else yield* this.#pushSome(yield* this.#log(), keys);
  }
  *#ended(m: ErrorMsg): Step<void> {
    const slug = errorOfNumber(m.error);
    if (slug === "revoked") yield* get(this.#ports.store.apply([{ to: "purge" }]));
    if (slug === "foreign") {
      const log = yield* this.#log();
      if (log.device !== this.#id.device) yield* this.#newWriter(0);
    }
    this.#end(m.error, m.retryS);
  }

  // -- receiving ----------------------------------------------------------------------------------------

  *#delta(m: Delta): Step<void> {
    const staged = this.#refetch.has(m.scope);
    const at = staged ? (this.#refetch.get(m.scope) ?? 0) : (this.#cursors.get(m.scope)?.pos ?? 0);
    if (m.from !== at || m.to < m.from) fail("state", "DELTA's position");
    const changes: Change[] = [];
    if (staged && this.#refetch.get(m.scope) === undefined) changes.push({ to: "stage", scope: m.scope });
    for (const { record, changed } of m.records) {
      changes.push({ to: "put", staged, part: { scope: m.scope, record, changed } });
      keysOf(record, changes);
    }
    for (const name of m.gone) changes.push({ to: "gone", staged, scope: m.scope, name });
    const cursor = { scope: m.scope, pos: m.to, hash: Uint8Array.from(m.hash) };
    changes.push({ to: "cursor", staged, cursor });
    const names = m.records.map((r) => r.record.name);
    yield* this.#offTop(new Set([...names, ...m.gone]), changes);
    this.#keepPosition(m, staged, cursor, changes);
    this.#leaveWindow(m.time, changes);
    yield* get(this.#ports.store.apply(changes));
    this.#events.push({ is: "received", scope: m.scope, names, gone: m.gone });
    this.#moved.add(m.scope);
    if (++this.#uncredited >= Math.max(1, this.#credit >> 1)) this.#acked();
  }
  #keepPosition(m: Delta, staged: boolean, cursor: ScopeCursor, changes: Change[]): void {
    if (!staged) this.#cursors.set(m.scope, cursor);
    else if (m.more) this.#refetch.set(m.scope, m.to);
    else {
      this.#refetch.delete(m.scope);
      this.#cursors.set(m.scope, cursor);
      changes.push({ to: "swap", scope: m.scope });
    }
  }
  /** PROTO-111 */
  *#offTop(names: Set<Name>, changes: Change[]): Step<void> {
    const acked = yield* get(this.#ports.store.ackedOnTop());
    const told = acked.filter((e) => names.has(entryRecord(e) ?? "")).map((e) => e.op.name);
    if (told.length) changes.push({ to: "absorbed", names: told });
  }
  #acked(): void {
    if (!this.#moved.size) return;
    const cursors = [...this.#moved]
      .sort((a, b) => a - b)
      .map((scope) => ({ scope, pos: this.#refetch.get(scope) ?? this.#cursors.get(scope)!.pos }));
    this.#send({ type: "ACKED", cursors });
    this.#moved.clear();
    this.#uncredited = 0;
  }
  *#synced(nowMs: number): Step<void> {
    yield* this.#emptyScopes();
    yield* settle(this.#ports.store, this.#cursors, this.#offsetMs);
    this.#acked();
    this.#syncedSeen = true;
    this.#events.push({ is: "synced" });
    yield* this.#goOn(nowMs);
  }
  /** A scope that was to come from position 0 and of which nothing came is empty now. */
  *#emptyScopes(): Step<void> {
    const changes: Change[] = [];
    for (const [scope, come] of this.#refetch)
      if (come === undefined) {
        changes.push({ to: "drop", scope });
        this.#refetch.delete(scope);
        this.#cursors.delete(scope);
      }
    if (changes.length) yield* get(this.#ports.store.apply(changes));
  }
  /** Pushes on, or ends: what was asked for once, and when another log is to be handed over. */
  *#goOn(nowMs: number): Step<void> {
    yield* this.#push();
    if (this.result || this.#sent.length || !this.#syncedSeen) return;
    const all = !isUnsent(yield* this.#log()) && !this.#blocked;
    if (this.#deviceEnded) return yield* this.#endedDevice(all);
    const double = this.#double && all;
    if (double) yield* this.#newWriter(nowMs + this.#offsetMs);
    const others = all && (yield* this.#waiting(nowMs)).length > 0;
    const more = others || double || (this.#old && this.#options.live);
    if (this.#live && !more) return;
    if (this.#live) this.#send({ type: "BYE", reason: 0, retryS: 0 });
    this.#end(0, 0, all, more);
  }
  /** When each log is handed over comes the receipt, an ACKED without cursors; the server's answer to it is
   *  `revoked`. */
  *#endedDevice(all: boolean): Step<void> {
    const logs = [yield* get(this.#ports.store.log()), ...(yield* get(this.#ports.store.oldLogs()))];
    const others = logs.some(isUnsent);
    if (!all || others) return this.#end(errorNumber("revoked"), 0, false, all && others);
    yield* get(this.#ports.store.apply([{ to: "purge" }]));
    this.#send({ type: "ACKED", cursors: [] });
  }
  *#newWriter(askedMs: number): Step<void> {
    const writer = hex(this.#ports.random(ID_BYTES));
    const head = chainStart(this.#id.organisation, writer);
    yield* get(
      this.#ports.store.apply([{ to: "newWriter", writer, device: this.#id.device, head, askedMs }]),
    );
    this.#double = false;
  }
}

/** Where the rows stand in a PUSH: behind their length, which follows type, first seq and flags. */
function rowsAt(plain: Uint8Array, rows: Uint8Array): number {
  for (let at = 4; at < 24; at++) if (equalBytes(plain.subarray(at, at + rows.length), rows)) return at;
  return fail("invalid", "rows");
}
/** PROTO-57: a zero writer and the scope as seq stand for the key of a scope. */
const keyOf = (n: Name): KeyOf => (writerOf(n) === ZERO_ID ? scopeKey(seqOf(n)) : n);
