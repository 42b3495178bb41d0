// The engine in a real browser, served by the real server under its own policy (CSP, Trusted Types).
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { Daemon, daemonMissing } from "./lib/daemon.ts";
import { Profile, chromiumMissing } from "./lib/chromium.ts";
import { until } from "./lib/engine.ts";
import { Team } from "./lib/team.ts";
import { sourceDir } from "./lib/vectors.ts";

const skip = daemonMissing ?? chromiumMissing ?? false;
// not bundled into the test: it finds its files beside it
const script = `${sourceDir}client-web/scripts/build.mjs`;
const { buildApp, firstLoadBytes, writeApp } = (await import(script)) as typeof import("../scripts/build.mjs");
const FIRST_LOAD_MAX = 200_000;
const entry = `${sourceDir}client-web/tests/pages/engine.ts`;
let daemon: Daemon;
let profile: Profile;
let context: BrowserContext;
let folder: string;
/** what a page asked of another host, or was forbidden */
const complaints: string[] = [];

const publish = async (version: string) => writeApp(await buildApp({ entry, version }), join(folder, "web"));
const code = (name: string): string => daemon.admin("device", "add", name, "--team", "Beuk").code;

async function open(): Promise<Page> {
  const page = await context.newPage();
  const own = `http://127.0.0.1:${daemon.port}`;
  page.on("request", (r) => !r.url().startsWith(own) && complaints.push(`asks ${r.url()}`));
  page.on("pageerror", (e) => complaints.push(`throws ${e.message}`));
  page.on("console", (m) => /Content Security|Trusted/.test(m.text()) && complaints.push(m.text()));
  await page.goto(own);
  return page;
}
const device = (page: Page): Promise<string> => page.evaluate(async () => (await window.app).device.state);
const unsent = (page: Page): Promise<number> => page.evaluate(async () => (await window.app).sync.unsent);
async function signIn(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const app = await window.app;
    const anna = (await app.people(app.teams()[0].id)).find((p) => p.name === "Anna")!;
    if (anna.hasPin) await app.signIn(anna.id, "2580");
    else await app.choosePin(anna.id, "2580");
  });
}
/** Nights from a day on, saved one after the other; gives how many the tablet shows from there on. */
async function save(page: Page, from: number, n: number): Promise<void> {
  await page.evaluate(
    async ([day, count]) => {
      const app = await window.app;
      const team = app.teams()[0].id;
      const client = (await app.clients(team))[0].id;
      for (let i = 0; i < count; i++) {
        const values = { 10: day + i, 11: 1, 19: 4, 5: "<script>alert(1)</script>" };
        await app.save({ kind: app.kind("sleep")!.id, team, client, values });
      }
    },
    [from, n],
  );
}
const shown = (page: Page, from: number, n: number): Promise<number> =>
  page.evaluate(
    async ([day, count]) => {
      const app = await window.app;
      const q = {
        kind: app.kind("sleep")!.id,
        team: app.teams()[0].id,
        fromDay: day,
        toDay: day + count - 1,
      };
      return (await app.records(q)).length;
    },
    [from, n],
  );
