import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { sourceDir } from "./lib/vectors.ts";

test("the protocol takes at most 56 KB of the first load", () => {
  const run = spawnSync(process.execPath, [`${sourceDir}client-web/scripts/size.mjs`], { encoding: "utf8" });
  const m = /(\d+) bytes minified, (\d+) gzipped/.exec(run.stdout)!;
  assert.ok(Number(m[2]) > 10000 && Number(m[2]) <= 56000, m[0]);
});
