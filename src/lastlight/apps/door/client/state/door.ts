// What the screen shows of this device and its house: kept on the device first, renewed whenever the server answers.
import { batch, computed, signal } from "@preact/signals";
import { call, hasSession, Refused, Unreachable } from "../../../../ui/js/wire/api";
import { learnClock } from "../data/clock";
import { dropFact, fact, keepFact, nextNumber, unlessFull, wipe, type Entry, type Facts, type Identity, type Member, type Snapshot } from "../data/database";
import { enrol as enrolDevice, Gone, signedCall } from "../data/device";
import { flush, lines, markAgain, onChange, type Report } from "../data/log";
import { countUnwritten, isUnwritten, unwrittenLines } from "../data/unwritten";
import { charge } from "./battery";

export type Standing = "opening" | "insecure" | "unenrolled" | "enrolled" | "gone";

export const standing = signal<Standing>("opening");
export const identity = signal<Identity | null>(null);
export const snapshot = signal<Snapshot | null>(null);
export const member = signal<Member | null>(null);
export const gone = signal<Facts["gone"] | null>(null);
export const log = signal<Entry[]>([]);
export const online = signal(true);
/** Somebody has set this device aside: it reports its health and scans nothing. */
export const maintenance = signal(false);
export const clockAhead = signal(0);
export const told = signal<{ inside: number; at: string } | null>(null);
export const now = signal(Date.now());

/** How many scans stand in this page's memory only: the device could not write them down. */
export const unwritten = signal(0);

export const waiting = computed(() => log.value.filter((entry) => entry.state !== "sent"));
/** What the server took otherwise than this door did, the newest first. */
export const notices = computed(() => log.value.filter((entry) => entry.notice).reverse());
/** Guests in the venue: the server's count, and what it has not heard of yet. */
export const inside = computed<number | null>(() => {
  const known = snapshot.value;
  if (!known) return null;
  const newer = told.value && Date.parse(told.value.at) >= Date.parse(known.at);
  const unheard = waiting.value.filter((entry) => entry.decided === "admitted");
  return unheard.reduce((sum, entry) => sum + (entry.direction === "in" ? 1 : -1), newer ? told.value!.inside : known.here.length);
});

interface Heard {
  now: string;
  venue_id: string;
  maintenance: boolean;
  heartbeat_seconds: number;
}

interface Me {
  user_id: string;
  kind: string;
  name: string;
  tenant: { id: string } | null;
  permissions: Record<string, string[] | null>;
}

const NOTHING = (): void => undefined;
let syncing: Promise<void> | null = null;

/** Show what this device remembers, at once and without a network. */
export async function remember(): Promise<void> {
  if (!globalThis.crypto?.subtle || !navigator.locks) {
    standing.value = "insecure";
    return;
  }
  onChange(() => void readLog());
  await read();
}

export async function enrol(code: string): Promise<void> {
  await enrolDevice(code);
  await read();
  await sync();
}

/** Take this device off the door, by its own people: nothing stays on it. The server's list is the managers'. */
export async function forgetDevice(): Promise<void> {
  await wipe(null);
  await read();
}

/** Report, send what waits, and learn how the house stands. Never twice at once. */
export function sync(): Promise<void> {
  syncing ??= talk().finally(() => (syncing = null));
  return syncing;
}

/** Send what waits; the screen shows at once what became of it. */
export async function send(): Promise<Report> {
  // A device that cannot note the server's answer sends the same again, which counts once.
  const report = await unlessFull(flush, (): Report => ({ stop: "nothing", sent: 0, answers: [] }));
  if (report.stop === "unreachable") online.value = false;
  else if (report.sent) online.value = true;
  if (report.stop === "gone") await read();
  await readLog();
  return report;
}

