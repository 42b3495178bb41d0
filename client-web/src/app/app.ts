// The engine as the screens have it: each method checks who may, asks the parts, and says what changed.
import type {
  App,
  BoardLine,
  Change,
  Choice,
  Client,
  Clock,
  Device,
  DeviceState,
  Draft,
  ExportFile,
  FieldInfo,
  Id,
  Judgement,
  KindInfo,
  Notice,
  Person,
  Query,
  RecordView,
  Settings,
  SignIn,
  SyncStatus,
  Team,
  Unsubscribe,
  UpdateStatus,
  Value,
  Values,
} from "./api.ts";
import { AppError } from "./api.ts";
import { LIMITS } from "../proto/generated.ts";
import { OvError, errorNumber, errorOfNumber } from "../proto/error.ts";
import type { LogState } from "../proto/log.ts";
import type { Name } from "../proto/name.ts";
import { FIELD_RETRACTED } from "../proto/op.ts";
import { type Rec, retracted } from "../proto/record.ts";
import { type Kind, TYPE } from "../proto/schema.ts";
import { isOlder, sing, wasEnrolled } from "./canary.ts";
import { makeClock } from "./clock.ts";
import { type Core, keepEnrolment, makeSecrets, openCore } from "./core.ts";
import { type Db, NewerDatabase, openDatabase, readMeta, writeMeta } from "./db.ts";
import { dropOldDrafts, keepDraft, readDrafts } from "./drafts.ts";
import type { Channel, Env } from "./env.ts";
import { NEWER_APP, STORE_LOST, appError, noticeOf, storageError } from "./errors.ts";
import { exportUnsent } from "./export.ts";
import { judge } from "./kinds.ts";
import { leaseAt, renewed, seen as seenAt } from "./lease.ts";
import { pinProblem, setPin, tryPin, waitMs } from "./pins.ts";
import * as ask from "./records.ts";
import type { Shell } from "./shell.ts";
import { Syncer } from "./syncer.ts";
import { enrolOver } from "./wire.ts";
import { type OpDraft, type Who, createOp, editOp, keepOp, retractOp } from "./writing.ts";

