// The engine with the real server: what a carer does, offline and online, over restarts, tabs, cuts and
// faults.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { App, KindInfo, RecordView } from "../src/app/api.ts";
import { Daemon, daemonMissing } from "./lib/daemon.ts";
import { Browser, until } from "./lib/engine.ts";

const skip = daemonMissing ?? false;
let daemon: Daemon;
const opened = new Set<App>();

export async function tablet(
  name: string,
  browser = new Browser(daemon.port),
): Promise<{ browser: Browser; app: App }> {
  const { code } = daemon.admin("device", "add", name, "--team", "Beuk");
  const app = await open(browser);
  await app.enrol(code, name);
  return { browser, app };
}
async function open(browser: Browser): Promise<App> {
  const app = await browser.open();
  opened.add(app);
  return app;
}
async function close(app: App): Promise<void> {
  opened.delete(app);
  await app.close();
}
async function signIn(app: App, name = "Anna"): Promise<void> {
  const team = app.teams()[0].id;
  const person = (await app.people(team)).find((p) => p.name === name)!;
  if (person.hasPin) assert.deepEqual(await app.signIn(person.id, "2580"), { ok: true });
  else await app.choosePin(person.id, "2580");
}
const team = (app: App) => app.teams()[0].id;
const field = (k: KindInfo, name: string) => k.fields.find((f) => f.name === name)!.id;
async function client(app: App): Promise<string> {
  return (await app.clients(team(app)))[0].id;
}
async function night(app: App, day: number, quality = 4): Promise<string> {
  const k = app.kind("sleep")!;
  const values = { [field(k, "night_date")]: day, [field(k, "source")]: 1, [field(k, "quality")]: quality };
  return app.save({ kind: k.id, team: team(app), client: await client(app), values });
}
export async function nights(app: App): Promise<RecordView[]> {
  return app.records({ kind: app.kind("sleep")!.id, team: team(app), fromDay: 0, toDay: 99999 });
}
const sent = (app: App) => until("all sent", () => app.sync.unsent === 0 && app.sync.state === "live");

before(async () => {
  if (skip) return;
  daemon = new Daemon();
  await daemon.start();
  daemon.admin("organisation", "add", "De Linde");
  daemon.admin("team", "add", "Beuk");
  daemon.admin("person", "add", "Anna", "--team", "Beuk");
  daemon.admin("person", "add", "Bas", "--team", "Beuk");
  daemon.admin("participant", "add", "K. (kamer 4)", "--team", "Beuk");
});
after(async () => {
  for (const app of opened) await app.close();
  await daemon?.end();
});

test(
  "enrols, knows team, people, clients and forms, and saves offline what later is sent",
  { skip },
  async () => {
    const { browser, app } = await tablet("T1");
    assert.equal(app.device.state, "ready");
    assert.equal(app.device.organisation, "De Linde");
    assert.deepEqual(
      (await app.people(team(app))).map((p) => p.name),
      ["Anna", "Bas"],
    );
    await signIn(app);
    assert.ok(app.kinds().some((k) => k.name === "sleep"));
    browser.online = false;
    browser.cut();
    await until("noticed", () => app.sync.state === "waiting");
    assert.equal(app.sync.error?.code, "offline");
    const id = await night(app, 20000);
    await until("counted", () => app.sync.unsent === 1);
    assert.equal((await app.record(id))!.place, "tablet");
    await close(app);
    const again = await open(browser);
    assert.equal(again.sync.unsent >= 0, true);
    await signIn(again);
    assert.equal((await again.record(id))!.values[19], 4, "it outlives the app");
    browser.online = true;
    await again.syncNow();
    await sent(again);
    assert.equal((await again.record(id))!.place, "server");
    assert.ok(again.sync.allSentAt);
  },
);
