// The researcher's page in a real browser, served by the real overdrachtd from real releases of demonstration data.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { type Browser, chromium } from "playwright-core";
import { buildApp, writeApp } from "../scripts/build.mjs";
import type { Releases } from "../src/research/data.ts";
import { snippets } from "../src/research/snippets.ts";
import { Daemon, daemonMissing } from "./lib/daemon.ts";
import { type Account, axeFinds, DeskPage, makeAccount, overhang } from "./lib/desk.ts";
import { CHROMIUM } from "./ui/lib/stand.mjs";

const skip =
  daemonMissing ?? (existsSync(CHROMIUM.executablePath!) ? false : `${CHROMIUM.executablePath} is not there`);
const ORG = ["--organisation", "Organisatie 01"];
let browser: Browser;
let daemon: Daemon;
let researcher: Account;

before(async () => {
  if (skip) return;
  daemon = new Daemon();
  daemon.demo("--size", "month", "--until", "2026-03-31", "--seed", "5");
  daemon.web = join(daemon.folder, "web");
  writeApp(await buildApp(), daemon.web);
  await daemon.start();
  daemon.admin("person", "add", "Onderzoeker", "--role", "researcher", "--team", "Woning Els", ...ORG);
  researcher = makeAccount(daemon, "Onderzoeker", "onderzoek@org01", ...ORG);
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  await daemon?.end();
});

