// Enrolment by QR code: the picture that overdracht-admin writes, before the camera of a real browser.
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { type Browser, chromium } from "playwright-core";
import { buildApp, writeApp } from "../scripts/build.mjs";
import { chromiumMissing } from "./lib/chromium.ts";
import { Daemon, daemonMissing } from "./lib/daemon.ts";
import { film } from "./ui/lib/film.ts";
import { CHROMIUM } from "./ui/lib/stand.mjs";

const skip = daemonMissing ?? chromiumMissing ?? false;
const WAIT_MS = 120_000;
let daemon: Daemon;
let browser: Browser;

before(async () => {
  if (skip) return;
  daemon = new Daemon();
  daemon.web = join(daemon.folder, "web");
  writeApp(await buildApp(), daemon.web);
  await daemon.start();
  daemon.admin("organisation", "add", "De Linde");
  daemon.admin("team", "add", "Beuk");
  daemon.admin("person", "add", "Salie", "--team", "Beuk");
  browser = await chromium.launch(CHROMIUM);
});
after(async () => {
  await browser?.close();
  await daemon?.end();
});

/** A browser whose camera shows the film; null: one that has no camera. */
async function withCamera(path: string | null) {
  const args = path
    ? [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        `--use-file-for-fake-video-capture=${path}`,
      ]
    : [];
  const own = await chromium.launch({ ...CHROMIUM, args: [...CHROMIUM.args!, ...args] });
  const page = await own.newPage({ viewport: { width: 800, height: 1280 }, locale: "nl-NL" });
  page.setDefaultTimeout(WAIT_MS);
  const faults: string[] = [];
  page.on("pageerror", (e) => faults.push(String(e)));
  const fetched: string[] = [];
  page.on("request", (r) => fetched.push(new URL(r.url()).pathname));
  page.on("console", (m) => /Content Security|Trusted/.test(m.text()) && faults.push(m.text()));
  await page.goto(`http://127.0.0.1:${daemon.port}/`);
  return { own, page, faults, fetched };
}

test("the camera reads the code that the administrator shows, and the tablet enrols with it", { skip }, async () => {
  const png = join(daemon.folder, "code.png");
  const url = `http://127.0.0.1:${daemon.port}`;
  const { code } = daemon.admin("device", "add", "Tablet 1", "--team", "Beuk", "--png", png, "--url", url);
  const path = join(daemon.folder, "camera.y4m");
  await film(browser, png, path);
  const { own, page, faults, fetched } = await withCamera(path);
  const scan = page.getByRole("button", { name: "Scan de QR-code" });
  await scan.waitFor();
  assert.deepEqual(fetched.filter((f) => f.includes("decode")), [], "who types a code does without the reader");
  await scan.click();
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>("#code")?.value !== "");
  assert.equal(await page.locator("#code").inputValue(), code);
  assert.equal(await page.locator("video").count(), 0, "the camera is off again");
  await page.getByRole("button", { name: "Aanmelden" }).click();
  await page.locator(".person", { hasText: "Salie" }).waitFor();
  assert.deepEqual(faults, []);
  await own.close();
});

test("without a camera the app says so, and the code can be typed", { skip }, async () => {
  const { own, page, faults } = await withCamera(null);
  await page.getByRole("button", { name: "Scan de QR-code" }).click();
  await page.getByText("De camera werkt niet. Typ de code over.").waitFor();
  const { code } = daemon.admin("device", "add", "Tablet 2", "--team", "Beuk");
  await page.locator("#code").fill(code);
  await page.getByRole("button", { name: "Aanmelden" }).click();
  await page.locator(".person", { hasText: "Salie" }).waitFor();
  assert.deepEqual(faults, []);
  await own.close();
});
