// Everything kept on this phone: commands not yet sent, the last answer of the server, signing keys; all by user.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Pause } from "../../../../ui/js/wire/pause";
import type { Wish } from "./credits";
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
  /** No sending meanwhile: the server asked to wait. */
  pause: Pause;
  /** The guest whom this phone tells by push, empty for nobody. */
  push: string;
  /** Calls for help show nothing on this screen. */
  help_quiet: boolean;
  /** The ended call for help that its guest has put away. */
  help_seen: string;
  /** The purchase that was sent and has no answer yet. */
  wish: Wish | null;
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
  opened.catch(() => (opened = null)); // there may be room at the next try
  return opened;
}

/** Facts that the phone had no room for: this page knows them while it is open. */
const unwritten = new Map<keyof DeviceFacts, DeviceFacts[keyof DeviceFacts]>();

export async function fact<Name extends keyof DeviceFacts>(name: Name): Promise<DeviceFacts[Name] | undefined> {
  if (unwritten.has(name)) return unwritten.get(name) as DeviceFacts[Name];
  return (await (await database()).get("device", name)) as DeviceFacts[Name] | undefined;
}

export async function keepFact<Name extends keyof DeviceFacts>(name: Name, value: DeviceFacts[Name]): Promise<void> {
  try {
    await (await database()).put("device", value, name);
    unwritten.delete(name);
  } catch {
    unwritten.set(name, value);
  }
}

/** Keys that the phone had no room for: this page signs with them while it is open. */
const heldKeys = new Map<string, SigningKey>();

export async function keyOf(userId: string): Promise<SigningKey | undefined> {
  return heldKeys.get(userId) ?? (await (await database()).get("keys", userId));
}

/** Keep a key, and with it the ids by which tenants know it. Of two tabs that make one at once, the first one's stands. */
export async function keepKey(key: SigningKey, { anew = false } = {}): Promise<SigningKey> {
  try {
    const transaction = (await database()).transaction("keys", "readwrite");
    const raced = anew ? await transaction.store.get(key.user_id) : undefined;
    await Promise.all([raced ? undefined : transaction.store.put(key), transaction.done]);
    heldKeys.delete(key.user_id);
    return raced ?? key;
  } catch {
    heldKeys.set(key.user_id, key);
    return key;
  }
}

export async function dropKey(userId: string): Promise<void> {
  heldKeys.delete(userId);
  await (await database()).delete("keys", userId);
}

const PERSONAL = ["person", "push", "help_quiet", "help_seen", "wish"] as const;

/** Nothing of this person stays: commands, passes, snapshot, keys, and who was signed in. */
export async function wipe(userId: string): Promise<void> {
  for (const name of PERSONAL) unwritten.delete(name);
  heldKeys.delete(userId);
  const transaction = (await database()).transaction(["commands", "snapshots", "keys", "device", "passes", "answers"], "readwrite");
  const commands = transaction.objectStore("commands");
  for (const id of await commands.index("user_id").getAllKeys(userId)) await commands.delete(id);
  const passes = transaction.objectStore("passes");
  for (const key of await passes.getAllKeys()) if (key[0] === userId) await passes.delete(key);
  const answers = transaction.objectStore("answers");
  for (const key of await answers.getAllKeys()) if (key[0] === userId) await answers.delete(key);
  await transaction.objectStore("snapshots").delete(userId);
  await transaction.objectStore("keys").delete(userId);
  for (const name of PERSONAL) await transaction.objectStore("device").delete(name);
  await transaction.done;
}

async function close(): Promise<void> {
  const closing = opened;
  opened = null;
  (await closing)?.close();
}
