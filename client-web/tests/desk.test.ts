// The desk in a real browser, served by the real overdrachtd under its own policy: signing in and out.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { type Browser, chromium } from "playwright-core";
import { buildApp, writeApp } from "../scripts/build.mjs";
import { Daemon, daemonMissing } from "./lib/daemon.ts";
import { type Account, DeskPage, codeOf, makeAccount } from "./lib/desk.ts";
import { CHROMIUM } from "./ui/lib/stand.mjs";

const skip =
  daemonMissing ?? (existsSync(CHROMIUM.executablePath!) ? false : `${CHROMIUM.executablePath} is not there`);
let browser: Browser;
let daemon: Daemon;
let lead: Account;

before(async () => {
  if (skip) return;
  daemon = new Daemon();
  daemon.web = join(daemon.folder, "web");
  writeApp(await buildApp(), daemon.web);
  await daemon.start();
  daemon.admin("organisation", "add", "De Linde");
  daemon.admin("team", "add", "Beuk");
  for (const name of ["Laurier", "Wilg"])
    daemon.admin("person", "add", name, "--role", "project lead", "--team", "Beuk");
  lead = makeAccount(daemon, "Laurier", "laurier@linde");
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  await daemon?.end();
});

test("a lead signs in with password and code, stays in over a reload, and signs out", { skip }, async () => {
  const desk = await DeskPage.open(browser, daemon.port);
  const { page } = desk;
  await page.getByRole("button", { name: "Verder" }).click();
  await page.getByText("Vul dit in.").nth(1).waitFor();
  await desk.name(lead, `${lead.password}x`);
  await page.getByText("De naam of het wachtwoord klopt niet.").waitFor();
  await desk.name(lead);
  await page.getByLabel("Code", { exact: true }).waitFor();
  await desk.code("000000");
  await page.getByText("De code klopt niet, of is al gebruikt.").waitFor();
  await desk.code(codeOf(lead.secret));
  await page.locator(".desk-who").getByText("Laurier").waitFor();
  await page.locator(".desk-who").getByText("De Linde").waitFor();
  await page.reload();
  await page.locator(".desk-who").getByText("Laurier").waitFor();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await page.locator("html[lang=en]").waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Nederlands" }).click();
  await page.getByRole("button", { name: "Uitloggen" }).click();
  await page.getByLabel("Inlognaam").waitFor();
  await page.reload();
  await page.getByLabel("Inlognaam").waitFor();
  // the refusals above are the browser's own lines
  assert.deepEqual(
    desk.faults.filter((f) => !/status of 401/.test(f)),
    [],
  );
  await desk.context.close();
});

test("a session that the administrator ended asks to sign in again, and says so", { skip }, async () => {
  const desk = await DeskPage.open(browser, daemon.port);
  await desk.signIn(lead);
  await desk.page.getByText("U gebruikte een herstelcode. U heeft er nog 9.").waitFor();
  daemon.admin("session", "revoke", "--person", "Laurier");
  await desk.page.reload();
  const told = desk.page.getByText("U bent uitgelogd. Log opnieuw in om verder te gaan.");
  await told.waitFor();
  await desk.page.reload();
  await told.waitFor(); // until somebody signs in
  // a cookie alone opens nothing, and neither does another tab without what this one knew
  const other = await desk.context.newPage();
  await other.goto(desk.page.url());
  await other.getByLabel("Inlognaam").waitFor();
  await desk.context.close();
});

test("a lead chooses another password, and only that one counts from then on", { skip }, async () => {
  const own = makeAccount(daemon, "Wilg", "wilg@linde");
  const next = "p\u00e4ard batterij";
  const desk = await DeskPage.open(browser, daemon.port);
  const { page } = desk;
  await desk.signIn(own);
  await page.locator("a.desk-who").click();
  await page.getByRole("heading", { name: "Mijn account" }).waitFor();
  await page.getByText("wilg@linde", { exact: true }).waitFor();
  const fill = async (now: string, one: string, two: string, code: string) => {
    await page.getByLabel("Huidig wachtwoord").fill(now);
    await page.getByLabel("Nieuw wachtwoord", { exact: true }).fill(one);
    await page.getByLabel("Nieuw wachtwoord, nog een keer").fill(two);
    await page.getByLabel("Code", { exact: true }).fill(code);
    await page.getByRole("button", { name: "Wachtwoord wijzigen" }).click();
  };
  await fill(own.password, "kort", "korter", "");
  await page.getByText("Dit zijn minder dan 10 tekens.").waitFor();
  await page.getByText("Dit is niet hetzelfde als hierboven.").waitFor();
  await page.getByText("Vul dit in.").waitFor();
  await fill("verkeerd", next, next, "000000");
  await page.getByText("Het huidige wachtwoord of de code klopt niet").waitFor();
  await fill(own.password, next, next, codeOf(own.secret));
  await page.getByText("Uw wachtwoord is gewijzigd.").waitFor();
  assert.equal(await page.getByLabel("Huidig wachtwoord").inputValue(), "");
  await page.getByRole("button", { name: "Uitloggen" }).click();
  await desk.name(own);
  await page.getByText("De naam of het wachtwoord klopt niet.").waitFor();
  // the same letters, as another keyboard makes them
  await desk.name(own, next.normalize("NFD"));
  await page.getByLabel("Code", { exact: true }).waitFor();
  assert.deepEqual(
    desk.faults.filter((f) => !/status of 40[13]/.test(f)),
    [],
  );
  await desk.context.close();
});

test("the carer's app loads nothing of the desk", { skip }, async () => {
  const page = await browser.newPage();
  const asked: string[] = [];
  page.on("request", (r) => asked.push(new URL(r.url()).pathname));
  await page.goto(`http://127.0.0.1:${daemon.port}/`);
  await page.locator(".main h1").waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  assert.ok(asked.some((p) => p.startsWith("/app-")));
  assert.deepEqual(
    asked.filter((p) => p.includes("desk")),
    [],
  );
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const all = await Promise.all(names.map(async (n) => (await caches.open(n)).keys()));
    return all.flat().map((r) => new URL(r.url).pathname);
  });
  assert.ok(kept.includes("/") && !kept.some((p) => p.includes("desk")), kept.join(" "));
  await page.close();
});
