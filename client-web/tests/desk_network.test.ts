// The network page in a real browser, served by the real overdrachtd from a real release of demonstration data.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { type Browser, chromium } from "playwright-core";
import { buildApp, writeApp } from "../scripts/build.mjs";
import type { NetworkPage } from "../src/lead/network_data.ts";
import { Daemon, daemonMissing } from "./lib/daemon.ts";
import { type Account, axeFinds, DeskPage, makeAccount, overhang } from "./lib/desk.ts";
import { CHROMIUM } from "./ui/lib/stand.mjs";

const skip =
  daemonMissing ?? (existsSync(CHROMIUM.executablePath!) ? false : `${CHROMIUM.executablePath} is not there`);
const ORG = ["--organisation", "Organisatie 01"];
let browser: Browser;
let daemon: Daemon;
let lead: Account;
let administrator: Account;

before(async () => {
  if (skip) return;
  daemon = new Daemon();
  daemon.demo("--size", "month", "--until", "2026-03-31", "--seed", "3");
  daemon.web = join(daemon.folder, "web");
  writeApp(await buildApp(), daemon.web);
  await daemon.start();
  daemon.admin("person", "add", "Beheerder", "--role", "org admin", ...ORG);
  lead = makeAccount(daemon, "Projectleider 01", "lead@org01", ...ORG);
  administrator = makeAccount(daemon, "Beheerder", "beheer@org01", ...ORG);
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  await daemon?.end();
});

const network = (desk: DeskPage) => desk.page.locator(".network");

test("before there is a release the page says so, and shows what everybody may read", { skip }, async () => {
  const desk = await DeskPage.open(browser, daemon.port);
  await desk.signIn(lead);
  await desk.go("network");
  await network(desk).getByText("Er is nog geen uitgave.").waitFor();
  assert.equal(await desk.page.locator("svg.chart").count(), 0);
  await network(desk).getByText(/van 35–42/).waitFor();
  assert.deepEqual(desk.faults, []);
  await desk.context.close();
});

test("every chart has its words, its table and its file; what is hidden says why", { skip }, async () => {
  daemon.admin("release", "make", "2026-03");
  const file = join(daemon.folder, "page.json");
  daemon.admin("release", "page", "--network", "1", "--out", file);
  const told = readFileSync(file, "utf8");
  const desk = await DeskPage.open(browser, daemon.port);
  const { page } = desk;
  await desk.signIn(lead);
  const answer = page.waitForResponse((r) => r.url().endsWith("/api/network?network=1"));
  await desk.go("network/1");
  const body = await (await answer).text();
  assert.ok(body.length <= 100_000, `${body.length} bytes`);
  assert.equal(body, told, "the page is the ledger's own");
  const data = JSON.parse(body) as NetworkPage;
  await page.getByRole("heading", { name: "Nachtrust", level: 1 }).waitFor();

  const charts = page.locator("svg.chart");
  assert.ok((await charts.count()) > 0);
  for (const chart of await charts.all()) {
    assert.equal(await chart.getAttribute("role"), "img");
    assert.ok((await chart.getAttribute("aria-label"))!.length > 10);
  }
  const figures = page.locator(".figure:has(details)");
  assert.equal(await figures.count(), 3);
  for (const figure of await figures.all()) {
    await figure.locator("summary").click();
    const rows = await figure
      .locator("tbody tr")
      .evaluateAll((all) => all.map((r) => [...r.children].map((c) => c.textContent ?? "")));
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      figure.getByRole("button", { name: /Opslaan als CSV/ }).click(),
    ]);
    const lines = readFileSync(await file.path(), "utf8").trim().split("\r\n");
    assert.match(file.suggestedFilename(), /^overdracht-2026-03-\w+\.csv$/);
    assert.equal(lines.length, rows.length + 1, "a line for each row, and a header");
    for (const [i, row] of rows.entries()) assert.ok(lines[i + 1].includes(row[0].split(",")[0]), lines[i + 1]);
  }
  const month = data.technology[0];
  assert.ok(month.days_week.value! > 0, "the data show the use of technology");
  const shown = page.locator(".figure", { hasText: "Gebruik van technologie" }).locator("tbody tr").first();
  assert.equal(await shown.locator("td").first().textContent(), String(month.days_week.value).replace(".", ","));

  // one month only: nobody has a follow-up yet
  assert.ok(data.paired.every((p) => p.hidden));
  const paired = page.locator(".figure", { hasText: "Voor en na" });
  assert.ok((await paired.getByText("te weinig mensen", { exact: true }).count()) >= 2);
  await paired.getByText("Wij tonen dit niet: het gaat over te weinig mensen").waitFor();
  await page.getByText(/^[0-9] van 5–6$/).waitFor();
  await page.getByText("Werk van begin tot eind samen met cliënten").waitFor();

  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Before and after" }).waitFor();
  await page.getByText("too few people", { exact: true }).first().waitFor();
  assert.deepEqual(desk.faults, []);
  await desk.context.close();
});

test("it prints on one A4, fits a phone, and axe finds nothing", { skip }, async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    const desk = await DeskPage.open(browser, daemon.port, { bypassCSP: true, colorScheme });
    const { page } = desk;
    assert.deepEqual(await axeFinds(page), [], `signing in, ${colorScheme}`);
    await desk.signIn(lead);
    for (const path of ["network", "network/1", "network/4"]) {
      await page.setViewportSize({ width: 1024, height: 1366 });
      await desk.go(path);
      await page.locator(".network-grid .figure").first().waitFor();
      const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
      assert.equal(pdf.match(/\/Type\s*\/Page[^s]/g)!.length, 1, `${path} prints on one page`);
      await page.locator("summary").first().click();
      assert.deepEqual(await axeFinds(page), [], `${path}, ${colorScheme}`);
      await page.setViewportSize({ width: 360, height: 740 });
      assert.equal(await overhang(page), 0, `${path} on a phone`);
    }
    await desk.context.close();
  }
});

test("who may not read releases, and who asks for what is not there, is told so", { skip }, async () => {
  const ask = (desk: DeskPage, path: string, csrf = true) =>
    desk.page.evaluate(
      async ([to, with_]) => {
        const kept = JSON.parse(sessionStorage.getItem("overdracht-desk-session") ?? "{}") as { csrf?: string };
        const headers: Record<string, string> = { "X-Overdracht": "1" };
        if (with_) headers["X-Overdracht-CSRF"] = kept.csrf ?? "";
        const r = await fetch(to as string, { headers });
        return [r.status, ((await r.json()) as { code?: string }).code] as const;
      },
      [path, csrf] as const,
    );
  const desk = await DeskPage.open(browser, daemon.port);
  assert.deepEqual(await ask(desk, "/api/network"), [401, "signed-out"]);
  await desk.signIn(lead);
  assert.deepEqual(await ask(desk, "/api/network"), [200, undefined]);
  assert.deepEqual(await ask(desk, "/api/network", false), [403, "csrf-missing"], "a cookie alone");
  for (const args of ["network=98", "network=-1", "network=1x", "network=99999999999", "release=2020-01"])
    assert.deepEqual(await ask(desk, `/api/network?${args}`), [404, "unknown"], args);
  const other = await DeskPage.open(browser, daemon.port);
  await other.signIn(administrator);
  assert.deepEqual(await ask(other, "/api/network"), [403, "not-allowed"]);
  await desk.context.close();
  await other.context.close();
});
