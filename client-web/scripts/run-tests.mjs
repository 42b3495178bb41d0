// Bundles tests/*.test.ts and runs them with node's own runner.
//   node scripts/run-tests.mjs [name …] [--option …]
// Tests whose file name begins with one of the names, and not with any !name; options are node's own, as
// --test-name-pattern=WORDS.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const names = process.argv.slice(2).filter((w) => !w.startsWith("--"));
const options = process.argv.slice(2).filter((w) => w.startsWith("--"));
const wanted = names.filter((n) => !n.startsWith("!"));
const unwanted = names.filter((n) => n.startsWith("!")).map((n) => n.slice(1));
const tests = readdirSync(`${root}tests`)
  .filter((f) => f.endsWith(".test.ts"))
  .filter((f) => !wanted.length || wanted.some((w) => f.startsWith(w)))
  .filter((f) => !unwanted.some((w) => f.startsWith(w)));
if (!tests.length) {
  console.error(`no such test: ${wanted.join(" ")}`);
  process.exit(1);
}
// a folder of its own, so that two runs do not meet
const out = `${root}build/tests-${process.pid}`;
await build({
  entryPoints: tests.map((f) => `${root}tests/${f}`),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  platform: "node",
  target: "node18",
  format: "esm",
  packages: "external",
  sourcemap: "inline",
  loader: { ".txt": "text" },
  define: { SOURCE_DIR: JSON.stringify(fileURLToPath(new URL("../..", import.meta.url))) },
  logLevel: "warning",
});
const files = tests.map((f) => `${out}/${f.replace(/\.ts$/, ".mjs")}`);
const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...options, ...files], { stdio: "inherit" });
rmSync(out, { recursive: true, force: true });
process.exit(run.status ?? 1);
