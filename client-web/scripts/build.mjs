// Builds the app: client-web/dist, or --out DIR. index.html and desk.html from one page, scripts and styles named
// by their hash, the service worker with the list of all of them, manifest and icons. Nothing inline, nothing
// evaluated: it runs under the server's policy (CSP, Trusted Types). node scripts/build.mjs [--out DIR]
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { nlds } from "./nlds.mjs";

// bundled into a test, this file is elsewhere
const root =
  typeof SOURCE_DIR === "string" ? `${SOURCE_DIR}client-web/` : fileURLToPath(new URL("..", import.meta.url));
const COMMON = {
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome109", "safari16", "firefox115"],
  loader: { ".txt": "text", ".woff2": "file" },
  plugins: [nlds],
  legalComments: "none",
  write: false,
  logLevel: "warning",
};
const sha256 = (body) => createHash("sha256").update(body).digest("hex");

/** Files of a build: name → body. entry: the app's first module; version: what it calls itself; plugins: further ones
 *  of esbuild for the carer's app. */
export async function buildApp({ entry = `${root}src/main.ts`, version = packageVersion(), plugins = [] } = {}) {
  const files = new Map();
  const { outputFiles } = await build({
    ...COMMON,
    plugins: [...COMMON.plugins, ...plugins],
    entryPoints: { app: entry },
    entryNames: "[name]-[hash]",
    chunkNames: "app-[name]-[hash]", // what few tablets need is fetched when it is asked for
    assetNames: "[name]-[hash]",
    splitting: true,
    outdir: root,
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { APP_VERSION: JSON.stringify(version), SOURCE_DIR: '""' },
  });
  for (const f of outputFiles) files.set(basename(f.path), Buffer.from(f.contents));
  files.set("index.html", page(startOf("app", files), HOME_SCREEN));
  for (const n of readdirSync(`${root}assets`))
    if (!n.endsWith(".html")) files.set(n, readFileSync(`${root}assets/${n}`));
  files.set("sw.js", await buildWorker(files)); // knows the carer's app alone: what follows needs a network
  for (const [name, body] of await buildDesk(version)) files.set(name, body);
  return files;
}
/** The page for project leads, administrators and researchers: files of its own, so that the carer's app
 *  loads nothing of it. Its sections are fetched when they are opened. Every name begins with desk. */
async function buildDesk(version) {
  const files = new Map();
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: { desk: `${root}src/desk/main.tsx` },
    entryNames: "[name]-[hash]",
    chunkNames: "desk-[name]-[hash]",
    splitting: true,
    outdir: root,
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { APP_VERSION: JSON.stringify(version), SOURCE_DIR: '""' },
  });
  for (const f of outputFiles) files.set(basename(f.path), Buffer.from(f.contents));
  files.set("desk.html", page(startOf("desk", files)));
  return files;
}
/** Of a page's files those that it starts with. */
const startOf = (page, files) =>
  new Map([...files].filter(([n]) => new RegExp(`^${page}-[0-9A-Z]+\\.(js|css)$`).test(n)));
/** assets/page.html, which loads these styles and scripts. more: what else its head holds. */
function page(files, more = []) {
  const named = (end, tag) => [...files.keys()].filter((n) => n.endsWith(end)).map(tag);
  const head = [
    ...more,
    ...named(".css", (n) => `<link rel="stylesheet" href="/${n}" />`),
    ...named(".js", (n) => `<script type="module" src="/${n}"></script>`),
  ];
  return Buffer.from(
    readFileSync(`${root}assets/page.html`, "utf8").replace("<!-- head -->", head.join("\n    ")),
  );
}
/** The carer's app alone is put on a home screen. */
const HOME_SCREEN = [
  '<link rel="manifest" href="/manifest.webmanifest" />',
  '<link rel="apple-touch-icon" href="/icon-192.png" />',
];
async function buildWorker(files) {
  const shell = [...files]
    .map(([name, body]) => ({ url: name === "index.html" ? "/" : `/${name}`, sha256: sha256(body) }))
    .sort((a, b) => (a.url < b.url ? -1 : 1));
  const define = {
    SHELL: JSON.stringify(shell),
    VERSION: JSON.stringify(sha256(JSON.stringify(shell)).slice(0, 16)),
  };
  const { outputFiles } = await build({ ...COMMON, entryPoints: [`${root}src/sw.ts`], define, outdir: root });
  return Buffer.from(outputFiles[0].contents);
}
const packageVersion = () => JSON.parse(readFileSync(`${root}package.json`, "utf8")).version;

/** Replaces a folder by the files, at once. */
export function writeApp(files, out) {
  const fresh = `${out}.new-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  for (const [name, body] of files) writeFileSync(`${fresh}/${name}`, body);
  rmSync(out, { recursive: true, force: true });
  renameSync(fresh, out);
}

/** Bytes of the carer's first load, compressed as a server sends them; fonts and icons of the home screen
 *  apart. */
export const firstLoadBytes = (files) =>
  [...files]
    .filter(([name]) => !/\.(woff2|png)$|^desk[-.]/.test(name))
    .reduce((sum, [, body]) => sum + gzipSync(body, { level: 9 }).length, 0);

if (process.argv[1]?.endsWith("/build.mjs") && process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf("--out");
  const out = at > 0 ? process.argv[at + 1] : `${root}dist`;
  const files = await buildApp();
  writeApp(files, out);
  console.log(`${out}: ${files.size} files, first load ${firstLoadBytes(files)} bytes compressed`);
}
