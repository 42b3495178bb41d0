// Bundles the screens on the stand-in for the engine and serves them on the loopback, with the headers that the server
// gives the app.
import { build } from "esbuild";
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

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
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
