// Erasure as a tablet carries it out: everything about the client goes, sent or not, and the server hears of it.
import assert from "node:assert/strict";
import test from "node:test";
import type { App } from "../src/app/api.ts";
import { daemonMissing } from "./lib/daemon.ts";
import { Browser, dump, until } from "./lib/engine.ts";
import { SLEEP, allSent, clientOf, daemon, field, has, night, signIn, team, teamOf, useTeam } from "./lib/team.ts";

const skip = daemonMissing ?? false;
const ERASED = "K. (kamer 4)";
useTeam();

/** What is left in a browser's database of somebody: rows that name them, and entries that can still be read. */
async function left(browser: Browser, client: string): Promise<Record<string, number>> {
  const rows = (await dump(browser)) as Record<
    string,
    { client?: string; row?: { client: string }; body?: unknown }[]
  >;
  return {
    views: rows.views.filter((r) => r.client === client).length,
    parts: rows.parts.filter((r) => r.row!.client === client).length,
    entries: rows.entries.filter((r) => r.client === client && r.body).length,
    drafts: rows.drafts.length,
  };
}
const gone = (app: App, client: string) => until("gone", async () => (await app.client(client)) === null);

test(
  "a tombstone takes everything about the client, unsent entries too, and is confirmed",
  { skip },
  async () => {
    const [a, b] = [await team.tablet("E1"), await team.tablet("E2")];
    for (const { app } of [a, b]) await signIn(app);
    const client = await clientOf(a.app);
    assert.equal((await a.app.client(client))!.label, ERASED);
    const id = await night(a.app, 20500);
    await allSent(a.app);
    await has(b.app, id);
    await a.app.keepDraft("form", JSON.stringify({ client }));
    await a.app.keepDraft("other", "{}");
    a.browser.online = false;
    a.browser.cut();
    await until("offline", () => a.app.sync.state === "waiting");
    await night(a.app, 20501, 2, { [field(SLEEP(a.app), "note")]: "nog niet verstuurd" });
    daemon.admin("erase", ERASED, "--reason", "op verzoek");
    a.browser.online = true;
    await a.app.syncNow();
    for (const { app } of [a, b]) await gone(app, client);
    await allSent(a.app);
    assert.equal(await a.app.record(id), null);
    assert.deepEqual(await left(a.browser, client), { views: 0, parts: 0, entries: 0, drafts: 1 });
    assert.deepEqual(await left(b.browser, client), { views: 0, parts: 0, entries: 0, drafts: 0 });
    assert.equal((await a.app.clients(teamOf(a.app))).length, 1);
    await until("both have confirmed", () => {
      const { items } = daemon.admin("erasure", "show", client.slice(0, 32));
      return items.length === 2 && items.every((i: { state: string }) => i.state === "purged");
    });
  },
);
