// The tablet, whoever works on it: opening, what is told when something changes, enrolment, syncing, settings.
import type {
  AppError,
  Change,
  Clock,
  Device,
  DeviceState,
  ExportFile,
  Id,
  Notice,
  Person,
  Settings,
  SyncStatus,
  Unsubscribe,
  UpdateStatus,
} from "./api.ts";
import { errorNumber, errorOfNumber } from "../proto/error.ts";
import { type LogState, isUnsent } from "../proto/log.ts";
import type { Name } from "../proto/name.ts";
import { isOlder, sing, wasEnrolled } from "./canary.ts";
import { makeClock } from "./clock.ts";
import { type Core, keepEnrolment, makeSecrets, openCore } from "./core.ts";
import { type Db, NewerDatabase, openDatabase, readMeta, writeMeta } from "./db.ts";
import { dropOldDrafts } from "./drafts.ts";
import type { Channel, Env } from "./env.ts";
import { NEWER_APP, STORE_LOST, appError, noticeOf, stored } from "./errors.ts";
import { exportUnsent } from "./export.ts";
import { leaseAt, renewed, seen as seenAt } from "./lease.ts";
import type { Shell } from "./shell.ts";
import { Syncer } from "./syncer.ts";
import { enrolOver } from "./wire.ts";

const MINUTE_MS = 60_000;
const LOOKS_EVERY_MS = 15 * MINUTE_MS;
const SETTINGS: Settings = { lang: "nl", theme: "system", idleLockS: 120, team: null };
const NO_SYNC: SyncStatus = {
  unsent: 0,
  looks: 0,
  noted: 0,
  unsafe: 0,
  attention: 0,
  state: "idle",
  progress: null,
  allSentAt: null,
  lastSync: null,
  nextTry: null,
  error: null,
  online: true,
};
type What = Change["what"] extends ReadonlySet<infer T> ? T : never;
/** What tabs tell each other, besides the syncer's own. */
export type Told =
  | { is: "changed"; names: Name[] | null }
  | { is: "settings" | "device" | "people" }
  /** this tab is closed; the share for those that are, in memory only */
  | { is: "closed" }
  | { is: "share"; share: Uint8Array | null };

export interface AppPorts {
  env: Env;
  shell: Shell;
  version: string;
  /** database of this engine, when it is not the tablet's */
  store?: string;
  /** frames of syncs, for tests */
  tap?: { sent?(frame: Uint8Array): void; received?(frame: Uint8Array): void };
}

export abstract class Tablet {
  protected readonly env: Env;
  readonly #p: AppPorts;
  readonly version: string;
  readonly offeredCode: string | null;
  protected db: Db | null = null;
  protected core: Core | null = null;
  #syncer: Syncer | null = null;
  #channel: Channel | null = null;
  protected storeChannel: Channel | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #listeners = new Set<(change: Change) => void>();
  #pending: { what: Set<What>; records: Set<Id> | null } | null = null;
  /** caches follow the store one after the other */
  #refreshes: Promise<void> = Promise.resolve();

  protected state: DeviceState = "new";
  #mustUpdate = false;
  #persistent = false;
  #clockOffS = 0;
  #leaseDays: number | null = null;
  protected who: Person | null = null;
  #settings: Settings = SETTINGS;
  protected status: SyncStatus = NO_SYNC;
  /** when this page last knew that the server knows the tablet; 0 never */
  protected freshMs = 0;
  /** when looks were last handed over */
  #looksMs = 0;

  constructor(ports: AppPorts) {
    this.#p = ports;
    this.env = ports.env;
    this.version = ports.version;
    this.offeredCode = ports.shell.takeCode();
    ports.shell.onChange(() => this.say("update"));
  }

  // -- opening ------------------------------------------------------------------------------------------