const openPage = async (options = {}): Promise<DeskPage> => {
  const desk = await DeskPage.open(browser, daemon.port, options);
  await desk.signIn(researcher);
  await desk.go("research");
  await desk.page.getByRole("heading", { name: "Uw tokens" }).waitFor();
  return desk;
};
/** What a program gets with a token. */
const v1 = (path: string, token: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${daemon.port}${path}`, { headers: { Authorization: `Bearer ${token}` } });

test("before there is a release the page says so, and tokens are there already", { skip }, async () => {
  const desk = await openPage();
  await desk.page.getByText("Er is nog geen uitgave.").waitFor();
  await desk.page.getByText("U heeft nog geen token.").waitFor();
  assert.deepEqual(desk.faults, []);
  await desk.context.close();
});

test("a token is made, shown once, used, and ended", { skip }, async () => {
  const desk = await openPage({ permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = desk;
  await page.getByRole("button", { name: "Token maken" }).click();
  await page.getByText("Vul dit in.").waitFor();
  await page.getByLabel("Waarvoor").fill("<b>slaap</b>, mijn laptop");
  await page.getByLabel("Geldig, in dagen").fill("400");
  await page.getByRole("button", { name: "Token maken" }).click();
  await page.getByText("Vul een getal in van 1 tot 365.").waitFor();
  await page.getByLabel("Geldig, in dagen").fill("30");
  await page.getByRole("checkbox", { name: "Slaap", exact: true }).check();
  await page.getByRole("button", { name: "Token maken" }).click();
  await page.getByText("U ziet het alleen nu.").waitFor();
  const token = (await page.locator(".utrecht-alert pre").textContent())!.trim();
  assert.match(token, /^ovr1_[0-9a-f]{64}$/);
  await page.getByRole("button", { name: "Kopiëren: het token" }).click();
  await page.getByText("Gekopieerd.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);

  const row = page.locator("#tokens tbody tr");
  assert.equal(await row.count(), 1);
  assert.match((await row.textContent())!, /<b>slaap<\/b>, mijn laptop.*nog niet.*in gebruik/);
  assert.equal((await v1("/v1/releases", token)).status, 200);
  assert.equal((await v1("/v1/releases/2026-03/goal.csv", token)).status, 403);
  await page.reload();
  await page.getByRole("heading", { name: "Uw tokens" }).waitFor();
  await row.first().waitFor();
  assert.ok(!(await page.content()).includes(token), "it is shown once");
  for (let i = 0; (await row.textContent())!.includes("nog niet"); i++) {
    assert.ok(i < 50, "its use is seen");
    await page.reload();
    await row.first().waitFor();
  }
  await page.getByRole("button", { name: "Intrekken: <b>slaap</b>, mijn laptop" }).click();
  await row.getByText("ingetrokken").waitFor();
  assert.equal((await v1("/v1/releases", token)).status, 401);
  assert.deepEqual(desk.faults, []);
  await desk.context.close();
});

test("releases, their files, what changed, citation and examples", { skip }, async () => {
  const first = daemon.admin("release", "make", "2020-02") as { hash: string };
  const made = daemon.admin("release", "make", "2026-03") as { hash: string; told: number; cells: number };
  const desk = await openPage();
  const { page } = desk;
  const rows = page.locator(".card", { hasText: "Uitgaven" }).first().locator("tbody tr");
  assert.deepEqual(
    await rows.evaluateAll((all) => all.map((r) => r.querySelector("th")!.textContent)),
    ["2026-03", "2020-02"],
  );
  assert.match((await rows.first().textContent())!, new RegExp(`maart 2026.*${made.told} van ${made.cells} cellen`));

  // each file is the ledger's own, byte for byte
  for (const [button, name] of [
    ["Slaap opslaan als sav", "sleep.sav"],
    ["Voor en na opslaan als dta", "paired.dta"],
    ["Doelen opslaan als csv", "goal.csv"],
    ["Beschrijving van de bestanden opslaan als json", "datapackage.json"],
  ]) {
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: button, exact: true }).click(),
    ]);
    const [dataset, format] = name.split(".");
    const out = join(daemon.folder, name);
    daemon.admin("export", "2026-03", dataset, "--format", format, "--out", out);
    assert.ok(readFileSync(await file.path()).equals(readFileSync(out)), name);
    assert.equal(
      file.suggestedFilename(),
      name === "datapackage.json" ? name : `overdracht-2026-03-${name}`,
    );
  }
  const [codebook] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Codeboek van nu lezen" }).click(),
  ]);
  assert.match(readFileSync(await codebook.path(), "utf8"), /sleep_se/);

  // the citation names the release and its hash, which is that of the CSV files in their order
  const kept = (await page.evaluate(async () => {
    const { csrf } = JSON.parse(sessionStorage.getItem("overdracht-desk-session")!) as { csrf: string };
    const headers = { "X-Overdracht": "1", "X-Overdracht-CSRF": csrf };
    return (await fetch("/api/releases", { headers })).json() as unknown;
  })) as Releases;
  const newest = kept.releases[0];
  assert.equal(newest.hash, made.hash);
  await page.getByText(newest.citation, { exact: true }).waitFor();
  assert.ok(newest.citation.includes("2026-03") && newest.citation.includes(made.hash.slice(0, 16)));
  const sum = createHash("sha256");
  for (const dataset of Object.keys(newest.datasets).filter((d) => newest.datasets[d].includes("sav"))) {
    const out = join(daemon.folder, `${dataset}.of-hash.csv`);
    daemon.admin("export", "2026-03", dataset, "--format", "csv", "--out", out);
    sum.update(readFileSync(out));
  }
  assert.equal(sum.digest("hex"), made.hash);

  await page.getByRole("heading", { name: "Wat er veranderde sinds 2020-02" }).waitFor();
  const sleep = newest.changed!.cells.sleep;
  assert.ok(sleep.told > 0 && sleep.new === sleep.told && sleep.gone === 0);
  const changes = page.locator(".card", { hasText: "Wat er veranderde" }).locator("tbody tr", { hasText: "Slaap" }).first();
  assert.deepEqual(
    await changes.locator("td").evaluateAll((all) => all.map((c) => c.textContent)),
    [sleep.told, sleep.new, sleep.gone].map(String),
  );
  // as snippets.test.ts runs them
  for (const { name, text } of snippets(`http://127.0.0.1:${daemon.port}`, "2026-03")) {
    await page.getByRole("radio", { name, exact: true }).check();
    const shown = page.getByLabel(`voorbeeld voor ${name}`, { exact: true });
    assert.equal(await shown.textContent(), text.trimEnd());
  }

  await page.getByRole("link", { name: "2020-02" }).click();
  await page.getByText("Dit is de eerste uitgave").waitFor();
  await page.getByText(first.hash, { exact: false }).waitFor();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Files of 2020-02" }).waitFor();
  assert.deepEqual(desk.faults, []);
  await desk.context.close();
});

test("axe finds nothing, and it fits a phone", { skip }, async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    const desk = await openPage({ bypassCSP: true, colorScheme });
    const { page } = desk;
    await page.getByRole("heading", { name: "Verwijzen" }).waitFor();
    assert.deepEqual(await axeFinds(page), [], colorScheme);
    await page.setViewportSize({ width: 360, height: 740 });
    assert.equal(await overhang(page), 0, "on a phone");
    await desk.context.close();
  }
});

test("who may not see releases has no such page", { skip }, async () => {
  daemon.admin("person", "add", "Beheerder", "--role", "org admin", "--team", "Woning Els", ...ORG);
  const office = makeAccount(daemon, "Beheerder", "beheer@org01", ...ORG);
  const desk = await DeskPage.open(browser, daemon.port);
  await desk.signIn(office);
  assert.equal(await desk.page.getByRole("link", { name: "Onderzoek" }).count(), 0);
  await desk.context.close();
});
