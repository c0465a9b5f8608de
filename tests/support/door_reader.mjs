// What a door's own code makes of passes: reads {keys, step_seconds, shown: [{code, at}]} and writes a verdict for each.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const folder = mkdtempSync(join(tmpdir(), "door-reader-"));
try {
  const outfile = join(folder, "pass.mjs");
  const source = "src/lastlight/apps/door/client/data/pass.ts";
  await build({ entryPoints: [source], bundle: true, format: "esm", platform: "node", target: "node18", outfile, logLevel: "error" });
  const { readShown, isAlive, isGenuine } = await import(outfile);
  const { keys, step_seconds, shown } = JSON.parse(readFileSync(0, "utf8"));
  const verdicts = [];
  for (const { code, at } of shown) {
    const read = readShown(code);
    const facts = read && { tenant: read.tenantId, patron: read.patronId, key: read.keyId, age: read.age, name: read.name };
    verdicts.push(read ? { ...facts, genuine: (await isGenuine(read, keys)) === true, alive: isAlive(read, at, step_seconds) } : null);
  }
  process.stdout.write(JSON.stringify(verdicts));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