export async function readLog(): Promise<void> {
  const known = log.value.filter((entry) => !isUnwritten(entry));
  const [kept, count, ahead] = await Promise.all([lines(), fact("told"), fact("clock_ahead")]).catch(() => [known, told.value, clockAhead.value] as const);
  batch(() => {
    log.value = [...kept, ...unwrittenLines()];
    unwritten.value = countUnwritten();
    told.value = count ?? null;
    clockAhead.value = ahead ?? 0;
  });
}

async function read(): Promise<void> {
  const [who, house, colleague, why, aside] = await Promise.all([fact("identity"), fact("snapshot"), fact("member"), fact("gone"), fact("maintenance")]);
  await readLog();
  batch(() => {
    identity.value = who ?? null;
    snapshot.value = house ?? null;
    member.value = colleague ?? null;
    gone.value = why ?? null;
    maintenance.value = aside ?? false;
    standing.value = who ? "enrolled" : why ? "gone" : "unenrolled";
  });
}

async function talk(): Promise<void> {
  if (standing.value !== "enrolled") return;
  try {
    // What a device without room cannot note does not keep it from the rest.
    await unlessFull(beat, NOTHING);
    online.value = true;
    await send();
    if (!maintenance.value) await unlessFull(learnHouse, NOTHING);
    await unlessFull(lookWho, NOTHING);
  } catch (error) {
    if (error instanceof Gone) return read();
    if (error instanceof Unreachable) online.value = false;
    else if (!(error instanceof Refused)) throw error;
  }
}

async function beat(): Promise<void> {
  const { battery, charging } = await charge();
  const asked = performance.now();
  const body = {
    sequence: await nextNumber("beat"),
    sent_at: new Date().toISOString(),
    battery,
    charging,
    firmware: firmware(),
    last_scan_id: (await fact("sequence")) ?? 0,
    queued: waiting.value.length,
  };
  const heard = await signedCall<Heard>("/webhooks/hardware", { method: "POST", body });
  await learnClock(heard.now, performance.now() - asked);
  await keepFact("maintenance", heard.maintenance);
  maintenance.value = heard.maintenance;
}

async function learnHouse(): Promise<void> {
  const known = await signedCall<Snapshot>("/api/door/snapshot");
  // A device that was enrolled again goes on counting where it stopped.
  snapshot.value = known;
  if (known.last_sequence > ((await fact("sequence")) ?? 0)) await keepFact("sequence", known.last_sequence);
  await keepFact("snapshot", known);
  const told = new Set(log.value.filter((entry) => entry.again).map((entry) => entry.sequence));
  await markAgain((known.again ?? []).filter(({ sequence }) => !told.has(sequence)));
  const who = await fact("identity");
  if (who && (who.venue_id !== known.venue_id || who.venue !== known.venue)) {
    await keepFact("identity", { ...who, venue_id: known.venue_id, venue: known.venue });
    identity.value = { ...who, venue_id: known.venue_id, venue: known.venue };
  }
}

/** Who is signed in on this device, so that they may let guests in by hand. */
async function lookWho(): Promise<void> {
  const found = await findMember();
  member.value = found;
  if (found) await keepFact("member", found);
  else await dropFact("member");
}

async function findMember(): Promise<Member | null> {
  const device = identity.value;
  if (!device || !(await hasSession())) return null;
  const me = await call<Me>("/api/me").catch((error: unknown) => {
    if (error instanceof Refused) return null;
    throw error;
  });
  if (me?.kind !== "member" || me.tenant?.id !== device.tenant_id) return null;
  const venues = me.permissions["checkins.override"];
  const may_override = venues === null || (venues?.includes(device.venue_id) ?? false);
  return { user_id: me.user_id, name: me.name, may_override, seen_at: Date.now() };
}

/** The app's version, and the build that this page runs. */
function firmware(): string {
  const build = document.querySelector<HTMLScriptElement>('script[src*="/door-"]')?.src.match(/door-([0-9A-Z]{8})\.js/)?.[1];
  return ["door", APP_VERSION, build].filter(Boolean).join(" ");
}
