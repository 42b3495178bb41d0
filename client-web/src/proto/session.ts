// The client's side of a sync, written as steps (generators) that yield whatever their ports give later:
// signatures, stored data. A caller runs one step at a time, with runNow where all ports answer at once or
// runLater where they do not, and sends what `take` gives after each. Nothing here reads a clock, makes
// anything random or sends.
import { hex } from "./bytes.ts";
import { chainStart, sha256, signedHello, signedProof } from "./chain.ts";
import { OvError, closeCode, errorNumber, errorOfNumber, fail, isReply, wireNumber } from "./error.ts";
import { LIMITS } from "./generated.ts";
import { Inbox } from "./inbox.ts";
import { type LogState, type OldLog, isDue, isUnsent } from "./log.ts";
import {
  type Challenge,
  type ErrorMsg,
  HELLO_CLOSED,
  HELLO_LIVE,
  HELLO_PUSH_FOLLOWS,
  type Hello,
  type Msg,
  OWN,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MIN,
  SCOPE_STATE,
  type Welcome,
} from "./messages.ts";
import { bodyOf, encodeMessage, withSignature } from "./msg.ts";
import { ID_BYTES, type Id, SIG_BYTES, ZERO_ID } from "./name.ts";
import { Outbox } from "./outbox.ts";
import { Peer } from "./peer.ts";
import { settle } from "./settle.ts";
import { type Step, get } from "./steps.ts";
import type { Change } from "./store.ts";
import type { Event, Identity, Met, Options, Ports, Result } from "./talk.ts";

export type { Event, Identity, Options, Ports, Result };

export class Session {
  readonly #id: Identity;
  readonly #ports: Ports;
  readonly #options: Options;
  readonly #peer: Peer;
  readonly #events: Event[] = [];
  #out: Uint8Array[] = [];
  result: Result | undefined;

