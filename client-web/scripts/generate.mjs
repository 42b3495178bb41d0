// Writes src/proto/generated.ts from the tables of proto/PROTOCOL.md, so that no number of the protocol is
// typed twice.
//   node scripts/generate.mjs           writes the file
//   node scripts/generate.mjs --check   fails when the file is not what the tables give
import { readFileSync, writeFileSync } from "node:fs";

const protocol = new URL("../../proto/PROTOCOL.md", import.meta.url);
const target = new URL("../src/proto/generated.ts", import.meta.url);

/** Rows of the table whose header line begins as given. */
function table(text, header) {
  const at = text.indexOf(`\n${header}`);
  if (at < 0) throw new Error(`PROTOCOL.md has no table that begins with ${header}`);
  const lines = text.slice(at + 1).split("\n");
  const rows = [];
  for (const line of lines.slice(2)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  if (!rows.length) throw new Error(`the table ${header} is empty`);
  return rows;
}

function match(text, what, pattern) {
  const m = pattern.exec(text);
  if (!m) throw new Error(`PROTOCOL.md does not say ${what}`);
  return m;
}

const object = (entries) => entries.map(([k, v]) => `  ${k}: ${v},`).join("\n");

function limits(text) {
  const rows = table(text, "| Limit | Value | Of |");
  return `export const LIMITS = {\n${rows
    .map(([name, value, of]) => `  /** ${of} */\n  ${name.replace(/^OV_/, "")}: ${Number(value)},`)
    .join("\n")}\n} as const;\n`;
}

function errors(text) {
  const rows = table(text, "| Error | Nr | Close |").map(([slug, nr, close]) => [
    slug.replaceAll("`", ""),
    nr,
    close,
  ]);
  const entry = (nr, close) => `{ nr: ${nr}, close: ${close === "–" ? 0 : close} }`;
  const body = rows.map(([slug, nr, close]) => [slug, entry(nr, close)]);
  return `/** Errors that travel: number, and WebSocket close code (0: class reply, the connection stays). */
export const ERRORS = {\n${object(body)}
} as const;\n`;
}

function reasons(text) {
  const rows = table(text, "| Reason | Means |");
  const body = object(rows.map(([nr, means]) => [nr, JSON.stringify(means)]));
  return `/** Why an op is held (PROTO-91). */
export const HELD_REASONS: Readonly<Record<number, string>> = {\n${body}\n};\n`;
}

function types(text) {
  const list = match(text, "the message types", /^Types: ([^.]+)\./m)[1]
    .split(",")
    .map((s) => s.trim().split(" "));
  return `export const TYPES = {\n${object(list.map(([name, nr]) => [name, nr]))}\n} as const;
export type MsgName = keyof typeof TYPES;\n`;
}

function verdicts(text) {
  const line = match(text, "the verdicts", /\*\*PROTO-87\*\* Verdicts: ([^]*?)\n- \*\*/)[1].replace(
    /\([^)]*\)/g,
    "",
  );
  const list = [...line.matchAll(/(\d+) (\w+)/g)].map((m) => [m[2], m[1]]);
  return `export const VERDICTS = {\n${object(list)}\n} as const;
export type Verdict = keyof typeof VERDICTS;\n`;
}

function peer(text) {
  const rows = table(text, "| State | Client sends | Server sends |");
  const cell = (state, s) =>
    `{ ${s
      .split(",")
      .map((entry) => /^(\w+)(?: → (\w+))?/.exec(entry.trim()))
      .map((m) => `${m[1]}: "${m[2] ?? state}"`)
      .join(", ")} }`;
  const states = rows.map(([state]) => state).concat("CLOSED");
  const body = rows.map(([state, client, server]) => [
    state,
    `{\n    client: ${cell(state, client)},\n    server: ${cell(state, server)},\n  }`,
  ]);
  return `export type State =\n${states.map((s) => `  | "${s}"`).join("\n")};
export type Role = "client" | "server";
/** What each side may send in a state, and the state after it (section 9). */
export type Sends = Readonly<Partial<Record<MsgName, State>>>;
export const PEER: Readonly<Record<State, Readonly<Record<Role, Sends>>>> = {
${object(body)}\n  CLOSED: { client: {}, server: {} },\n};\n`;
}

function dictionary(text) {
  const hash = match(text, "the dictionary's hash", /<!-- dictionary -->`([0-9a-f]{64})`/)[1];
  return `/** SHA-256 of dictionary 1 (PROTO-6). */\nexport const DICT1_SHA256 = "${hash}";\n`;
}

export function generate() {
  const text = readFileSync(protocol, "utf8");
  const parts = [limits, errors, reasons, types, verdicts, peer, dictionary].map((make) => make(text));
  return `// Made by scripts/generate.mjs from proto/PROTOCOL.md: do not edit.\n\n${parts.join("\n")}`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const made = generate();
  if (!process.argv.includes("--check")) writeFileSync(target, made);
  else if (readFileSync(target, "utf8") !== made) {
    console.error("src/proto/generated.ts is not what PROTOCOL.md says: npm run generate");
    process.exit(1);
  }
}
