// A stand-in for the engine, for pictures and tests of states that a real tablet reaches in weeks (lease
// over, revoked,
// storage lost). It keeps everything in memory and takes the kinds from proto/schema. Never part of the app.
import {
  AppError,
  type App,
  type BoardLine,
  type Change,
  type Choice,
  type Client,
  type Clock,
  type Device,
  type Draft,
  type ExportFile,
  type FieldInfo,
  type FieldView,
  type Id,
  type Judgement,
  type KindInfo,
  type Notice,
  type Person,
  type Problem,
  type Query,
  type RecordView,
  type Said,
  type Settings,
  type SignIn,
  type SyncStatus,
  type Tap,
  type Team,
  type Unsubscribe,
  type Value,
  type Values,
} from "../../src/app/api.ts";
import { type SchemaFile, kindOf, requiredIf } from "./schemas.ts";

export const ZONE = "Europe/Amsterdam";
const parts = new Intl.DateTimeFormat("en-GB", {
  timeZone: ZONE,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
function local(at: number): { day: number; minutes: number } {
  const p = Object.fromEntries(parts.formatToParts(at * 1000).map((x) => [x.type, Number(x.value)]));
  return { day: Date.UTC(p.year, p.month - 1, p.day) / 86400000, minutes: p.hour * 60 + p.minute };
}
export function clockAt(now: () => number): Clock {
  const clock: Clock = {
    now,
    day: (at) => local(at).day,
    minutes: (at) => local(at).minutes,
    night: (at) => local(at).day - (local(at).minutes < 720 ? 1 : 0),
    at: (day, minutes) => {
      const guess = day * 86400 + minutes * 60;
      const seen = local(guess);
      return guess - (seen.day - day) * 86400 - (seen.minutes - minutes) * 60 + (minutes >= 1440 ? 0 : 0);
    },
  };
  return clock;
}

const RETRACTED = 1;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Story {
  now: number;
  teams: Team[];
  people: Person[];
  clients: Client[];
  projects: Choice[];
  technologies: Choice[];
}

export class Double implements App {
  device: Mutable<Device>;
  person: Person | null = null;
  sync: Mutable<SyncStatus>;
  update = { ready: false, offlineReady: true };
  settings: Settings = { lang: "nl", theme: "system", idleLockS: 300, team: null };
  readonly clock: Clock;
  readonly version = "0.1.0";
  offeredCode: string | null = null;
  readonly #story: Story;
  readonly #schemas: readonly SchemaFile[];
  readonly #kinds: KindInfo[];
  readonly #records = new Map<Id, RecordView>();
  readonly #pins = new Map<Id, string>();
  readonly #drafts = new Map<string, { body: string; blind: boolean }>();
  readonly #listeners = new Set<(change: Change) => void>();
  #wrong = 0;
  #seq = 0;

  constructor(story: Story, schemas: readonly SchemaFile[]) {
    this.#story = story;
    this.#schemas = schemas;
    const started = Date.now();
    this.clock = clockAt(() => story.now + Math.floor((Date.now() - started) / 1000));
    this.#kinds = schemas.filter((s) => s.log).map(kindOf);
    this.device = {
      state: "ready",
      name: "Tablet 3",
      organisation: "Organisatie 01",
      zone: ZONE,
      clockOffS: 0,
      mustUpdate: false,
      persistent: true,
      leaseDays: 14,
      entryOnly: false,
      notice: null,
    };
    this.sync = {
      unsent: 0,
      looks: 0,
      noted: 0,
      unsafe: 0,
      attention: 0,
      state: "idle",
      progress: null,
      allSentAt: story.now - 180,
      lastSync: story.now - 180,
      nextTry: null,
      error: null,
      online: true,
    };
  }

  onChange(listener: (change: Change) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  tell(
    ...what: (
      "device" | "person" | "people" | "sync" | "records" | "kinds" | "settings" | "update" | "clock"
    )[]
  ): void {
    for (const listener of this.#listeners) listener({ what: new Set(what), records: null });
  }
  async close(): Promise<void> {}

  async enrol(code: string): Promise<void> {
    if (code.length < 12)
      throw new AppError(
        "code_wrong",
        { nl: "Deze code werkt niet.", en: "This code does not work." },
        {
          nl: "Kijk of je hem goed overtypt. Vraag anders een nieuwe code.",
          en: "Check the letters, or ask for a new code.",
        },
      );
    this.device = { ...this.device, state: "ready" };
    this.tell("device");
  }

  async people(): Promise<Person[]> {
    return this.#story.people.map((p) => ({ ...p, hasPin: p.hasPin || this.#pins.has(p.id) }));
  }
  async choosePin(person: Id, pin: string): Promise<void> {
    this.#pins.set(person, pin);
    await this.signIn(person, pin);
  }
  async signInVouched(): Promise<void> {
    throw new Error("a shared tablet asks for a PIN");
  }
  async signIn(person: Id, pin: string): Promise<SignIn> {
    if (pin !== (this.#pins.get(person) ?? "1234")) {
      this.#wrong++;
      const waitS = this.#wrong > 2 ? 30 : 0;
      return {
        ok: false,
        why: "wrong",
        waitS,
        text: { nl: "Deze pincode klopt niet.", en: "This PIN is wrong." },
      };
    }
    this.person = this.#story.people.find((p) => p.id === person) ?? null;
    this.tell("person");
    return { ok: true };
  }
  lock(): void {
    this.person = null;
    this.tell("person");
  }
  async clearPin(person: Id): Promise<void> {
    this.#story.people.find((p) => p.id === person)!.hasPin = false;
    this.tell("people");
  }

  teams = (): Team[] => this.#story.teams;
  clients = async (): Promise<Client[]> => this.#story.clients;
  client = async (id: Id): Promise<Client | null> => this.#story.clients.find((c) => c.id === id) ?? null;
  projects = (): Choice[] => this.#story.projects;
  async choices(field: FieldInfo): Promise<Choice[]> {
    return field.name === "project" ? this.#story.projects : this.#story.technologies;
  }
  async labelOf(id: Id): Promise<string | null> {
    const all = [...this.#story.projects, ...this.#story.technologies];
    return all.find((c) => c.id === id)?.label ?? this.#name(id);
  }
  kinds = (): KindInfo[] => this.#kinds;
  kind = (which: number | string): KindInfo | null =>
    this.#kinds.find((k) => k.id === which || k.name === which) ?? null;

  /** As the engine refuses it. */
  #reading(): void {
    const { notice, entryOnly } = this.device;
    if (entryOnly) throw new AppError("locked", notice!.text, notice!.todo);
  }
  async records(query: Query): Promise<RecordView[]> {
    this.#reading();
    return [...this.#records.values()]
      .filter(
        (r) =>
          (query.client === undefined || r.client === query.client) &&
          (query.kind === undefined || r.kind === query.kind),
      )
      .filter((r) => r.day >= query.fromDay && r.day <= query.toDay)
      .sort((a, b) => (b.occurredAt ?? b.day * 86400) - (a.occurredAt ?? a.day * 86400))
      .slice(0, query.limit ?? 200);
  }
  async record(id: Id): Promise<RecordView | null> {
    this.#reading();
    return this.#records.get(id) ?? null;
  }
  async attention(): Promise<RecordView[]> {
    this.#reading();
    return [...this.#records.values()].filter(
      (r) => r.conflicts.length || r.held.length || (r.doubles.length && r.retracted !== "yes"),
    );
  }
  async handover(_team: Id, hours = 24): Promise<RecordView[]> {
    this.#reading();
    const from = this.clock.now() - hours * 3600;
    return [...this.#records.values()]
      .filter((r) => r.changedAt >= from)
      .sort((a, b) => b.changedAt - a.changedAt);
  }
  async board(_team: Id, from: number): Promise<BoardLine[]> {
    this.#reading();
    const attention = await this.attention();
    return this.#story.clients.map((client) => {
      const kinds: Record<number, number> = {};
      for (const r of this.#records.values())
        if (r.client === client.id && r.createdAt >= from && r.retracted !== "yes")
          kinds[r.kind] = (kinds[r.kind] ?? 0) + 1;
      return { client, kinds, attention: attention.filter((r) => r.client === client.id).map((r) => r.kind) };
    });
  }

  async prefill(kind: number): Promise<Values> {
    const info = this.kind(kind)!;
    const occurred = info.fields.find((f) => f.id === info.occurred)!;
    const now = this.clock.now();
    const night = info.fields.find((f) => f.name === "night_date");
    return {
      2: this.#story.projects[0].id,
      [occurred.id]: occurred.type === "date" ? this.clock.night(now) : now - (now % 60),
      ...(night && { [night.id]: this.clock.night(now) }),
    };
  }
  async usualTimes(kind: number, client: Id, day: number): Promise<Values> {
    const last = (await this.records({ kind, client, fromDay: 0, toDay: day - 1 }))[0];
    const times: Record<number, Value> = {};
    for (const f of this.kind(kind)!.fields) {
      const at = last?.values[f.id];
      if (f.type === "datetime" && typeof at === "number" && at > 0)
        times[f.id] = this.clock.at(day + this.clock.day(at) - last.day, this.clock.minutes(at));
    }
    return times;
  }
  judge(kind: number, values: Values): Judgement {
    const info = this.kind(kind)!;
    const schema = this.#schemas.find((s) => s.id === kind)!;
    const required = new Set(
      info.fields.filter((f) => f.required || requiredIf(schema, f.name, values)).map((f) => f.id),
    );
    const problems: Problem[] = [];
    for (const f of info.fields) {
      const v = values[f.id];
      if (required.has(f.id) && (v === undefined || v === null))
        problems.push({
          field: f.id,
          is: "required",
          text: { nl: "Nog open.", en: "Still open." },
          blocks: false,
        });
      if (
        f.type === "int" &&
        typeof v === "number" &&
        !f.missing.some((m) => m.code === v) &&
        (v < f.lowest! || v > f.highest!)
      )
        problems.push({
          field: f.id,
          is: "range",
          text: {
            nl: `Kies ${f.lowest} tot en met ${f.highest}.`,
            en: `Choose ${f.lowest} to ${f.highest}.`,
          },
          blocks: true,
        });
      if (typeof v === "string" && f.maxBytes && new TextEncoder().encode(v).length > f.maxBytes)
        problems.push({
          field: f.id,
          is: "length",
          text: { nl: "Deze tekst is te lang.", en: "This text is too long." },
          blocks: true,
        });
    }
    return { problems, required, savable: !problems.some((p) => p.blocks), complete: !problems.length };
  }

  /** Puts a record there as a colleague or this tablet would have. */
  put(
    kind: string,
    client: Id,
    by: Id,
    at: number,
    named: Record<string, Value>,
    more: Partial<RecordView> = {},
  ): RecordView {
    const info = this.kind(kind)!;
    const values: Record<number, Value> = { 2: this.#story.projects[0].id };
    for (const [name, value] of Object.entries(named))
      values[info.fields.find((f) => f.name === name)!.id] = value;
    return this.#store(`r${++this.#seq}`, info, client, by, at, values, more);
  }
  #store(
    id: Id,
    info: KindInfo,
    client: Id | null,
    by: Id,
    at: number,
    values: Values,
    more: Partial<RecordView> = {},
  ): RecordView {
    const said = { by, byName: this.#name(by), at, clockSuspect: false };
    const fields: FieldView[] = Object.entries(values)
      .filter(([, v]) => v !== null)
      .map(([f, value]) => ({ field: Number(f), value, ...said, others: [], doubted: [] }));
    const occurred = values[info.occurred] as number;
    const type = info.fields.find((f) => f.id === info.occurred)!.type;
    const judged = this.judge(info.id, values);
    const record: RecordView = {
      id,
      kind: info.id,
      client,
      team: this.#story.teams[0].id,
      day: type === "date" ? occurred : this.clock.day(occurred),
      occurredAt: type === "date" ? null : occurred,
      createdBy: by,
      createdByName: said.byName,
      createdAt: at,
      changedAt: at,
      fields,
      values,
      conflicts: [],
      retracted: "no",
      retraction: null,
      held: [],
      doubles: [],
      lacking: judged.problems.filter((p) => p.is === "required").map((p) => p.field),
      place: "safe",
      seen: null,
      ...more,
    };
    this.#records.set(id, record);
    return record;
  }
  change(id: Id, more: Partial<RecordView>): void {
    this.#records.set(id, { ...this.#records.get(id)!, ...more });
    this.tell("records");
  }
  #name = (id: Id | null): string | null => this.#story.people.find((p) => p.id === id)?.name ?? null;
  #saved(): void {
    this.sync = { ...this.sync, unsent: this.sync.unsent + 1 };
    this.tell("records", "sync");
  }

  async save(draft: Draft): Promise<Id> {
    const id = `r${++this.#seq}`;
    this.#store(id, this.kind(draft.kind)!, draft.client, this.person!.id, this.clock.now(), draft.values, {
      place: "tablet",
    });
    this.#saved();
    return id;
  }
  async edit(seen: RecordView, changed: Values): Promise<void> {
    const values = { ...seen.values, ...changed };
    const now = this.#store(
      seen.id,
      this.kind(seen.kind)!,
      seen.client,
      seen.createdBy!,
      seen.createdAt,
      values,
      { place: "tablet", changedAt: this.clock.now() },
    );
    const mine = (f: FieldView) =>
      f.field in changed
        ? { ...f, by: this.person!.id, byName: this.person!.name, at: this.clock.now() }
        : (seen.fields.find((s) => s.field === f.field) ?? f);
    this.#records.set(seen.id, { ...now, fields: now.fields.map(mine) });
    this.#saved();
  }
  async retract(seen: RecordView, reason: string): Promise<void> {
    const retraction: Said = {
      value: reason,
      by: this.person!.id,
      byName: this.person!.name,
      at: this.clock.now(),
      clockSuspect: false,
    };
    this.change(seen.id, { retracted: "yes", retraction, place: "tablet" });
    this.#saved();
  }
  async undoRetraction(seen: RecordView): Promise<void> {
    this.change(seen.id, { retracted: "no", retraction: null, place: "tablet" });
    this.#saved();
  }
  async resolve(seen: RecordView, field: number, value: Value): Promise<void> {
    if (field === RETRACTED)
      return value === null ? this.undoRetraction(seen) : this.retract(seen, String(value));
    const fields = seen.fields.map((f) =>
      f.field === field ? { ...f, value, others: [], by: this.person!.id, byName: this.person!.name } : f,
    );
    this.change(seen.id, {
      fields,
      values: { ...seen.values, [field]: value },
      conflicts: seen.conflicts.filter((c) => c !== field),
    });
    this.#saved();
  }
  async check(client: Id, team: Id, state: number, at = this.clock.now()): Promise<Id> {
    const kind = this.kind("sleep_check")!;
    return this.save({
      kind: kind.id,
      team,
      client,
      values: { 2: this.#story.projects[0].id, 10: this.clock.night(at), 11: at, 12: state },
    });
  }

  async taps(): Promise<Tap[]> {
    const [at, state] = [11, 12];
    const mine = (r: RecordView) => r.place === "tablet" && r.createdBy === this.person?.id;
    return [...this.#records.values()]
      .filter((r) => mine(r) && r.retracted === "no" && this.kind(r.kind)?.name === "sleep_check")
      .map((r) => ({ id: r.id, client: r.client!, state: Number(r.values[state]), at: Number(r.values[at]) }))
      .reverse();
  }
  async takeBack(tap: Id, reason: string): Promise<void> {
    await this.retract(this.#records.get(tap)!, reason);
  }

  /** how often everything was offered again */
  offered = 0;
  async offerAgain(): Promise<void> {
    this.offered++;
    this.sync = { ...this.sync, unsent: 40 };
    this.tell("sync");
  }
  async syncNow(): Promise<void> {
    this.sync = {
      ...this.sync,
      unsent: 0,
      looks: 0,
      noted: 0,
      error: null,
      state: "idle",
      progress: null,
      online: true,
      allSentAt: this.clock.now(),
      lastSync: this.clock.now(),
    };
    this.tell("sync");
  }
  async endShift(): Promise<void> {
    this.lock();
    await this.syncNow();
  }
  async exportUnsent(): Promise<ExportFile> {
    return {
      name: "overdracht-niet-verstuurd.json",
      type: "application/json",
      body: new Blob(["[]"]),
      entries: this.sync.unsent,
    };
  }
  async set(change: Partial<Settings>): Promise<void> {
    this.settings = { ...this.settings, ...change };
    this.tell("settings");
  }
  async keepDraft(key: string, body: string | null): Promise<void> {
    if (body === null) this.#drafts.delete(`${this.person?.id} ${key}`);
    else this.#drafts.set(`${this.person?.id} ${key}`, { body, blind: this.device.entryOnly });
  }
  async drafts(): Promise<ReadonlyMap<string, string>> {
    const own = `${this.person?.id} `;
    const { entryOnly } = this.device;
    const shown = [...this.#drafts].filter(([k, d]) => k.startsWith(own) && (d.blind || !entryOnly));
    return new Map(shown.map(([k, d]) => [k.slice(own.length), d.body]));
  }
  applyUpdate(): void {}

  fail(notice: Notice): void {
    this.sync = { ...this.sync, error: notice, state: "waiting", nextTry: this.clock.now() + 300 };
    this.tell("sync");
  }
}
