// A guest dismisses a command at the very moment in which it is tried, on the same page or on another: the outbox as shipped. Reads
// {seed, rounds, apart} as one JSON line; `apart` reads and writes a command in two steps. Writes which came back.
import { setImmediate as turn } from "node:timers/promises";
import { random } from "./offline_chance.mjs";
import { bundles, Device } from "./offline_device.mjs";
import { conclude, readPlan, TENANT, UNREACHABLE, USER } from "./offline_script.mjs";

const TURNS = 24;

const plan = await readPlan();
const rng = random(plan.seed);
const device = new Device((await bundles()).guest, { network: UNREACHABLE, client: null });
const [page, other] = [device.open(), device.open()];
await page.app.database.keepFact("person", USER);

const back = [];
for (let round = 0; round < plan.rounds; round += 1) {
  const { id } = await page.app.outbox.enqueue({ userId: USER, tenantId: TENANT }, { kind: "checkin", subject: "LL", venueId: null, venueName: null });
  const dismissing = rng.chance(0.5) ? page : other;
  const turns = rng.below(TURNS);
  const sending = plan.apart ? inTwoSteps(id) : page.app.outbox.flush();
  for (let passed = 0; passed < turns; passed += 1) await turn();
  await dismissing.app.outbox.dismiss(id);
  await sending;
  for (const [name, one] of Object.entries({ page, other })) if (await one.app.kept.find(id)) back.push(`${round} on ${name}`);
  await page.app.kept.drop(id);
}
conclude(back);

async function inTwoSteps(id) {
  const now = await page.app.kept.find(id);
  if (now) await page.app.kept.write({ ...now, tries: now.tries + 1 });
}
