// A device that runs out of room again and again while it is used: the door's log and the guest's outbox, as shipped, on an IndexedDB that
// then writes nothing. Reads {app, seed, actions, dies} as one JSON line and writes what was done, what is kept, and what was sent.
import { random } from "./offline_chance.mjs";
import { bundles, Device } from "./offline_device.mjs";
import { conclude, readPlan, TENANT, USER } from "./offline_script.mjs";

const plan = await readPlan();
const rng = random(plan.seed);
const sent = [];
let cut = true;
const network = { for: () => answer };
process.on("unhandledRejection", (error) => {
  if (!plan.dies) throw error; // of a page that was killed, what it had in hand
});

/** A server that takes every command. */
async function answer(path, options) {
  if (cut) throw new TypeError("no network");
  if (path === "/api/me") return Response.json({ user_id: USER, kind: "patron", tenant: { id: TENANT } });
  if (path === "/api/patron/keys") return Response.json({ id: "0190a000-0000-7000-8000-000000000003" });
  sent.push(new Headers(options.headers).get("idempotency-key"));
  return Response.json({ visit: null });
}

const code = await bundles();
const device = new Device(code[plan.app], { network, client: null });
let page = device.open();
if (plan.app === "guest") {
  await page.app.database.keepFact("person", USER);
  await page.app.claim.registeredKey(USER, TENANT).catch(() => undefined);
}
const done = [];
const warned = [];
for (let number = 0; number < plan.actions; number += 1) {
  device.full = rng.chance(0.5);
  cut = rng.chance(0.5);
  await (plan.app === "door" ? scan(number) : command());
  if (rng.chance(0.3)) await flush();
  if (plan.dies && rng.chance(0.1)) {
    device.kill(page);
    page = device.open();
  }
}
device.full = false;
cut = false;
await flush();
const kept = plan.app === "door" ? (await page.app.log.lines()).map((line) => [line.sequence, line.code, line.decided]) : (await page.app.kept.commandsOf(USER)).map((one) => one.id);
const left = plan.app === "door" ? page.app.unwritten.countUnwritten() : page.app.kept.countUnkept();
conclude({ done, warned, kept, sent, left });

/** A scan that the door decides, or one about which it asked in vain: its number is known before the decision is. */
async function scan(number) {
  const full = device.full;
  const line = { code: `code ${number}`, patron_id: USER, name: "", step: number, direction: "in", claimed_at: new Date().toISOString(), venue_id: TENANT };
  const rest = { decided: "admitted", refusal: "", override_reason: "", override_by: null, state: "queued" };
  let unwritten;
  if (rng.chance(0.3)) {
    device.full = false;
    const { sequence } = await page.app.log.append({ ...line, ...rest, decided: "server", state: "asked" });
    device.full = full;
    unwritten = !(await page.app.log.decideHere(sequence, "admitted", ""));
  } else unwritten = page.app.unwritten.isUnwritten(await page.app.log.keep({ ...line, ...rest }));
  done.push(line.code);
  warned.push([full, unwritten]);
}

async function command() {
  const person = { userId: USER, tenantId: TENANT };
  const { id } = await page.app.outbox.enqueue(person, { kind: "checkin", subject: "LL", venueId: null, venueName: null });
  done.push(id);
  warned.push([device.full, page.app.kept.isUnkept(id)]);
}

async function flush() {
  if (plan.app === "door") await page.app.log.flush().catch(() => undefined);
  else await page.app.outbox.flush();
}
