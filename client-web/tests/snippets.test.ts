// The examples for researchers, exactly as the page and EXPORTS.md give them, in the programs that they are
// for: over https from the real overdrachtd, from a release of demonstration data, each compared with the
// release's CSV file.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { type Snippet, snippets } from "../src/research/snippets.ts";
import { Daemon, daemonMissing } from "./lib/daemon.ts";
import { sourceDir } from "./lib/vectors.ts";

const RELEASE = "2026-03";
const guide = readFileSync(`${sourceDir}server/insight/EXPORTS.md`, "utf8");
/** Debian's own, which python3-pandas is for; another python3 may come before it in the PATH. */
const PYTHON = "/usr/bin/python3";

const without = (program: string, args: string[], packages: string): string | undefined =>
  daemonMissing ?? (spawnSync(program, args).status === 0 ? undefined : `missing: ${packages}`);
const noR = without("Rscript", ["-e", "library(httr2); library(haven)"], "r-cran-httr2 r-cran-haven");
const noPandas = without(PYTHON, ["-c", "import pandas"], "python3-pandas");
const noPspp = without("pspp", ["--version"], "pspp");

let daemon: Daemon;
let ca: string;
let token: string;
let texts: Record<Snippet["name"], string>;
/** network's name, its number, source, clients, mean and spread: what the examples ask for */
type Row = [string, number, number, number, number, number];
let truth: Row[];

function run(dir: string, program: string, args: string[], input = "", env: Record<string, string> = {}) {
  const all = { ...process.env, LC_ALL: "C.UTF-8", TOKEN: token, ...env };
  const done = spawnSync(program, args, { cwd: dir, env: all, input, encoding: "utf8" });
  assert.equal(done.status, 0, `${program}: ${done.stdout}${done.stderr}`);
  return done;
}
/** Each example in a folder of its own. */
function folder(name: string): string {
  const dir = join(daemon.folder, name);
  mkdirSync(dir);
  return dir;
}

/** An authority of one's own, and a certificate of it for the server. */
const CERTIFICATES = `
new() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \\
    -keyout $1.key -out $1.pem "\${@:2}"
}
new ca -subj "/CN=Authority of a test" -addext keyUsage=critical,keyCertSign &&
  new server -subj /CN=localhost -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:localhost`;

before(async () => {
  if (daemonMissing) return;
  daemon = new Daemon();
  run(daemon.folder, "bash", ["-c", CERTIFICATES]);
  ca = join(daemon.folder, "ca.pem");
  daemon.tls = { cert: join(daemon.folder, "server.pem"), key: join(daemon.folder, "server.key") };
  daemon.demo("--size", "month", "--until", "2026-03-31", "--seed", "5");
  await daemon.start();
  daemon.admin("release", "make", RELEASE);
  token = (daemon.admin("token", "add", "examples") as { token: string }).token;
  const list = snippets(`https://localhost:${daemon.port}`, RELEASE);
  texts = Object.fromEntries(list.map((s) => [s.name, s.text])) as typeof texts;
  truth = rowsOf(exported("csv").toString("utf8"));
  assert.ok(truth.length > 3, "a release with something to read");
});
after(() => daemon?.end());

/** The file as the administrator's command writes it. */
function exported(format: string): Buffer {
  const out = join(daemon.folder, `truth-${Math.random()}.${format}`);
  daemon.admin("export", RELEASE, "sleep", "--format", format, "--out", out);
  return readFileSync(out);
}
/** What the examples ask for, from the lines of the CSV file, whose texts have no comma here. */
function rowsOf(csv: string): Row[] {
  const [head, ...lines] = csv.trimEnd().split("\n").map((l) => l.trimEnd().split(","));
  const of = (line: string[], name: string): string => line[head.indexOf(name)];
  return lines
    .filter((l) => of(l, "told") === "1" && of(l, "measure") === "sleep_se" && of(l, "level") === "1")
    .map((l) => {
      const numbers = ["network", "source", "clients", "value", "sd"].map((c) => Number(of(l, c)));
      return [of(l, "network_name"), ...numbers] as Row;
    });
}