  async open(): Promise<this> {
    try {
      this.db = await openDatabase(
        () => this.#newer(),
        () => void this.close(),
        this.#p.store,
      );
    } catch (e) {
      if (!(e instanceof NewerDatabase)) throw appError("storage", e);
      this.state = "newer_app_elsewhere";
      return this;
    }
    this.#settings = { ...SETTINGS, ...(await readMeta(this.db, "settings")) };
    this.storeChannel = this.env.channel("overdracht-store");
    this.storeChannel.listen((m) => this.#told(m as Told));
    await this.#openCore();
    if (this.core) this.#persistent = await this.env.persist();
    this.#timer = setInterval(() => void this.#tick(), MINUTE_MS);
    return this;
  }
  async #openCore(): Promise<void> {
    const db = this.db!;
    this.core = await openCore(this.env, db, {
      changed: (names) => this.#storeChanged(names),
      appended: (log, look) => this.#appended(log, look),
      opened: (share) => this.#opened(share),
    });
    if (!this.core) {
      this.state = wasEnrolled(this.env.marks) ? "store_lost" : "new";
      return;
    }
    await this.#lookAtCanary(this.core);
    await dropOldDrafts(db, this.env.nowMs());
    await this.#judgeState();
    if (this.state === "closed") this.storeChannel?.post({ is: "closed" } satisfies Told);
    this.#channel = this.env.channel("overdracht-sync");
    this.#syncer = new Syncer({
      env: this.env,
      channel: this.#channel,
      line: async () => {
        const core = this.core;
        if (!core || this.state === "newer_app_elsewhere") return null;
        if (this.state === "revoked" && !(await logs(core)).some(isUnsent)) return null;
        const { url, device, organisation, serverName, serverKey } = core.identity;
        return { url, identity: { device, organisation, serverName, serverKey }, ports: core.ports };
      },
      counts: () => this.#counts(),
      synced: (all) => this.#synced(all),
      clock: (offsetMs, suspect) => this.#noteClock(offsetMs, suspect),
      ended: (error) => this.#sessionEnded(error),
      status: (status) => this.#noteSync(status),
      tap: this.#p.tap,
    });
    this.#syncer.start();
  }
  /** A restored copy of an older store starts a new log, at once if the old one has nothing left to send.
   *  With  entries left, the next sync finds the double by itself (PROTO-58). */
  async #lookAtCanary(core: Core): Promise<void> {
    const log = await core.store.log();
    if (isOlder(this.env.marks, log)) await core.startNewLog();
    sing(this.env.marks, await core.store.log());
  }
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#syncer?.stop();
    await this.#refreshes;
    this.#syncer = null;
    this.#channel?.close();
    this.storeChannel?.close();
    this.#channel = this.storeChannel = null;
    this.core = null;
    this.db?.close();
  }
  #newer(): void {
    this.state = "newer_app_elsewhere";
    void this.#syncer?.stop();
    this.#syncer = null;
    this.say("device");
  }

  // -- telling ------------------------------------------------------------------------------------------

  onChange(listener: (change: Change) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  /** Once for all that changes in one turn. */
  protected say(what: What, records: ReadonlySet<Id> | null = new Set()): void {
    if (!this.#pending) {
      this.#pending = { what: new Set(), records: new Set() };
      queueMicrotask(() => {
        const change = this.#pending!;
        this.#pending = null;
        for (const l of [...this.#listeners]) l(change);
      });
    }
    this.#pending.what.add(what);
    if (records === null) this.#pending.records = null;
    else for (const r of records) this.#pending.records?.add(r);
  }
  /** The store changed, in this tab. */
  #storeChanged(names: ReadonlySet<Name> | null): void {
    this.storeChannel?.post({ is: "changed", names: names && [...names] } satisfies Told);
    this.#follow(names, true);
  }
  #follow(names: ReadonlySet<Name> | null, own: boolean): void {
    this.#refreshes = this.#refreshes.then(async () => {
      const core = this.core;
      if (!core) return;
      try {
        const fresh = await core.directory.refresh(names);
        if (fresh.kinds.length) {
          this.say("kinds");
          if (own) void core.store.reindex(fresh.kinds).catch(() => undefined); // made again at the next open
        }
        if (fresh.changed) this.say("people");
        this.#checkPerson(core);
      } catch {
        // closed meanwhile; what is read next says what is wrong
      }
      this.say("records", names);
      this.#syncer?.refresh();
    });
  }
  /** The share came with a sync of this tab: the other tabs need it too. */
  async #opened(share: Uint8Array | null): Promise<void> {
    this.storeChannel?.post({ is: "share", share } satisfies Told);
    if (this.core) await this.#judgeState();
    this.#storeChanged(null);
  }
  async #unlock(share: Uint8Array | null): Promise<void> {
    const core = this.core;
    if (!core) return;
    await core.unlock(share);
    await this.#judgeState();
    this.#follow(null, false);
  }
  #told(m: Told): void {
    if (m.is === "changed") return this.#follow(m.names && new Set(m.names), false);
    if (m.is === "share") return void this.#unlock(m.share).catch(() => undefined); // its own sync says what is wrong
    if (m.is === "closed") {
      const share = this.core?.sealer.share;
      if (share) this.storeChannel?.post({ is: "share", share } satisfies Told);
      return;
    }
    void this.#reread(m.is);
  }
  async #reread(what: "settings" | "device" | "people"): Promise<void> {
    if (!this.db) return;
    this.#settings = { ...SETTINGS, ...(await readMeta(this.db, "settings")) };
    if (what === "device" && !this.core) await this.#openCore();
    if (this.core) await this.#judgeState();
    this.say(what);
  }

  // -- the tablet ---------------------------------------------------------------------------------------

  get device(): Device {
    const core = this.core;
    return {
      state: this.state,
      name: core?.identity.deviceName ?? "",
      organisation: core?.directory.organisation() ?? "",
      zone: core?.identity.zone ?? "UTC",
      clockOffS: this.#clockOffS,
      mustUpdate: this.#mustUpdate,
      persistent: this.#persistent,
      leaseDays: this.#leaseDays,
      entryOnly: this.entryOnly,
      notice: this.#notice(),
    };
  }
  #notice(): Notice | null {
    if (this.state === "store_lost") return STORE_LOST;
    if (this.state === "newer_app_elsewhere") return NEWER_APP;
    if (this.state === "lease_over") return { ...noticeOf("locked"), code: "lease_over" };
    if (this.state === "closed") return noticeOf("closed");
    return this.state === "revoked" ? noticeOf("revoked") : null;
  }
  get clock(): Clock {
    return this.core?.clock ?? makeClock("UTC", () => Math.floor(this.env.nowMs() / 1000));
  }
  async #judgeState(): Promise<void> {
    const core = this.core!;
    const before = this.state;
    const entered = this.entryOnly;
    const lease = await readMeta(core.db, "lease");
    const correctedMs = this.env.nowMs() + core.offsetMs;
    const left = lease ? leaseAt(lease, correctedMs, core.directory.leaseDays()) : { over: true, days: 0 };
    this.#leaseDays = left.days;
    if (lease && correctedMs > lease.highMs + MINUTE_MS)
      await writeMeta(core.db, "lease", seenAt(lease, correctedMs));
    const revoked = await readMeta(core.db, "revoked");
    const open = left.over ? "lease_over" : "ready";
    this.state = revoked ? "revoked" : core.sealer.closed ? "closed" : open;
    if (this.state === before) return;
    // what is on the screen is no longer to be seen; who makes an entry while nothing is shown goes on with it
    if (this.state !== "ready" && !(entered && this.entryOnly)) this.lock();
    this.say("device");
  }
  async #tick(): Promise<void> {
    if (!this.core || this.state === "newer_app_elsewhere") return;
    await this.#judgeState().catch(() => undefined);
    if (this.status.state === "live") await this.#handLooksOver(this.core).catch(() => undefined);
    this.say("clock");
  }

  async enrol(code: string, tabletName: string, url = this.env.defaultUrl): Promise<void> {
    const db = this.db;
    if (!db) throw appError("storage");
    if (this.core && this.state !== "revoked") throw appError("code_wrong");
    await this.#syncer?.stop();
    const secrets = await makeSecrets();
    const { enrolled, error } = await enrolOver(this.env, url, code, secrets.devicePublic, tabletName);
    if (!enrolled) {
      const slug = errorOfNumber(error);
      throw appError(
        slug === "code" ? "code_wrong" : slug === "version" ? "version" : error ? "server" : "offline",
      );
    }
    await keepEnrolment(db, secrets, enrolled, { url, deviceName: tabletName, nowMs: this.env.nowMs() });
    this.core = null;
    this.#persistent = await this.env.persist();
    await this.#openCore();
    this.say("device");
    this.storeChannel?.post({ is: "device" } satisfies Told);
    await this.syncNow();
  }

  // -- syncing ------------------------------------------------------------------------------------------

  get sync(): SyncStatus {
    return this.status;
  }
  #noteSync(status: SyncStatus): void {
    this.status = status;
    this.say("sync");
  }
  async #counts(): Promise<Omit<SyncStatus, "state" | "progress" | "nextTry" | "error" | "online">> {
    const core = this.core;
    if (!core) return NO_SYNC;
    const [own, looks, noted, stranded, allSentMs, lastMs] = await Promise.all([
      logs(core),
      readMeta(core.db, "unsentLooks"),
      core.looks.noted(),
      readMeta(core.db, "stranded"),
      readMeta(core.db, "allSentAt"),
      readMeta(core.db, "lastSync"),
    ]);
    const scopes = this.entryOnly ? [] : core.directory.teams().map((t) => t.scope);
    const counts = await Promise.all(scopes.map((s) => core.db.countFromIndex("views", "att", s)));
    const seconds = (ms: number | undefined) => (ms === undefined ? null : Math.floor(ms / 1000));
    return {
      unsent: own.reduce((n, log) => n + log.seq - log.acked, stranded ?? 0),
      looks: looks ?? 0,
      noted,
      unsafe: own.reduce((n, log) => n + Math.max(0, log.acked - log.safe), 0),
      attention: counts.reduce((a, b) => a + b, 0),
      allSentAt: seconds(allSentMs),
      lastSync: seconds(lastMs),
    };
  }
  #appended(log: LogState, look: boolean): void {
    sing(this.env.marks, log);
    // at once, so that no footer says 'all sent' beside what was just saved; counted anew just after
    const { unsent, looks, noted } = this.status;
    const counts = look ? { looks: looks + 1, noted: Math.max(0, noted - 1) } : {};
    this.#noteSync({ ...this.status, unsent: unsent + 1, ...counts });
    this.#syncer?.appended();
  }
  async #synced(allSent: boolean): Promise<void> {
    const core = this.core;
    if (!core) return;
    const nowMs = this.env.nowMs() + core.offsetMs;
    this.freshMs = this.env.nowMs();
    await writeMeta(core.db, "lease", renewed(nowMs));
    await writeMeta(core.db, "lastSync", nowMs);
    // what was acknowledged of an old log may have been on a server that is no more
    const asked = (await core.store.oldLogs()).every((o) => o.askedMs);
    if (allSent && asked) await writeMeta(core.db, "allSentAt", nowMs);
    await core.keepSafe(nowMs);
    await core.confirmErasures(Math.floor(this.env.nowMs() / 1000));
    await this.#handLooksOver(core);
    this.#mustUpdate = false;
    await this.#judgeState();
    this.storeChannel?.post({ is: "device" } satisfies Told);
  }
  /** Once a session, and in a long one now and then. */
  async #handLooksOver(core: Core): Promise<void> {
    const now = this.env.nowMs();
    if (Math.abs(now - this.#looksMs) < LOOKS_EVERY_MS) return;
    this.#looksMs = now;
    await core.looks.handOver();
  }
  /** A look was noted: it counts at once. */
  protected looked(): void {
    this.#syncer?.refresh();
  }
  #noteClock(offsetMs: number, suspect: boolean): void {
    if (this.core) this.core.offsetMs = offsetMs;
    this.#clockOffS = suspect ? Math.round(-offsetMs / 1000) : 0;
    this.say("clock");
    this.say("device");
  }
  async #sessionEnded(error: number): Promise<void> {
    if (error === errorNumber("version")) {
      this.#mustUpdate = true;
      this.#p.shell.check();
    }
    this.#looksMs = 0;
    if (!this.core) return;
    await this.#judgeState();
    if (this.state === "revoked") {
      await this.core.directory.load();
      this.say("records", null);
    }
    this.say("device");
    this.storeChannel?.post({ is: "device" } satisfies Told);
  }
  /** Who asks for it, or ends a shift, wants all of it sent: looks that would have waited for others, too. */
  async syncNow(): Promise<void> {
    this.#looksMs = 0;
    if (this.core && this.status.state === "live")
      await this.#handLooksOver(this.core).catch(() => undefined);
    await this.#syncer?.now();
    await this.#refreshes; // what came is known
  }
  /** PROTO-54, PROTO-85. Not while the store is closed: what would be sent cannot be read. */
  async offerAgain(): Promise<void> {
    const core = this.enrolled();
    if (this.state !== "ready") throw this.notShown();
    await stored(() => core.store.apply([{ to: "again" }]));
    this.#syncer?.appended();
  }
  async endShift(): Promise<void> {
    this.lock();
    await this.syncNow();
  }
  async exportUnsent(): Promise<ExportFile> {
    const core = this.core;
    if (!core) throw appError("not_enrolled");
    return exportUnsent(core);
  }

  // -- who works on it ------------------------------------------------------------------------------------

  get person(): Person | null {
    return this.who;
  }
  protected enrolled(): Core {
    if (!this.core) throw appError("not_enrolled");
    if (this.state === "revoked") throw appError("revoked");
    return this.core;
  }
  /** PROTO-162, PROTO-164: new entries are taken, kept and sent; nothing is shown of what was recorded. */
  protected get entryOnly(): boolean {
    return this.state === "lease_over" || this.state === "closed";
  }
  protected notShown(): AppError {
    return appError(this.state === "closed" ? "closed" : "locked");
  }
  /** What a new entry needs: people, labels of clients, forms. */
  protected entering(): Core {
    const core = this.enrolled();
    if (!this.who) throw appError("not_signed_in");
    return core;
  }
  /** What shows anything that was recorded, and what changes it. */
  protected reading(): Core {
    this.enrolled();
    if (this.entryOnly) throw this.notShown();
    return this.entering();
  }
  /** Somebody who has left, or whose client's team changed, works on no longer. */
  #checkPerson(core: Core): void {
    if (this.who && !core.directory.isActivePerson(this.who.id)) this.lock();
  }
  lock(): void {
    if (!this.who) return;
    this.who = null;
    this.say("person");
  }

  // -- settings, updates --------------------------------------------------------------------------------

  get settings(): Settings {
    return this.#settings;
  }
  async set(change: Partial<Settings>): Promise<void> {
    if (!this.db) throw appError("storage");
    const next = { ...this.#settings, ...change };
    await stored(() => writeMeta(this.db!, "settings", next));
    this.#settings = next;
    this.say("settings");
    this.storeChannel?.post({ is: "settings" } satisfies Told);
  }
  get update(): UpdateStatus {
    return this.#p.shell.status();
  }
  applyUpdate(): void {
    this.#p.shell.apply();
  }
}

const logs = async (core: Core): Promise<LogState[]> => [
  await core.store.log(),
  ...(await core.store.oldLogs()),
];
