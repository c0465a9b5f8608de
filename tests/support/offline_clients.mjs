// Many clients at once in one process: each runs the shipped outbox of its app (bundled from its source) on an IndexedDB of its own,
// with a clock that is off and a network that is cut. Reads the plan as one JSON line, writes {ready}, waits for a line, plays, and
// writes {progress} lines and {result}. The plan and what must come of it are told in offline_night.py.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { DoorClient } from "./offline_door.mjs";
import { GuestClient, StaffClient } from "./offline_people.mjs";
import { Network } from "./offline_network.mjs";
import { bundles } from "./offline_device.mjs";
import { random } from "./offline_chance.mjs";

const KINDS = { door: DoorClient, guest: GuestClient, staff: StaffClient };
const SETTLE_MS = 20;

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const plan = JSON.parse((await input.next()).value);
const tell = (what, then) => process.stdout.write(`${JSON.stringify(what)}\n`, then);
const deadline = Date.now() + plan.seconds * 1000;
process.on("unhandledRejection", (error) => {
  if (error?.message === "killed" || error?.name === "AbortError" || error?.name === "InvalidStateError") return; // what a killed page still had in hand
  throw error;
});

setTimeout(() => {
  for (const [index, client] of clients.entries()) if (client.at < client.ops || !client.done) console.error(index, client.about.kind, client.at, client.ops, client.device.queue.length);
  process.exit(1);
}, plan.seconds * 1000 + 15_000).unref();
const code = await bundles();
const network = new Network(plan.base, plan.faults, plan.at_once);
const clients = plan.clients.map((about, index) => new KINDS[about.kind](about, { code, network, rng: random(plan.seed + index), now: plan.now }));
for (let at = 0; at < clients.length; at += 8) await Promise.all(clients.slice(at, at + 8).map((client) => client.begin()));
tell({ ready: true });
await input.next();

network.whole = false;
let done = 0;
await Promise.all(
  clients.map(async (client) => {
    for (let left = client.ops; left > 0; ) {
      const played = await client.play(left);
      left -= played;
      done += played;
      tell({ progress: done });
      if (Date.now() > deadline) return;
    }
  }),
);
network.whole = true;
await Promise.all(
  clients.map(async (client) => {
    while (!(await client.settled()) && Date.now() < deadline) await sleep(SETTLE_MS);
    client.done = true;
  }),
);
const told = [];
for (const client of clients) told.push(await client.report());
tell({ result: { clients: told, network: network.counts } }, () => process.exit(0));