const MINUTE_MS = 60_000;
const FRESH_SYNC_MS = 15 * MINUTE_MS;
const HOUR_S = 3600;
const LOOKS_EVERY_MS = 15 * MINUTE_MS;
const SETTINGS: Settings = { lang: "nl", theme: "system", idleLockS: 120, team: null };
const NO_SYNC: SyncStatus = {
  unsent: 0,
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
type Told = { is: "changed"; names: Name[] | null } | { is: "settings" | "device" | "people" };

export interface AppPorts {
  env: Env;
  shell: Shell;
  version: string;
  /** database of this engine, when it is not the tablet's */
  store?: string;
  /** frames of syncs, for tests */
  tap?: { sent?(frame: Uint8Array): void; received?(frame: Uint8Array): void };
}

export class Engine implements App {
  readonly #env: Env;
  readonly #p: AppPorts;
  readonly version: string;
  readonly offeredCode: string | null;
  #db: Db | null = null;
  #core: Core | null = null;
  #syncer: Syncer | null = null;
  #channel: Channel | null = null;
  #storeChannel: Channel | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #listeners = new Set<(change: Change) => void>();
  #pending: { what: Set<What>; records: Set<Id> | null } | null = null;
  /** caches follow the store one after the other */
  #refreshes: Promise<void> = Promise.resolve();

  #state: DeviceState = "new";
  #mustUpdate = false;
  #persistent = false;
  #clockOffS = 0;
  #leaseDays: number | null = null;
  #person: Person | null = null;
  #settings: Settings = SETTINGS;
  #sync: SyncStatus = NO_SYNC;
  /** when this page last knew that the server knows the tablet; 0 never */
  #freshMs = 0;
  /** when looks were last handed over */
  #looksMs = 0;

  constructor(ports: AppPorts) {
    this.#p = ports;
    this.#env = ports.env;
    this.version = ports.version;
    this.offeredCode = ports.shell.takeCode();
    ports.shell.onChange(() => this.#say("update"));
  }

  // -- opening ------------------------------------------------------------------------------------------

  async open(): Promise<this> {
    try {
      this.#db = await openDatabase(
        () => this.#newer(),
        () => void this.close(),
        this.#p.store,
      );
    } catch (e) {
      if (!(e instanceof NewerDatabase)) throw appError("storage", e);
      this.#state = "newer_app_elsewhere";
      return this;
    }
    this.#settings = { ...SETTINGS, ...(await readMeta(this.#db, "settings")) };
    this.#storeChannel = this.#env.channel("overdracht-store");
    this.#storeChannel.listen((m) => this.#told(m as Told));
    await this.#openCore();
    if (this.#core) this.#persistent = await this.#env.persist();
    this.#timer = setInterval(() => void this.#tick(), MINUTE_MS);
    return this;
  }
  async #openCore(): Promise<void> {
    const db = this.#db!;
    this.#core = await openCore(this.#env, db, {
      changed: (names) => this.#storeChanged(names),
      appended: (log) => this.#appended(log),
    });
    if (!this.#core) {
      this.#state = wasEnrolled(this.#env.marks) ? "store_lost" : "new";
      return;
    }
    await this.#lookAtCanary(this.#core);
    await dropOldDrafts(db, this.#env.nowMs());
    await this.#judgeState();
    this.#channel = this.#env.channel("overdracht-sync");
    this.#syncer = new Syncer({
      env: this.#env,
      channel: this.#channel,
      line: async () => {
        const core = this.#core;
        if (!core || this.#state === "revoked" || this.#state === "newer_app_elsewhere") return null;
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
    if (isOlder(this.#env.marks, log)) await core.startNewLog();
    sing(this.#env.marks, await core.store.log());
  }
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#syncer?.stop();
    await this.#refreshes;
    this.#syncer = null;
    this.#channel?.close();
    this.#storeChannel?.close();
    this.#channel = this.#storeChannel = null;
    this.#core = null;
    this.#db?.close();
  }
  #newer(): void {
    this.#state = "newer_app_elsewhere";
    void this.#syncer?.stop();
    this.#syncer = null;
    this.#say("device");
  }

  // -- telling ------------------------------------------------------------------------------------------

  onChange(listener: (change: Change) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  /** Once for all that changes in one turn. */
  #say(what: What, records: ReadonlySet<Id> | null = new Set()): void {
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
    this.#storeChannel?.post({ is: "changed", names: names && [...names] } satisfies Told);
    this.#follow(names, true);
  }
  #follow(names: ReadonlySet<Name> | null, own: boolean): void {
    this.#refreshes = this.#refreshes.then(async () => {
      const core = this.#core;
      if (!core) return;
      try {
        const fresh = await core.directory.refresh(names);
        if (fresh.kinds.length) {
          this.#say("kinds");
          if (own) void core.store.reindex(fresh.kinds).catch(() => undefined); // made again at the next open
        }
        if (fresh.changed) this.#say("people");
        this.#checkPerson(core);
      } catch {
        // closed meanwhile; what is read next says what is wrong
      }
      this.#say("records", names);
      this.#syncer?.refresh();
    });
  }
  #told(m: Told): void {
    if (m.is === "changed") return this.#follow(m.names && new Set(m.names), false);
    void this.#reread(m.is);
  }
  async #reread(what: "settings" | "device" | "people"): Promise<void> {
    if (!this.#db) return;
    this.#settings = { ...SETTINGS, ...(await readMeta(this.#db, "settings")) };
    if (what === "device" && !this.#core) await this.#openCore();
    if (this.#core) await this.#judgeState();
    this.#say(what);
  }

  // -- the tablet ---------------------------------------------------------------------------------------

  get device(): Device {
    const core = this.#core;
    return {
      state: this.#state,
      name: core?.identity.deviceName ?? "",
      organisation: core?.directory.organisation() ?? "",
      zone: core?.identity.zone ?? "UTC",
      clockOffS: this.#clockOffS,
      mustUpdate: this.#mustUpdate,
      persistent: this.#persistent,
      leaseDays: this.#leaseDays,
      notice: this.#notice(),
    };
  }
  #notice(): Notice | null {
    if (this.#state === "store_lost") return STORE_LOST;
    if (this.#state === "newer_app_elsewhere") return NEWER_APP;
    if (this.#state === "lease_over") return { ...noticeOf("locked"), code: "lease_over" };
    return this.#state === "revoked" ? noticeOf("revoked") : null;
  }
  get clock(): Clock {
    return this.#core?.clock ?? makeClock("UTC", () => Math.floor(this.#env.nowMs() / 1000));
  }
  async #judgeState(): Promise<void> {
    const core = this.#core!;
    const before = this.#state;
    const lease = await readMeta(core.db, "lease");
    const correctedMs = this.#env.nowMs() + core.offsetMs;
    const left = lease ? leaseAt(lease, correctedMs, core.directory.leaseDays()) : { over: true, days: 0 };
    this.#leaseDays = left.days;
    if (lease && correctedMs > lease.highMs + MINUTE_MS)
      await writeMeta(core.db, "lease", seenAt(lease, correctedMs));
    const revoked = await readMeta(core.db, "revoked");
    this.#state = revoked ? "revoked" : left.over ? "lease_over" : "ready";
    if (this.#state !== "ready" && this.#person) this.lock();
    if (this.#state !== before) this.#say("device");
  }
  async #tick(): Promise<void> {
    if (!this.#core || this.#state === "newer_app_elsewhere") return;
    await this.#judgeState().catch(() => undefined);
    if (this.#sync.state === "live") await this.#handLooksOver(this.#core).catch(() => undefined);
    this.#say("clock");
  }

  async enrol(code: string, tabletName: string, url = this.#env.defaultUrl): Promise<void> {
    const db = this.#db;
    if (!db) throw appError("storage");
    if (this.#core && this.#state !== "revoked") throw appError("code_wrong");
    await this.#syncer?.stop();
    const secrets = await makeSecrets();
    const { enrolled, error } = await enrolOver(this.#env, url, code, secrets.devicePublic, tabletName);
    if (!enrolled) {
      const slug = errorOfNumber(error);
      throw appError(
        slug === "code" ? "code_wrong" : slug === "version" ? "version" : error ? "server" : "offline",
      );
    }
    await keepEnrolment(db, secrets, enrolled, { url, deviceName: tabletName, nowMs: this.#env.nowMs() });
    this.#core = null;
    this.#persistent = await this.#env.persist();
    await this.#openCore();
    this.#say("device");
    this.#storeChannel?.post({ is: "device" } satisfies Told);
    await this.syncNow();
  }

  // -- syncing ------------------------------------------------------------------------------------------

  get sync(): SyncStatus {
    return this.#sync;
  }
  #noteSync(status: SyncStatus): void {
    this.#sync = status;
    this.#say("sync");
  }
  async #counts(): Promise<Omit<SyncStatus, "state" | "progress" | "nextTry" | "error" | "online">> {
    const core = this.#core;
    if (!core) return NO_SYNC;
    const [log, stranded, allSentMs, lastMs] = await Promise.all([
      core.store.log(),
      readMeta(core.db, "stranded"),
      readMeta(core.db, "allSentAt"),
      readMeta(core.db, "lastSync"),
    ]);
    const scopes = core.directory.teams().map((t) => t.scope);
    const counts = await Promise.all(scopes.map((s) => core.db.countFromIndex("views", "att", s)));
    const seconds = (ms: number | undefined) => (ms === undefined ? null : Math.floor(ms / 1000));
    return {
      unsent: log.seq - log.acked + (stranded ?? 0),
      unsafe: Math.max(0, log.acked - log.safe),
      attention: counts.reduce((a, b) => a + b, 0),
      allSentAt: seconds(allSentMs),
      lastSync: seconds(lastMs),
    };
  }
  #appended(log: LogState): void {
    sing(this.#env.marks, log);
    this.#sync = { ...this.#sync, unsent: this.#sync.unsent + 1 }; // at once; counted anew just after
    this.#syncer?.appended();
  }
  async #synced(allSent: boolean): Promise<void> {
    const core = this.#core;
    if (!core) return;
    const nowMs = this.#env.nowMs() + core.offsetMs;
    this.#freshMs = this.#env.nowMs();
    await writeMeta(core.db, "lease", renewed(nowMs));
    await writeMeta(core.db, "lastSync", nowMs);
    if (allSent) await writeMeta(core.db, "allSentAt", nowMs);
    await core.keepSafe(nowMs);
    await core.confirmErasures(Math.floor(this.#env.nowMs() / 1000));
    await this.#handLooksOver(core);
    this.#mustUpdate = false;
    await this.#judgeState();
    this.#storeChannel?.post({ is: "device" } satisfies Told);
  }
  /** Once a session, and in a long one now and then. */
  async #handLooksOver(core: Core): Promise<void> {
    const now = this.#env.nowMs();
    if (Math.abs(now - this.#looksMs) < LOOKS_EVERY_MS) return;
    this.#looksMs = now;
    await core.looks.handOver();
  }
  #noteClock(offsetMs: number, suspect: boolean): void {
    if (this.#core) this.#core.offsetMs = offsetMs;
    this.#clockOffS = suspect ? Math.round(-offsetMs / 1000) : 0;
    this.#say("clock");
    this.#say("device");
  }
  async #sessionEnded(error: number): Promise<void> {
    if (error === errorNumber("version")) this.#mustUpdate = true;
    this.#looksMs = 0;
    if (!this.#core) return;
    await this.#judgeState();
    if (this.#state === "revoked") {
      await this.#core.directory.load();
      this.#say("records", null);
    }
    this.#say("device");
    this.#storeChannel?.post({ is: "device" } satisfies Told);
  }
  async syncNow(): Promise<void> {
    await this.#syncer?.now();
    await this.#refreshes; // what came is known
  }
  async endShift(): Promise<void> {
    this.lock();
    await this.syncNow();
  }
  async exportUnsent(): Promise<ExportFile> {
    const core = this.#core;
    if (!core) throw appError("not_enrolled");
    return exportUnsent(core);
  }

  // -- people -------------------------------------------------------------------------------------------

  get person(): Person | null {
    return this.#person;
  }
  #enrolled(): Core {
    if (!this.#core) throw appError("not_enrolled");
    if (this.#state === "revoked") throw appError("revoked");
    return this.#core;
  }
  /** What shows anything of a client. */
  #reading(): Core {
    const core = this.#enrolled();
    if (this.#state === "lease_over") throw appError("locked");
    if (!this.#person) throw appError("not_signed_in");
    return core;
  }
  async #personOf(core: Core, id: Id): Promise<Person> {
    const pin = await core.db.get("pins", id);
    const wait = pin ? Math.ceil(waitMs(pin, this.#env.nowMs()) / 1000) : 0;
    return { id, name: core.directory.nameOf(id) ?? "?", hasPin: !!pin, waitS: wait };
  }
  async people(team: Id): Promise<Person[]> {
    const core = this.#enrolled();
    if (this.#state === "lease_over") return [];
    const scope = core.directory.scopeOf(team);
    const list = scope === undefined ? [] : core.directory.people(scope);
    return Promise.all(list.map((p) => this.#personOf(core, p.id)));
  }
  async choosePin(person: Id, pin: string): Promise<void> {
    const core = this.#enrolled();
    if (this.#state === "lease_over") throw appError("locked");
    if (!core.directory.isActivePerson(person)) throw appError("person_gone");
    if (await core.db.get("pins", person)) throw appError("pin_exists");
    if (pinProblem(pin)) throw appError("pin_weak");
    if (!(await this.#isFresh(core))) throw appError("offline");
    await stored(() => setPin(core.db, person, pin));
    await this.#enter(core, person);
  }
  async #isFresh(core: Core): Promise<boolean> {
    if (this.#sync.state === "live") return true;
    const lastMs = (await readMeta(core.db, "lastSync")) ?? 0;
    const age = this.#env.nowMs() + core.offsetMs - lastMs;
    return (age >= 0 && age < FRESH_SYNC_MS) || this.#env.nowMs() - this.#freshMs < FRESH_SYNC_MS;
  }
  async signInVouched(person: Id): Promise<void> {
    const core = this.#enrolled();
    if (this.#state === "lease_over") throw appError("locked");
    if (!core.directory.isActivePerson(person)) throw appError("person_gone");
    await this.#enter(core, person);
  }
  async signIn(person: Id, pin: string): Promise<SignIn> {
    const core = this.#enrolled();
    const no = (
      why: "wrong" | "wait" | "no_pin" | "person_gone",
      waitS: number,
      nl: string,
      en: string,
    ): SignIn => ({
      ok: false,
      why,
      waitS,
      text: { nl, en },
    });
    if (this.#state === "lease_over") throw appError("locked");
    if (!core.directory.isActivePerson(person)) {
      const { nl, en } = appError("person_gone").text;
      return no("person_gone", 0, nl, en);
    }
    const before = await this.#personOf(core, person);
    const tried = await stored(() =>
      this.#env.lock("pin", () => tryPin(core.db, person, pin, this.#env.nowMs)),
    );
    this.#say("people");
    if (!tried) return no("no_pin", 0, "Kies eerst een pincode.", "Choose a PIN first.");
    const waitS = Math.ceil(tried.waitMs / 1000);
    if (before.waitS > 0)
      return no("wait", waitS, `Wacht nog ${waitS} tellen.`, `Wait another ${waitS} seconds.`);
    if (!tried.ok) return no("wrong", waitS, "De pincode klopt niet.", "The PIN is wrong.");
    await this.#enter(core, person);
    return { ok: true };
  }
  async #enter(core: Core, person: Id): Promise<void> {
    this.#person = await this.#personOf(core, person);
    this.#say("person");
    this.#say("people");
    this.#storeChannel?.post({ is: "people" } satisfies Told);
  }
  /** Somebody who has left, or whose client's team changed, works on no longer. */
  #checkPerson(core: Core): void {
    if (this.#person && !core.directory.isActivePerson(this.#person.id)) this.lock();
  }
  lock(): void {
    if (!this.#person) return;
    this.#person = null;
    this.#say("person");
  }
  async clearPin(person: Id): Promise<void> {
    const core = this.#reading();
    if (this.#person!.id === person) throw appError("own_pin");
    await stored(() => core.db.delete("pins", person));
    this.#say("people");
    this.#storeChannel?.post({ is: "people" } satisfies Told);
  }

  // -- what there is to know ----------------------------------------------------------------------------

  teams(): Team[] {
    const list = this.#core?.directory.teams() ?? [];
    return list.map(({ id, name }) => ({ id, name }));
  }
  async clients(team: Id): Promise<Client[]> {
    return this.#reading().directory.clients(team);
  }
  async client(id: Id): Promise<Client | null> {
    return this.#reading().directory.client(id);
  }
  projects(team: Id): Choice[] {
    const scope = this.#core?.directory.scopeOf(team);
    return scope === undefined ? [] : this.#core!.directory.projects(scope, this.clock.day(this.clock.now()));
  }
  async choices(field: FieldInfo, team: Id): Promise<Choice[]> {
    const { directory } = this.#reading();
    const scope = directory.scopeOf(team);
    return scope === undefined ? [] : directory.choices(field, scope, this.clock.day(this.clock.now()));
  }
  async labelOf(id: Id): Promise<string | null> {
    return this.#reading().directory.labelOf(id);
  }
  kinds(): KindInfo[] {
    const directory = this.#core?.directory;
    return directory ? directory.logKinds().map((k) => directory.info(k)) : [];
  }
  kind(which: number | string): KindInfo | null {
    const directory = this.#core?.directory;
    const k = typeof which === "number" ? directory?.schemas.kind(which) : directory?.schemas.byName(which);
    return k ? directory!.info(k) : null;
  }

  // -- records ------------------------------------------------------------------------------------------

  /** Whoever looks at records leaves a look, before they are shown (PROTO-163). */
  async #seen(views: RecordView[]): Promise<RecordView[]> {
    const core = this.#reading();
    await stored(() => core.looks.note(this.#person!.id, views));
    return views;
  }
  async records(query: Query): Promise<RecordView[]> {
    return this.#seen(await ask.records(this.#reading(), query));
  }
  async record(id: Id): Promise<RecordView | null> {
    const view = await ask.record(this.#reading(), id);
    return view && (await this.#seen([view]))[0];
  }
  async attention(team: Id): Promise<RecordView[]> {
    return this.#seen(await ask.attention(this.#reading(), team));
  }
  async handover(team: Id, hours = 24): Promise<RecordView[]> {
    const fromS = this.clock.now() - hours * HOUR_S;
    return this.#seen(await ask.changedSince(this.#reading(), team, fromS));
  }
  async board(team: Id, from: number): Promise<BoardLine[]> {
    return ask.board(this.#reading(), team, from);
  }

  // -- writing ------------------------------------------------------------------------------------------

  async prefill(kind: number, _client: Id, team: Id): Promise<Values> {
    const k = this.#kindOf(this.#reading(), kind);
    const values: Record<number, Value> = {};
    const project = k.fields.find((f) => f.name === "project" && f.type === TYPE.REF);
    const projects = this.projects(team);
    if (project && projects.length === 1) values[project.id] = projects[0].id;
    const now = this.clock.now();
    const night = k.fields.find((f) => f.name === "night_date");
    if (night) values[night.id] = this.clock.night(now);
    const occurred = k.fields.find((f) => f.id === k.occurred);
    if (occurred?.type === TYPE.DATETIME) values[occurred.id] = now - (now % 60);
    if (occurred?.type === TYPE.DATE && occurred !== night) values[occurred.id] = this.clock.day(now);
    return values;
  }
  async usualTimes(kind: number, client: Id, day: number): Promise<Values> {
    const core = this.#reading();
    const k = this.#kindOf(core, kind);
    const last = await ask.latest(core, kind, client, day - 1);
    const values: Record<number, Value> = {};
    for (const f of last ? k.fields : []) {
      const v = last!.values[f.id];
      if (f.type !== TYPE.DATETIME || typeof v !== "number" || f.missing.includes(v)) continue;
      const days = this.clock.day(v) - last!.day;
      values[f.id] = this.clock.at(day + days, this.clock.minutes(v));
    }
    return values;
  }
  judge(kind: number, values: Values): Judgement {
    const k = this.#core?.directory.schemas.kind(kind);
    if (!k) throw appError("gone");
    return judge(k, values);
  }
  #kindOf(core: Core, kind: number): Kind {
    const k = core.directory.schemas.kind(kind);
    if (!k) throw appError("gone");
    return k;
  }
  #refuseProblems(k: Kind, values: Values): void {
    const problems = judge(k, values).problems.filter((p) => p.blocks);
    if (!problems.length) return;
    const { text, todo } = appError("problems");
    throw new AppError("problems", text, todo, problems);
  }
  #who(): Who {
    return { author: this.#person!.id, deviceS: Math.floor(this.#env.nowMs() / 1000) };
  }
  async #append(core: Core, draft: OpDraft): Promise<Id> {
    try {
      return await core.store.append(draft);
    } catch (e) {
      if (e instanceof OvError && e.slug === "no_key") throw appError("gone", e);
      if (e instanceof OvError && (e.slug === "op_format" || e.slug === "op_limit"))
        throw appError("problems", e);
      throw storageError(e);
    }
  }
  async save(draft: Draft): Promise<Id> {
    const core = this.#reading();
    const k = this.#kindOf(core, draft.kind);
    // what belongs to no team: the programme's (0) or the organisation's (1)
    const scope = k.scope < 2 ? k.scope : core.directory.scopeOf(draft.team);
    if (scope === undefined || (draft.client && !core.directory.client(draft.client))) throw appError("gone");
    this.#refuseProblems(k, draft.values);
    return this.#append(core, createOp(k, scope, draft.client, draft.values, this.#who()));
  }
  async edit(seen: RecordView, changed: Values): Promise<void> {
    const core = this.#reading();
    const k = this.#kindOf(core, seen.kind);
    this.#refuseProblems(k, changed);
    const op = editOp(k, recOf(seen), changed, this.#who());
    if (op) await this.#append(core, op);
  }
  async retract(seen: RecordView, reason: string): Promise<void> {
    const core = this.#reading();
    await this.#append(
      core,
      retractOp(this.#kindOf(core, seen.kind), recOf(seen), reason.trim(), this.#who()),
    );
  }
  async undoRetraction(seen: RecordView): Promise<void> {
    const core = this.#reading();
    if (retracted(recOf(seen)) === "live") return;
    await this.#append(core, keepOp(this.#kindOf(core, seen.kind), recOf(seen), this.#who()));
  }
  async resolve(seen: RecordView, field: number, value: Value): Promise<void> {
    if (field === FIELD_RETRACTED)
      return typeof value === "string" ? this.retract(seen, value) : this.undoRetraction(seen);
    const core = this.#reading();
    const k = this.#kindOf(core, seen.kind);
    this.#refuseProblems(k, { [field]: value });
    const op = editOp(k, recOf(seen), { [field]: value }, this.#who(), true);
    if (op) await this.#append(core, op);
  }
  async check(client: Id, team: Id, state: number, at = this.clock.now()): Promise<Id> {
    const k = this.#core?.directory.schemas.byName("sleep_check");
    if (!k) throw appError("gone");
    const values: Record<number, Value> = { ...(await this.prefill(k.id, client, team)) };
    const put = (name: string, v: Value) => {
      const f = k.fields.find((o) => o.name === name);
      if (f) values[f.id] = v;
    };
    put("night_date", this.clock.night(at));
    put("checked_at", at);
    put("state", state);
    return this.save({ kind: k.id, team, client, values });
  }

  // -- drafts, settings, updates ------------------------------------------------------------------------

  async keepDraft(key: string, body: string | null): Promise<void> {
    const core = this.#reading();
    await stored(() => keepDraft(core, this.#person!.id, key, body, this.#env.nowMs()));
  }
  async drafts(): Promise<ReadonlyMap<string, string>> {
    const core = this.#reading();
    return readDrafts(core, this.#person!.id);
  }
  get settings(): Settings {
    return this.#settings;
  }
  async set(change: Partial<Settings>): Promise<void> {
    if (!this.#db) throw appError("storage");
    const next = { ...this.#settings, ...change };
    await stored(() => writeMeta(this.#db!, "settings", next));
    this.#settings = next;
    this.#say("settings");
    this.#storeChannel?.post({ is: "settings" } satisfies Told);
  }
  get update(): UpdateStatus {
    return this.#p.shell.status();
  }
  applyUpdate(): void {
    this.#p.shell.apply();
  }
}

const recOf = (view: RecordView): Rec => view.seen as Rec;
async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    throw storageError(e);
  }
}
export const TEXT_BYTES_MAX = LIMITS.TEXT_BYTES_MAX;
