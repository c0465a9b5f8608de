// What must reach the server though there may be no network: written to the device first, sent after, until it is answered.
// Each command is named by its UUID, which is its Idempotency-Key: sent twice, it counts once.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { call, isLater, Refused, type Problem } from "./api";
import { askForSync, tabs } from "./tabs";

export interface Unsent<Body = unknown> {
  id: string;
  /** Whose it is: nobody else's session sends it. */
  person: string;
  url: string;
  body: Body;
  at: number;
  tries: number;
  state: "queued" | "rejected" | "signed-out";
  problem?: Problem;
}

interface Schema extends DBSchema {
  commands: { key: string; value: Unsent; indexes: { person: string } };
}

/** Signing out removes every database whose name begins like this one. */
const DATABASE = "last-light-outbox";
/** Hear of every change, from whichever tab. */
export const { onChange, announce } = tabs("last-light-console-outbox");
/** Where the browser can, it wakes the worker under this name when the network is back, even with no page open. */
export const SYNC_TAG = "last-light-console-outbox";
const LOCK = "last-light-console-outbox";

let opened: Promise<IDBPDatabase<Schema>> | null = null;
/** Where the browser keeps nothing (a private window), the page itself remembers for as long as it is open. */
const kept = new Map<string, Unsent>();

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>(DATABASE, 1, {
    upgrade: (fresh) => void fresh.createObjectStore("commands", { keyPath: "id" }).createIndex("person", "person"),
    blocking: () => void letGo(),
    terminated: () => (opened = null),
  });
  return opened;
}

async function letGo(): Promise<void> {
  const closing = opened;
  opened = null;
  (await closing)?.close();
}

/** Write a command down; it is safe from here on. */
export async function enqueue(command: Unsent): Promise<void> {
  await write(command);
  announce();
  await askForSync(SYNC_TAG);
}

export async function unsent(person: string): Promise<Unsent[]> {
  const found = await database()
    .then((store) => store.getAllFromIndex("commands", "person", person))
    .catch(() => []);
  const all = new Map([...found, ...[...kept.values()].filter((one) => one.person === person)].map((one) => [one.id, one]));
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whether anything on this device still waits to be sent, whoever's it is. */
export async function waiting(): Promise<boolean> {
  const found = await database()
    .then((store) => store.getAll("commands"))
    .catch(() => []);
  return [...found, ...kept.values()].some((one) => one.state !== "rejected");
}

export async function drop(id: string): Promise<void> {
  kept.delete(id);
  await database()
    .then((store) => store.delete("commands", id))
    .catch(() => undefined);
  announce();
}

/** Send what waits, in order; one sender at a time over all tabs. Gives the answers of those that arrived, by id. */
export function flush(person: string): Promise<Map<string, unknown>> {
  const work = async () => {
    const arrived = new Map<string, unknown>();
    for (const command of await unsent(person)) {
      if (command.state === "rejected") continue;
      if (!(await send(command, arrived))) break;
    }
    announce();
    return arrived;
  };
  return navigator.locks ? navigator.locks.request(LOCK, work) : work();
}

/** Send what waits, of whomever of this device is signed in; false while something of anybody still waits. */
export async function flushAll(): Promise<boolean> {
  const found = await database()
    .then((store) => store.getAll("commands"))
    .catch(() => []);
  for (const person of new Set(found.map((one) => one.person))) await flush(person);
  return !(await waiting());
}

/** True when the next one may be tried. */
async function send(command: Unsent, arrived: Map<string, unknown>): Promise<boolean> {
  try {
    const me = await call<{ user_id: string }>("/api/me");
    if (me.user_id !== command.person) return false;
    arrived.set(command.id, await call(command.url, { method: "POST", body: command.body, headers: { "idempotency-key": command.id } }));
    await drop(command.id);
    return true;
  } catch (error) {
    const next: Unsent = { ...command, state: "queued", tries: command.tries + 1 };
    if (error instanceof Refused) {
      const { problem } = error;
      if (problem.status === 401) next.state = "signed-out";
      else if (!isLater(problem)) Object.assign(next, { state: "rejected", problem });
    }
    await write(next);
    return next.state === "rejected";
  }
}

async function write(command: Unsent): Promise<void> {
  try {
    await (await database()).put("commands", command);
    kept.delete(command.id);
  } catch {
    kept.set(command.id, command);
  }
}
