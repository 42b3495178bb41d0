// One connection: a WebSocket, and the session or the enrolment on it. What a session wants sent goes
// out after each of its steps; steps run one after the other.
import { SUBPROTOCOL } from "../proto/messages.ts";
import type { Enrolled } from "../proto/messages.ts";
import { Enrolment } from "../proto/enrol.ts";
import type { Id } from "../proto/name.ts";
import { type Event, type Identity, type Ports, type Result, Session } from "../proto/session.ts";
import { type Step, runLater } from "../proto/steps.ts";
import type { Env } from "./env.ts";

const OPEN = 1; // WebSocket.OPEN
const CONNECT_MS = 20_000;
/** A session that waits for an answer and hears nothing. Frames are small: a bad link makes progress in
 *  this time. */
const SILENCE_MS = 60_000;

export interface Ended {
  /** null: the connection broke, or never was */
  result: Result | null;
  /** it was open */
  opened: boolean;
  /** the engine's own fault or its store's */
  fault: unknown;
  /** the old log that it was for; null: the live one, or none yet */
  old: Id | null;
}
export interface Handlers {
  events(events: Event[]): void;
  /** bytes of a session that go up, for tests and budgets */
  sent?(frame: Uint8Array): void;
  received?(frame: Uint8Array): void;
}

export class Connection {
  readonly #env: Env;
  readonly #handlers: Handlers;
  readonly #session: Session;
  readonly #ws: WebSocket;
  #steps: Promise<void> = Promise.resolve();
  #opened = false;
  #fault: unknown;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #over = false;
  #end!: (e: Ended) => void;
  readonly ended = new Promise<Ended>((resolve) => (this.#end = resolve));

  constructor(
    env: Env,
    url: string,
    identity: Identity,
    ports: Ports,
    handlers: Handlers,
    skip: ReadonlySet<Id> = new Set(),
  ) {
    this.#env = env;
    this.#handlers = handlers;
    this.#session = new Session(identity, ports, { live: true, skip, credit: 0, frameBytes: 0 });
    this.#ws = env.socket(url, SUBPROTOCOL);
    this.#ws.binaryType = "arraybuffer";
    this.#watch(CONNECT_MS);
    this.#ws.addEventListener("open", () => {
      this.#opened = true;
      this.#watch(SILENCE_MS);
      this.#step(() => this.#session.start(this.#env.nowMs()));
    });
    this.#ws.addEventListener("message", (e: MessageEvent) => {
      this.#watch(SILENCE_MS);
      const frame = new Uint8Array(e.data instanceof ArrayBuffer ? e.data : new ArrayBuffer(0));
      this.#handlers.received?.(frame);
      this.#step(() => this.#session.receive(frame, this.#env.nowMs()));
    });
    this.#ws.addEventListener("close", () => void this.#steps.then(() => this.#done()));
  }
  /** The log has grown. */
  changed(): void {
    if (!this.#opened || this.#over) return;
    this.#watch(SILENCE_MS);
    this.#step(() => this.#session.changed());
  }
  /** Says goodbye and ends; what is on its way is dealt with first. */
  stop(): void {
    void this.#steps.then(() => {
      this.#session.stop();
      this.#flush();
      this.#close(1000);
    });
  }
  /** Ends because of the engine's own fault. */
  fail(fault: unknown): void {
    this.#fault ??= fault;
    this.#close(1011);
  }
  /** It has said goodbye, and the next one is due at once. */
  get goesOn(): boolean {
    return this.#session.result?.more ?? false;
  }
  /** Nothing is expected any more: silence is fine. */
  calm(): void {
    clearTimeout(this.#silence);
  }

  #watch(ms: number): void {
    clearTimeout(this.#silence);
    if (!this.#over) this.#silence = setTimeout(() => this.#close(4000), ms);
  }
  #step(make: () => Step<void>): void {
    this.#steps = this.#steps
      .then(async () => {
        if (this.#fault || this.#over) return;
        await runLater(make());
        this.#flush();
      })
      .catch((e) => this.fail(e));
  }
  #flush(): void {
    for (const frame of this.#session.take()) {
      if (this.#ws.readyState !== OPEN) continue;
      this.#handlers.sent?.(frame);
      this.#ws.send(frame as Uint8Array<ArrayBuffer>);
    }
    const events = this.#session.events();
    if (events.length) this.#handlers.events(events);
    if (this.#session.result) this.#close(this.#session.result.close);
  }
  /** A browser closes with 1000 or 3000 … 4999 only; ERROR or BYE has said the rest. */
  #close(code: number): void {
    this.#ws.close(code === 1000 || code >= 3000 ? code : 4000);
    // a dead link never says that it is closed
    setTimeout(() => this.#done(), 2000);
  }
  #done(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#silence);
    const { result, old } = this.#session;
    this.#end({ result: result ?? null, opened: this.#opened, fault: this.#fault, old });
  }
}

/** ENROL and its answer; the connection ends after it. error 0 with no `enrolled`: no connection. */
export function enrolOver(
  env: Env,
  url: string,
  code: string,
  publicKey: Uint8Array,
  name: string,
): Promise<{ enrolled: Enrolled | null; error: number }> {
  return new Promise((resolve) => {
    const enrolment = new Enrolment();
    const ws = env.socket(url, SUBPROTOCOL);
    ws.binaryType = "arraybuffer";
    const timer = setTimeout(() => ws.close(), CONNECT_MS);
    const end = () => {
      clearTimeout(timer);
      resolve({ enrolled: enrolment.enrolled ?? null, error: enrolment.result?.error ?? 0 });
    };
    ws.addEventListener("open", () =>
      ws.send(enrolment.start(code, publicKey, name) as Uint8Array<ArrayBuffer>),
    );
    ws.addEventListener("message", (e: MessageEvent) => {
      try {
        enrolment.receive(new Uint8Array(e.data as ArrayBuffer));
      } catch {
        // a fault of this program: as if no answer had come
      }
      ws.close(1000);
      end();
    });
    ws.addEventListener("close", end);
    ws.addEventListener("error", end);
  });
}
