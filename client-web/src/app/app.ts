// The engine as the screens have it: each method checks who may, asks the parts, and says what changed.
import type {
  App,
  BoardLine,
  Choice,
  Client,
  Draft,
  FieldInfo,
  Id,
  Judgement,
  KindInfo,
  Query,
  RecordView,
  Tap,
  Team,
  Value,
  Values,
} from "./api.ts";
import { AppError } from "./api.ts";
import { OvError } from "../proto/error.ts";
import { type Name, seqOf, writerOf } from "../proto/name.ts";
import { FIELD_RETRACTED } from "../proto/op.ts";
import { type Rec, retracted } from "../proto/record.ts";
import { type Kind, TYPE } from "../proto/schema.ts";
import type { Core } from "./core.ts";
import { keepDraft, readDrafts } from "./drafts.ts";
import { appError, storageError, stored } from "./errors.ts";
import { judge } from "./kinds.ts";
import * as ask from "./records.ts";
import { Staff } from "./staff.ts";
import { type OpDraft, type Who, createOp, editOp, keepOp, retractOp } from "./writing.ts";

const HOUR_S = 3600;
const TAPS_MAX = 200;

export class Engine extends Staff implements App {
  /** in memory only: a page that is opened anew on a closed tablet shows nothing of before */
  #taps: (Tap & { by: Name })[] = [];

  // -- what there is to know ----------------------------------------------------------------------------

  teams(): Team[] {
    const list = this.core?.directory.teams() ?? [];
    return list.map(({ id, name }) => ({ id, name }));
  }
  async clients(team: Id): Promise<Client[]> {
    return this.entering().directory.clients(team);
  }
  async client(id: Id): Promise<Client | null> {
    return this.entering().directory.client(id);
  }
  projects(team: Id): Choice[] {
    const scope = this.core?.directory.scopeOf(team);
    return scope === undefined ? [] : this.core!.directory.projects(scope, this.clock.day(this.clock.now()));
  }
  async choices(field: FieldInfo, team: Id): Promise<Choice[]> {
    const { directory } = this.entering();
    const scope = directory.scopeOf(team);
    const today = this.clock.day(this.clock.now());
    return scope === undefined ? [] : directory.choices(field, scope, today, this.entryOnly);
  }
  async labelOf(id: Id): Promise<string | null> {
    return this.entering().directory.labelOf(id, this.entryOnly);
  }
  kinds(): KindInfo[] {
    const directory = this.core?.directory;
    return directory ? directory.logKinds().map((k) => directory.info(k)) : [];
  }
  kind(which: number | string): KindInfo | null {
    const directory = this.core?.directory;
    const k = typeof which === "number" ? directory?.schemas.kind(which) : directory?.schemas.byName(which);
    return k ? directory!.info(k) : null;
  }

  // -- records ------------------------------------------------------------------------------------------

