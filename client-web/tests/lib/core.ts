// The C core behind JSON lines (tests/differential), when it is built: OVERDRACHT_BIN names a build folder.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Json } from "./vectors.ts";

const folder = process.env.OVERDRACHT_BIN;
const candidates = folder
  ? [`${folder}/tests/differential/ov-differential`, `${folder}/ov-differential`]
  : [];
const program = candidates.find((p) => existsSync(p));

/** Why the tests against the core are left out; undefined when they run. */
export const coreMissing = program
  ? undefined
  : folder
    ? `${folder} has no ov-differential`
    : "OVERDRACHT_BIN names no build folder";

export class Core {
  readonly #child: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];
  constructor() {
    this.#child = spawn(program!, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#waiting.shift()!(line));
    this.#child.on("exit", () => this.#waiting.forEach((f) => f('{"error":"the core ended"}')));
  }
  ask(what: string, question: Json = {}): Promise<Json> {
    return new Promise((resolve) => {
      this.#waiting.push((line) => resolve(JSON.parse(line)));
      this.#child.stdin!.write(`${JSON.stringify({ ask: what, ...question })}\n`);
    });
  }
  end(): void {
    this.#child.stdin!.end();
  }
}
