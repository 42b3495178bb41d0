// A carer's tablet: a browser profile with the app as it is built, and what carers do with it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import { buildApp, writeApp } from "../../../scripts/build.mjs";
import { Daemon, daemonMissing } from "../../lib/daemon.ts";
import { CHROMIUM } from "./stand.mjs";

/** Why tests with tablets are left out; false when they run. */
export const skip =
  daemonMissing ?? (existsSync(CHROMIUM.executablePath!) ? false : `${CHROMIUM.executablePath} is not there`);
export const WAIT_MS = Number(process.env.OVERDRACHT_WAIT_MS ?? 120_000);
export const PIN = "2580";
export const CLIENT = "Merel";

/** A team with the real server, which serves the app, and a browser. */
export interface Home {
  daemon: Daemon;
  browser: Browser;
}
/** names: further host names of the server; clients: beside CLIENT. */
export async function openHome(of: { names?: string[]; clients?: string[] } = {}): Promise<Home> {
  const daemon = new Daemon();
  daemon.samePort = true;
  daemon.names = ["127.0.0.1", ...(of.names ?? [])];
  daemon.web = join(daemon.folder, "web");
  writeApp(await buildApp(), daemon.web);
  await daemon.start();
  daemon.admin("organisation", "add", "De Linde");
  daemon.admin("team", "add", "Beuk");
  for (const name of ["Salie", "Tijm"]) daemon.admin("person", "add", name, "--team", "Beuk");
  for (const name of [CLIENT, ...(of.clients ?? [])]) daemon.admin("participant", "add", name, "--team", "Beuk");
  return { daemon, browser: await chromium.launch(CHROMIUM) };
}
export async function closeHome(home: Home | undefined): Promise<void> {
  await home?.browser.close();
  await home?.daemon.end();
}

/** In the page, before the app: the tablet's clock goes ahead by what stands in local storage. */
export function movableClock(): void {
  const real = Date.now.bind(Date);
  Date.now = () => real() + Number(localStorage.getItem("test-ahead-ms") ?? 0);
}

/** A browser profile of its own: one tablet. */
export class Tablet {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly faults: string[] = [];
  /** who works on it */
  #who = "";
  constructor(context: BrowserContext, page: Page, origin: string) {
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(WAIT_MS);
    page.on("pageerror", (e) => this.faults.push(String(e)));
    page.on("dialog", (d) => (this.faults.push(d.message()), void d.dismiss()));
    context.on("request", (r) => {
      if (!r.url().startsWith(origin) && !/^(data|blob):/.test(r.url()))
        this.faults.push(`request: ${r.url()}`);
    });
    page.on("websocket", (w) => {
      if (!w.url().startsWith(origin.replace("http", "ws"))) this.faults.push(`websocket: ${w.url()}`);
    });
  }
  /** first: what runs in the page before the app does; bypassCSP: for axe, which writes markup */
  static async enrol(
    at: Home,
    name: string,
    of: { host?: string; first?: () => void; bypassCSP?: boolean } = {},
  ): Promise<Tablet> {
    const { browser, daemon } = at;
    const { host = "127.0.0.1", first, bypassCSP } = of;
    const { code } = daemon.admin("device", "add", name, "--team", "Beuk");
    const viewport = { width: 800, height: 1280 };
    const context = await browser.newContext({ viewport, locale: "nl-NL", bypassCSP, reducedMotion: "reduce" });
    if (first) await context.addInitScript(first);
    const origin = `http://${host}:${daemon.port}/`;
    const tablet = new Tablet(context, await context.newPage(), origin);
    await tablet.page.goto(`${origin}#code=${code}`);
    await tablet.button("Aanmelden").click();
    assert.doesNotMatch(tablet.page.url(), /code=/, "the code does not stay in the address");
    await tablet.page.locator(".person").first().waitFor();
    return tablet;
  }
  button(name: string) {
    return this.page.getByRole("button", { name, exact: true });
  }
  async digits(): Promise<void> {
    await this.page.locator(".pad").waitFor();
    for (const digit of PIN) await this.page.keyboard.press(digit);
    await this.page.keyboard.press("Enter");
  }
  async signIn(name: string): Promise<void> {
    this.#who = name;
    await this.page.locator(".person", { hasText: name }).click();
    await this.digits();
    const again = this.page.getByText("Nog een keer dezelfde pincode");
    const inside = this.page.locator(".who");
    await again.or(inside).first().waitFor();
    if (await again.isVisible()) await this.digits();
    await inside.waitFor();
  }
  /** The page is opened again so many days later; `first: movableClock`. */
  async later(days: number): Promise<void> {
    await this.page.evaluate((ms) => localStorage.setItem("test-ahead-ms", String(ms)), days * 86_400_000);
    await this.page.evaluate(() => (location.hash = "#/"));
    await this.page.reload();
    await this.page.locator(".main h1").waitFor();
  }
  async client(label = CLIENT): Promise<void> {
    await this.go("");
    await this.page.locator("a.client", { hasText: label }).click();
    await this.page.locator(".kinds").waitFor();
  }
  async go(path: string): Promise<void> {
    // it may have locked itself while the other tablet was at work
    if (await this.page.locator(".person").first().isVisible()) await this.signIn(this.#who);
    await this.page.evaluate((p) => (location.hash = `#/${p}`), path);
    await this.page.locator(".main h1, .main .utrecht-alert").first().waitFor();
  }
  async footer(words: RegExp): Promise<void> {
    await this.page.locator(".footer").getByText(words).first().waitFor();
  }
  /** 'Nu versturen', unless it was sent by itself in the meantime. */
  async push(): Promise<void> {
    const button = this.page.locator(".footer-button[aria-label='Nu versturen']");
    await button.click({ timeout: 3000 }).catch(() => undefined);
  }
  /** No entry waits, and the server said so. */
  async sent(): Promise<void> {
    await this.footer(/All(es|e invoer) is verstuurd om/);
  }
  async said(words: string): Promise<void> {
    await this.page.locator(".toast").getByText(words).waitFor();
  }
  async night(quality: string): Promise<void> {
    await this.client();
    await this.page.locator(".kind", { hasText: "Nachtrust" }).click();
    await this.page.locator("[data-field=quality]").getByText(quality, { exact: true }).click();
    await this.button("Opslaan").click();
    await this.page.locator(".kinds").waitFor(); // words of the night before may still be there
    await this.said("Opgeslagen op deze tablet.");
  }
}