  /** Whoever looks at records leaves a look, before they are shown (PROTO-163). */
  async #seen(views: RecordView[]): Promise<RecordView[]> {
    const core = this.reading();
    if (await stored(() => core.looks.note(this.who!.id, views))) this.looked();
    return views;
  }
  async records(query: Query): Promise<RecordView[]> {
    return this.#seen(await ask.records(this.reading(), query));
  }
  async record(id: Id): Promise<RecordView | null> {
    const view = await ask.record(this.reading(), id);
    return view && (await this.#seen([view]))[0];
  }
  async attention(team: Id): Promise<RecordView[]> {
    return this.#seen(await ask.attention(this.reading(), team));
  }
  async handover(team: Id, hours = 24): Promise<RecordView[]> {
    const fromS = this.clock.now() - hours * HOUR_S;
    return this.#seen(await ask.changedSince(this.reading(), team, fromS));
  }
  async board(team: Id, from: number): Promise<BoardLine[]> {
    return ask.board(this.reading(), team, from);
  }

  // -- writing ------------------------------------------------------------------------------------------

  async prefill(kind: number, _client: Id, team: Id): Promise<Values> {
    const k = this.#kindOf(this.entering(), kind);
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
    const core = this.reading();
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
    const k = this.core?.directory.schemas.kind(kind);
    if (!k) throw appError("gone");
    return judge(k, values);
  }
  #kindOf(core: Core, kind: number): Kind {
    const k = core.directory.schemas.kind(kind);
    if (!k) throw appError("gone");
    return k;
  }
  #refuseProblems(k: Kind, values: Values): void {
    if (k.newer) throw appError("version"); // what it asks is not known here
    const problems = judge(k, values).problems.filter((p) => p.blocks);
    if (!problems.length) return;
    const { text, todo } = appError("problems");
    throw new AppError("problems", text, todo, problems);
  }
  #who(): Who {
    return { author: this.who!.id, deviceS: Math.floor(this.env.nowMs() / 1000) };
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
    const core = this.entering();
    const k = this.#kindOf(core, draft.kind);
    // what belongs to no team: the programme's (0) or the organisation's (1)
    const scope = k.scope < 2 ? k.scope : core.directory.scopeOf(draft.team);
    if (scope === undefined || (draft.client && !core.directory.client(draft.client))) throw appError("gone");
    this.#refuseProblems(k, draft.values);
    return this.#append(core, createOp(k, scope, draft.client, draft.values, this.#who()));
  }
  async edit(seen: RecordView, changed: Values): Promise<void> {
    const core = this.reading();
    const k = this.#kindOf(core, seen.kind);
    this.#refuseProblems(k, changed);
    const op = editOp(k, recOf(seen), changed, this.#who());
    if (op) await this.#append(core, op);
  }
  async retract(seen: RecordView, reason: string): Promise<void> {
    const core = this.reading();
    await this.#append(
      core,
      retractOp(this.#kindOf(core, seen.kind), recOf(seen), reason.trim(), this.#who()),
    );
  }
  async undoRetraction(seen: RecordView): Promise<void> {
    const core = this.reading();
    if (retracted(recOf(seen)) === "live") return;
    await this.#append(core, keepOp(this.#kindOf(core, seen.kind), recOf(seen), this.#who()));
  }
  async resolve(seen: RecordView, field: number, value: Value): Promise<void> {
    if (field === FIELD_RETRACTED)
      return typeof value === "string" ? this.retract(seen, value) : this.undoRetraction(seen);
    const core = this.reading();
    const k = this.#kindOf(core, seen.kind);
    this.#refuseProblems(k, { [field]: value });
    const op = editOp(k, recOf(seen), { [field]: value }, this.#who(), true);
    if (op) await this.#append(core, op);
  }
  async check(client: Id, team: Id, state: number, at = this.clock.now()): Promise<Id> {
    const k = this.core?.directory.schemas.byName("sleep_check");
    if (!k) throw appError("gone");
    const values: Record<number, Value> = { ...(await this.prefill(k.id, client, team)) };
    const put = (name: string, v: Value) => {
      const f = k.fields.find((o) => o.name === name);
      if (f) values[f.id] = v;
    };
    put("night_date", this.clock.night(at));
    put("checked_at", at);
    put("state", state);
    this.entering();
    const by = this.who!.id;
    const id = await this.save({ kind: k.id, team, client, values });
    this.#taps = [{ id, client, state, at, by }, ...this.#taps].slice(0, TAPS_MAX);
    return id;
  }
  async taps(): Promise<readonly Tap[]> {
    const core = this.entering();
    const by = this.who!.id;
    const { writer, acked } = await core.store.log();
    const unsent = (id: Name) => writerOf(id) === writer && seqOf(id) > acked;
    return this.#taps.filter((tap) => tap.by === by && unsent(tap.id));
  }
  /** What no server has lies outside the share: the record is that one entry, and nothing closed is read. */
  async takeBack(tap: Id, reason: string): Promise<void> {
    const core = this.entering();
    const who = this.#who();
    const mine = this.#taps.some((t) => t.id === tap && t.by === who.author);
    if (this.entryOnly && !(await this.taps()).some((t) => t.id === tap)) throw this.notShown();
    const seen = mine ? (await core.store.view(tap))?.record : undefined;
    if (!seen) throw appError("gone");
    if (retracted(seen) === "live")
      await this.#append(core, retractOp(this.#kindOf(core, seen.kind), seen, reason.trim(), who));
    this.#taps = this.#taps.filter((t) => t.id !== tap);
  }

  // -- drafts -------------------------------------------------------------------------------------------

  async keepDraft(key: string, body: string | null): Promise<void> {
    const core = this.entering();
    const of = { nowMs: this.env.nowMs(), entryOnly: this.entryOnly };
    await stored(() => keepDraft(core, this.who!.id, key, body, of));
  }
  async drafts(): Promise<ReadonlyMap<string, string>> {
    const core = this.entering();
    return readDrafts(core, this.who!.id, this.entryOnly);
  }
}

const recOf = (view: RecordView): Rec => view.seen as Rec;
