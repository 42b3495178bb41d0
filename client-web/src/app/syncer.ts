// Sending and receiving, by one tab of all that are open: who holds the lock "sync" owns it until that
// tab ends, then the next one has it. The owner stays connected (live); the others tell it what they
// want and hear how it goes.
import type { Notice, SyncStatus } from "./api.ts";
import { errorOfNumber } from "../proto/error.ts";
import { retryDelayMs } from "../proto/enrol.ts";
import type { Id } from "../proto/name.ts";
import type { Event, Identity, Ports } from "../proto/session.ts";
import type { Channel, Env } from "./env.ts";
import { BROKEN, OFFLINE, UNREACHABLE, storageError, syncNotice } from "./errors.ts";
import { Connection, type Ended, type Handlers } from "./wire.ts";

const FAULT_RETRY_S = 60; // after a fault of this program or its store: not at once
const REFUSED_RETRY_S = 15 * 60; // after an answer that time alone hardly mends
/** Sessions without a pause between them, one for each log: two servers that answer in turns end here. */
const IN_A_ROW = 16;
const WANT_MS = 70_000;
const DEAD_MS = 60_000;

/** What the store and the enrolment say, read anew for each session. */
export interface Line {
  url: string;
  identity: Identity;
  ports: Ports;
}
export interface Counts {
  unsent: number;
  looks: number;
  noted: number;
  unsafe: number;
  attention: number;
  allSentAt: number | null;
  lastSync: number | null;
}
export interface SyncerPorts {
  env: Env;
  channel: Channel;
  line(): Promise<Line | null>;
  counts(): Promise<Counts>;
  /** everything that was to be sent and received has been */
  synced(allSent: boolean): Promise<void>;
  clock(offsetMs: number, suspect: boolean): void;
  /** the number of the error with which a session ended */
  ended(error: number): Promise<void>;
  status(status: SyncStatus): void;
  /** what goes over the wire, for tests */
  tap?: Pick<Handlers, "sent" | "received">;
}
type Live = Pick<SyncStatus, "state" | "progress" | "nextTry" | "error">;
type Message =
  { is: "want" } | { is: "appended" } | { is: "who" } | { is: "status"; live: Live; served: number };

const QUIET: Live = { state: "idle", progress: null, nextTry: null, error: null };

export class Syncer {
  readonly #p: SyncerPorts;
  readonly #stop = new AbortController();
  #owner = false;
  #live: Live = QUIET;
  /** how often a wish was answered, with success or not */
  #served = 0;
  readonly #waiting = new Set<() => void>();
  #connection: Connection | null = null;
  #failures = 0;
  #turn = 0;
  #heardMs = 0;
  #row = 0;
  /** old logs that did not get through just now: the others come before them */
  readonly #skip = new Set<Id>();
  /** what keeps this session from pushing */
  #blocked: { error: number; retryS: number } | null = null;
  #pause: (() => void) | undefined;
  #unwake: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(ports: SyncerPorts) {
    this.#p = ports;
    ports.channel.listen((m) => this.#hear(m as Message));
  }
  start(): void {
    this.#unwake = this.#p.env.onWake(() => this.#wake());
    this.#running = this.#p.env
      .lock("sync", () => this.#own(), { signal: this.#stop.signal })
      .catch(() => undefined); // stopped before it owned anything
    this.#post({ is: "who" });
    void this.#tell(this.#live);
  }
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#unwake?.();
    this.#connection?.stop();
    this.#pause?.();
    await this.#running;
  }
  get isOwner(): boolean {
    return this.#owner;
  }

