// Somebody at the desk: an account at the real server, and signing in with it in a real browser.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Daemon } from "./daemon.ts";

export interface Account {
  login: string;
  password: string;
  secret: Buffer;
  recovery: string[];
}

/** A new account of a person who is there already. */
export function makeAccount(daemon: Daemon, person: string, login: string, ...more: string[]): Account {
  const a = daemon.admin("account", "add", person, "--login", login, ...more);
  const secret = base32(new URL(a.otpauth).searchParams.get("secret")!);
  return { login, password: a.password, secret, recovery: a.recovery_codes };
}

function base32(text: string): Buffer {
  const bits = [...text.replace(/[ =]/g, "")].map((c) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"),
  );
  return Buffer.from(bits.join("").match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
}
/** The code of the moment (RFC 6238), `off` steps from now. */
export function codeOf(secret: Buffer, off = 0): string {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + off));
  const mac = createHmac("sha1", secret).update(step).digest();
  const n = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(n % 1000000).padStart(6, "0");
}

/** One browser profile with the desk open; what went wrong in it is in `faults`. */
export class DeskPage {
  readonly faults: string[] = [];
  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on("pageerror", (e) => this.faults.push(String(e)));
    page.on("console", (m) => m.type() === "error" && this.faults.push(m.text()));
    page.on("dialog", (d) => (this.faults.push(d.message()), void d.dismiss()));
  }
  static async open(
    browser: Browser,
    port: number,
    options: Parameters<Browser["newContext"]>[0] = {},
    waitMs = 60000,
  ): Promise<DeskPage> {
    const context = await browser.newContext({
      viewport: { width: 1024, height: 1366 },
      locale: "nl-NL",
      timezoneId: "Europe/Amsterdam",
      acceptDownloads: true,
      ...options,
    });
    const desk = new DeskPage(context, await context.newPage());
    desk.page.setDefaultTimeout(waitMs);
    await desk.page.goto(`http://127.0.0.1:${port}/desk.html`);
    return desk;
  }
  async name(account: Account, password = account.password): Promise<void> {
    await this.page.getByLabel("Inlognaam").fill(account.login);
    await this.page.getByLabel("Wachtwoord").fill(password);
    await this.page.getByRole("button", { name: "Verder" }).click();
  }
  async code(code: string): Promise<void> {
    await this.page.getByLabel("Code", { exact: true }).fill(code);
    await this.page.getByRole("button", { name: "Inloggen" }).click();
  }
  /** A recovery code each time: the code of the moment works once, and tests sign in more often. */
  async signIn(account: Account): Promise<void> {
    await this.name(account);
    await this.code(account.recovery.pop()!);
    await this.page.locator(".desk-who").waitFor();
  }
  async go(path: string): Promise<void> {
    await this.page.evaluate((p) => (location.hash = `#/${p}`), path);
    await this.page.locator(".desk-main h1").first().waitFor();
  }
}

/** What axe finds on the page, by its rules for WCAG A and AA. The context must have been opened with
 *  bypassCSP: axe itself writes markup, which the page's own policy forbids. */
export async function axeFinds(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(o: object): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
      };
    };
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await axe.run({ runOnly });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join("; ")}`);
  });
}
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** How far the page is wider than its window. */
export const overhang = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
