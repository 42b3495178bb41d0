// Parts of the engine by themselves: local time, the lease, waiting after wrong PINs, sealing, sets.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";
import { isOlder, sing, wasEnrolled } from "../src/app/canary.ts";
import { makeClock } from "../src/app/clock.ts";
import { setChange } from "../src/app/kinds.ts";
import { leaseAt, renewed, seen } from "../src/app/lease.ts";
import { delayMs, pinProblem, waitMs } from "../src/app/pins.ts";
import { Sealer, makeSecrets } from "../src/app/seal.ts";

globalThis.crypto ??= webcrypto as Crypto;
const DAY_MS = 86_400_000;
const at = (text: string): number => Date.parse(text) / 1000;
const day = (text: string): number => Date.parse(`${text}T00:00Z`) / DAY_MS;

test("local time: nights, and the hours that a change of the clock skips or repeats", () => {
  const c = makeClock("Europe/Amsterdam", () => 0);
  assert.equal(c.day(at("2026-01-31T23:30Z")), day("2026-02-01"));
  assert.equal(c.minutes(at("2026-07-01T22:15Z")), 15);
  assert.equal(c.night(at("2026-03-10T10:59Z")), day("2026-03-09"), "11:59 local");
  assert.equal(c.night(at("2026-03-10T11:00Z")), day("2026-03-10"), "12:00 local");
  assert.equal(c.at(day("2026-03-10"), 22 * 60), at("2026-03-10T21:00Z"));
  assert.equal(c.at(day("2026-03-10"), 31 * 60), at("2026-03-11T06:00Z"), "past midnight");
  assert.equal(c.at(day("2026-03-29"), 150), at("2026-03-29T01:30Z"), "02:30 is skipped: 03:30");
  assert.equal(c.at(day("2026-10-25"), 150), at("2026-10-25T00:30Z"), "02:30 comes twice: the first");
  for (const text of ["2026-03-29T00:59Z", "2026-03-29T01:00Z", "2026-10-25T00:59Z", "1969-12-31T12:00Z"]) {
    const s = at(text);
    assert.equal(c.at(c.day(s), c.minutes(s)), s, text);
  }
  assert.equal(makeClock("Nergens/Huizen", () => 0).minutes(at("2026-07-01T22:15Z")), 22 * 60 + 15);
});

test("the lease: by the highest time ever seen, as long as the organisation says", () => {
  const row = renewed(1000 * DAY_MS);
  assert.deepEqual(leaseAt(row, 1000 * DAY_MS), { over: false, days: 14 });
  assert.deepEqual(leaseAt(row, 1014 * DAY_MS - 1), { over: false, days: 0 });
  assert.deepEqual(leaseAt(row, 1014 * DAY_MS), { over: true, days: 0 });
  assert.equal(leaseAt(seen(row, 1015 * DAY_MS), 1001 * DAY_MS).over, true, "a clock set back");
  assert.equal(leaseAt(row, 1003 * DAY_MS, 3).over, true);
});

test("PINs: what is weak, and how long a wrong one makes wait", () => {
  assert.deepEqual(["123", "0000", "12a4", "1234567890123", "2580", "0001"].map(pinProblem), [
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  assert.deepEqual([0, 2, 3, 4, 5, 100].map(delayMs), [0, 0, 5000, 10_000, 20_000, 900_000]);
  const row = { person: "", salt: new Uint8Array(), verifier: new Uint8Array(), rounds: 1, fails: 4 };
  assert.equal(waitMs({ ...row, sinceMs: 50_000, untilMs: 60_000 }, 55_000), 5000);
  assert.equal(waitMs({ ...row, sinceMs: 50_000, untilMs: 60_000 }, 10_000), 10_000, "a clock set back");
  assert.equal(waitMs({ ...row, fails: 0, sinceMs: 0, untilMs: 0 }, 1), 0);
});

test("sealing: opens in its place only, differs each time, and under a fresh key each time the app opens", async () => {
  const salts: Uint8Array[] = [];
  const epochs = { add: async (s: Uint8Array) => salts.push(s), salt: async (n: number) => salts[n - 1] };
  const secrets = await makeSecrets();
  const organisation = "ab".repeat(16);
  const plain = new TextEncoder().encode("K. (kamer 4)");
  const first = new Sealer(secrets, organisation, epochs);
  const sealed = await first.seal("part 2 x", plain);
  assert.notDeepEqual(await first.seal("part 2 x", plain), sealed);
  const second = new Sealer(secrets, organisation, epochs);
  const again = await second.seal("part 2 x", plain);
  assert.equal(salts.length, 2);
  assert.deepEqual(await second.open("part 2 x", sealed), plain);
  assert.deepEqual(await first.open("part 2 x", again), plain);
  await assert.rejects(second.open("part 2 y", sealed));
  await assert.rejects(new Sealer(secrets, "cd".repeat(16), epochs).open("part 2 x", sealed));
  for (let i = 4; i < sealed.length; i++) {
    const bent = Uint8Array.from(sealed);
    bent[i] ^= 1;
    await assert.rejects(first.open("part 2 x", bent));
  }
  await assert.rejects(crypto.subtle.exportKey("pkcs8", secrets.device));
  await assert.rejects(crypto.subtle.exportKey("raw", secrets.own));
});

test("sets: only what changes is said, and what is in doubt is settled", () => {
  assert.deepEqual(setChange([1, 3], [1, 2], []), { add: [3], del: [2] });
  assert.deepEqual(setChange([1, 2], [1, 2], []), { add: [], del: [] });
  assert.deepEqual(setChange([1], [1, 2], [1, 4]), { add: [1], del: [2, 4] });
});

test("the canary: knows an enrolled browser, and an older copy of its log", () => {
  const marks = [null, null].map((text: string | null) => ({
    read: () => text,
    write: (t: string) => void (text = t),
  }));
  const log = { writer: "0f".repeat(16), device: "", seq: 7, head: new Uint8Array(), acked: 7, safe: 0, askedMs: 0 };
  assert.equal(wasEnrolled(marks), false);
  sing(marks, log);
  marks[0].write("");
  assert.equal(wasEnrolled(marks), true);
  assert.deepEqual([isOlder(marks, log), isOlder(marks, { ...log, seq: 6 })], [false, true]);
  assert.equal(isOlder(marks, { ...log, writer: "1f".repeat(16), seq: 0 }), false);
});