const sent = (page: Page) => until("all sent", async () => (await unsent(page)) === 0, 60_000);

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "overdracht-app-"));
  await publish("1");
  daemon = new Daemon();
  daemon.web = join(folder, "web");
  await daemon.start();
  daemon.samePort = true;
  new Team(daemon);
  profile = new Profile();
  context = await profile.start();
});
after(async () => {
  await profile?.end();
  await daemon?.end();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test("the app's first load keeps to its budget", async () => {
  const bytes = firstLoadBytes(await buildApp());
  console.log(`first load: ${bytes} bytes compressed`);
  assert.ok(bytes <= FIRST_LOAD_MAX);
});

test(
  "enrols from the address, saves offline, starts again without a network, and sends",
  { skip },
  async () => {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${daemon.port}/#code=${code("B1")}`);
    await page.evaluate(async () => {
      const app = await window.app;
      await app.enrol(app.offeredCode!, "B1");
    });
    assert.equal(new URL(page.url()).hash, "", "the code is no longer in the address");
    assert.equal(await device(page), "ready");
    await signIn(page);
    await until(
      "kept for offline",
      () => page.evaluate(async () => (await window.app).update.offlineReady),
      60_000,
    );
    await daemon.stop();
    await save(page, 20000, 2);
    await page.reload();
    assert.equal(await device(page), "ready");
    await signIn(page);
    assert.equal(await shown(page, 20000, 2), 2);
    assert.equal(await unsent(page), 2);
    await daemon.start();
    await page.evaluate(async () => (await window.app).syncNow());
    await sent(page);
    await page.close();
  },
);

test("two tabs have one connection, and the second goes on when the first is closed", { skip }, async () => {
  const first = await open();
  await first.evaluate(() => window.app);
  let sockets = 0;
  const second = await context.newPage();
  second.on("websocket", () => sockets++);
  await second.goto(`http://127.0.0.1:${daemon.port}`);
  await signIn(second);
  await save(second, 20010, 1);
  await sent(second);
  assert.equal(sockets, 0);
  await first.close();
  await until("the second tab connects", () => sockets === 1, 30_000);
  await save(second, 20011, 1);
  await sent(second);
  await second.close();
});

test("browser and server are killed while entries go up: each arrives once", { skip }, async () => {
  const page = await open();
  await signIn(page);
  const saving = save(page, 20100, 40).catch(() => undefined); // ends with the browser
  await until("some were saved", async () => (await shown(page, 20100, 40)) >= 10, 60_000);
  await daemon.kill();
  await until("some more", async () => (await shown(page, 20100, 40)) >= 20, 60_000);
  const cdp = await context.newCDPSession(page);
  await cdp.send("Browser.crash" as "Browser.close").catch(() => undefined);
  await saving;
  await profile.stop();
  context = await profile.start();
  await daemon.start();
  const again = await open();
  assert.equal(await device(again), "ready");
  await signIn(again);
  const kept = await shown(again, 20100, 40);
  assert.ok(kept >= 20, `${kept} of at least 20`);
  await again.evaluate(async () => (await window.app).syncNow());
  await sent(again);
  assert.equal(await shown(again, 20100, 40), kept);
  await again.close();
});

test("a new version waits for a safe moment, and takes unsent entries along", { skip }, async () => {
  const page = await open();
  await signIn(page);
  assert.equal(await page.evaluate(async () => (await window.app).version), "1");
  await daemon.stop();
  await save(page, 20400, 1);
  await publish("2");
  await daemon.start();
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await until("ready", () => page.evaluate(async () => (await window.app).update.ready), 60_000);
  assert.equal(await page.evaluate(async () => (await window.app).version), "1", "nothing happens by itself");
  const loaded = page.waitForEvent("load");
  await page.evaluate(async () => (await window.app).applyUpdate());
  await loaded;
  assert.equal(await page.evaluate(async () => (await window.app).version), "2");
  await signIn(page);
  assert.equal(await shown(page, 20400, 1), 1);
  await page.evaluate(async () => (await window.app).syncNow());
  await sent(page);
  await page.close();
});

test(
  "storage thrown away by the browser is noticed; nothing asked another host or broke the policy",
  { skip },
  async () => {
    const page = await open();
    const cdp = await context.newCDPSession(page);
    await page.goto("about:blank");
    const origin = `http://127.0.0.1:${daemon.port}`;
    await cdp.send("Storage.clearDataForOrigin", {
      origin,
      storageTypes: "indexeddb,local_storage,cache_storage,service_workers",
    });
    await page.goto(origin);
    assert.equal(await device(page), "store_lost");
    await page.evaluate(async (c) => (await window.app).enrol(c, "B2"), code("B2"));
    assert.equal(await device(page), "ready");
    await signIn(page);
    assert.ok((await shown(page, 20000, 1)) >= 0);
    assert.deepEqual(complaints, []);
  },
);
