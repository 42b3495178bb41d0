// Pictures of the desk, from the real server on demonstration data: a lead's and a researcher's pages, empty and
// filled, and the network page as it prints. Bundled and run by scripts/screenshots.mjs.
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { buildApp, writeApp } from "../../scripts/build.mjs";
import { Daemon, daemonMissing } from "../lib/daemon.ts";
import { type Account, DeskPage, makeAccount } from "../lib/desk.ts";
import { CHROMIUM } from "./lib/stand.mjs";

const ORG = ["--organisation", "Organisatie 01"];
const MONTHS = 10;
const DATA = ["--size", "300000", "--seed", "7"];
const SIZES = [
  ["desk", { width: 1280, height: 900 }, "light"],
  ["desk-dark", { width: 1280, height: 900 }, "dark"],
  ["phone", { width: 360, height: 740 }, "light"],
  ["phone-dark", { width: 360, height: 740 }, "dark"],
] as const;
const A4 = { width: 718, height: 1047 }; // at 96 dots an inch, without its margins
type Act = (desk: DeskPage) => Promise<void>;
type Shot = readonly [name: string, path: string, act?: Act];
const LEAD: readonly Shot[] = [
  ["matters", "own/matters"],
  ["held", "own/held"],
  ["nights", "own/nights", async ({ page }) => page.locator(".heat-cell").nth(2).click()],
  ["tablets", "own/tablets"],
  ["technology", "own/technology"],
  ["clients", "own/clients"],
  ["write", "write"],
  ["network-all", "network"],
  ["network", "network/1"],
  ["network-table", "network/4", async ({ page }) => page.locator("summary").nth(1).click()],
];
const RESEARCHER: readonly Shot[] = [
  ["research", "research"],
  ["account", "account"],
];

/** The last months that are closed: until 14 days after its end, late entries are waited for. */
function closedMonths(n: number): string[] {
  const at = new Date(Date.now() - 15 * 86_400_000);
  const month = (back: number) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - back, 1));
  return Array.from({ length: n }, (_, i) => month(n - i).toISOString().slice(0, 7));
}

async function pictures(desk: DeskPage, shots: readonly Shot[], size: string, out: string): Promise<void> {
  const { page } = desk;
  const viewport = page.viewportSize()!;
  for (const [name, path, act] of shots) {
    await desk.go(path);
    await page.waitForFunction(() => !document.querySelector(".loading"));
    await act?.(desk);
    await page.waitForTimeout(200);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width: viewport.width, height });
    await page.screenshot({ path: `${out}/desk-${name}-${size}.png` });
    await page.setViewportSize(viewport);
  }
}

/** The network page on paper: as a picture, and as a file of one page. */
async function print(desk: DeskPage, path: string, name: string, out: string): Promise<void> {
  const { page } = desk;
  await desk.go(path);
  await page.locator(".network-grid .figure").first().waitFor();
  const pdf = await page.pdf({ preferCSSPageSize: true });
  writeFileSync(`${out}/desk-${name}.pdf`, pdf);
  const before = page.viewportSize()!;
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize(A4);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: A4.width, height });
  await page.screenshot({ path: `${out}/desk-${name}.png` });
  await page.emulateMedia({ media: null });
  await page.setViewportSize(before);
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page[^s]/g)!.length;
  if (pages !== 1) throw new Error(`${path} prints on ${pages} pages: ${height} of ${A4.height} dots high`);
}

async function signIn(browser: Browser, port: number, i: number, account?: Account): Promise<DeskPage> {
  const [, viewport, colorScheme] = SIZES[i];
  const desk = await DeskPage.open(browser, port, { viewport, colorScheme });
  if (account) await desk.signIn(account);
  return desk;
}

async function all(browser: Browser, daemon: Daemon, wanted: (name: string) => boolean, out: string) {
  const { port } = daemon;
  const lead = makeAccount(daemon, "Projectleider 01", "lead@org01", ...ORG);
  daemon.admin("person", "add", "Onderzoeker", "--role", "researcher", ...ORG);
  const researcher = makeAccount(daemon, "Onderzoeker", "onderzoek@org01", ...ORG);
  for (const [i, [size, viewport]] of SIZES.entries()) {
    const at = (shots: readonly Shot[]) => shots.filter(([name]) => wanted(name));
    const out_of = await signIn(browser, port, i);
    await out_of.page.getByLabel("Inlognaam").waitFor();
    if (wanted("sign-in")) await out_of.page.screenshot({ path: `${out}/desk-sign-in-${size}.png` });
    await out_of.context.close();
    for (const [account, shots] of [
      [lead, at(LEAD)],
      [researcher, at(RESEARCHER)],
    ] as const) {
      if (!shots.length) continue;
      const desk = await signIn(browser, port, i, account);
      await desk.page.locator(".utrecht-alert").first().waitFor(); // that a recovery code was used
      await desk.page.reload();
      await pictures(desk, shots, size, out);
      if (account === lead && viewport.width > 1000 && wanted("print")) {
        await print(desk, "network", `print-all-${size}`, out);
        await print(desk, "network/1", `print-${size}`, out);
      }
      if (desk.faults.length) console.error(desk.faults.join("\n"));
      await desk.context.close();
    }
  }
}

/** data: a folder of demonstration data; null to make one, which takes minutes. */
export async function deskShots(out: string, wanted: (name: string) => boolean, data: string | null) {
  if (daemonMissing) return console.error(`no pictures of the desk: ${daemonMissing}`);
  const daemon = new Daemon();
  let browser: Browser | undefined;
  try {
    if (data) cpSync(data, join(daemon.folder, "data"), { recursive: true });
    else daemon.demo(...DATA);
    daemon.web = join(daemon.folder, "web");
    writeApp(await buildApp(), daemon.web);
    await daemon.start();
    for (const month of closedMonths(MONTHS)) daemon.admin("release", "make", month);
    browser = await chromium.launch(CHROMIUM);
    await all(browser, daemon, wanted, out);
  } finally {
    await browser?.close();
    await daemon.end();
  }
}
