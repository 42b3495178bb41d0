// What the protocol costs a browser: src/proto with its libraries and the dictionary, bundled, minified,
// gzipped.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));

export async function sizes() {
  const { outputFiles, metafile } = await build({
    entryPoints: [`${root}src/proto/index.ts`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    loader: { ".txt": "text" },
    write: false,
    metafile: true,
    outdir: `${root}build/size`,
  });
  const code = outputFiles[0].contents;
  const parts = Object.entries(Object.values(metafile.outputs)[0].inputs).map(([file, i]) => [
    file,
    i.bytesInOutput,
  ]);
  return { minified: code.length, gzipped: gzipSync(code, { level: 9 }).length, parts };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { minified, gzipped, parts } = await sizes();
  for (const [file, bytes] of parts.sort((a, b) => b[1] - a[1]))
    console.log(`${String(bytes).padStart(7)}  ${file}`);
  console.log(`src/proto: ${minified} bytes minified, ${gzipped} gzipped`);
}
