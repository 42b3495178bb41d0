// Bundles the screens on the stand-in for the engine and serves them on the loopback, with the headers that the server
// gives the app.
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { nlds } from "../../../scripts/nlds.mjs";

// bundled into a test, this file is elsewhere
const root =
  typeof SOURCE_DIR === "string" ? `${SOURCE_DIR}client-web/` : fileURLToPath(new URL("../../..", import.meta.url));

export const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=nl-NL",
  ],
};

/** The server's own words, from where it has them. */
function appPolicy() {
  const header = readFileSync(`${root}../server/net/net_policy.h`, "utf8");
  const macro = header.slice(header.indexOf("#define NET_POLICY_APP"), header.indexOf("#endif"));
  const text = [...macro.matchAll(/"([^"]*)"/g)].map((m) => m[1]).join("");
  const policy = /^Content-Security-Policy: (.*)\\r\\n$/.exec(text)?.[1];
  if (!policy) throw new Error("server/net/net_policy.h has no policy for the app where it was");
  return policy;
}
const CSP = appPolicy();
const PAGE = `<!doctype html>
<html lang="nl"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Overdracht</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/app.css"><script type="module" src="/app.js"></script></head>
<body><div id="app"></div></body></html>`;

export async function stand() {
  const { outputFiles } = await build({
    entryPoints: { app: `${root}tests/ui/page.ts` },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    plugins: [nlds],
    outdir: "/",
    write: false,
    logLevel: "warning",
  });
  const files = new Map(outputFiles.map((f) => [f.path.replace(/^.*\//, "/"), f.contents]));
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://x").pathname;
    const body = path === "/" ? PAGE : files.get(path);
    const type = path.endsWith(".js") ? "text/javascript" : path.endsWith(".css") ? "text/css" : "text/html";
    response.writeHead(body === undefined ? 404 : 200, {
      "content-type": `${type}; charset=utf-8`,
      "content-security-policy": CSP,
    });
    response.end(body);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
