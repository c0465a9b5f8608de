// One pipeline for every asset: sprite and brand icons, catalogues, esbuild, service worker, manifest, br and gz.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 18 || (major === 18 && minor < 19)) {
  console.error(`Node ${process.versions.node} is too old to build the screens: install Node 18.19 or newer.`);
  process.exit(1);
}
const { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } = await import("node:fs");
if (!existsSync("node_modules/esbuild")) {
  console.error("The build's packages are not installed: run `npm ci` first.");
  process.exit(1);
}
const { basename, dirname, join } = await import("node:path");
const { createHash } = await import("node:crypto");
const { brotliCompressSync, constants, gzipSync } = await import("node:zlib");
const esbuild = await import("esbuild");
const { APPS } = await import("./src/lastlight/ui/apps.mjs");
const { markPng, markSvg } = await import("./src/lastlight/ui/brand.mjs");
const { iconNames, sprite } = await import("./src/lastlight/ui/sprite.mjs");
const { catalogues } = await import("./src/lastlight/ui/catalogues.mjs");
const { cutFonts } = await import("./src/lastlight/ui/fonts.mjs");
const { loadedLater, OF_AN_APP } = await import("./src/lastlight/ui/later.mjs");

const OUT = "src/lastlight/ui/build";
const STAGE = `${OUT}.new`;
const UI = "src/lastlight/ui";
const TARGET = ["es2022", "chrome120", "safari17.2", "firefox128"];
const watch = process.argv.includes("--watch");
const manifest = { icons: [] };

function put(name, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
  const at = name.lastIndexOf(".");
  const hashed = `${name.slice(0, at)}-${hash}${name.slice(at)}`;
  writeFileSync(join(STAGE, hashed), bytes);
  manifest[name] = hashed;
  return hashed;
}

function putBrand(app, { name, start, background, mark = app, more = {} }) {
  const icon = (file, bytes) => `/static/${put(file, bytes)}`;
  const svg = icon(`favicon-${app}.svg`, markSvg(mark));
  const png = (size, purpose) => ({
    src: icon(`icon-${app}-${size}${purpose === "any" ? "" : "-maskable"}.png`, markPng(mark, size, { maskable: purpose !== "any" })),
    sizes: `${size}x${size}`,
    type: "image/png",
    purpose,
  });
  const icons = [{ src: svg, sizes: "any", type: "image/svg+xml", purpose: "any" }, png(192, "any"), png(512, "any"), png(512, "maskable")];
  const shared = { display: "standalone", background_color: background, theme_color: background };
  const webmanifest = { name, short_name: name, id: start, start_url: start, scope: start, ...shared, ...more, icons };
  writeFileSync(join(STAGE, `${app}.webmanifest`), JSON.stringify(webmanifest));
}

