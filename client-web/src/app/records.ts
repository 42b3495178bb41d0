// Asking for records: by the indexes alone, so that it costs what is shown and not what is stored.
import type { BoardLine, Id, Query, RecordView } from "./api.ts";
import type { Name } from "../proto/name.ts";
import { writerOf } from "../proto/name.ts";
import type { ViewRow } from "./db.ts";
import type { Core } from "./core.ts";
import { openEntry, rowKey } from "./entries.ts";
import { recordView } from "./views.ts";

const LIMIT = 200;
const HANDOVER_MAX = 1000;

const lastChanged = (a: ViewRow, b: ViewRow): number => b.at - a.at || (a.name < b.name ? 1 : -1);
const newest = (a: ViewRow, b: ViewRow): number => b.day - a.day || lastChanged(a, b);

export async function records(core: Core, q: Query): Promise<RecordView[]> {
  const scope = q.team === undefined ? undefined : core.directory.scopeOf(q.team);
  if (q.team !== undefined && scope === undefined) return [];
  const kinds = q.kind === undefined ? core.directory.logKinds().map((k) => k.id) : [q.kind];
  const rows = (await Promise.all(kinds.map((kind) => rowsOf(core, q, scope, kind)))).flat();
  return views(core, rows.sort(newest).slice(0, q.limit ?? LIMIT));
}
async function rowsOf(core: Core, q: Query, scope: number | undefined, kind: number): Promise<ViewRow[]> {
  const { fromDay, toDay } = q;
  if (q.client !== undefined) {
    const range = IDBKeyRange.bound([q.client, kind, fromDay], [q.client, kind, toDay]);
    const rows = await core.db.getAllFromIndex("views", "client", range);
    return scope === undefined ? rows : rows.filter((r) => r.scope === scope);
  }
  // of no team: 0 the programme's, 1 the organisation's
  const home = core.directory.schemas.kind(kind)?.scope ?? 2;
  const every = home < 2 ? [home] : core.directory.teams().map((t) => t.scope);
  const scopes = scope === undefined ? every : [scope];
  const lists = scopes.map((s) =>
    core.db.getAllFromIndex("views", "team", IDBKeyRange.bound([s, kind, fromDay], [s, kind, toDay])),
  );
  return (await Promise.all(lists)).flat();
}

/** What changed in the team since then, newest change first. */
export async function changedSince(core: Core, team: Id, fromS: number): Promise<RecordView[]> {
  const rows = (await logRowsSince(core, team, fromS)).sort(lastChanged).slice(0, HANDOVER_MAX);
  return views(core, rows);
}
async function logRowsSince(core: Core, team: Id, fromS: number): Promise<ViewRow[]> {
  const scope = core.directory.scopeOf(team);
  if (scope === undefined) return [];
  const kinds = new Set(core.directory.logKinds().map((k) => k.id));
  const range = IDBKeyRange.bound([scope, fromS], [scope, Infinity]);
  return (await core.db.getAllFromIndex("views", "at", range)).filter((r) => kinds.has(r.kind));
}

/** Conflicts, held and refused entries, possible doubles. */
export async function attention(core: Core, team: Id): Promise<RecordView[]> {
  const rows = await attentionRows(core, team);
  const all = await views(
    core,
    rows.sort((a, b) => b.at - a.at),
  );
  return all.filter((v) => v.conflicts.length || v.held.length || v.doubles.length);
}
async function attentionRows(core: Core, team: Id): Promise<ViewRow[]> {
  const scope = core.directory.scopeOf(team);
  if (scope === undefined) return [];
  const rows = await core.db.getAllFromIndex("views", "att", scope);
  const refused = (await core.db.getAllFromIndex("entries", "att", 1)).filter((e) => e.refused);
  const more = await Promise.all(
    [...new Set(refused.map((e) => e.record))]
      .filter((n) => !rows.some((r) => r.name === n))
      .map((n) => core.db.get("views", n)),
  );
  return [...rows, ...more.filter((r): r is ViewRow => r?.scope === scope)];
}

export async function board(core: Core, team: Id, fromS: number): Promise<BoardLine[]> {
  const [rows, att] = await Promise.all([logRowsSince(core, team, fromS), attentionRows(core, team)]);
  return core.directory.clients(team).map((client) => {
    const kinds: Record<number, number> = {};
    const attentive = new Set(att.filter((r) => r.client === client.id).map((r) => r.kind));
    for (const r of rows) {
      if (r.client !== client.id || r.ret) continue;
      if (r.made >= fromS) kinds[r.kind] = (kinds[r.kind] ?? 0) + 1;
      if (r.lacks) attentive.add(r.kind);
    }
    return { client, kinds, attention: [...attentive] };
  });
}

export async function record(core: Core, name: Name): Promise<RecordView | null> {
  const row = await core.db.get("views", name);
  return row ? ((await views(core, [row]))[0] ?? null) : null;
}

async function views(core: Core, rows: ViewRow[]): Promise<RecordView[]> {
  const log = await core.store.log();
  const refused = (await core.db.getAllFromIndex("entries", "att", 1)).filter((e) => e.refused);
  const all = await Promise.all(
    rows.map(async (row) => {
      const v = await core.store.view(row.name);
      if (!v) return null;
      const held = v.record.held.filter((h) => writerOf(h.name) === log.writer).map((h) => rowKey(h.name));
      const own = [
        ...(await Promise.all(held.map((key) => core.db.get("entries", key)))),
        ...refused.filter((e) => e.record === row.name),
      ];
      const entries = own.filter((e) => e !== undefined).map((e) => openEntry(core.sealer, e));
      return recordView(
        {
          kind: core.directory.schemas.kind(row.kind),
          clock: core.clock,
          teamOf: (scope) => core.directory.teamOf(scope),
          nameOf: (person) => core.directory.nameOf(person),
          log,
          own: await Promise.all(entries),
          doubles: await doublesOf(core, row),
        },
        v.record,
        v.scope,
      );
    }),
  );
  return all.filter((v): v is RecordView => v !== null);
}
async function doublesOf(core: Core, row: ViewRow): Promise<Name[]> {
  if (row.dk === undefined || row.ret) return [];
  const others = await core.db.getAllFromIndex("views", "dk", row.dk);
  return others.filter((o) => o.name !== row.name && !o.ret).map((o) => o.name);
}

// -- to begin a form with -------------------------------------------------------------------------------

/** The latest record of this client and kind, not retracted, before or on a day. */
export async function latest(
  core: Core,
  kind: number,
  client: Id,
  toDay: number,
): Promise<RecordView | null> {
  const range = IDBKeyRange.bound([client, kind, -Infinity], [client, kind, toDay]);
  const tx = core.db.transaction("views");
  let cursor = await tx.store.index("client").openCursor(range, "prev");
  while (cursor?.value.ret) cursor = await cursor.continue();
  return cursor ? ((await views(core, [cursor.value]))[0] ?? null) : null;
}
