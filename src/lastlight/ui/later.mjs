// What a script imports later of the kit is built as a bundle of its own, once for all apps, and imported by its address. esbuild's own
// splitting would put the few bytes that both need into a third file, which every first load then waits for; it is for an app's own screens,
// which share the app's state with it.
import { basename } from "node:path";

export const OF_AN_APP = /\/apps\/\w+\/client\//;
const ITSELF = Symbol("the import that asks where it leads");

/** The plugin, and the results of what it built. */
export function loadedLater(esbuild, options) {
  const built = new Map();

  function address(source) {
    if (!built.has(source)) built.set(source, esbuild.build({ ...options, entryPoints: [source] }));
    return built.get(source).then((result) => {
      const [file] = Object.entries(result.metafile.outputs).find(([, output]) => output.entryPoint) ?? [];
      return options.publicPath + basename(file);
    });
  }

  const finished = [];
  const plugin = {
    name: "loaded-later",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path, kind, resolveDir, importer, pluginData }) => {
        if (kind !== "dynamic-import" || pluginData === ITSELF) return undefined;
        const found = await build.resolve(path, { kind, resolveDir, importer, pluginData: ITSELF });
        if (found.errors.length) return { errors: found.errors };
        if (OF_AN_APP.test(found.path)) return found;
        const url = await address(found.path);
        finished.push(await built.get(found.path));
        return { path: url, external: true };
      });
    },
  };
  return { plugin, results: () => [...new Set(finished)] };
}
