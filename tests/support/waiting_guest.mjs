// A guest's outbox that waits without a network: writes commands down, tells {ready}, and at each line that it reads sends what waits.
// Reads {base, credentials, user_id, tenant_id, codes, resend} as one JSON line; a later line is {credentials}. Tells what became of each command.
import { createInterface } from "node:readline";
import { bundles, Device } from "./offline_device.mjs";
import { Network } from "./offline_network.mjs";

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const about = JSON.parse((await input.next()).value);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const network = new Network(about.base, {}, 4);
const client = { credentials: about.credentials, past: [] };
const device = new Device((await bundles()).guest, { network, client });
const { outbox, kept, database, claim } = device.open().app;
const person = { userId: about.user_id, tenantId: about.tenant_id };
await database.keepFact("person", about.user_id);
await claim.learnClock(new Date().toISOString(), 0);
await claim.registeredKey(about.user_id, about.tenant_id);
for (const code of about.codes) await outbox.enqueue(person, { kind: "checkin", subject: code, venueId: null, venueName: null });
tell({ ready: true });
for await (const line of input) {
  client.credentials = JSON.parse(line).credentials;
  outbox.forgetIdentity();
  const { stop, sent } = await outbox.flush();
  if (about.forgets) for (const one of await kept.commandsOf(about.user_id)) await kept.drop(one.id);
  const commands = (await kept.commandsOf(about.user_id)).map(({ state, problem }) => [state, problem?.type ?? "", problem?.detail ?? ""]);
  tell({ stop, sent: sent.length, commands });
}
process.exit(0);
