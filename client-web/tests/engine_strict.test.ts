// Strict protection with the real server (PROTO-164): what lies in the browser opens with the server's share
// only; without a network the tablet says so, and loses nothing.
import assert from "node:assert/strict";
import test from "node:test";
import { AppError } from "../src/app/api.ts";
import { utf8 } from "../src/proto/bytes.ts";
import { idBytes } from "../src/proto/name.ts";
import { daemonMissing } from "./lib/daemon.ts";
import { Browser, dump, until } from "./lib/engine.ts";
import type { Json } from "./lib/vectors.ts";
import { PIN, SLEEP, allSent, daemon, field, has, night, personOf, signIn, team, teamOf, useTeam } from "./lib/team.ts";

const skip = daemonMissing ?? false;
const fails = (code: string) => (e: unknown) => e instanceof AppError && e.code === code;
useTeam();

const strict = (on: boolean) => daemon.admin("organisation", "edit", `strict_store=${on ? 1 : 0}`);

/** How many values of the browser somebody can open who has all that lies in it, but no share. */
async function thief(browser: Browser): Promise<Record<"parts" | "sent" | "unsent", [number, number]>> {
  const rows = (await dump(browser)) as Record<string, Json[]>;
  const secrets = rows.secrets[0];
  const organisation = idBytes(rows.meta.find((m) => m?.organisation && m?.deviceRecord).organisation);
  const keys: CryptoKey[] = [secrets.own];
  for (const salt of rows.epochs)
    for (const label of ["overdracht store 1", "overdracht strict 1"])
      keys.push(
        await crypto.subtle.deriveKey(
          { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(salt), info: new Uint8Array(utf8(label)) },
          secrets.store,
          { name: "AES-GCM", length: 256 },
          false,
          ["decrypt"],
        ),
      );
  const tries = async (of: string, sealed: Uint8Array): Promise<boolean> => {
    const epoch = new DataView(sealed.buffer, sealed.byteOffset).getUint32(0);
    const place = utf8(of);
    const additionalData = new Uint8Array(epoch === 0 ? place : [...organisation, ...place]);
    const iv = new Uint8Array(sealed.subarray(4, 16));
    const opens = await Promise.all(
      keys.map((k) =>
        crypto.subtle
          .decrypt({ name: "AES-GCM", iv, additionalData }, k, new Uint8Array(sealed.subarray(16)))
          .then(() => true)
          .catch(() => false),
      ),
    );
    return opens.some(Boolean);
  };
  const count = async (list: [string, Uint8Array][]): Promise<[number, number]> => [
    (await Promise.all(list.map((x) => tries(...x)))).filter(Boolean).length,
    list.length,
  ];
  const entries = rows.entries.filter((e) => e.body && e.client && e.client !== e.record);
  const place = (e: { w: string; seq: number; body: Uint8Array }): [string, Uint8Array] => [
    `entry ${e.w} ${e.seq}`,
    e.body,
  ];
  return {
    parts: await count(rows.parts.map((r) => [`part ${r.scope} ${r.name}`, r.body])),
    sent: await count(entries.filter((e) => e.receipt).map(place)),
    unsent: await count(entries.filter((e) => !e.receipt).map(place)),
  };
}

test(
  "strict: the browser's own keys open nothing received or sent; closed it shows nothing and loses nothing",
  { skip },
  async () => {
    const { browser, app } = await team.tablet("S1");
    await signIn(app);
    const first = await night(app, 22000);
    await allSent(app);
    let seen = await thief(browser);
    assert.ok(seen.parts[1] > 5 && seen.parts[0] === seen.parts[1], "the control: a standard store opens");
    assert.deepEqual(seen.sent, [1, 1]);
    strict(true);
    browser.cut();
    await app.syncNow();
    await until("strict", async () => (await thief(browser)).parts[0] === 0);
    assert.equal(app.device.state, "ready", "it is open until it is closed");
    assert.ok(await app.record(first));
    const second = await night(app, 22001);
    await allSent(app);
    browser.online = false;
    browser.cut();
    const third = await night(app, 22002);
    seen = await thief(browser);
    assert.equal(seen.parts[0], 0);
    assert.deepEqual(seen.sent, [0, seen.sent[1]], "what was sent is closed, before and after");
    assert.deepEqual(seen.unsent, [1, 1], "what was not sent can always be sent");
    const anna = await personOf(app, "Anna");
    await team.close(app);

    const closed = await team.open(browser);
    assert.equal(closed.device.state, "closed");
    assert.match(closed.device.notice!.text.nl, /op slot tot hij verbinding heeft/);
    assert.deepEqual(await closed.people(""), []);
    await assert.rejects(closed.signIn(anna, PIN), fails("locked"));
    await until("counted", () => closed.sync.unsent === 1);
    const file = await closed.exportUnsent();
    assert.equal(file.entries, 1);
    await team.close(closed);

    const back = await team.open(browser);
    browser.online = true;
    await back.syncNow();
    await until("opened", () => back.device.state === "ready");
    await allSent(back);
    await signIn(back);
    for (const id of [first, second, third])
      assert.equal((await back.record(id))!.values[field(SLEEP(back), "quality")], 4);
    const tab = await team.open(browser); // another tab: it gets the share from this one
    await until("opened too", () => tab.device.state === "ready");
    assert.equal((await tab.people(teamOf(tab))).length, 2);
    await team.close(back);
    await team.close(tab);
  },
);

test("a strict tablet that was revoked gets no share: it hands over, and is empty", { skip }, async () => {
  const { browser, app } = await team.tablet("S2");
  const other = await team.tablet("S3");
  await signIn(app);
  await night(app, 22010);
  await allSent(app);
  browser.online = false;
  browser.cut();
  const late = await night(app, 22011);
  await team.close(app);
  daemon.admin("device", "revoke", "S2");
  const again = await team.open(browser);
  assert.equal(again.device.state, "closed");
  browser.online = true;
  await again.syncNow();
  await until("revoked", () => again.device.state === "revoked");
  await until("handed over", () => again.sync.unsent === 0);
  const seen = await thief(browser);
  assert.deepEqual([seen.parts[1], seen.sent[1], seen.unsent[1]], [0, 0, 0]);
  assert.ok(late);
  await team.close(other.app);
});

test("switched off: a closed tablet asks for its share once more, then opens alone", { skip }, async () => {
  const { browser, app } = await team.tablet("S4");
  await signIn(app);
  const id = await night(app, 22020);
  await allSent(app);
  await team.close(app);
  strict(false);
  const closed = await team.open(browser);
  assert.equal(closed.device.state, "closed");
  await closed.syncNow();
  await until("open", () => closed.device.state === "ready");
  await team.close(closed);
  browser.online = false;
  const alone = await team.open(browser);
  assert.equal(alone.device.state, "ready");
  await signIn(alone);
  await has(alone, id);
  strict(true);
});
