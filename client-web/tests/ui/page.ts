// The screens on the stand-in. ?at=06:50 the hour, ?as=NAME signed in, ?state=… a state of the tablet.
import type { DeviceState, Notice } from "../../src/app/api.ts";
import { STORE_LOST, UNREACHABLE, noticeOf } from "../../src/app/errors.ts";
import { start } from "../../src/ui/start.tsx";
import { tell } from "./story.ts";

const query = new URLSearchParams(location.search);
const [hours, minutes] = (query.get("at") ?? "06:50").split(":").map(Number);
const app = tell(hours * 60 + minutes);
const who = query.get("as");
const theme = query.get("theme");
const STATES: Readonly<Record<string, Notice>> = {
  store_lost: STORE_LOST,
  lease_over: noticeOf("locked"),
  closed: noticeOf("closed"),
  revoked: noticeOf("revoked"),
};

async function open() {
  if (query.get("state"))
    app.device = {
      ...app.device,
      state: query.get("state") as DeviceState,
      entryOnly: ["lease_over", "closed"].includes(query.get("state")!),
      notice: STATES[query.get("state")!] ?? null,
    };
  if (query.get("unsent"))
    app.sync = {
      ...app.sync,
      unsent: Number(query.get("unsent")),
      looks: Number(query.get("looks")),
      online: query.get("online") !== "no",
    };
  if (query.get("noted")) app.sync = { ...app.sync, noted: Number(query.get("noted")) };
  if (query.get("busy")) app.sync = { ...app.sync, state: "syncing", progress: 0.4 };
  if (query.get("trouble")) app.fail(UNREACHABLE);
  if (query.get("old")) app.sync = { ...app.sync, lastSync: app.clock.now() - 11 * 86400 };
  if (theme)
    await app.set({ theme: theme as "light" | "dark", lang: query.get("lang") === "en" ? "en" : "nl" });
  if (who) {
    const person = (await app.people()).find((p) => p.name === who);
    if (person) await app.signIn(person.id, "1234");
  }
  Object.assign(globalThis, { app });
  return app;
}
await start(document.getElementById("app")!, open);
