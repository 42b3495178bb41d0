// A tablet that began a new log, and a server that was restored from a backup older than the end of the log
// before it: with the real server, backup and restore. And the store of the engine beside the one in memory.
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import "fake-indexeddb/auto";
import type { App } from "../src/app/api.ts";
import { keepEnrolment, makeSecrets, openCore } from "../src/app/core.ts";
import { openDatabase } from "../src/app/db.ts";
import { type Env, LocalLocks } from "../src/app/env.ts";
import { chainStart } from "../src/proto/chain.ts";
import { appendOp } from "../src/proto/log.ts";
import { nameText } from "../src/proto/name.ts";
import { type Change, MemoryStore, type Store } from "../src/proto/store.ts";
import { daemonMissing } from "./lib/daemon.ts";
import { Browser, until } from "./lib/engine.ts";
import { Random } from "./lib/random.ts";
import { allSent, daemon, has, night, quality, signIn, team, useTeam } from "./lib/team.ts";

const skip = daemonMissing ?? false;
useTeam();

/** As a store that was put back from an older copy: what was noted outside of it is ahead. */
async function newLog(browser: Browser, app: App): Promise<App> {
  await team.close(app);
  const [writer, seq] = browser.marks[0].text!.split(".");
  browser.marks[0].text = `${writer}.${Number(seq) + 3}`;
  const again = await team.open(browser);
  assert.notEqual(browser.marks[0].text!.split(".")[0], writer);
  await signIn(again);
  return again;
}
const backupFolder = (name: string) => join(daemon.folder, name);
async function restoreFrom(name: string, ...browsers: Browser[]): Promise<void> {
  await daemon.stop();
  daemon.admin("restore", backupFolder(name));
  await daemon.start();
  for (const b of browsers) {
    b.port = daemon.port;
    b.wake();
  }
}
async function database(browser: Browser): Promise<IDBDatabase> {
  const request = browser.indexedDB.open("overdracht");
  await new Promise((resolve) => (request.onsuccess = resolve));
  return request.result;
}
async function oldLogs(browser: Browser): Promise<{ askedMs: number }[]> {
  const db = await database(browser);
  const request = db.transaction("meta").objectStore("meta").get("oldLogs");
  await new Promise((resolve) => (request.onsuccess = resolve));
  db.close();
  return request.result ?? [];
}

test("a restored server gets all of a log that was left behind", { skip }, async () => {
  const tablet = await team.tablet("L1");
  const { browser } = tablet;
  let { app } = tablet;
  await signIn(app);
  const ids = [await night(app, 22000)];
  await allSent(app);
  daemon.admin("backup", backupFolder("one"));
  ids.push(await night(app, 22001), await night(app, 22002));
  await quality(app, ids[0], 2);
  await allSent(app);
  app = await newLog(browser, app);
  await quality(app, ids[1], 1); // rests on the log before
  ids.push(await night(app, 22003));
  await allSent(app);
  await restoreFrom("one", browser);
  await app.syncNow();
  await until("asked about", async () => (await oldLogs(browser)).every((o) => o.askedMs));
  await allSent(app);
  const other = (await team.tablet("L2")).app;
  await signIn(other);
  for (const a of [app, other]) {
    for (const id of ids) await has(a, id);
    assert.deepEqual(await qualities(a, ids), [2, 1, 4, 4]);
  }
  assert.ok(app.sync.allSentAt !== null && app.sync.error === null);
});
const qualities = async (app: App, ids: string[]) => {
  const k = app.kind("sleep")!.fields.find((f) => f.name === "quality")!.id;
  return Promise.all(ids.map(async (id) => (await app.record(id))!.values[k]));
};

test("offered again: the server keeps nothing twice, and what is shown stays", { skip }, async () => {
  const tablet = await team.tablet("L6");
  const { browser } = tablet;
  let { app } = tablet;
  await signIn(app);
  const ids = [await night(app, 22030), await night(app, 22031)];
  await allSent(app);
  app = await newLog(browser, app);
  await quality(app, ids[0], 1);
  ids.push(await night(app, 22032));
  await allSent(app);
  const other = (await team.tablet("L7")).app;
  await signIn(other);
  await has(other, ids[2]);
  await quality(other, ids[1], 5); // over what this tablet wrote
  await until("told", async () => (await qualities(app, ids)).join() === "1,5,4");
  const before = await Promise.all(ids.map((id) => app.record(id)));
  browser.online = false;
  browser.cut();
  await until("noticed", () => app.sync.state === "waiting");
  await app.offerAgain();
  await until("counted", () => app.sync.unsent >= 4);
  assert.deepEqual(await qualities(app, ids), [1, 5, 4], "as before, without a network too");
  browser.online = true;
  await app.syncNow();
  await allSent(app);
  assert.deepEqual(await Promise.all(ids.map((id) => app.record(id))), before);
  assert.deepEqual(await qualities(other, ids), [1, 5, 4]);
  assert.equal((await oldLogs(browser)).length, 1);
});

