// The sprite holds only the icons that templates, TSX and Python name; a name that does not exist stops the build.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const ICONS = "node_modules/lucide-static/icons";
const NAMED = /(?:\bicon\(\s*|\b(?:icon|glyph)\s*[=:]\s*|["']icon["']\s*:\s*|<Icon\s+name=\s*)["']([a-z][a-z0-9-]*)["']/g;
/** Inside a call of a component any quoted word that is an icon's name counts: `ui.button("Export", "", "download")`. */
const CALLS = /\bui\.\w+\([^{}]*/g;
const QUOTED = /["']([a-z][a-z0-9-]*)["']/g;
/** For names chosen at run time, a comment lists the possible ones: `icons: check, x, minus`. */
const LISTED = /\bicons:\s*([a-z0-9-]+(?:[ \t]*,\s*[a-z0-9-]+)*)/g;

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /^(build|build\.new|__pycache__)$/.test(entry.name) ? [] : filesUnder(path);
    return /\.(html|tsx?|py)$/.test(entry.name) ? [path] : [];
  });
}

export function iconNames(folder) {
  const names = new Set();
  const unknown = [];
  for (const file of filesUnder(folder)) {
    const text = readFileSync(file, "utf8");
    const found = [...text.matchAll(NAMED)].map((match) => match[1]);
    const listed = [...text.matchAll(LISTED)].flatMap((match) => match[1].split(",").map((name) => name.trim()));
    for (const name of [...found, ...listed]) {
      if (existsSync(join(ICONS, `${name}.svg`))) names.add(name);
      else unknown.push(`${file}: ${name}`);
    }
    for (const name of quotedInCalls(text)) if (existsSync(join(ICONS, `${name}.svg`))) names.add(name);
  }
  if (unknown.length) throw new Error(`No such icon in lucide (see lucide.dev/icons):\n  ${unknown.join("\n  ")}`);
  return [...names].sort();
}
iconNames.filesUnder = filesUnder;
/** Those of the names that stand in quotes, or in a comment's list, anywhere in these files. */
iconNames.namedIn = (names, files) => {
  const text = files.map((file) => readFileSync(file, "utf8")).join("\n");
  const listed = [...text.matchAll(LISTED)].flatMap((match) => match[1].split(",").map((name) => name.trim()));
  const named = new Set([...listed, ...[...text.matchAll(QUOTED)].map((match) => match[1])]);
  return names.filter((name) => named.has(name));
};

function quotedInCalls(text) {
  const calls = [...text.matchAll(CALLS)].map((match) => match[0]);
  return calls.flatMap((call) => [...call.matchAll(QUOTED)].map((match) => match[1]));
}

export function sprite(names, prefix = "") {
  const symbols = names.map((name) => {
    const svg = readFileSync(join(ICONS, `${name}.svg`), "utf8");
    const inner = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/<svg[\s\S]*?>|<\/svg>/g, "").replace(/\s+/g, " ").trim();
    return `<symbol id="${prefix}${name}" viewBox="0 0 24 24">${inner}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}
