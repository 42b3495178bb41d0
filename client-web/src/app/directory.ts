// What is small and asked for all the time, kept in memory: schemas, teams, people, clients, projects,
// and the labels of what else a field refers to. Loaded when the app opens, and again for what changes.
import type { Choice, Client, FieldInfo, Id, KindInfo, Team } from "./api.ts";
import { type Name, compareNames } from "../proto/name.ts";
import { KIND } from "../proto/op.ts";
import { type Rec, retracted, shown, shownElements } from "../proto/record.ts";
import { type Kind, Schemas, TYPE } from "../proto/schema.ts";
import type { Db } from "./db.ts";
import type { IdbStore } from "./idb-store.ts";
import { isLogKind, kindInfo } from "./kinds.ts";

/** Kinds whose records are kept here whole, besides the schemas. */
const KEPT: readonly number[] = [KIND.ORGANISATION, KIND.TEAM, KIND.PERSON, KIND.DEVICE, KIND.PARTICIPANT];
const byLabel = <T extends { label: string }>(a: T, b: T): number => a.label.localeCompare(b.label, "nl");

export class Directory {
  readonly #db: Db;
  readonly #store: IdbStore;
  schemas = new Schemas();
  readonly #infos = new Map<number, KindInfo>();
  readonly #records = new Map<Name, Rec>();
  #projectKind = 0;

  constructor(db: Db, store: IdbStore) {
    this.#db = db;
    this.#store = store;
  }

