// Everything kept on this phone: commands not yet sent, the last answer of the server, signing keys; all by user.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { NightPass } from "./pass";
import type { Home, Me, Problem, Position } from "./types";

export const DATABASE = "last-light-patron";

export interface CommandBody {
  code?: string;
  /** To the question whether all is well, and where this person is. */
  answer?: "fine" | "help";
  note?: string;
  /** Of a call for help: what is wrong and where, and whether nothing may show on the screen. */
  about?: string | null;
  place?: string;
  quiet?: boolean;
  pressed_at?: string;
  position?: Position;
  claimed_at?: string;
  proof?: { key_id: string; signature: string };
}

export interface Command {
  /** UUIDv7: the Idempotency-Key, and the order of sending. */
  id: string;
  user_id: string;
  tenant_id: string;
  kind: "checkin" | "checkout" | "answer" | "help";
  url: string;
  body: CommandBody;
  /** Signed when it was made; becomes `body.proof` once the server knows the key. */
  signature: string | null;
  at: number;
  venue_id: string | null;
  venue_name: string | null;
  tries: number;
  state: "queued" | "rejected";
  problem?: Problem;
}

/** The server's last word on one person: what the screens show, with the queued commands on top. */
export interface Snapshot {
  user_id: string;
  me: Me;
  home: Home | null;
  saved_at: number;
}

/** A P-256 pair whose private half cannot leave the browser, and the id each tenant knows it by. */
export interface SigningKey {
  user_id: string;
  pair: CryptoKeyPair;
  registered: Record<string, string>;
}

/** Facts about this phone, none of them personal but `person`: who is signed in, and `push`: whom it tells. */
export interface DeviceFacts {
  person: string;
  theme: "dark" | "light";
  language: string;
  motion: "system" | "reduced";
  /** Milliseconds that the server's clock is ahead of this phone's. */
  clock_ahead: number;
  /** No sending before this time: the server asked to wait. */
  wait_until: number;
  /** The guest whom this phone tells by push, empty for nobody. */
  push: string;
  /** Calls for help show nothing on this screen. */
  help_quiet: boolean;
  /** The ended call for help that its guest has put away. */
  help_seen: string;
}

/** What the server last said of something that is only read: it stays readable without a network. */
export interface KeptAnswer {
  user_id: string;
  path: string;
  answer: unknown;
  at: number;
}

interface Schema extends DBSchema {
  commands: { key: string; value: Command; indexes: { user_id: string } };
  snapshots: { key: string; value: Snapshot };
  keys: { key: string; value: SigningKey };
  device: { key: string; value: DeviceFacts[keyof DeviceFacts] };
  passes: { key: [string, string]; value: NightPass };
  answers: { key: [string, string]; value: KeptAnswer };
}

let opened: Promise<IDBPDatabase<Schema>> | null = null;

export function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>(DATABASE, 3, {
    upgrade(fresh, before) {
      if (before < 1) {
        fresh.createObjectStore("commands", { keyPath: "id" }).createIndex("user_id", "user_id");
        fresh.createObjectStore("snapshots", { keyPath: "user_id" });
        fresh.createObjectStore("keys", { keyPath: "user_id" });
        fresh.createObjectStore("device");
      }
      if (before < 2) fresh.createObjectStore("passes", { keyPath: ["user_id", "tenant_id"] });
      if (before < 3) fresh.createObjectStore("answers", { keyPath: ["user_id", "path"] });
    },
    // Another tab, or a console's sign-out, deletes the database: let go of it.
    blocking: () => close(),
    terminated: () => (opened = null),
  });
  return opened;
}

export async function fact<Name extends keyof DeviceFacts>(name: Name): Promise<DeviceFacts[Name] | undefined> {
  return (await (await database()).get("device", name)) as DeviceFacts[Name] | undefined;
}

export async function keepFact<Name extends keyof DeviceFacts>(name: Name, value: DeviceFacts[Name]): Promise<void> {
  await (await database()).put("device", value, name);
}

export async function commandsOf(userId: string): Promise<Command[]> {
  return (await database()).getAllFromIndex("commands", "user_id", userId);
}

/** Nothing of this person stays: commands, passes, snapshot, keys, and who was signed in. */
export async function wipe(userId: string): Promise<void> {
  const transaction = (await database()).transaction(["commands", "snapshots", "keys", "device", "passes", "answers"], "readwrite");
  const commands = transaction.objectStore("commands");
  for (const id of await commands.index("user_id").getAllKeys(userId)) await commands.delete(id);
  const passes = transaction.objectStore("passes");
  for (const key of await passes.getAllKeys()) if (key[0] === userId) await passes.delete(key);
  const answers = transaction.objectStore("answers");
  for (const key of await answers.getAllKeys()) if (key[0] === userId) await answers.delete(key);
  await transaction.objectStore("snapshots").delete(userId);
  await transaction.objectStore("keys").delete(userId);
  for (const name of ["person", "push", "help_quiet", "help_seen"]) await transaction.objectStore("device").delete(name);
  await transaction.done;
}

async function close(): Promise<void> {
  const closing = opened;
  opened = null;
  (await closing)?.close();
}
