// The real overdrachtd as a child process, administered by the real overdracht-admin.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Json, sourceDir } from "./vectors.ts";

const folder = process.env.OVERDRACHT_BIN ?? "";
const find = (...names: string[]) => names.map((n) => join(folder, n)).find((p) => folder && existsSync(p));
const server = find("server/main/overdrachtd", "overdrachtd");
const administration = find("tools/admin/overdracht-admin", "overdracht-admin");
const demonstration = find("tools/demo-data/overdracht-demo-data", "overdracht-demo-data");

/** Why the tests with a server are left out; undefined when they run. */
export const daemonMissing =
  server && administration
    ? undefined
    : folder
      ? `${folder} has no overdrachtd or no overdracht-admin`
      : "OVERDRACHT_BIN names no build folder";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export class Daemon {
  readonly folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "overdracht-web-"));
  #child: ChildProcess | undefined;
  port = 0;
  /** folder of the web app to serve */
  web: string | undefined;
  /** a further start listens where the one before did */
  samePort = false;

  /** host names that browsers may use, when not those of the loopback */
  names: string[] = [];

  /** files of a certificate and its key; without them the server speaks no TLS */
  tls: { cert: string; key: string } | undefined;

  /** Fills the folder with demonstration data, before the first start. */
  demo(...args: string[]): void {
    const schemas = ["--schema", `${sourceDir}proto/schema`];
    const run = spawnSync(demonstration!, ["--data", join(this.folder, "data"), ...schemas, ...args], {
      encoding: "utf8",
    });
    if (run.status !== 0) throw new Error(`overdracht-demo-data: ${run.stdout}${run.stderr}`);
  }

  /** extra: folders of further schema files */
  async start(...extra: string[]): Promise<void> {
    const schemas = join(this.folder, "schema");
    for (const dir of [`${sourceDir}proto/schema`, ...extra]) cpSync(dir, schemas, { recursive: true });
    rmSync(join(schemas, "README.md"), { force: true });
    const portFile = join(this.folder, "port");
    rmSync(portFile, { force: true });
    const args = [
      "--data",
      join(this.folder, "data"),
      "--init",
      "--schema",
      schemas,
      "--port",
      String(this.samePort ? this.port : 0),
      ...this.names.flatMap((n) => ["--name", n]),
      ...(this.web ? ["--web", this.web] : []),
      ...(this.tls ? ["--cert", this.tls.cert, "--key", this.tls.key] : []),
      "--local-port",
      "off",
    ];
    this.#child = spawn(server!, [...args, "--port-file", portFile, "--log", "error"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    for (let i = 0; i < 200 && !existsSync(portFile); i++) await sleep(50);
    this.port = Number(/^port=(\d+)/m.exec(readFileSync(portFile, "utf8"))![1]);
  }
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
  /** As a power cut ends it. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
  /** What a backup of the stopped server's folder is, and putting it back. */
  save(): void {
    cpSync(join(this.folder, "data"), join(this.folder, "saved"), { recursive: true });
  }
  restore(): void {
    rmSync(join(this.folder, "data"), { recursive: true });
    cpSync(join(this.folder, "saved"), join(this.folder, "data"), { recursive: true });
  }
  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
  admin(...args: string[]): Json {
    const run = spawnSync(
      administration!,
      ["--data", join(this.folder, "data"), "--schema", join(this.folder, "schema"), "--json", "--quiet", ...args],
      { encoding: "utf8" },
    );
    const lines = run.stdout.trim().split("\n");
    if (run.status !== 0) throw new Error(`overdracht-admin ${args.join(" ")}: ${run.stdout}${run.stderr}`);
    return JSON.parse(lines[lines.length - 1]);
  }
}