  readonly #met: Met = {
    writer: ZERO_ID,
    old: false,
    helloServer: null,
    server: ZERO_ID,
    helloS: 0,
    offsetMs: 0,
    frameBytes: LIMITS.FRAME_BYTES_DEFAULT,
    credit: LIMITS.CREDIT_DEFAULT,
    retryS: 0,
  };
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  #helloBody = new Uint8Array(0);
  #syncedSeen = false;
  #deviceEnded = false; // PROTO-160: hands over what it has not sent, then wipes itself

  constructor(id: Identity, ports: Ports, options: Options, peer = new Peer()) {
    this.#id = id;
    this.#ports = ports;
    this.#options = options;
    this.#peer = peer;
    const tell = (event: Event) => void this.#events.push(event);
    this.#inbox = new Inbox(ports, this.#met, {
      tell,
      acked: (cursors) => this.#send({ type: "ACKED", cursors }),
    });
    this.#outbox = new Outbox(id, ports, this.#met, {
      tell,
      isOpen: () => this.#peer.state !== "CLOSED" && !this.result,
      push: (m, plain, textEnd) => this.#send(m, plain, textEnd),
    });
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
    this.#met.helloServer = yield* get(store.server());
    this.#met.offsetMs = yield* get(store.clockOffset());
    const log = yield* this.#choose(nowMs);
    this.#met.writer = log.writer;
    this.#outbox.begin(log);
    const { cursors } = this.#inbox;
    if (this.#met.helloServer) for (const c of yield* get(store.cursors())) cursors.set(c.scope, c);
    const ownHead = yield* this.#outbox.headAt(log.acked);
    const follows = isUnsent(log);
    this.#met.helloS = Math.floor(nowMs / 1000);
    yield* this.#hello({
      versionMin: PROTOCOL_VERSION_MIN,
      versionMax: PROTOCOL_VERSION,
      device: this.#id.device,
      writer: log.writer,
      ownSeq: log.acked,
      ownHead: ownHead ?? fail("corrupt", "the log has no head where it was acknowledged"),
      server: this.#met.helloServer,
      cursors: [...cursors.values()].sort((a, b) => a.scope - b.scope),
      timeMs: nowMs,
      nonce: this.#ports.random(ID_BYTES),
      flags: (this.#live ? HELLO_LIVE : 0) | (follows ? HELLO_PUSH_FOLLOWS : 0) |
        (this.#ports.closed?.() ? HELLO_CLOSED : 0),
      credit: this.#options.credit || LIMITS.CREDIT_DEFAULT,
      frameBytes: this.#options.frameBytes || LIMITS.FRAME_BYTES_DEFAULT,
      signature: new Uint8Array(SIG_BYTES),
    });
    yield* this.#outbox.push();
  }
  /** PROTO-66: a session hands over one log. An old one with something unsent comes first, then the live one
   *  if  it has, then an old one that the server is to be asked about. */
  *#choose(nowMs: number): Step<LogState> {
    const live = yield* get(this.#ports.store.log());
    const old = yield* this.#waiting(nowMs);
    const chosen = old.find(isUnsent) ?? (isUnsent(live) ? undefined : old[0]);
    this.#met.old = chosen !== undefined;
    return chosen ?? live;
  }
  /** Old logs that a session of their own is due for. */
  *#waiting(nowMs: number): Step<OldLog[]> {
    const old = yield* get(this.#ports.store.oldLogs());
    const due = (o: OldLog) => isUnsent(o) || isDue(o, nowMs + this.#met.offsetMs);
    return old.filter((o) => due(o) && !this.#options.skip?.has(o.writer));
  }
  /** The old log that this session is for; null: the live one. */
  get old(): Id | null {
    return this.#met.old ? this.#met.writer : null;
  }
  /** Only the live log can be followed. */
  get #live(): boolean {
    return this.#options.live && !this.#met.old;
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
    yield* this.#outbox.push();
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
    this.result ??= { error, close, retryS: retryS || this.#met.retryS, synced, more };
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
        yield* this.#outbox.ack(m);
        return yield* this.#goOn(nowMs);
      case "DELTA":
        return yield* this.#inbox.delta(m);
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
    this.#met.offsetMs = offsetMs;
    this.#events.push({ is: "clock", offsetMs, suspect: Math.abs(offsetMs) > LIMITS.CLOCK_SUSPECT_S * 1000 });
  }

  *#welcome(m: Welcome, nowMs: number): Step<void> {
    if (m.version < PROTOCOL_VERSION_MIN || m.version > PROTOCOL_VERSION) fail("version");
    this.#noteClock(m.timeMs - nowMs);
    this.#met.retryS = m.retryS;
    this.#met.frameBytes = m.frameBytes;
    this.#met.credit = m.credit;
    this.#met.server = this.#peer.server = m.server;
    const ended = m.scopes.some((s) => s.scope === 1 && s.state === SCOPE_STATE.GONE);
    if (!ended && this.#ports.protect) yield* get(this.#ports.protect(m.strict === 1, m.share));
    const changes: Change[] = [
      { to: "clock", offsetMs: this.#met.offsetMs },
      { to: "safe", writer: this.#met.writer, upTo: m.safeUpTo },
    ];
    if (ended && this.#met.helloServer !== m.server) changes.push({ to: "server", server: m.server });
    if (!ended) this.#inbox.leaveWindow(Math.floor(m.timeMs / 1000), changes);
    if (!ended) this.#inbox.scopes(m, changes);
    yield* get(this.#ports.store.apply(changes));
    if (ended) yield* this.#endOfDevice();
    yield* this.#outbox.lookForDouble(m.tips);
    if (m.own !== OWN.SAME) yield* this.#outbox.findPlace(m.tips, m.ladder);
    // only now: a tablet that ended before it noted what is lacking asks again
    yield* get(this.#ports.store.apply([{ to: "asked", writer: this.#met.writer, ms: m.timeMs }]));
    yield* this.#outbox.push();
  }
  /** PROTO-160, 161: what was received goes at once. */
  *#endOfDevice(): Step<void> {
    this.#deviceEnded = true;
    this.#inbox.clear();
    yield* get(this.#ports.store.apply([{ to: "purge" }]));
  }
  *#error(m: ErrorMsg, nowMs: number): Step<void> {
    if (this.#peer.state === "CLOSED") return yield* this.#ended(m);
    if (!isReply(m.error)) return this.#end(m.error, m.retryS);
    yield* this.#outbox.refused(m);
    yield* this.#goOn(nowMs);
  }
  *#ended(m: ErrorMsg): Step<void> {
    const slug = errorOfNumber(m.error);
    if (slug === "revoked") yield* get(this.#ports.store.apply([{ to: "purge" }]));
    if (slug === "foreign") {
      const log = yield* this.#outbox.log();
      if (log.device !== this.#id.device) yield* this.#newWriter(0);
    }
    this.#end(m.error, m.retryS);
  }

  // -- the end ------------------------------------------------------------------------------------------

  *#synced(nowMs: number): Step<void> {
    yield* this.#inbox.emptyScopes();
    yield* settle(this.#ports.store, this.#inbox.cursors, this.#met.offsetMs);
    this.#inbox.acked();
    this.#syncedSeen = true;
    this.#events.push({ is: "synced" });
    yield* this.#goOn(nowMs);
  }
  /** Pushes on, or ends: what was asked for once, and when another log is to be handed over. */
  *#goOn(nowMs: number): Step<void> {
    yield* this.#outbox.push();
    if (this.result || this.#outbox.waits || !this.#syncedSeen) return;
    const all = !isUnsent(yield* this.#outbox.log()) && !this.#outbox.blocked;
    if (this.#deviceEnded) return yield* this.#endedDevice(all);
    const double = this.#outbox.double && all;
    if (double) yield* this.#newWriter(nowMs + this.#met.offsetMs);
    const others = all && (yield* this.#waiting(nowMs)).length > 0;
    const more = others || double || (this.#met.old && this.#options.live);
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
    this.#outbox.double = false;
  }
}

