// Pictures of every screen, on made-up data; those of the desk come from the real server.
//   node scripts/screenshots.mjs --out DIR [--data DIR] [NAME …]     only those whose name begins so
// With OVERDRACHT_BIN=BUILD_DIR also the desk (desk-…), on demonstration data that are made first, which takes
// minutes, or on a copy of those in --data.
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CHROMIUM, stand } from "../tests/ui/lib/stand.mjs";

const words = process.argv.slice(2);
const at = words.indexOf("--out");
if (at < 0 || !words[at + 1]) {
  console.error("usage: node scripts/screenshots.mjs --out DIR [--data DIR] [NAME …]");
  process.exit(2);
}
const [, out] = words.splice(at, 2);
mkdirSync(out, { recursive: true });
const dataAt = words.indexOf("--data");
const data = dataAt < 0 ? null : words.splice(dataAt, 2)[1];

const TABLET = { width: 800, height: 1280 };
const PHONE = { width: 360, height: 740 };
const tap = (name) => async (page) => page.getByText(name, { exact: true }).first().click();

/** Two contacts of one client were begun: the second while the first was not shown. */
const begunTwice = async (page) => {
  await page.evaluate(async () => {
    const { app } = globalThis;
    const path = "#/new/social_contact/c0";
    const start = await app.prefill(app.kind("social_contact").id, "c0", "t1");
    const at = app.clock.now();
    for (const [n, mode] of [2, 3].entries()) {
      const form = { path, kind: 23, client: "c0", start, values: { ...start, 10: mode }, copied: [] };
      await app.keepDraft(`${path} ${n}`, JSON.stringify({ ...form, at: at - 2400 * (1 - n) }));
    }
    app.lock();
  });
  await page.locator(".person").first().waitFor();
  await page.evaluate(() => globalThis.app.signIn("p0", "1234"));
  await page.locator(".draft-list").waitFor();
};

/** Height of what a short page shows, with its footer. */
const short = () =>
  document.querySelector(".main > :last-child").getBoundingClientRect().bottom +
  document.querySelector(".footer").offsetHeight +
  24;
const whole = () => document.documentElement.scrollHeight;

/** name, query, hash, what to do, how much of the page when not what the screen holds. */
const SHOTS = [
  ["readme", "as=Salie&unsent=3&online=no", "", undefined, short], // docs/board.png
  ["enrol", "state=new"],
  ["people", ""],
  ["pin", "", "", tap("Salie")],
  ["board", "as=Salie&unsent=3&online=no"],
  ["board-evening", "as=Salie&at=22:40"],
  ["client", "as=Salie", "client/c0"],
  ["sleep", "as=Salie", "new/sleep/c0"],
  [
    "sleep-filled",
    "as=Salie",
    "new/sleep/c0",
    async (page) => {
      await tap("Neem vorige nacht over")(page);
      await page.locator("[data-field=final_wake_at] .choice").nth(2).click();
      await page.locator("[data-field=quality]").getByText("goed", { exact: true }).click();
    },
    whole,
  ],
  ["day", "as=Salie&at=14:05", "new/day_structure/c3", tap("deels"), whole],
  ["contact", "as=Salie&at=20:05", "new/social_contact/c0", undefined, whole],
  ["record", "as=Salie", "record/r29"],
  ["attention", "as=Salie", "attention"],
  ["settle", "as=Salie", "settle/CONFLICT"],
  ["double", "as=Salie", "double/DOUBLE"],
  ["held", "as=Salie", "record/HELD"],
  ["rounds", "as=Salie&at=03:10", "rounds"],
  ["handover", "as=Salie", "handover", undefined, whole],
  ["send", "as=Salie&unsent=12&trouble=1&old=1", "send"],
  ["send-noted", "as=Salie&noted=4", "send"],
  ["send-looks", "as=Salie&unsent=3&looks=3", "send", tap("Is de server teruggezet?"), whole],
  ["settings", "as=Salie", "settings"],
  ["lost", "state=store_lost"],
  ["lease", "state=lease_over&unsent=2"],
  ["closed", "state=closed&unsent=2&as=Salie&at=23:05&online=no"],
  [
    "closed-rounds",
    "state=closed&unsent=2&as=Salie&at=03:10&online=no",
    "rounds",
    async (page) => {
      for (const state of ["slaapt", "uit bed"]) await tap(state)(page);
      await page.locator(".round").nth(1).getByText("wakker rustig", { exact: true }).click();
    },
  ],
  ["begun-board", "as=Salie&at=23:05", "", begunTwice],
  [
    "begun",
    "as=Salie&at=23:05",
    "",
    async (page) => {
      await begunTwice(page);
      await tap("Sociaal contact · Merel · 2 keer begonnen")(page);
    },
  ],
  ["revoked", "state=revoked"],
];

const wanted = SHOTS.filter(([name]) => !words.length || words.some((w) => name.startsWith(w)));
const { url, close } = await stand();
const browser = await chromium.launch(CHROMIUM);
const SIZES = [
  ["tablet", TABLET, "light"],
  ["tablet-dark", TABLET, "dark"],
  ["phone", PHONE, "light"],
  ["phone-dark", PHONE, "dark"],
];
for (const [size, viewport, theme] of SIZES) {
  const page = await browser.newPage({ viewport, timezoneId: "Europe/Amsterdam", locale: "nl-NL" });
  page.on("pageerror", (e) => console.error(String(e)));
  page.on("console", (m) => m.type() === "error" && console.error(m.text()));
  for (const [name, query, hash = "", act, extent] of wanted) {
    await page.goto(`${url}?${query}&theme=${theme}`);
    await page.locator(".main h1").waitFor();
    if (hash) {
      const real = await page.evaluate(async (h) => {
        if (!/[A-Z]{4}/.test(h)) return h;
        const list = await globalThis.app.attention();
        const find = {
          CONFLICT: (r) => r.conflicts.length,
          DOUBLE: (r) => r.doubles.length,
          HELD: (r) => r.held.length,
        };
        return h.replace(/CONFLICT|DOUBLE|HELD/, (w) => list.find(find[w]).id);
      }, hash);
      await page.evaluate((h) => (location.hash = `#/${h}`), real);
      await page.waitForTimeout(120);
    }
    await page.waitForTimeout(120);
    await act?.(page);
    await page.mouse.move(0, 0); // nothing is pointed at
    await page.waitForTimeout(150);
    // all of a long page: a higher window, because what sticks to its edges belongs there
    const height = extent ? Math.ceil(await page.evaluate(extent)) : viewport.height;
    await page.setViewportSize({ width: viewport.width, height });
    await page.screenshot({ path: `${out}/${name}-${size}.png` });
    await page.setViewportSize(viewport);
  }
  await page.close();
}
await browser.close();
close();

const isWanted = (name) => !words.length || words.some((w) => `desk-${name}`.startsWith(w));
if (!words.length || words.some((w) => w.startsWith("desk"))) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const bundle = `${root}build/shots-${process.pid}.mjs`;
  await build({
    entryPoints: [`${root}tests/ui/desk_shots.ts`],
    outfile: bundle,
    bundle: true,
    platform: "node",
    target: "node18",
    format: "esm",
    packages: "external",
    define: { SOURCE_DIR: JSON.stringify(fileURLToPath(new URL("../..", import.meta.url))) },
  });
  const { deskShots } = await import(pathToFileURL(bundle).href).finally(() => rmSync(bundle));
  await deskShots(out, isWanted, data);
}
