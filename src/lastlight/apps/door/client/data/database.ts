// Everything that this device keeps: who it is, what it knew of the house when it last asked, and its log.
import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from "idb";
import type { Pause } from "../../../../ui/js/wire/pause";

/** Not called as people's databases are, which a sign-out deletes: the device is the venue's. */
export const DATABASE = "lastlight-door";

export type Direction = "in" | "out";
export type Decided = "server" | "admitted" | "refused";

/** Who this device is: its key's private half cannot leave the browser. */
export interface Identity {
  tenant_id: string;
  device_id: string;
  venue_id: string;
  venue: string;
  name: string;
  heartbeat_seconds: number;
  pair: CryptoKeyPair;
}

/** What the door needs to decide by itself, as the server told it at `at`. */
export interface Snapshot {
  at: string;
  venue_id: string;
  venue: string;
  /** The venue's; missing from what was kept by an earlier version. */
  time_zone?: string;
  tenant_id: string;
  status: "active" | "paused" | "archived";
  is_open: boolean;
  closes_at: string | null;
  opens_at: string | null;
  capacity: number | null;
  age_limit: number | null;
  entrance: { amount: number; currency: string } | null;
  birth_date_required: boolean;
  step_seconds: number;
  keys: { id: string; public_key: string }[];
  barred: string[];
  by_hand: string[];
  inside: string[];
  here: string[];
  revoked_keys: string[];
  last_sequence: number;
  /** Missing from what was kept by an earlier version. */
  again?: LetInAgain[];
}

/** A guest whom this device let in, and another one as well, each without knowing of the other. */
export interface LetInAgain {
  sequence: number;
  door: string;
  at: string;
}

/** What became of a scan, in the server's words. */
/** `short`: too few credits, so nobody was let in; `unpaid`: the guest is in and owes it. Minor units. */
export interface Entrance {
  status: "paid" | "unpaid" | "waived" | "short";
  amount: number;
  currency: string;
  missing: number;
  /** Of the guest's credits, where they are short: in dispute, and expired in the last weeks; missing from what was kept by an earlier version. */
  frozen?: number;
  expired?: number;
}

export interface Answer {
  sequence: number;
  direction: Direction;
  decided: Decided;
  result: "admitted" | "refused" | "double" | "left";
  refusal: string;
  detail: string;
  patron: string;
  patron_id: string | null;
  age: number | null;
  overridable: boolean;
  /** What the entrance costs, and what became of it. */
  entrance: Entrance | null;
  received_at: string;
}

/** One line of the log. Lines are added and never taken back; the server's answer is added to its line. */
export interface Entry {
  sequence: number;
  code: string;
  patron_id: string;
  /** What the pass calls its guest. */
  name: string;
  step: number;
  direction: Direction;
  /** By the server's clock, as far as the device knows it. */
  claimed_at: string;
  decided: Decided;
  refusal: string;
  override_reason: string;
  override_by: string | null;
  /** Where this device stood, as far as it knew: it may be moved before the line is sent. */
  venue_id: string;
  /** `asked`: shown to nobody yet; `queued`: decided here; `sent`: the server has it. */
  state: "asked" | "queued" | "sent";
  answer: Answer | null;
  /** The server took it otherwise than this door did, and nobody has looked at that yet. */
  notice: boolean;
  /** Another device let the same guest in as well. */
  again?: LetInAgain;
}

/** Who is signed in on this device, as of the last time that there was a network. */
export interface Member {
  user_id: string;
  name: string;
  may_override: boolean;
  seen_at: number;
}

export interface Facts {
  identity: Identity;
  snapshot: Snapshot;
  member: Member;
  /** How many guests were in the venue when the server last took scans. */
  told: { inside: number; at: string };
  /** Milliseconds that the server's clock is ahead of this device's. */
  clock_ahead: number;
  /** The sequence of the last line and of the last heartbeat. */
  sequence: number;
  beat: number;
  sound: boolean;
  theme: "dark" | "light";
  /** No sending meanwhile: the server asked to wait. */
  pause: Pause;
  /** Why this device is no scanner any more. */
  gone: { venue: string; name: string; unsent: number };
  maintenance: boolean;
}

interface Schema extends DBSchema {
  facts: { key: string; value: Facts[keyof Facts] };
  log: { key: number; value: Entry; indexes: { state: string } };
}

let opened: Promise<IDBPDatabase<Schema>> | null = null;

export function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>(DATABASE, 1, {
    upgrade(fresh) {
      fresh.createObjectStore("facts");
      fresh.createObjectStore("log", { keyPath: "sequence" }).createIndex("state", "state");
    },
    blocking: () => void close(),
    terminated: () => (opened = null),
  });
  opened.catch(() => (opened = null)); // there may be room at the next try
  return opened;
}

/** What comes of the work, or of `otherwise` where this device could not keep something: it is full, or the browser keeps nothing. */
export async function unlessFull<Result, Instead>(work: () => Promise<Result>, otherwise: () => Instead): Promise<Result | Instead> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DOMException) return otherwise();
    throw error;
  }
}

export async function fact<Name extends keyof Facts>(name: Name): Promise<Facts[Name] | undefined> {
  return (await (await database()).get("facts", name)) as Facts[Name] | undefined;
}

export async function keepFact<Name extends keyof Facts>(name: Name, value: Facts[Name]): Promise<void> {
  await (await database()).put("facts", value, name);
}

export async function dropFact(name: keyof Facts): Promise<void> {
  await (await database()).delete("facts", name);
}

/** A change of the log together with what counts its lines. */
export type Lines = IDBPTransaction<Schema, ("facts" | "log")[], "readwrite">;

/** The next number of a count that survives a killed page, and is given once whoever asks. */
export async function countUp(lines: Lines, name: "sequence" | "beat"): Promise<number> {
  const facts = lines.objectStore("facts");
  const next = (((await facts.get(name)) as number | undefined) ?? 0) + 1;
  await facts.put(next, name);
  return next;
}

/** The same of a count that nothing else is written with. */
export async function nextNumber(name: "beat"): Promise<number> {
  const lines = (await database()).transaction(["facts", "log"], "readwrite");
  const next = await countUp(lines, name);
  await lines.done;
  return next;
}

/** Nothing stays but the sentence why, and how the screen looks: key, log and what was known of guests are gone. */
export async function wipe(gone: Facts["gone"] | null): Promise<void> {
  const transaction = (await database()).transaction(["facts", "log"], "readwrite");
  const facts = transaction.objectStore("facts");
  const [sound, theme] = [await facts.get("sound"), await facts.get("theme")];
  await Promise.all([facts.clear(), transaction.objectStore("log").clear()]);
  if (sound !== undefined) await facts.put(sound, "sound");
  if (theme !== undefined) await facts.put(theme, "theme");
  if (gone) await facts.put(gone, "gone");
  await transaction.done;
}

async function close(): Promise<void> {
  const closing = opened;
  opened = null;
  (await closing)?.close();
}
