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
let files: Map<string, Buffer>;

before(async () => {
  if (skip) return;
  daemon = new Daemon();
  daemon.demo("--size", "month", "--until", "2026-03-31", "--seed", "3");
  daemon.web = join(daemon.folder, "web");
  files = await buildApp();
  writeApp(files, daemon.web);
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

const CHART = "[role=img]";
const network = (desk: DeskPage) => desk.page.locator(".network");

test("before there is a release the page says so, and shows what everybody may read", { skip }, async () => {
  const desk = await DeskPage.open(browser, daemon.port);
  await desk.signIn(lead);
  await desk.go("network");
  await network(desk).getByText("Er is nog geen uitgave.").waitFor();
  assert.equal(await network(desk).locator(CHART).count(), 0);
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

  const charts = network(desk).locator(CHART);
  assert.ok((await charts.count()) > 0);
  for (const chart of await charts.all()) assert.ok((await chart.getAttribute("aria-label"))!.length > 10);
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

/** Whether a canvas has points of a colour that the page's styles have where it stands; and how wide it is. */
const drawn = (desk: DeskPage, canvas: string, colour: string) =>
  desk.page.locator(canvas).evaluate((c, name) => {
    const { width, height } = c as HTMLCanvasElement;
    const data = (c as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height).data;
    const hex = getComputedStyle(c).getPropertyValue(name).trim();
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    let found = false;
    for (let i = 0; i < data.length && !found; i += 4)
      found = data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255;
    return { width, found, hex };
  }, colour);

test("the series follows theme and width, says the month pointed at, prints sharp", { skip }, async () => {
  const desk = await DeskPage.open(browser, daemon.port, { colorScheme: "light" });
  const { page } = desk;
  const asked: string[] = [];
  page.on("request", (r) => asked.push(new URL(r.url()).pathname));
  await desk.signIn(lead);
  await desk.go("research");
  const scripts = [...files].filter(([name, body]) => name.endsWith(".js") && body.includes("u-cursor-x"));
  assert.equal(scripts.length, 1, "one file has the library");
  assert.match(scripts[0][0], /^desk-network-/);
  assert.ok(!asked.includes(`/${scripts[0][0]}`), "which no other page asks for");

  await desk.go("network/1");
  const screen = ".series-screen canvas";
  const paper = ".series-paper canvas";
  await page.locator(screen).waitFor();
  const wide = await drawn(desk, screen, "--accent");
  assert.ok(wide.found, JSON.stringify(wide));
  assert.equal(wide.width, await page.locator(".series-screen").evaluate((e) => e.clientWidth));
  assert.ok((await drawn(desk, screen, "--incident")).found, "incidents have their bars");

  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await page.waitForTimeout(100);
  const dark = await drawn(desk, screen, "--accent");
  assert.ok(dark.found && dark.hex !== wide.hex, JSON.stringify(dark));
  await page.setViewportSize({ width: 360, height: 740 });
  await page.waitForTimeout(100);
  const narrow = await drawn(desk, screen, "--accent");
  assert.ok(narrow.found && narrow.width < wide.width && narrow.width > 200, JSON.stringify(narrow));

  const says = page.locator(".series-at");
  const words = await says.textContent();
  assert.match(words!, /^maart 2026: [0-9,]+ dagen per week, [0-9,]+ incidenten per 100 dagen\.$/);
  await page.locator(".series .u-over").hover();
  assert.equal(await says.textContent(), words, "there is one month");
  assert.ok(await page.locator(".series .u-cursor-x").isVisible());

  assert.ok(!(await page.locator(paper).isVisible()));
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  assert.ok(!(await page.locator(screen).isVisible()));
  assert.ok(await page.locator(paper).isVisible());
  const printed = await drawn(desk, paper, "--accent");
  assert.ok(printed.found && printed.hex === wide.hex, "paper has the colours of the light theme");
  assert.ok(printed.width >= 1360, `${printed.width} dots`);
  assert.deepEqual(desk.faults, []);
  await desk.context.close();
});

test("figures that were rounded apart say so, and only then; nothing more is told of them", { skip }, async () => {
  const desk = await DeskPage.open(browser, daemon.port);
  const { page } = desk;
  await desk.signIn(lead);
  const told: NetworkPage[] = [];
  let pair = { baseline: 86, follow_up: 87, value: 2, sd: 1, clients: 200, organisations: 19 };
  await page.route(/\/api\/network/, async (route) => {
    const response = await route.fetch();
    const body = (await response.json()) as NetworkPage;
    body.paired = body.paired.map((p, i) => (i ? p : { ...p, hidden: undefined, ...pair }));
    told.push(body);
    await route.fulfill({ response, json: body });
  });
  const note = page.getByText(/^Elk getal is apart afgerond\. Het verschil is berekend vóór het afronden;/);
  const figure = page.locator(".figure", { hasText: "Voor en na" });
  await desk.go("network/1");
  await note.waitFor();
  await figure.getByText(/^\+2 punten verschil \(spreiding 1\); ongeveer 200 cliënten/).waitFor();
  assert.deepEqual(await figure.locator(".chart .mark").allTextContents(), ["86", "87"], "as they were released");
  pair = { ...pair, value: 1 };
  await desk.go("network/2");
  await figure.getByText(/^\+1 punt verschil/).waitFor();
  assert.equal(await note.count(), 0);
  assert.equal(told.length, 2);
  assert.deepEqual(desk.faults, []);
  await desk.context.close();
});

/** Where the app's own font is missing, one of these may be there, which takes a sixth more. */
const WIDE_FONT = '"DejaVu Sans", Verdana, sans-serif';
test("it prints on one A4, fits a phone, and axe finds nothing", { skip }, async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    const desk = await DeskPage.open(browser, daemon.port, { bypassCSP: true, colorScheme });
    const { page } = desk;
    assert.deepEqual(await axeFinds(page), [], `signing in, ${colorScheme}`);
    await desk.signIn(lead);
    if (colorScheme === "dark")
      await page.evaluate((font) => {
        document.documentElement.style.setProperty("--basis-text-font-family-default", font);
      }, WIDE_FONT);
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
    await desk.go("account");
    assert.deepEqual(await axeFinds(page), [], `account, ${colorScheme}`);
    assert.equal(await overhang(page), 0, "account on a phone");
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
