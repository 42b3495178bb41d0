// The lead's browser as a device of its own: enrolled for a working day with a code that the session asks
// for, syncing like a tablet, so that every delivery is in the audit. Its store is apart from a tablet's, and
// goes when somebody signs out or another signs in.
import { deleteDB } from "idb";
import type { App } from "../app/api.ts";
import { Engine } from "../app/app.ts";
import { browserEnv, type Env } from "../app/env.ts";
import { NO_SHELL } from "../app/shell.ts";
import { parseName } from "../proto/name.ts";
import type { Me, Session } from "../desk/session.ts";

declare const APP_VERSION: string;
const PREFIX = "overdracht-desk-";

function deskEnv(store: string): Env {
  const env = browserEnv();
  return {
    ...env,
    lock: (name, work, options) => env.lock(`${store}-${name}`, work, options),
    channel: (name) => env.channel(`${store}-${name}`),
    marks: [], // a store that is gone is made anew
    persist: () => Promise.resolve(false),
  };
}
const open = (store: string): Promise<App> =>
  new Engine({ env: deskEnv(store), shell: NO_SHELL, version: APP_VERSION, store }).open();

/** Stores of people who were signed in here before. */
async function dropOthers(keep: string): Promise<void> {
  const all = (await indexedDB.databases?.().catch(() => [])) ?? [];
  for (const { name } of all) if (name?.startsWith(PREFIX) && name !== keep) await deleteDB(name);
}

async function openOwn(session: Session, me: Me): Promise<App> {
  const person = parseName(me.person);
  const store = PREFIX + person;
  await dropOthers(store);
  let app = await open(store);
  if (app.device.state === "closed") await app.syncNow(); // its share comes with the first sync of a page
  if (app.device.state !== "ready" && app.device.state !== "new") {
    // its day is over, or it was revoked: a new one, if the server still gives one
    await app.close();
    await deleteDB(store);
    app = await open(store);
  }
  try {
    if (app.device.state === "new") {
      const { code } = await session.post<{ code: string }>("/api/device", {});
      await app.enrol(code, "browser");
    }
    await app.syncNow();
    await app.signInVouched(person);
  } catch (e) {
    await app.close();
    throw e;
  }
  return app;
}

/** the store of who left is being cleared away */
let leaving: Promise<void> = Promise.resolve();
let opened: { person: string; app: Promise<App> } | null = null;

/** The engine of who is signed in; opened once. */
export function ownApp(session: Session): Promise<App> {
  const me = session.me!;
  if (opened?.person !== me.person) {
    const app = leaving.catch(() => undefined).then(() => openOwn(session, me));
    const mine = { person: me.person, app };
    opened = mine;
    app.catch(() => {
      if (opened === mine) opened = null; // the next try begins anew
    });
    session.onEnd(async () => {
      if (opened === mine) opened = null;
      leaving = app.then(
        (a) => leave(PREFIX + parseName(me.person), a),
        () => undefined,
      );
      await leaving;
    });
  }
  return opened!.app;
}
/** Nothing stays in this browser, unless the server lacks something that was written here. */
async function leave(store: string, app: App): Promise<void> {
  if (app.sync.unsent > 0) await app.syncNow();
  const sent = app.sync.unsent === 0;
  await app.close();
  if (sent) await deleteDB(store);
}