  /** Everything anew; until then what was known stands. */
  async load(): Promise<void> {
    const schemas = new Schemas();
    for (const r of await this.#recordsOf(KIND.SCHEMA)) schemas.addRecord(r);
    const projectKind = schemas.byName("project")?.id ?? 0;
    const kinds = projectKind ? [...KEPT, projectKind] : KEPT;
    const records = (await Promise.all(kinds.map((k) => this.#recordsOf(k)))).flat();
    this.schemas = schemas;
    this.#projectKind = projectKind;
    this.#infos.clear();
    this.#records.clear();
    for (const r of records) this.#records.set(r.name, r);
  }
  #keptKinds(): number[] {
    return this.#projectKind ? [...KEPT, this.#projectKind] : [...KEPT];
  }
  async #recordsOf(kind: number): Promise<Rec[]> {
    const names = await this.#db.getAllKeysFromIndex("views", "kind", kind);
    const views = await Promise.all(names.map((n) => this.#store.view(n)));
    return views.filter((v) => v !== null).map((v) => v!.record);
  }
  #take(r: Rec): Kind | undefined {
    if (r.kind === KIND.SCHEMA) return this.schemas.addRecord(r);
    this.#records.set(r.name, r);
    return undefined;
  }
  /** Reads again what is kept here of the records that changed (all when null). Gives the kinds whose
   *  schema is new,  and whether anything that is kept here changed. */
  async refresh(names: ReadonlySet<Name> | null): Promise<{ kinds: number[]; changed: boolean }> {
    if (names === null) {
      const before = new Map(this.schemas.all().map((k) => [k.id, k.version]));
      await this.load();
      const kinds = this.schemas.all().filter((k) => before.get(k.id) !== k.version);
      return { kinds: this.#newKinds(kinds), changed: true };
    }
    const kept = [KIND.SCHEMA, ...this.#keptKinds()];
    const fresh: Kind[] = [];
    let changed = false;
    for (const name of names) {
      const row = await this.#db.get("views", name);
      if (!row) changed = this.#records.delete(name) || changed;
      if (!row || !kept.includes(row.kind)) continue;
      const v = await this.#store.view(name);
      if (!v) continue;
      changed = true;
      const version = (kind: number) => this.schemas.kind(kind)?.version;
      const before = v.record.kind === KIND.SCHEMA ? version(Number(shown(v.record, 2))) : undefined;
      const kind = this.#take(v.record);
      if (kind && version(kind.id) !== before) fresh.push(kind);
    }
    return { kinds: this.#newKinds(fresh), changed };
  }
  #newKinds(kinds: Kind[]): number[] {
    for (const k of kinds) this.#infos.delete(k.id);
    const project = this.schemas.byName("project")?.id ?? 0;
    this.#projectKind = project;
    return kinds.map((k) => k.id);
  }

  // -- what there is ------------------------------------------------------------------------------------

  #all(kind: number): Rec[] {
    return [...this.#records.values()].filter((r) => r.kind === kind && retracted(r) !== "retracted");
  }
  #label(r: Rec): string {
    // display name, label, name: the first text of every kind that is referred to; a technology has a number before it
    const field = this.schemas.kind(r.kind)?.fields.find((f) => f.type === TYPE.TEXT)?.id ?? 2;
    const v = shown(r, field);
    return typeof v === "string" && v !== "" ? v : "?";
  }
  organisation(): string {
    const r = this.#all(KIND.ORGANISATION)[0];
    return r ? this.#label(r) : "";
  }
  /** Days that a tablet may go without a sync, if the organisation says so. */
  leaseDays(): number | undefined {
    const field = this.schemas.byName("organisation")?.fields.find((f) => f.name === "lease_days");
    const r = this.#all(KIND.ORGANISATION)[0];
    const v = r && field ? shown(r, field.id) : undefined;
    return typeof v === "number" && v > 0 ? v : undefined;
  }
  logKinds(): Kind[] {
    return this.schemas.all().filter(isLogKind);
  }
  info(kind: Kind): KindInfo {
    let info = this.#infos.get(kind.id);
    if (!info) this.#infos.set(kind.id, (info = kindInfo(kind)));
    return info;
  }
  /** Own teams, as the device's record and the team records that came say. */
  teams(): (Team & { scope: number })[] {
    return this.#all(KIND.TEAM)
      .filter((r) => shown(r, 5) !== 0)
      .map((r) => ({ id: r.name, name: this.#label(r), scope: Number(shown(r, 3)) }))
      .sort((a, b) => a.name.localeCompare(b.name, "nl"));
  }
  scopeOf(team: Id): number | undefined {
    return this.teams().find((t) => t.id === team)?.scope;
  }
  teamOf(scope: number): Id | null {
    return this.teams().find((t) => t.scope === scope)?.id ?? null;
  }
  #inTeam(r: Rec, scope: number): boolean {
    return shownElements(r, 4).some((e) => e === scope);
  }
  isActivePerson(id: Id): boolean {
    const r = this.#records.get(id);
    return r?.kind === KIND.PERSON && shown(r, 5) !== 0 && retracted(r) !== "retracted";
  }
  people(scope: number): Choice[] {
    return this.#all(KIND.PERSON)
      .filter((r) => shown(r, 5) !== 0 && this.#inTeam(r, scope))
      .map((r) => ({ id: r.name, label: this.#label(r) }))
      .sort(byLabel);
  }
  #client(r: Rec): Client {
    const own = this.teams().filter((t) => this.#inTeam(r, t.scope));
    const home = this.teamOf(r.scope);
    const teams = own.length || home === null ? own.map((t) => t.id) : [home];
    return { id: r.name, label: this.#label(r), teams };
  }
  client(id: Id): Client | null {
    const r = this.#records.get(id);
    return r?.kind === KIND.PARTICIPANT ? this.#client(r) : null;
  }
  clients(team: Id): Client[] {
    return this.#all(KIND.PARTICIPANT)
      .filter((r) => shown(r, 7) !== 0)
      .map((r) => this.#client(r))
      .filter((c) => c.teams.includes(team))
      .sort(byLabel);
  }
  /** today: a project that has ended is none of them. */
  projects(scope: number, today: number): Choice[] {
    const k = this.schemas.kind(this.#projectKind);
    const ended = k?.fields.find((f) => f.name === "ended_on")?.id ?? 0;
    const teams = k?.fields.find((f) => f.name === "teams")?.id ?? 0;
    return this.#all(this.#projectKind)
      .filter((r) => {
        const end = shown(r, ended);
        const of = shownElements(r, teams);
        return (typeof end !== "number" || end >= today) && (!of.length || of.includes(scope));
      })
      .map((r) => ({ id: r.name, label: this.#label(r) }))
      .sort(byLabel);
  }
  /** apart: without what names a client, as long as nothing that was recorded is shown. */
  async choices(field: FieldInfo, scope: number, today: number, apart: boolean): Promise<Choice[]> {
    if (field.refKind === KIND.PERSON) return this.people(scope);
    if (field.refKind === this.#projectKind) return this.projects(scope, today);
    if (!field.refKind) return [];
    const rows = await this.#db.getAllFromIndex("views", "kind", field.refKind);
    const shownRows = apart ? rows.filter((r) => r.client === "") : rows;
    const views = await Promise.all(shownRows.map((r) => this.#store.view(r.name)));
    return views
      .filter((v) => v !== null && retracted(v.record) !== "retracted")
      .map((v) => ({ id: v!.record.name, label: this.#label(v!.record) }))
      .sort((a, b) => byLabel(a, b) || compareNames(a.id, b.id));
  }
  /** Of what is kept here. */
  nameOf(id: Id | null): string | null {
    const r = id === null ? undefined : this.#records.get(id);
    return r ? this.#label(r) : null;
  }
  async labelOf(id: Id, apart: boolean): Promise<string | null> {
    const known = this.nameOf(id);
    if (known !== null) return known;
    if (apart && (await this.#db.get("views", id))?.client !== "") return null;
    const v = await this.#store.view(id);
    return v && this.#label(v.record);
  }
  fieldNamed(kind: Kind, name: string, type: number = TYPE.REF): number | undefined {
    return kind.fields.find((f) => f.name === name && f.type === type)?.id;
  }
}
