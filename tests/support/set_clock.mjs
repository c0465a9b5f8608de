// A scanner and a phone whose clocks are set while they keep things: the apps' own log and outbox. Reads {blind} as one JSON line;
// `blind` devices take their own time for the server's. Writes what went wrong.
import { bundles, Device } from "./offline_device.mjs";
import { conclude, readPlan, TENANT, UNREACHABLE, USER } from "./offline_script.mjs";

const HOUR = 3_600_000;
const plan = await readPlan();
const made = await bundles();
const broken = [];

for (const skew of [-30, -9, 0, 9, 30]) {
  const page = deviceOf(made.door, skew).open();
  const now = Date.now();
  await line(page, 1, now - 1 * HOUR);
  await line(page, 2, now - 17 * HOUR);
  await line(page, 3, now - 19 * HOUR);
  await page.app.database.keepFact("told", { inside: 0, at: new Date(plan.blind ? now + skew * HOUR : now).toISOString() });
  await page.app.log.flush();
  const kept = (await page.app.log.lines()).map(({ sequence }) => sequence).sort();
  if (kept.join() !== "1,2") broken.push(`a scanner that is ${skew} h ahead keeps the lines ${kept} of 1 h, 17 h and 19 h ago`);
}

for (const set of [-9, 0, 9]) {
  const device = deviceOf(made.guest, 0);
  const page = device.open();
  await page.app.database.keepFact("person", USER);
  await page.app.outbox.enqueue({ userId: USER, tenantId: TENANT }, { kind: "checkout", subject: "checkout", venueId: null, venueName: null });
  const from = Date.now();
  await page.app.database.keepFact("pause", { from, until: from + 60_000 });
  device.skew = set * HOUR;
  const { stop } = await page.app.outbox.flush();
  if ((stop === "wait") !== (set === 0)) broken.push(`a phone whose clock is set by ${set} h during a pause of a minute: ${stop}`);
}
conclude(broken);

function deviceOf(app, skew) {
  const device = new Device(app, { network: UNREACHABLE, client: null });
  device.skew = skew * HOUR;
  return device;
}

async function line(page, sequence, at) {
  const store = await page.app.database.database();
  await store.put("log", { sequence, code: `P${sequence}`, patron_id: USER, name: "", step: 1, direction: "in", claimed_at: new Date(at).toISOString(), venue_id: TENANT, decided: "admitted", refusal: "", override_reason: "", override_by: null, state: "sent", answer: null, notice: false });
}