function entries() {
  const found = { console: `${UI}/js/console.ts`, docs: `${UI}/js/docs.ts` };
  for (const sheet of ["console", "gallery", "screen", "docs"]) found[`${sheet}-css`] = `${UI}/css/${sheet}.css`;
  for (const app of readdirSync("src/lastlight/apps", { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const client = `src/lastlight/apps/${app.name}/client`;
    if (existsSync(`${client}/main.tsx`)) found[app.name] = `${client}/main.tsx`;
    const own = `${client}/${app.name}.css`;
    const kit = `${UI}/css/${app.name}.css`;
    if (existsSync(own) || existsSync(kit)) found[`${app.name}-css`] = existsSync(own) ? own : kit;
  }
  return found;
}

/** Each app is one script. What it loads later of the kit is a bundle of its own: pieces that apps share would be requests more at every
 *  first load. What it loads later of its own client shares with it what stands in its script. */
async function bundle(define, sprites) {
  const entryPoints = entries();
  const shared = { outdir: STAGE, bundle: true, format: "esm", target: TARGET, metafile: true, minify: !watch, sourcemap: "linked", legalComments: "linked", logLevel: "warning",
    publicPath: "/static/", entryNames: "[name]-[hash]", assetNames: "[name]-[hash]", loader: { ".woff2": "file", ".wasm": "file" }, jsx: "automatic", jsxImportSource: "preact" };
  const [sheets, scripts] = [true, false].map((css) => Object.entries(entryPoints).filter(([name]) => name.endsWith("-css") === css));
  const later = loadedLater(esbuild, { ...shared, define: { ...define, ...sprites("") }, entryNames: "chunk-[name]-[hash]" });
  const results = await Promise.all([
    esbuild.build({ ...shared, entryPoints: Object.fromEntries(sheets), plugins: [cutFonts(["fonts", "fonts-display"].map((sheet) => `${UI}/css/${sheet}.css`))] }),
    ...scripts.map(([name, source]) => esbuild.build({ ...shared, entryPoints: { [name]: source }, splitting: true, chunkNames: `${name}-[name]-[hash]`, plugins: [later.plugin], define: { ...define, ...sprites(name) } })),
  ]);
  const outputs = Object.assign({}, ...[...results, ...later.results()].map((result) => result.metafile.outputs));
  const names = Object.fromEntries(Object.entries(entryPoints).map(([name, source]) => [source, name]));
  for (const [file, output] of Object.entries(outputs)) {
    const name = names[output.entryPoint];
    if (name) manifest[name.endsWith("-css") ? name.replace("-css", ".css") : `${name}.js`] = basename(scriptOf(file, output));
  }
  manifest["font.woff2"] = readdirSync(STAGE).find((file) => file.startsWith("instrument-sans-plain-"));
  return outputs;
}

/** The script that a page asks for. An entry whose later part imports it is only a line that leads to what both share, and that is asked for. */
function scriptOf(file, { entryPoint, imports, inputs }) {
  const parts = imports.filter((use) => use.kind === "import-statement");
  if (!parts.length) return file;
  if (parts.length > 1 || Object.keys(inputs).length) throw new Error(`${entryPoint} would be ${1 + parts.length} scripts at the first load: let what it imports later import it.`);
  for (const useless of readdirSync(STAGE).filter((name) => name.startsWith(basename(file)))) rmSync(join(STAGE, useless));
  return parts[0].path;
}

/** An app with screens of its own has the icons that it names in its script, and those of its later screens in theirs; the consoles share
 *  a file that holds all. */
async function spriteOf(names) {
  const consoles = { ICON_SPRITE: JSON.stringify(`/static/${put("icons.svg", sprite(names))}#`), ICON_DRAWINGS: '""', LATER_ICON_DRAWINGS: '""' };
  const own = {};
  for (const app of Object.keys(OFFLINE).filter((name) => OFFLINE[name].shell)) {
    const [first, later] = (await filesOf(`src/lastlight/apps/${app}/client/main.tsx`)).map((files) => iconNames.namedIn(names, files));
    const drawn = [first, later.filter((name) => !first.includes(name))].map((icons) => JSON.stringify(sprite(icons, "icon-")));
    own[app] = { ICON_SPRITE: '"#icon-"', ICON_DRAWINGS: drawn[0], LATER_ICON_DRAWINGS: drawn[1] };
  }
  return (app) => own[app] ?? consoles;
}

/** Our files that an app's script is made of, and those that only its later screens are. */
async function filesOf(source) {
  const { metafile } = await esbuild.build({ entryPoints: [source], bundle: true, splitting: true, format: "esm", write: false, metafile: true, outdir: STAGE,
    logLevel: "warning", loader: { ".wasm": "file" }, jsx: "automatic", jsxImportSource: "preact" });
  const parts = Object.values(metafile.outputs).filter((output) => output.inputs);
  const isLater = ({ entryPoint }) => entryPoint && entryPoint !== source && OF_AN_APP.test(`/${entryPoint}`);
  return [parts.filter((part) => !isLater(part)), parts.filter(isLater)].map((some) => some.flatMap((part) => Object.keys(part.inputs).filter((file) => file.startsWith("src/"))));
}

/** Everything an offline app needs to open without a network, with the screens it loads later; what it loads later of the kit (scanner, wasm) is
 *  warmed, not waited for. */
function precache(outputs, { script, sheet, icons }, fontNames) {
  const entry = join(STAGE, manifest[script]);
  const reach = (file, isWanted, seen) => {
    for (const use of outputs[file]?.imports ?? []) {
      const path = use.external ? join(STAGE, basename(use.path)) : use.path; // what is loaded later of the kit was built by itself
      if (seen.has(path) || !outputs[path] || !isWanted(use)) continue;
      reach(path, isWanted, seen.add(path));
    }
    return seen;
  };
  const isOwn = (use) => use.kind === "import-statement" || (use.kind === "dynamic-import" && !use.external);
  const [own, all] = [isOwn, () => true].map((isWanted) => reach(entry, isWanted, new Set([entry])));
  const fonts = readdirSync(STAGE).filter((file) => fontNames.test(file));
  const first = new Set([...[...own].map((file) => basename(file)), manifest[sheet], ...(icons ? [manifest[icons]] : []), ...fonts]);
  const lazy = [...all].map((file) => basename(file)).filter((file) => !first.has(file));
  return { first: [...first].sort().map((file) => ({ url: `/static/${file}`, revision: null })), lazy: lazy.map((file) => `/static/${file}`) };
}

/** Apps that open without a network: the worker's file, the address of the shell, the fonts that it shows. The staff app has the
 *  consoles' files and no shell: its worker keeps a page of its person's own, and needs nothing that is loaded later. */
const OFFLINE = {
  staff: { worker: "staff-sw.js", shell: null, fonts: /^instrument-sans-(plain|latin|near)-.*woff2$/, script: "console.js", sheet: "console.css", icons: "icons.svg" },
  patron: { worker: "sw.js", shell: "/patron", fonts: /^(instrument-sans-(plain|latin|near)|bricolage)-.*woff2$/ },
  door: { worker: "door-sw.js", shell: "/staff/door", fonts: /^instrument-sans-(plain|latin|near)-.*woff2$/ },
};

async function serviceWorkers(outputs) {
  for (const [app, { worker, shell, fonts, ...own }] of Object.entries(OFFLINE)) {
    const source = `src/lastlight/apps/${app}/client/sw.ts`;
    if (!existsSync(source)) continue;
    const files = { script: `${app}.js`, sheet: `${app}.css`, ...own };
    const { first, lazy: later } = precache(outputs, files, fonts);
    const lazy = shell ? later : [];
    const templates = iconNames.filesUnder(`src/lastlight/apps/${app}`).filter((file) => file.endsWith(".html"));
    const revision = createHash("sha256").update(JSON.stringify(first) + templates.map((file) => readFileSync(file, "utf8")).join("")).digest("hex").slice(0, 10);
    const list = shell ? [...first, { url: shell, revision }] : first;
    await esbuild.build({
      entryPoints: [source], outfile: join(STAGE, worker), bundle: true, format: "iife", minify: !watch, target: TARGET, logLevel: "warning",
      define: { "self.__WB_MANIFEST": JSON.stringify(list), "self.__LAZY_ASSETS": JSON.stringify(lazy), "self.__PUSH_ICON": JSON.stringify(`/static/${manifest["icon-patron-192.png"]}`), "process.env.NODE_ENV": '"production"' },
    });
  }
}

/** The consoles' worker for push messages; what every worker shows beside them is its app's icon. */
async function pushWorker() {
  await esbuild.build({
    entryPoints: [`${UI}/js/push/worker.ts`], outfile: join(STAGE, "push-worker.js"), bundle: true, format: "iife", minify: !watch, target: TARGET,
    logLevel: "warning", define: { "self.__PUSH_ICON": JSON.stringify(`/static/${manifest["icon-staff-192.png"]}`) },
  });
}

function compress() {
  for (const file of readdirSync(STAGE).filter((name) => /\.(js|css|svg|json|wasm|webmanifest|map|txt)$/.test(name))) {
    const bytes = readFileSync(join(STAGE, file));
    const quality = watch || /\.(map|wasm)$/.test(file) ? 5 : 11;
    writeFileSync(join(STAGE, `${file}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }));
    writeFileSync(join(STAGE, `${file}.gz`), gzipSync(bytes, { level: 9 }));
  }
}

async function build() {
  const started = performance.now();
  rmSync(STAGE, { recursive: true, force: true });
  mkdirSync(STAGE, { recursive: true });
  mkdirSync("src/lastlight/apps", { recursive: true });
  const names = iconNames("src/lastlight");
  manifest.icons = names;
  const sprites = await spriteOf(names);
  for (const [app, facts] of Object.entries(APPS)) putBrand(app, facts);
  const languages = Object.fromEntries([...catalogues("src/lastlight/locales")].map(([tag, json]) => [tag, `/static/${put(`messages-${tag}.json`, json)}`]));
  const [, version] = readFileSync("pyproject.toml", "utf8").match(/^version = "(.+)"$/m);
  const outputs = await bundle({ CATALOGUES: JSON.stringify(languages), APP_VERSION: JSON.stringify(version) }, sprites);
  await serviceWorkers(outputs);
  await pushWorker();
  writeFileSync(join(STAGE, "manifest.json"), JSON.stringify(manifest, null, 1));
  compress();
  rmSync(OUT, { recursive: true, force: true });
  renameSync(STAGE, OUT);
  console.log(`Screens built in ${Math.round(performance.now() - started)} ms: ${names.length} icons, ${Object.keys(outputs).length} files in ${OUT}`);
}

try {
  await build();
} catch (error) {
  if (!error.errors) console.error(error.message);
  process.exit(1);
}
if (watch) {
  const { watch: watchFolder } = await import("node:fs");
  let timer;
  watchFolder("src/lastlight", { recursive: true }, (_event, file) => {
    if (!/\.(ts|tsx|css|html|py)$/.test(file ?? "") || dirname(file).startsWith("ui/build")) return;
    clearTimeout(timer);
    timer = setTimeout(() => build().catch((error) => console.error(error.message)), 150);
  });
}
