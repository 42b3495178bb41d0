import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import test from "node:test";
import { ERRORS, LIMITS, PEER, TYPES } from "../src/proto/generated.ts";
import { sourceDir } from "./lib/vectors.ts";

test("generated.ts is what the tables of PROTOCOL.md give", () => {
  const run = spawnSync(process.execPath, [`${sourceDir}client-web/scripts/generate.mjs`, "--check"]);
  assert.equal(run.status, 0, String(run.stderr));
});

test("the limits are those of limits.h", () => {
  const header = readFileSync(`${sourceDir}proto/include/ov/limits.h`, "utf8");
  for (const [name, value] of Object.entries(LIMITS)) {
    const m = new RegExp(`#define OV_${name} +(\\d+)u?\\b`).exec(header);
    if (m) assert.equal(Number(m[1]), value, name);
    else assert.match(header, new RegExp(`#define OV_${name} `), name);
  }
});

test("the error numbers are those of error.h", () => {
  const header = readFileSync(`${sourceDir}proto/include/ov/error.h`, "utf8");
  for (const [slug, { nr }] of Object.entries(ERRORS))
    assert.match(header, new RegExp(`OV_E_${slug.toUpperCase()} = -${nr},`));
});

test("the table of states knows every message and no other", () => {
  const types = Object.keys(TYPES);
  const seen = new Set<string>();
  for (const of of Object.values(PEER))
    for (const side of [of.client, of.server])
      for (const [type, next] of Object.entries(side)) {
        assert.ok(types.includes(type), type);
        assert.ok(next in PEER, next);
        seen.add(type);
      }
  assert.deepEqual([...seen].sort(), [...types].sort());
});
