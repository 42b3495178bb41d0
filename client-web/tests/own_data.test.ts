// Missing nights by team and week, for every hour of the weeks in which the clock is changed and in which the
// year ends, against an expectation that is computed from dates as people write them: no day is counted, no
// offset added.
import assert from "node:assert/strict";
import test from "node:test";
import type { Client, RecordView, Team } from "../src/app/api.ts";
import { makeClock } from "../src/app/clock.ts";
import { NIGHTS_WEEKS, teamNights, weeksUntil } from "../src/lead/own_data.ts";

const ZONE = "Europe/Amsterdam";
const HOUR_S = 3600;
const TEAMS = ["Beuk", "Wilg"].map((name) => ({ id: name, name }) as unknown as Team);
const CLIENTS: Record<string, string[]> = { Beuk: ["Merel", "Vink"], Wilg: ["Specht"] };

const isoDay = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
const dayOf = (iso: string): number => Date.parse(iso) / 86_400_000;
/** The date on the wall in Amsterdam: "2026-03-29". */
const wall = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE, dateStyle: "short" });

/** The week of a date by ISO 8601, which names the year of its Thursday: "2026-W01". */
function isoWeek(iso: string): string {
  const d = new Date(`${iso}T12:00:00Z`);
  d.setUTCDate(d.getUTCDate() + 4 - (d.getUTCDay() || 7));
  const year = d.getUTCFullYear();
  const week = Math.ceil(((d.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7);
  return `${year}-W${String(week).padStart(2, "0")}`;
}
/** Every date from the first on, to the last and without it. */
function dates(first: string, end: string): string[] {
  const all = [];
  for (const d = new Date(`${first}T12:00:00Z`); ; d.setUTCDate(d.getUTCDate() + 1)) {
    const iso = d.toISOString().slice(0, 10);
    if (iso >= end) return all;
    all.push(iso);
  }
}

/** Most nights are there, in no order that repeats with the week. */
const written = (client: string, iso: string): boolean =>
  (client.length * 7 + Number(iso.slice(8)) * 5 + Number(iso.slice(5, 7)) * 3) % 4 !== 0;
const record = (client: string, iso: string, retracted: RecordView["retracted"] = "no") =>
  ({ client, day: dayOf(iso), retracted }) as RecordView;
const records = (client: string, all: string[]): RecordView[] => [
  ...all.filter((iso) => written(client, iso)).flatMap((iso) => [record(client, iso), record(client, iso)]),
  // taken back: as if it was never written
  ...all.filter((iso) => !written(client, iso)).map((iso) => record(client, iso, "yes")),
  ...all.map((iso) => record("somebody who left", iso)),
];

interface Told {
  /** first night that is asked for */
  from: string;
  there: number;
  expected: number;
  missing: Record<string, string[]>;
}
/** From the dates of the nights alone: those of the last weeks, and of the one that runs what is over. */
function expectation(today: string, clients: string[], all: string[]): Map<string, Told> {
  const nights = all.filter((iso) => iso < today);
  const weeks = [...new Set(nights.map(isoWeek))];
  const running = isoWeek(today);
  const told = weeks.filter((w) => w !== running).slice(-NIGHTS_WEEKS);
  if (weeks.includes(running)) told.push(running);
  return new Map(
    told.map((week) => {
      const of = nights.filter((iso) => isoWeek(iso) === week);
      const lacks = clients.map((c) => [c, of.filter((iso) => !written(c, iso))] as const);
      const missing = Object.fromEntries(lacks.filter(([, d]) => d.length));
      const expected = of.length * clients.length;
      const there = expected - lacks.reduce((n, [, d]) => n + d.length, 0);
      return [week, { from: of[0], there, expected, missing }];
    }),
  );
}
function shown(nowS: number, team: Team, all: string[]): Map<string, Told> {
  const weeks = weeksUntil(makeClock(ZONE, () => nowS).day(nowS));
  const names = CLIENTS[team.name];
  const clients = names.map((id) => ({ id, label: id }) as unknown as Client);
  const row = teamNights(team, clients, names.flatMap((c) => records(c, all)), weeks);
  assert.equal(row.team, team);
  return new Map(
    row.weeks.map((cell, i) => {
      const missing = Object.fromEntries(cell.missing.map((m) => [m.client.id, m.days.map(isoDay)]));
      const from = isoDay(weeks[i].from);
      return [isoWeek(from), { from, there: cell.there, expected: cell.expected, missing }];
    }),
  );
}

// the last Sundays of October and March, and the ends of a year with 52 and of one with 53 weeks
for (const [what, first, monday] of [
  ["winter time begins", "2025-10-19", "2025-10-20"],
  ["summer time begins", "2026-03-22", "2026-03-23"],
  ["the year ends in week 1", "2025-12-28", "2025-12-29"],
  ["the year ends in week 53", "2026-12-27", "2026-12-28"],
] as const)
  test(`missing nights, week by week: ${what}`, () => {
    const start = Date.parse(`${first}T20:00:00Z`) / 1000;
    const all = dates(isoDay(dayOf(monday) - 70), isoDay(dayOf(monday) + 40));
    for (let hour = 0; hour < 10 * 24; hour++) {
      const now = start + hour * HOUR_S + 60;
      const today = wall.format(now * 1000);
      for (const team of TEAMS)
        assert.deepEqual(
          [...shown(now, team, all)],
          [...expectation(today, CLIENTS[team.name], all)],
          `${team.name}, ${new Date(now * 1000).toISOString()}`,
        );
    }
  });

test("the week with the changed clock and the week of two years have seven nights, each in its place", () => {
  for (const [now, weeks] of [
    ["2025-10-26T22:59:59Z", "22 29 06 13 20"], // Sunday 23:59 in winter time
    ["2025-10-27T23:30:00Z", "29 06 13 20 27"],
    ["2026-03-29T21:59:59Z", "23 02 09 16 23"], // Sunday 23:59 in summer time
    ["2026-03-30T22:30:00Z", "02 09 16 23 30"],
    ["2026-01-04T12:00:00Z", "01 08 15 22 29"],
  ]) {
    const s = Date.parse(now) / 1000;
    const list = weeksUntil(makeClock(ZONE, () => s).day(s));
    assert.equal(list.map((w) => isoDay(w.from).slice(8)).join(" "), weeks, now);
    assert.deepEqual(list.slice(0, -1).map((w) => w.to - w.from + 1), [7, 7, 7, 7], now);
  }
});