test("a log that an older app left behind without a note of it is found, and offered", { skip }, async () => {
  const tablet = await team.tablet("L3");
  const { browser } = tablet;
  let { app } = tablet;
  await signIn(app);
  daemon.admin("backup", backupFolder("two"));
  const ids = [await night(app, 22010), await night(app, 22011)];
  await allSent(app);
  app = await newLog(browser, app);
  ids.push(await night(app, 22012));
  await allSent(app);
  await team.close(app);
  await forgetOldLogs(browser);
  await restoreFrom("two", browser);
  app = await team.open(browser);
  await signIn(app);
  await app.syncNow();
  const other = (await team.tablet("L4")).app;
  await signIn(other);
  for (const id of ids) await has(other, id);
});
async function forgetOldLogs(browser: Browser): Promise<void> {
  const db = await database(browser);
  const tx = db.transaction("meta", "readwrite");
  tx.objectStore("meta").delete("oldLogs");
  await new Promise((resolve) => (tx.oncomplete = resolve));
  db.close();
}

// -- the two stores -------------------------------------------------------------------------------------

const ORGANISATION = "90".repeat(16);
const DEVICE = "30".repeat(16);
const SERVERS = ["50".repeat(16), "51".repeat(16)];
const KEY = new Uint8Array(32).fill(2);
let databases = 0;

/** The engine's store, enrolled, and one in memory with the same log. */
async function stores() {
  const locks = new LocalLocks();
  const env = { nowMs: () => 1763800000_000, lock: locks.lock.bind(locks) } as Env;
  const db = await openDatabase(() => undefined, () => undefined, `two-stores-${databases++}`);
  const secrets = await makeSecrets();
  const enrolled = {
    ...{ version: 1, device: DEVICE, organisation: ORGANISATION, server: SERVERS[0], timeMs: 1763800000_000 },
    ...{ serverKey: secrets.devicePublic, deviceRecord: "11".repeat(28), zone: "Europe/Amsterdam" },
    pin: null,
    scopes: [1, 2].map((scope) => ({ scope, key: KEY })),
  };
  const of = { url: "wss://zorg.example/sync", deviceName: "T", nowMs: 1763800000_000 };
  await keepEnrolment(db, secrets, enrolled, of);
  const hooks = { changed: () => undefined, opened: async () => undefined, appended: () => undefined };
  const { store } = (await openCore(env, db, hooks))!;
  const { writer } = await store.log();
  const memory = new MemoryStore(writer, DEVICE, chainStart(ORGANISATION, writer));
  memory.apply([{ to: "server", server: SERVERS[0] }]);
  return { store, memory, close: () => db.close() };
}
/** All that a session may ask of the logs. */
async function told(store: Store) {
  const old = await store.oldLogs();
  const logs = [...old, await store.log()].map(bare);
  const entries = [];
  for (const { writer, seq } of [...old, await store.log()]) {
    for (const e of await store.entries(writer, 1, seq, 1000))
      entries.push([nameText(e.op.name), e.op.form, e.receipt, e.onTop, e.refused, e.head]);
    entries.push(await store.heads(writer, [0, 1, seq, seq + 1]));
  }
  return { logs, entries, top: (await store.ackedOnTop()).map((e) => nameText(e.op.name)) };
}
const bare = ({ writer, device, seq, head, acked, safe, askedMs }: Awaited<ReturnType<Store["log"]>>) => ({
  ...{ writer, device, seq, head, acked, safe, askedMs },
});

test("whatever happens to logs, the engine's store and the one in memory tell the same", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const r = new Random(seed);
    const { store, memory, close } = await stores();
    const draft = () => ({
      ...{ scope: 2, record: null, kind: 20, version: 1, participant: null, author: null },
      ...{ time: 1763800000 + r.int(1000), fields: [{ id: 19, value: r.int(5) }], replaces: [] },
    });
    for (let step = 0; step < 40; step++) {
      const op = draft();
      const { entry, log } = appendOp(memory.log(), op, KEY);
      const what = r.int(3) ? await change(r, memory) : null;
      if (what) {
        await store.apply([what]);
        memory.apply([what]);
      } else {
        await store.append(op);
        memory.append(entry, log);
      }
      assert.deepEqual(await told(store), await told(memory), `seed ${seed}, step ${step}: ${what?.to}`);
    }
    close();
  }
});
/** One of the changes that a session makes of logs. */
async function change(r: Random, memory: MemoryStore): Promise<Change> {
  const all = [...memory.oldLogs(), memory.log()];
  const { writer, seq, acked } = all[r.int(all.length)];
  const ms = 1763800000_000 + r.int(1000);
  const receipt = { serverMs: ms, offsetMs: 0, reason: r.chance(5) ? 3 : 0 };
  const upTo = acked + r.int(seq - acked + 1);
  const seqs = Array.from({ length: upTo - acked }, (_, i) => acked + 1 + i);
  switch (r.int(9)) {
    case 0:
      return { to: "rollback", writer, upTo: r.int(acked + 1) };
    case 1:
      return r.chance(3) ? { to: "again" } : { to: "safe", writer, upTo: r.int(acked + 1) };
    case 2:
      return { to: "absorbed", names: memory.ackedOnTop().slice(0, 3).map((e) => e.op.name) };
    case 3:
      return { to: "server", server: SERVERS[r.int(2)] };
    case 4:
      return { to: "asked", writer, ms };
    case 5: {
      const live = memory.log();
      const next = r.hex(16);
      const head = chainStart(ORGANISATION, next);
      if (!live.seq || live.acked < live.seq) return { to: "absorbed", names: [] };
      return { to: "newWriter", writer: next, device: DEVICE, head, askedMs: ms };
    }
    default:
      return { to: "acked", writer, upTo, receipts: seqs.map((n) => ({ seq: n, receipt })) };
  }
}
