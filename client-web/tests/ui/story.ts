// A made-up team in the middle of its week, for pictures: staff are called after herbs, clients after birds.
import sleep from "../../../proto/schema/sleep.json";
import sleepCheck from "../../../proto/schema/sleep_check.json";
import dayStructure from "../../../proto/schema/day_structure.json";
import socialContact from "../../../proto/schema/social_contact.json";
import techUse from "../../../proto/schema/tech_use.json";
import goal from "../../../proto/schema/goal.json";
import remoteCare from "../../../proto/schema/remote_care.json";
import type { Value } from "../../src/app/api.ts";
import { heldNotice } from "../../src/app/errors.ts";
import { Double, clockAt } from "./double.ts";
import type { SchemaFile } from "./schemas.ts";

const SCHEMAS = [
  sleep,
  sleepCheck,
  dayStructure,
  socialContact,
  techUse,
  goal,
  remoteCare,
] as unknown as SchemaFile[];

/** Wednesday 11 March 2026; the hour as given. */
const TODAY = Date.UTC(2026, 2, 11) / 86400000;
const clock = clockAt(() => 0);

export function tell(minutes: number): Double {
  const now = clock.at(TODAY, minutes);
  const app = new Double(
    {
      now,
      teams: [{ id: "t1", name: "Woning Els" }],
      people: ["Salie", "Tijm", "Laurier", "Munt", "Rozemarijn", "Venkel"].map((name, i) => ({
        id: `p${i}`,
        name,
        hasPin: i < 4,
        waitS: 0,
      })),
      clients: ["Merel", "Vink", "Roodborst", "Specht", "Koolmees", "Zwaluw"].map((label, i) => ({
        id: `c${i}`,
        label,
        teams: ["t1"],
      })),
      projects: [{ id: "pr1", label: "Project 01" }],
      technologies: [1, 2, 3].map((n) => ({ id: `te${n}`, label: `Technologie 0${n}` })),
    },
    SCHEMAS,
  );
  nights(app);
  days(app, now);
  rounds(app, now);
  troubles(app, now);
  return app;
}

function night(
  app: Double,
  client: string,
  by: string,
  day: number,
  times: [number, number, number, number],
  more: Record<string, Value>,
) {
  const at = (m: number) => app.clock.at(day + (m < 720 ? 1 : 0), m);
  return app.put("sleep", client, by, app.clock.at(day + 1, 405), {
    night_date: day,
    source: 1,
    bed_at: at(times[0]),
    sleep_try_at: at(times[1]),
    final_wake_at: at(times[2]),
    out_of_bed_at: at(times[3]),
    ...more,
  });
}
function nights(app: Double): void {
  for (let d = 2; d <= 8; d++) {
    night(app, "c0", "p1", TODAY - d, [1320, 1350, 390, 405], { quality: 2 + (d % 4), wake_count: d % 3 });
    night(app, "c1", "p1", TODAY - d, [1365, 1380, 420, 450], { quality: 4 });
    if (d < 7) night(app, "c2", "p2", TODAY - d, [1290, 1305, 375, 390], { quality: 3, disturbance: [2, 4] });
    if (d > 3) night(app, "c4", "p2", TODAY - d, [1350, 1365, 420, 435], { quality: 5 });
  }
  night(app, "c1", "p0", TODAY - 1, [1365, 1380, 420, 450], {
    quality: 4,
    wake_count: 1,
    note: "Werd om half vier even wakker. Wilde water. Sliep daarna weer in.",
  });
}
function days(app: Double, now: number): void {
  const at = (d: number, m: number) => Math.min(now - 60, app.clock.at(TODAY - d, m));
  for (let d = 1; d <= 7; d++) {
    app.put("day_structure", "c0", "p2", at(d, 615), {
      occurred_at: at(d, 600),
      category: 1,
      planned: 0,
      realised: 1,
      prompt_level: 2,
      prompt_by: 1,
      initiative: 3,
    });
    app.put("day_structure", "c3", "p3", at(d, 940), {
      occurred_at: at(d, 930),
      category: 6,
      planned: 0,
      realised: 2,
      not_done_reason: 2,
      prompt_level: 1,
      prompt_by: 2,
      initiative: 1,
    });
  }
  app.put("social_contact", "c0", "p3", at(1, 1190), {
    occurred_at: at(1, 1170),
    mode: 4,
    partner: [1],
    initiator: 1,
    duration_band: 3,
    valence: 2,
    note: "Belde met haar zus. Heeft gelachen.",
  });
  app.put("tech_use", "c3", "p2", at(1, 1265), {
    occurred_at: at(1, 1260),
    technology_id: "te2",
    used: 2,
    incident: 3,
    severity: 1,
  });
  app.put("remote_care", "c5", "p0", at(1, 1330), {
    occurred_at: at(1, 1320),
    mode: 1,
    purpose: 4,
    reason: 3,
    replaces_visit: 1,
    duration_min: 20,
    connection: 3,
  });
}
function rounds(app: Double, now: number): void {
  const seen: [string, number[]][] = [
    ["c0", [1, 1, 2, 1]],
    ["c1", [1, 3, 1, 1]],
    ["c2", [1, 1, 1, 4]],
  ];
  for (const [client, states] of seen)
    states.forEach((state, i) => {
      const m = [1395, 70, 205, 330][i];
      const at = app.clock.at(TODAY - (m > 720 ? 1 : 0), m);
      if (at <= now) app.put("sleep_check", client, "p0", at, { night_date: TODAY - 1, checked_at: at, state });
    });
}
function troubles(app: Double, now: number): void {
  // two carers judged one night without knowing of each other
  const conflict = night(app, "c2", "p1", TODAY - 1, [1290, 1305, 375, 390], { quality: 2, wake_count: 2 });
  const other = { by: "p0", byName: "Salie", at: now - 4200, clockSuspect: true };
  const fields = conflict.fields.map((f) =>
    f.field === 19
      ? { ...f, others: [{ value: 4, ...other }] }
      : f.field === 17
        ? { ...f, others: [{ value: app.clock.at(TODAY, 330), ...other }] }
        : f,
  );
  app.change(conflict.id, { fields, conflicts: [17, 19] });
  // one night entered on two tablets
  const one = night(app, "c4", "p2", TODAY - 1, [1350, 1365, 420, 435], { quality: 4 });
  const two = night(app, "c4", "p3", TODAY - 1, [1350, 1380, 420, 435], { quality: 3, help_count: 1 });
  app.change(one.id, { doubles: [two.id] });
  app.change(two.id, { doubles: [one.id], createdAt: one.createdAt + 900 });
  // a number that the server holds back
  const held = app.put("tech_use", "c5", "p0", now - 7200, {
    occurred_at: now - 7500,
    technology_id: "te1",
    used: 1,
    incident: 0,
  });
  app.change(held.id, {
    held: [
      {
        reason: 2,
        is: "held",
        notice: heldNotice(2),
        own: true,
        by: "p0",
        byName: "Salie",
        at: now - 7200,
        values: { 12: 2000 },
      },
    ],
  });
  app.sync = { ...app.sync, attention: 4 };
}