test("EXPORTS.md gives the same examples as the page", () => {
  const given = [...guide.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, text]) => text);
  const page = snippets("https://sync.example.nl", "2026-02").map((s) => s.text);
  assert.deepEqual(given.sort(), page.sort());
});

test("curl fetches the release's file", { skip: daemonMissing }, () => {
  const dir = folder("curl");
  run(dir, "bash", ["-c", texts.curl], "", { CURL_CA_BUNDLE: ca });
  assert.ok(readFileSync(join(dir, "sleep.csv")).equals(exported("csv")));
});

// On Linux R's curl asks no variable for the authority: a profile makes it do so.
const PROFILE = `setHook(packageEvent("curl", "onLoad"), function(...) {
  curl <- asNamespace("curl")
  plain <- curl$new_handle
  unlockBinding("new_handle", curl)
  curl$new_handle <- function(...) curl$handle_setopt(plain(...), cainfo = Sys.getenv("CURL_CA_BUNDLE"))
})
`;
/** Typed into R, and then what the last line of it showed is asked as CSV. */
function inR(dir: string, text: string, env: Record<string, string>): void {
  const more = 'write.csv(zap_labels(.Last.value), "shown.csv", row.names = FALSE)\n';
  const options = ["--no-save", "--no-restore", "--no-environ", "--no-site-file", "--no-echo"];
  const { stdout } = run(dir, "R", options, text + more, env);
  assert.match(stdout, /network_name +source +clients +value +sd/);
  const shown = readFileSync(join(dir, "shown.csv"), "utf8").trimEnd().split("\n").slice(1);
  assert.deepEqual(
    shown.map((line) => JSON.parse(`[${line}]`) as unknown),
    truth.map(([name, , ...numbers]) => [name, ...numbers]),
  );
}

test("R reads it with httr2 and haven", { skip: noR }, () => {
  const dir = folder("R");
  writeFileSync(join(dir, "profile.R"), PROFILE);
  inR(dir, texts.R, { R_PROFILE_USER: join(dir, "profile.R"), CURL_CA_BUNDLE: ca });
  assert.ok(readFileSync(join(dir, "sleep.sav")).equals(exported("sav")));
});

test("R trusts an authority of one's own with the line that EXPORTS.md gives", { skip: noR }, () => {
  const dir = folder("R-own-authority");
  const line = /`(req_options\(cainfo = "ca\.pem"\) \|>)`/.exec(guide)![1];
  writeFileSync(join(dir, "ca.pem"), readFileSync(ca));
  inR(dir, texts.R.replace("  req_perform(", `  ${line}\n  req_perform(`), { R_PROFILE_USER: "" });
});

test("pandas reads it", { skip: noPandas }, () => {
  // as in a notebook: what the last line shows is asked once more, as JSON
  const more = "\nprint(_.to_json())\n";
  const env = { SSL_CERT_FILE: ca };
  const { stdout } = run(folder("pandas"), PYTHON, ["-i", "-q"], texts.pandas + more, env);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0], /^source +/);
  const expected: Record<string, Record<string, number>> = {};
  for (const [name, , source, , value] of truth) (expected[source] ??= {})[name] = value;
  assert.deepEqual(JSON.parse(lines.at(-1)!), expected);
});

test("SPSS, as PSPP runs it, reads it", { skip: noPspp }, () => {
  const dir = folder("SPSS");
  writeFileSync(join(dir, "sleep.sav"), exported("sav"));
  writeFileSync(join(dir, "example.sps"), texts.SPSS);
  const { stdout } = run(dir, "pspp", ["-O", "format=csv", "example.sps"]);
  const [head, ...lines] = stdout.trimEnd().split("\n").slice(1);
  assert.equal(head, "network,source,clients,value,sd");
  assert.deepEqual(
    lines.map((l) => l.split(",").map(Number)),
    truth.map(([, ...numbers]) => numbers),
  );
});
