// The real Chromium, on the loopback address only.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

const executablePath = process.env.OVERDRACHT_CHROMIUM ?? "/usr/bin/chromium";
export const chromiumMissing = existsSync(executablePath) ? undefined : `no ${executablePath}`;

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** A browser profile in a folder, which a new start finds again. */
export class Profile {
  readonly #folder = mkdtempSync(join(tmpdir(), "overdracht-chromium-"));
  #context: BrowserContext | undefined;

  async start(): Promise<BrowserContext> {
    this.#context = await chromium.launchPersistentContext(this.#folder, {
      executablePath,
      args: ARGS,
      timeout: 60_000,
    });
    this.#context.setDefaultTimeout(60_000);
    return this.#context;
  }
  async stop(): Promise<void> {
    await this.#context?.close();
    this.#context = undefined;
  }
  async end(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
