// Which shift it is, and what is still open in it. What a team logs differs by client, and no schema says
// what is due:
// a kind is expected of a client when it was logged on most days of the week before.
import type { App, BoardLine, Client, Id, KindInfo, RecordView, Team } from "../app/api.ts";
import { nightField, ROUNDS } from "./kinds.ts";

export type Shift = "night" | "day" | "evening";
const DAY_BEGINS = 7 * 60;
const EVENING_BEGINS = 15 * 60;
const NIGHT_BEGINS = 23 * 60;
/** From this hour on a night can be filled in. */
const NIGHT_KNOWN = 5 * 60;
const WEEK_DAYS = 7;
const EXPECTED_TIMES = 4;

export function shiftAt(minutes: number): Shift {
  if (minutes >= NIGHT_BEGINS || minutes < DAY_BEGINS) return "night";
  return minutes < EVENING_BEGINS ? "day" : "evening";
}
/** Second at which the present shift began. */
export function shiftBegan(app: App): number {
  const { clock } = app;
  const now = clock.now();
  const minutes = clock.minutes(now);
  const today = clock.day(now);
  if (minutes >= NIGHT_BEGINS) return clock.at(today, NIGHT_BEGINS);
  if (minutes < DAY_BEGINS) return clock.at(today - 1, NIGHT_BEGINS);
  return clock.at(today, minutes < EVENING_BEGINS ? DAY_BEGINS : EVENING_BEGINS);
}
/** Hours in which somebody walks round. */
export const isNight = (minutes: number): boolean => minutes >= 21 * 60 || minutes < 8 * 60;

export interface OpenLine {
  client: Client;
  /** kinds expected and not there */
  open: KindInfo[];
  /** entries of this shift */
  done: number;
  attention: boolean;
}

/** The team board: a few reads, whatever the team's size or history. */
export async function openLines(app: App, team: Team): Promise<OpenLine[]> {
  const { clock } = app;
  const today = clock.day(clock.now());
  const [shift, day, week, nights] = await Promise.all([
    app.board(team.id, shiftBegan(app)),
    app.board(team.id, clock.at(today, DAY_BEGINS)),
    app.board(team.id, clock.at(today - WEEK_DAYS, 0)),
    nightsOf(app, team, today),
  ]);
  const by = (lines: BoardLine[]) => new Map(lines.map((line) => [line.client.id, line.kinds]));
  const [dayOf, weekOf] = [by(day), by(week)];
  const expected = (client: Id, kind: KindInfo) => (weekOf.get(client)?.[kind.id] ?? 0) >= EXPECTED_TIMES;
  const due = app.kinds().filter((kind) => kind.needsClient && kind.name !== ROUNDS && isDue(app, kind));
  const there = (client: Id, kind: KindInfo) =>
    nights.get(kind.id)?.has(client) ?? (dayOf.get(client)?.[kind.id] ?? 0) > 0;
  return shift.map((line) => ({
    client: line.client,
    open: due.filter((kind) => expected(line.client.id, kind) && !there(line.client.id, kind)),
    done: Object.values(line.kinds).reduce((sum, n) => sum + n, 0),
    attention: line.attention.length > 0,
  }));
}

/** A night is filled in from early morning on; what belongs to the day not while the house sleeps. */
function isDue(app: App, kind: KindInfo): boolean {
  const minutes = app.clock.minutes(app.clock.now());
  if (nightField(kind)) return minutes >= NIGHT_KNOWN && minutes < NIGHT_BEGINS;
  return shiftAt(minutes) !== "night";
}

/** Clients whose last night is there, by kind. */
type Nights = ReadonlyMap<number, ReadonlySet<Id>>;
async function nightsOf(app: App, team: Team, today: number): Promise<Nights> {
  const kinds = app.kinds().filter((kind) => nightField(kind) && kind.name !== ROUNDS);
  const read = (kind: KindInfo) =>
    app.records({ team: team.id, kind: kind.id, fromDay: today - 1, toDay: today - 1 });
  const there = (list: RecordView[]) =>
    new Set(list.filter((r) => r.retracted !== "yes").map((r) => r.client ?? ""));
  return new Map(await Promise.all(kinds.map(async (kind) => [kind.id, there(await read(kind))] as const)));
}
