// Builds of different ages against one real server, in a real browser: an update neither loses nor blocks what
// was not sent. An older or newer app is this app, built with other numbers in src/proto.
import assert from "node:assert/strict";
import type { Plugin } from "esbuild";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import test, { after, before } from "node:test";
import { buildApp, writeApp } from "../scripts/build.mjs";
import { sourceDir } from "./lib/vectors.ts";
import { type Home, Tablet, closeHome, openHome, skip } from "./ui/lib/carer.ts";

let home: Home;
let a: Tablet;

before(async () => {
  if (skip) return;
  home = await openHome();
});
after(() => closeHome(home));

type Change = [file: string, from: string, to: string];
const speaks = (lowest: number, highest: number): Change[] => [
  ["messages.ts", "PROTOCOL_VERSION = 1", `PROTOCOL_VERSION = ${highest}`],
  ["messages.ts", "PROTOCOL_VERSION_MIN = 1", `PROTOCOL_VERSION_MIN = ${lowest}`],
];
/** Types of fields up to references: sets of them and all that came later are unknown. */
const KNOWS_FEWER_TYPES: Change[] = [["schema.ts", "readField(r, TYPE.BYTES)", "readField(r, TYPE.REF)"]];

function changed(changes: Change[]): Plugin {
  return {
    name: "another age",
    setup(build) {
      build.onLoad({ filter: /src[/\\]proto[/\\](messages|schema)\.ts$/ }, ({ path }) => {
        let contents = readFileSync(path, "utf8");
        for (const [file, from, to] of changes.filter(([f]) => f === basename(path))) {
          assert.ok(contents.includes(from), `${file}: ${from}`);
          contents = contents.replace(from, to);
        }
        return { contents, loader: "ts" };
      });
    },
  };
}
/** The server has this build from now on; extra: a folder of schemas that are newer. */
async function publish(version: string, changes: Change[], extra: string[] = []): Promise<void> {
  const { daemon } = home;
  writeApp(await buildApp({ version, plugins: [changed(changes)] }), daemon.web!);
  await daemon.stop();
  await daemon.start(...extra);
}
async function isVersion(version: string): Promise<void> {
  await a.go("settings");
  await a.page.locator(".value-row", { hasText: "Versie" }).getByText(version, { exact: true }).waitFor();
}
/** Takes the version that waits, as a carer does. */
async function update(version: string): Promise<void> {
  await a.go("");
  await a.page.getByText("Er is een nieuwe versie van de app.").waitFor();
  const loaded = a.page.waitForEvent("load");
  await a.button("Nu bijwerken").click();
  await loaded;
  await a.signIn("Salie");
  await isVersion(version);
}
/** What the browser does by itself within a day. */
const look = () => a.page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));

test("an old app at a new server says so, goes on, updates when it is told to, and then sends", { skip }, async () => {
  a = await Tablet.enrol(home, "Tablet 1");
  await a.signIn("Salie");
  await a.sent();
  await a.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await publish("older", speaks(0, 0));
  await look();
  await update("older");

  await a.night("redelijk");
  await a.push();
  await a.footer(/1 nog te versturen/);
  await a.footer(/Deze app past niet meer bij de server/);
  await a.go("");
  await a.page.locator(".main").getByText("Wat je invult blijft bewaard en gaat daarna mee.").waitFor();

  await publish("newer", speaks(1, 2)); // the old one notices by itself when it is refused again
  await a.push();
  await a.page.getByText("Er is een nieuwe versie van de app.").waitFor();
  await isVersion("older"); // nothing happens by itself
  await a.night("slecht");
  await a.footer(/2 nog te versturen/);
  await update("newer");
  await a.push();
  await a.sent();
});

test("a new app at an old server speaks what both speak", { skip }, async () => {
  await isVersion("newer");
  await a.night("goed");
  await a.push();
  await a.sent();
});

test("an app that is too new for the server keeps what it has, and sends once it fits again", { skip }, async () => {
  await publish("too new", speaks(2, 2));
  await look();
  await update("too new");
  await a.night("zeer goed");
  await a.push();
  await a.footer(/1 nog te versturen/);
  await a.footer(/Deze app past niet meer bij de server/);
  await publish("fits", []);
  await a.push();
  await update("fits");
  await a.push();
  await a.sent();
  const b = await Tablet.enrol(home, "Tablet 2");
  await b.signIn("Tijm");
  await b.client();
  for (const quality of ["redelijk", "slecht", "goed", "zeer goed"])
    await b.page.locator(".row", { hasText: quality }).first().waitFor();
  assert.deepEqual(b.faults, []);
  await b.context.close();
});

test("a form that is newer than the app: what is there is shown, what waits is sent, and an update opens it", {
  skip,
}, async () => {
  await publish("fewer types", KNOWS_FEWER_TYPES);
  await look();
  await update("fewer types");
  await home.daemon.kill();
  await a.night("zeer slecht");
  await a.footer(/1 nog te versturen/);

  const folder = join(home.daemon.folder, "newer");
  mkdirSync(folder);
  const sleep = JSON.parse(readFileSync(join(sourceDir, "proto/schema/sleep.json"), "utf8"));
  sleep.version++;
  sleep.fields.push({
    id: 40,
    name: "helped_by",
    type: "refset",
    label: { nl: "Geholpen door", en: "Helped by" },
    ref: "technology",
  });
  writeFileSync(join(folder, "sleep.json"), JSON.stringify(sleep));
  await home.daemon.start(folder);
  await a.push();
  await a.sent();

  await a.client();
  await a.page.locator(".kind", { hasText: "Nachtrust" }).click();
  await a.page.getByText("Dit formulier is nieuwer dan de app.").waitFor();
  await a.client();
  await a.page.locator("a.row", { hasText: "zeer slecht" }).click();
  await a.page.locator(".value-row", { hasText: "Hoe was de nacht?" }).getByText("zeer slecht").waitFor();
  assert.equal(await a.page.getByText("Aanpassen", { exact: true }).count(), 0);

  await a.client(); // what is not newer works as before
  await a.page.locator(".kind", { hasText: "Doel" }).click();
  await a.page.locator("[data-field=score]").getByText("doel bereikt").click();
  await a.button("Opslaan").click();
  await a.said("Opgeslagen op deze tablet.");
  await a.sent();

  await publish("knows all", [], [folder]);
  await look();
  await update("knows all");
  await a.client();
  await a.page.locator("a.row", { hasText: "zeer slecht" }).click();
  await a.page.getByText("Aanpassen", { exact: true }).click();
  await a.page.locator("[data-field=quality]").getByText("goed", { exact: true }).click();
  await a.button("Opslaan").click();
  await a.said("Opgeslagen op deze tablet.");
  await a.sent();
  assert.deepEqual(a.faults, []);
});
