// The own organisation in numbers, from the records that the engine holds. Pure: given records, gives rows.
import type { Client, KindInfo, RecordView, Team } from "../app/api.ts";

export const NIGHTS_WEEKS = 4;

export interface Week {
  /** first day, a Monday, days since 1970 */
  from: number;
  /** last night of it that is over */
  to: number;
}
/** The last weeks with the one that runs, oldest first. today: nights before it are over. */
export function weeksUntil(today: number): Week[] {
  const monday = today - ((today + 3) % 7); // 1 January 1970 was a Thursday
  const first = monday - 7 * NIGHTS_WEEKS;
  return Array.from({ length: NIGHTS_WEEKS + 1 }, (_, i) => ({
    from: first + 7 * i,
    to: Math.min(first + 7 * i + 6, today - 1),
  })).filter((w) => w.to >= w.from);
}

export interface WeekCell {
  expected: number;
  there: number;
  /** per client: nights that lack an entry */
  missing: { client: Client; days: number[] }[];
}
export interface TeamRow {
  team: Team;
  weeks: WeekCell[];
}
/** Which nights have an entry of any source, for each client of the team. */
export function teamNights(
  team: Team,
  clients: readonly Client[],
  nights: readonly RecordView[],
  weeks: readonly Week[],
): TeamRow {
  const there = new Set(nights.filter((r) => r.retracted !== "yes").map((r) => `${r.client} ${r.day}`));
  const cells = weeks.map((w) => {
    const days = Array.from({ length: w.to - w.from + 1 }, (_, i) => w.from + i);
    const missing = clients
      .map((client) => ({ client, days: days.filter((d) => !there.has(`${client.id} ${d}`)) }))
      .filter((m) => m.days.length);
    const expected = clients.length * days.length;
    return { expected, there: expected - missing.reduce((sum, m) => sum + m.days.length, 0), missing };
  });
  return { team, weeks: cells };
}

export interface TechRow {
  technology: string;
  entries: number;
  used: number;
  incidents: number;
  severe: number;
  /** code of the incident, and how often */
  kinds: ReadonlyMap<number, number>;
}
/** Use and incidents of each technology. */
export function technologyRows(kind: KindInfo, records: readonly RecordView[]): TechRow[] {
  const field = (name: string): number => kind.fields.find((f) => f.name === name)?.id ?? -1;
  const [technology, used, incident, severity] = ["technology_id", "used", "incident", "severity"].map(field);
  const rows = new Map<string, TechRow & { kinds: Map<number, number> }>();
  for (const r of records) {
    const id = r.values[technology];
    if (r.retracted === "yes" || typeof id !== "string") continue;
    const none = { technology: id, entries: 0, used: 0, incidents: 0, severe: 0, kinds: new Map() };
    const row = rows.get(id) ?? none;
    rows.set(id, row);
    row.entries++;
    if (r.values[used] === 1 || r.values[used] === 2) row.used++;
    const what = r.values[incident];
    if (typeof what !== "number" || what <= 0) continue;
    row.incidents++;
    row.kinds.set(what, (row.kinds.get(what) ?? 0) + 1);
    if (Number(r.values[severity]) >= 3) row.severe++;
  }
  return [...rows.values()].sort((a, b) => b.incidents - a.incidents || b.entries - a.entries);
}

export interface DeviceRow {
  id: string;
  name: string | null;
  person: string | null;
  teams: (string | null)[];
  /** seconds */
  enrolled: number;
  seen: number;
  /** until then it had sent all that it has; 0 never */
  all_sent: number;
  revoked: boolean;
  /** seconds; 0 never */
  expires: number;
  here: boolean;
}
export interface HeldRow {
  op: string;
  record: string;
  kind: number;
  kind_nl: string;
  kind_en: string;
  creates: boolean;
  when: number;
  received?: number;
  nl: string;
  en: string;
  author: string | null;
  client: string | null;
  team: string | null;
  device?: string | null;
  fields: { field: number; value: number | string | number[] | string[] | null }[];
  labels: Record<string, string | null>;
}