  /** An entry was added, here or in another tab. */
  appended(): void {
    void this.#tell(this.#live);
    if (!this.#owner) return this.#post({ is: "appended" });
    if (this.#connection) this.#connection.changed();
    else if (this.#failures === 0) this.#pause?.();
  }
  /** Now, whatever the waiting time. Resolves when it has been tried. */
  now(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, WANT_MS);
      this.#waiting.add(done);
      if (this.#owner) void this.#want();
      else this.#post({ is: "want" });
    });
  }
  /** Counts have changed. */
  refresh(): void {
    void this.#tell(this.#live);
  }

  // -- between tabs -------------------------------------------------------------------------------------

  #post(m: Message): void {
    this.#p.channel.post(m);
  }
  #hear(m: Message): void {
    if (m.is === "status" && !this.#owner) {
      if (m.served !== this.#served) for (const done of [...this.#waiting]) done();
      this.#served = m.served;
      void this.#tell(m.live);
    } else if (!this.#owner) return;
    else if (m.is === "want") void this.#want();
    else if (m.is === "appended") this.appended();
    else if (m.is === "who") this.#post({ is: "status", live: this.#live, served: this.#served });
  }
  /** Counts that were read before something newer happened are told to nobody. */
  async #tell(live: Live): Promise<void> {
    const turn = ++this.#turn;
    this.#live = live;
    if (this.#owner) this.#post({ is: "status", live, served: this.#served });
    try {
      const counts = await this.#p.counts();
      if (turn !== this.#turn) return;
      this.#p.status({ ...counts, ...this.#live, online: this.#p.env.online() });
    } catch (e) {
      if (!this.#stop.signal.aborted) throw e; // the store was closed meanwhile
    }
  }
  #serve(): void {
    this.#served++;
    for (const done of [...this.#waiting]) done();
  }
  async #want(): Promise<void> {
    if (!this.#connection) return this.#pause?.();
    const { unsent } = await this.#p.counts();
    if (this.#live.state === "live" && unsent === 0) {
      this.#serve();
      return this.#tell(this.#live);
    }
    this.#connection?.changed();
  }
  /** Online again, or looked at again: a link that was silent for long may be dead. */
  #wake(): void {
    if (!this.#owner) return;
    if (this.#connection && this.#p.env.nowMs() - this.#heardMs > DEAD_MS) this.#connection.stop();
    this.#pause?.();
    void this.#tell(this.#live);
  }

  // -- the owner's loop ---------------------------------------------------------------------------------

  async #own(): Promise<void> {
    this.#owner = true;
    while (!this.#stop.signal.aborted) {
      const line = await this.#p.line();
      if (!line) await this.#wait(null);
      else {
        const ended = await this.#run(line);
        await this.#after(ended);
      }
    }
    this.#owner = false;
  }
  async #run(line: Line): Promise<Ended> {
    await this.#tell({ ...QUIET, state: "connecting", error: this.#live.error });
    this.#blocked = null;
    this.#heardMs = this.#p.env.nowMs();
    const handlers: Handlers = {
      events: (events) => void this.#events(connection, events).catch((e) => connection.fail(e)),
      sent: this.#p.tap?.sent,
      received: (frame) => {
        this.#heardMs = this.#p.env.nowMs();
        if (this.#live.state === "connecting")
          void this.#tell({ ...this.#live, state: "syncing", progress: 0 });
        this.#p.tap?.received?.(frame);
      },
    };
    const { url, identity, ports } = line;
    const connection = new Connection(this.#p.env, url, identity, ports, handlers, new Set(this.#skip));
    this.#connection = connection;
    if (this.#stop.signal.aborted) connection.stop();
    const ended = await connection.ended;
    this.#connection = null;
    return ended;
  }
  async #events(connection: Connection, events: Event[]): Promise<void> {
    for (const e of events) {
      if (e.is === "clock") this.#p.clock(e.offsetMs, e.suspect);
      if (e.is === "acked") {
        const progress = Math.min(1, Math.max(0, e.upTo - e.from) / Math.max(1, e.total - e.from));
        await this.#tell({ ...this.#live, state: "syncing", progress });
      }
      if (e.is === "blocked") this.#blocked = e;
      if (e.is === "synced") await this.#synced(connection);
    }
  }
  async #synced(connection: Connection): Promise<void> {
    if (this.#blocked) return connection.stop(); // all that comes has come
    this.#failures = 0;
    const { unsent } = await this.#p.counts();
    await this.#p.synced(unsent === 0);
    if (connection.goesOn) return; // what it was wanted for is not done yet
    if (unsent === 0) connection.calm();
    this.#serve();
    await this.#tell({ state: "live", progress: null, nextTry: null, error: null });
  }
  async #after({ result, opened, fault, old }: Ended): Promise<void> {
    if (this.#stop.signal.aborted) return;
    if (old === null) this.#skip.clear();
    else if (!result?.synced) this.#skip.add(old);
    if (result?.more && !fault && !this.#blocked && ++this.#row < IN_A_ROW) return;
    this.#row = 0;
    const error = result?.error || this.#blocked?.error || 0;
    await this.#p.ended(error);
    const asked = result !== null && error === 0 && !fault && !this.#blocked;
    if (!asked) this.#failures++;
    const retryS = this.#retryS(error, fault, Math.max(result?.retryS ?? 0, this.#blocked?.retryS ?? 0));
    const wait = retryDelayMs(retryS, Math.max(1, this.#failures), this.#p.env.jitter());
    this.#serve();
    await this.#wait(wait, asked ? this.#live.error : this.#noticeOf(error, opened, fault));
  }
  #retryS(error: number, fault: unknown, retryS: number): number {
    const slug = errorOfNumber(error);
    if (slug === "version" || slug === "auth" || slug === "foreign" || slug === "revoked")
      return Math.max(retryS, REFUSED_RETRY_S);
    if (fault || slug === "format" || slug === "limit" || slug === "state")
      return Math.max(retryS, FAULT_RETRY_S);
    return retryS;
  }
  #noticeOf(error: number, opened: boolean, fault: unknown): Notice {
    if (fault) {
      const { code, text, todo } = storageError(fault);
      return { code, text, todo };
    }
    return syncNotice(error) ?? (!this.#p.env.online() ? OFFLINE : opened ? BROKEN : UNREACHABLE);
  }
  /** Until the time has passed, or somebody wants it sooner. null: until somebody wants it. */
  async #wait(ms: number | null, error: Notice | null = null): Promise<void> {
    if (this.#stop.signal.aborted) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waited = new Promise<void>((resolve) => {
      this.#pause = resolve;
      if (ms !== null) timer = setTimeout(resolve, ms);
    });
    const nextTry = ms === null ? null : Math.ceil((this.#p.env.nowMs() + ms) / 1000);
    await this.#tell({ state: ms === null ? "idle" : "waiting", progress: null, nextTry, error });
    await waited;
    clearTimeout(timer);
    this.#pause = undefined;
  }
}
