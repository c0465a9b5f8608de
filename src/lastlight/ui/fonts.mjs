// Each face is cut to what its own CSS says: `url("….woff2?name")` becomes a file of that name with the characters of the face's
// unicode-range only; `?name&wght=640` also fixes the weight.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import subsetFont from "subset-font";

const require = createRequire(import.meta.url);
const FACE = /@font-face\s*\{[^}]*\}/g;
const SOURCE = /url\("([^"?]+\.woff2)\?([a-z0-9-]+)(?:&wght=(\d+))?"\)/;
const RANGE = /unicode-range:\s*([^;]+);/;

/** The plugin of esbuild that cuts the faces of these sheets. */
export function cutFonts(sheets) {
  return {
    name: "cut-fonts",
    async setup(build) {
      const faces = new Map((await Promise.all(sheets.map(facesOf))).flat());
      build.onResolve({ filter: /\.woff2\?/ }, ({ path }) => {
        const face = faces.get(path);
        if (!face) return { errors: [{ text: `no sheet of fonts.mjs declares ${path} with a unicode-range` }] };
        return { path: `${face.name}.woff2`, namespace: "cut", pluginData: face };
      });
      build.onLoad({ filter: /.*/, namespace: "cut" }, async ({ pluginData: face }) => ({ contents: await cut(face), loader: "file" }));
    },
  };
}

async function facesOf(sheet) {
  const faces = [];
  for (const [block] of (await readFile(sheet, "utf8")).matchAll(FACE)) {
    const source = block.match(SOURCE);
    const range = block.match(RANGE);
    if (!source || !range) continue;
    const [url, file, name, wght] = [source[0].slice(5, -2), ...source.slice(1)];
    faces.push([url, { name, file: require.resolve(file, { paths: [dirname(sheet)] }), range: range[1], wght }]);
  }
  return faces;
}

async function cut({ file, range, wght }) {
  const options = { targetFormat: "woff2", ...(wght && { variationAxes: { wght: Number(wght) } }) };
  return subsetFont(await readFile(file), characters(range), options);
}

/** Every character of a unicode-range: `U+0020-007E, U+20AC`. */
function characters(range) {
  const spans = [...range.matchAll(/U\+([0-9A-F]+)(?:-([0-9A-F]+))?/gi)].map(([, from, to]) => [parseInt(from, 16), parseInt(to ?? from, 16)]);
  return spans.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, step) => String.fromCodePoint(from + step))).join("");
}
