// NL Design System's CSS for esbuild: `@import "nlds.css"` gives the rules of Utrecht's components that the screens
// use, and of the neutral 'voorbeeld' tokens those that these rules and the importing style sheet and its parts ask
// for.
// Licence of both: EUPL-1.2; © Gemeente Utrecht, Frameless B.V.; © NL Design System Community.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const folder = (name) => `${dirname(require.resolve(`${name}/package.json`))}/dist`;

const COMPONENTS = [
  "button",
  "button-link",
  "alert",
  "heading-1",
  "heading-2",
  "heading-3",
  "form-field",
  "form-label",
  "textbox",
  "textarea",
  "select",
  "status-badge",
  "skip-link",
];
/** Classes of these components that the screens never set. */
const UNUSED =
  /--(ready|pending|hover|focus|focus-visible|active|pressed|placeholder|distanced|busy|distance|danger|radio|checkbox|html-(a|label|content|h\d|span|button-element)|icon|counter|numeric|read-only|disabled|multiple|checked|neutral|safe|valid)\b|__(icon|description|error|input|status|label)\b/;
const KEPT = /--html-(button|a|input|textarea|select)|--visible-on-focus/;

/** Top-level rules of a style sheet. */
function rules(css) {
  const text = css.replace(/\/\*[^]*?\*\//g, "").replace(/@charset[^;]*;/, "");
  const list = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) {
      list.push(text.slice(from, i + 1).trim());
      from = i + 1;
    }
  }
  return list;
}

const classOf = COMPONENTS.map((c) => `utrecht-${c}`);
function wanted(selector) {
  const names = [...selector.matchAll(/\.([\w-]+)/g)].map((m) => m[1]);
  if (!names.length) return false;
  return names.every((name) => {
    const component = name.replace(/(--|__).*$/, "");
    return classOf.includes(component) && (KEPT.test(name) || !UNUSED.test(name));
  });
}
/** The rule with the selectors that are wanted, or nothing. */
function pruned(rule) {
  if (rule.startsWith("@")) return "";
  const at = rule.indexOf("{");
  const selectors = rule
    .slice(0, at)
    .split(/,(?![^(]*\))/)
    .map((s) => s.trim())
    .filter(wanted);
  return selectors.length ? `${selectors.join(",\n")} ${rule.slice(at)}` : "";
}

const asked = (css) => [...css.matchAll(/var\(\s*(--[\w-]+)/g)].map((m) => m[1]);

function tokensFor(css, theme) {
  const known = new Map([...theme.matchAll(/^\s*(--[\w-]+):\s*([^;]+);/gm)].map((m) => [m[1], m[2].trim()]));
  const needed = new Set();
  const queue = asked(css);
  for (let name = queue.pop(); name; name = queue.pop()) {
    if (needed.has(name) || !known.has(name)) continue;
    needed.add(name);
    queue.push(...asked(known.get(name)));
  }
  const lines = [...known]
    .filter(([name]) => needed.has(name))
    .map(([name, value]) => `  ${name}: ${value};`);
  return `:root {\n${lines.join("\n")}\n}`;
}

/** A style sheet with those of its folder that it imports. */
const whole = (path) =>
  readFileSync(path, "utf8").replace(/@import "(\.[^"]+)";/g, (_, name) =>
    readFileSync(join(dirname(path), name), "utf8"),
  );

function generate(importer) {
  const components = readFileSync(`${folder("@utrecht/component-library-css")}/index.css`, "utf8");
  const theme = readFileSync(
    `${folder("@nl-design-system-unstable/voorbeeld-design-tokens")}/theme.css`,
    "utf8",
  );
  const used = rules(components).map(pruned).filter(Boolean).join("\n\n");
  return `${tokensFor(used + importer, theme)}\n\n${used}\n`;
}

export const nlds = {
  name: "nlds",
  setup(build) {
    build.onResolve({ filter: /^nlds\.css$/ }, ({ importer }) => ({
      path: "nlds.css",
      namespace: "nlds",
      pluginData: importer,
    }));
    build.onLoad({ filter: /^/, namespace: "nlds" }, ({ pluginData: importer }) => ({
      contents: generate(whole(importer)),
      loader: "css",
    }));
  },
};
