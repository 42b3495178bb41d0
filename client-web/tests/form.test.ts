// Forms as data, times of nights, texts: what needs no browser.
import assert from "node:assert/strict";
import test from "node:test";
import {
  answered,
  changes,
  copied,
  layout,
  moveNight,
  nightTime,
  offeredNumbers,
  offeredTimes,
  parseTime,
  sameValue,
  timeText,
} from "../src/ui/form/model.ts";
import { fieldNamed } from "../src/ui/kinds.ts";
import { shiftAt } from "../src/ui/shifts.ts";
import { TEXT_KEYS, counted, text } from "../src/ui/texts.ts";
import { tell } from "./ui/story.ts";

const app = tell(410);
const { clock } = app;
const sleep = app.kind("sleep")!;
const contact = app.kind("social_contact")!;
const day = app.kind("day_structure")!;
const id = (kind: typeof sleep, name: string) => fieldNamed(kind, name)!.id;
const names = (fields: { name: string }[]) => fields.map((f) => f.name);
const date = (iso: string) => Date.parse(`${iso}T00:00:00Z`) / 86400000;

test("every text is there in both languages, with the same blanks", () => {
  for (const key of TEXT_KEYS) {
    const [nl, en] = [text("nl", key), text("en", key)];
    assert.ok(nl.length > 0 && en.length > 0, key);
    const blanks = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
    assert.deepEqual(blanks(nl), blanks(en), key);
  }
  assert.equal(counted("nl", "send_unsent_one", "send_unsent_more", 3), "3 nog te versturen");
  assert.equal(counted("nl", "send_unsent_one", "send_unsent_more", 1), "1 nog te versturen");
});

test("a Dutch sentence has at most twenty words", () => {
  for (const key of TEXT_KEYS)
    for (const sentence of text("nl", key).split(/[.!?…]/))
      assert.ok(sentence.trim().split(/\s+/).length <= 20, `${key}: ${sentence}`);
});

test("a clock time of a night before noon is the next morning, also where the clock changes", () => {
  const night = date("2026-03-28"); // summer time begins in this night
  const bed = nightTime(clock, night, parseTime("22:00")!);
  const up = nightTime(clock, night, parseTime("06:30")!);
  assert.equal(clock.day(bed), night);
  assert.equal(clock.day(up), night + 1);
  assert.equal(clock.minutes(up), 390);
  assert.equal((up - bed) / 3600, 7.5, "an hour is not there");
  const autumn = date("2026-10-24");
  const long = nightTime(clock, autumn, 390) - nightTime(clock, autumn, 1320);
  assert.equal(long / 3600, 9.5, "an hour is there twice");
});

test("times are read as they are typed", () => {
  assert.deepEqual(["06:30", "0630", "6.30", "630", "24:00", "12:60", "", "x"].map(parseTime), [
    390,
    390,
    390,
    390,
    null,
    null,
    null,
    null,
  ]);
  assert.equal(timeText(1355), "22:35");
});

test("what is asked follows from the answers: a reason only when it was not done", async () => {
  const start = await app.prefill(day.id);
  const asks = (values: Record<number, number>) => {
    const all = { ...start, ...values };
    return names(layout(day, all, start, app.judge(day.id, all)).main);
  };
  const realised = id(day, "realised");
  assert.ok(!asks({ [realised]: 1 }).includes("not_done_reason"));
  assert.ok(asks({ [realised]: 2 }).includes("not_done_reason"));
  assert.ok(!asks({ [realised]: 3 }).includes("prompt_level"));
  assert.ok(asks({ [id(day, "planned")]: 1 }).includes("planned_at"));
  assert.ok(!asks({ [id(day, "planned")]: -98 }).includes("planned_at"));
});

test("context that is known stands apart; what is not known is asked", async () => {
  const start = { ...(await app.prefill(sleep.id)), [id(sleep, "source")]: 1 };
  const parts = layout(sleep, start, start, app.judge(sleep.id, start));
  assert.deepEqual(names(parts.given), ["project", "night_date", "source"]);
  assert.deepEqual(names(parts.main), [
    "bed_at",
    "sleep_try_at",
    "final_wake_at",
    "out_of_bed_at",
    "quality",
  ]);
  assert.equal(parts.more[parts.more.length - 1].name, "note");
  const none = layout(sleep, {}, {}, app.judge(sleep.id, {}));
  assert.deepEqual(names(none.given), []);
  assert.ok(names(none.main).includes("project"));
});

test("the usual times are copied, how the night went never is", async () => {
  const night = clock.night(clock.now());
  const usual = await app.usualTimes(sleep.id, "c0", night);
  const taken = copied(sleep, usual);
  assert.deepEqual(
    Object.keys(taken).map(Number).sort(),
    ["bed_at", "sleep_try_at", "out_of_bed_at"].map((n) => id(sleep, n)).sort(),
  );
  assert.equal(clock.day(taken[id(sleep, "bed_at")] as number), night);
  assert.equal(clock.minutes(taken[id(sleep, "out_of_bed_at")] as number), 405);
  const wake = fieldNamed(sleep, "final_wake_at")!;
  assert.ok(offeredTimes(sleep, wake, usual[wake.id], clock).includes(390), "but it is offered");
});

test("a missing code in the usual times is no time to copy", () => {
  assert.deepEqual(copied(sleep, { [id(sleep, "bed_at")]: -99 }), {});
});

test("another night moves its times along", () => {
  const night = date("2026-03-10");
  const bed = id(sleep, "bed_at");
  const values = {
    [id(sleep, "night_date")]: night,
    [bed]: nightTime(clock, night, 1320),
    [id(sleep, "quality")]: 4,
  };
  const moved = moveNight(sleep, values, night, night - 1, clock);
  assert.equal(clock.day(moved[bed] as number), night - 1);
  assert.equal(clock.minutes(moved[bed] as number), 1320);
  assert.equal(moved[id(sleep, "quality")], 4);
});

test("untouched is no answer; nought, no and a missing code are", () => {
  for (const none of [undefined, null, "", []]) assert.equal(answered(none), false);
  for (const some of [0, -98, -99, "x", [1]]) assert.equal(answered(some), true);
});

test("an edit sends what changed, and null for what was emptied", () => {
  assert.deepEqual(changes({ 10: 1, 11: [1, 2], 5: "a" }, { 10: 2, 11: [2, 1], 5: "" }), { 10: 2, 5: null });
  assert.deepEqual(changes({}, { 5: "" }), {});
  assert.ok(sameValue([1, 2], [2, 1]) && !sameValue([1], [1, 2]));
});

test("numbers to tap stay within the range of the field", () => {
  const offered = (kind: typeof sleep, name: string) => offeredNumbers(fieldNamed(kind, name)!);
  assert.deepEqual(offered(app.kind("goal")!, "weight"), { numbers: [1, 2, 3], all: true });
  assert.equal(offered(contact, "partner_count").numbers[0], 1);
  assert.deepEqual(offered(sleep, "waso_min").numbers, [0, 5, 10, 15, 30, 45, 60]);
  assert.ok(!offered(day, "planned_min").numbers.includes(0));
  assert.deepEqual(offered(app.kind("goal")!, "goal_id").numbers, []);
});

test("the day has three shifts", () => {
  assert.deepEqual([0, 419, 420, 899, 900, 1379, 1380].map(shiftAt), [
    "night",
    "night",
    "day",
    "day",
    "evening",
    "evening",
    "night",
  ]);
});
