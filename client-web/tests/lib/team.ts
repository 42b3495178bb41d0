// A team at a real server, and what a carer does with the engine: shared by the engine's tests.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { type App, type AppErrorCode, AppError, type KindInfo, type RecordView } from "../../src/app/api.ts";
import { Daemon, daemonMissing } from "./daemon.ts";
import { Browser, until } from "./engine.ts";

export const PIN = "2580";
export const TEAM = "Beuk";

export class Team {
  readonly daemon: Daemon;
  readonly #opened = new Set<App>();

  constructor(daemon: Daemon) {
    this.daemon = daemon;
    daemon.admin("organisation", "add", "De Linde");
    daemon.admin("team", "add", TEAM);
    for (const name of ["Anna", "Bas"]) daemon.admin("person", "add", name, "--team", TEAM);
    for (const name of ["K. (kamer 4)", "M. (kamer 7)"])
      daemon.admin("participant", "add", name, "--team", TEAM);
  }
  async tablet(
    name: string,
    browser = new Browser(this.daemon.port),
  ): Promise<{ browser: Browser; app: App }> {
    const { code } = this.daemon.admin("device", "add", name, "--team", TEAM);
    const app = await this.open(browser);
    await app.enrol(code, name);
    return { browser, app };
  }
  async open(browser: Browser): Promise<App> {
    const app = await browser.open();
    this.#opened.add(app);
    return app;
  }
  async close(app: App): Promise<void> {
    this.#opened.delete(app);
    await app.close();
  }
  async end(): Promise<void> {
    for (const app of this.#opened) await app.close();
  }
}

/** What `useTeam` has started. */
export let daemon: Daemon;
export let team: Team;

/** A server of its own, and a team at it, for the tests of a file. */
export function useTeam(): void {
  before(async () => {
    if (daemonMissing) return;
    daemon = new Daemon();
    await daemon.start();
    team = new Team(daemon);
  });
  after(async () => {
    await team?.end();
    await daemon?.end();
  });
}

export const teamOf = (app: App): string => app.teams()[0].id;
export async function personOf(app: App, name: string): Promise<string> {
  return (await app.people(teamOf(app))).find((p) => p.name === name)!.id;
}
export async function signIn(app: App, name = "Anna"): Promise<void> {
  const person = (await app.people(teamOf(app))).find((p) => p.name === name)!;
  if (person.hasPin) assert.deepEqual(await app.signIn(person.id, PIN), { ok: true });
  else await app.choosePin(person.id, PIN);
}
export async function clientOf(app: App, n = 0): Promise<string> {
  return (await app.clients(teamOf(app)))[n].id;
}
export const field = (k: KindInfo, name: string): number => k.fields.find((f) => f.name === name)!.id;
export const SLEEP = (app: App): KindInfo => app.kind("sleep")!;

export async function night(
  app: App,
  day: number,
  quality = 4,
  more: Record<number, string> = {},
): Promise<string> {
  const k = SLEEP(app);
  const values = {
    [field(k, "night_date")]: day,
    [field(k, "source")]: 1,
    [field(k, "quality")]: quality,
    ...more,
  };
  return app.save({ kind: k.id, team: teamOf(app), client: await clientOf(app), values });
}
export async function quality(app: App, record: string, value: number): Promise<void> {
  await app.edit((await app.record(record))!, { [field(SLEEP(app), "quality")]: value });
}
export async function nights(app: App, fromDay = 0, toDay = 99999): Promise<RecordView[]> {
  return app.records({ kind: SLEEP(app).id, team: teamOf(app), fromDay, toDay });
}
export const allSent = (app: App): Promise<void> =>
  until("all sent", () => app.sync.unsent === 0 && app.sync.state === "live");
export const has = (app: App, record: string): Promise<void> =>
  until("the record came", async () => (await app.record(record)) !== null);

/** Nothing recorded can be had from a tablet that takes entries only, or changed on it. seen: a record, as it was
 *  shown before. */
export async function showsNothing(app: App, code: AppErrorCode, seen: RecordView): Promise<void> {
  const [team, client] = [teamOf(app), seen.client!];
  const days = { fromDay: 0, toDay: 99999 };
  const asked: Record<string, () => Promise<unknown>> = {
    ofTeam: () => app.records({ team, ...days }),
    ofClient: () => app.records({ client, ...days }),
    record: () => app.record(seen.id),
    attention: () => app.attention(team),
    handover: () => app.handover(team, 24 * 365),
    board: () => app.board(team, 0),
    usualTimes: () => app.usualTimes(seen.kind, client, 99999),
    edit: () => app.edit(seen, { [field(SLEEP(app), "quality")]: 1 }),
    retract: () => app.retract(seen, "fout"),
    undoRetraction: () => app.undoRetraction(seen),
    takeBack: () => app.takeBack(seen.id, "fout"),
    resolve: () => app.resolve(seen, field(SLEEP(app), "quality"), 1),
    clearPin: async () => app.clearPin(await personOf(app, "Bas")),
    offerAgain: () => app.offerAgain(),
    vouched: async () => app.signInVouched(await personOf(app, "Anna")),
  };
  for (const [what, ask] of Object.entries(asked))
    await assert.rejects(ask, (e) => e instanceof AppError && e.code === code, what);
  assert.equal(await app.labelOf(seen.id), null);
  assert.equal(app.sync.attention, 0);
}
