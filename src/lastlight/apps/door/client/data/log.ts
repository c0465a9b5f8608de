// The device's log: written before anything is shown, sent in order, each line once, by the page or by the worker.
import { Refused, Unreachable, type Problem } from "../../../../ui/js/wire/api";
import { askForSync, tabs } from "../../../../ui/js/wire/tabs";
import { learnClock, serverNow } from "./clock";
import { database, fact, keepFact, nextNumber, type Answer, type Entry } from "./database";
import { Gone, signedCall } from "./device";

export const SYNC_TAG = "last-light-door";
const LOCK = "last-light-door";
/** Hear of every change to the log, from whichever tab or worker. */
export const { onChange, announce } = tabs("last-light-door");
const AT_ONCE = 50;
/** Lines that the server has are kept for the night, for replays and for people who look back. */
const KEPT_MS = 18 * 3_600_000;

export type Stop = "nothing" | "unreachable" | "refused" | "wait" | "gone";

interface Sent {
  results: Answer[];
  inside: number;
  now: string;
}

export interface Report {
  stop: Stop;
  sent: number;
  answers: Answer[];
}

export type Draft = Omit<Entry, "sequence" | "answer" | "notice">;

/** Write a line down; its number is given here. */
export async function append(draft: Draft): Promise<Entry> {
  const entry: Entry = { ...draft, sequence: await nextNumber("sequence"), answer: null, notice: false };
  await (await database()).add("log", entry);
  announce();
  if (entry.state === "queued") await askForSync(SYNC_TAG);
  return entry;
}

/** What the door decided by itself about a line that it had asked the server about. */
export async function decideHere(sequence: number, decided: "admitted" | "refused", refusal: string): Promise<void> {
  await change(sequence, (entry) => (entry.state === "sent" ? entry : { ...entry, decided, refusal, state: "queued" }));
  await askForSync(SYNC_TAG);
}

export async function markSeen(sequence: number): Promise<void> {
  await change(sequence, (entry) => ({ ...entry, notice: false }));
}

export async function lines(): Promise<Entry[]> {
  return (await database()).getAll("log");
}

/** Lines that the server does not have, in order. */
export async function unsent(): Promise<Entry[]> {
  const store = await database();
  const [asked, queued] = await Promise.all([store.getAllFromIndex("log", "state", "asked"), store.getAllFromIndex("log", "state", "queued")]);
  return [...asked, ...queued].sort((a, b) => a.sequence - b.sequence);
}

/** Send what the server does not have. One sender at a time, over all tabs and the worker. */
export function flush(): Promise<Report> {
  return alone(async () => {
    const report: Report = { stop: "nothing", sent: 0, answers: [] };
    if (((await fact("wait_until")) ?? 0) > Date.now()) return { ...report, stop: "wait" };
    for (let waiting = await sendable(); waiting.length && report.stop === "nothing"; waiting = await sendable()) {
      await sendSome(waiting.slice(0, AT_ONCE), report);
    }
    await forgetOld();
    return report;
  });
}

/** A device that is set aside asks nothing, and still hands in what it has decided. */
async function sendable(): Promise<Entry[]> {
  const aside = await fact("maintenance");
  return (await unsent()).filter((entry) => !aside || entry.decided !== "server");
}

/** While nothing else is sent. */
export function alone<Result>(work: () => Promise<Result>): Promise<Result> {
  return navigator.locks.request(LOCK, work) as Promise<Result>;
}

async function sendSome(entries: Entry[], report: Report): Promise<void> {
  const asked = performance.now();
  try {
    const sent = await signedCall<Sent>("/api/door/scans", { method: "POST", body: { scans: entries.map(asScan) } });
    await learnClock(sent.now, performance.now() - asked);
    for (const [index, answer] of sent.results.entries()) await settle(entries[index]!, answer);
    await keepFact("told", { inside: sent.inside, at: sent.now });
    report.sent += entries.length;
    report.answers.push(...sent.results);
  } catch (error) {
    if (!isAtFault(error)) report.stop = await stopped(error);
    else if (entries.length === 1) await setAside(entries[0]!, error.problem);
    else await oneByOne(entries, report);
  }
}

/** Whether the server cannot take what was sent, however often it is sent. */
function isAtFault(error: unknown): error is Refused {
  return error instanceof Refused && [400, 413, 422].includes(error.problem.status);
}

/** One line that cannot be taken holds up none of the others. */
async function oneByOne(entries: Entry[], report: Report): Promise<void> {
  for (const entry of entries) {
    if (report.stop === "nothing") await sendSome([entry], report);
  }
}

/** The line stays in the log with the server's reason, until somebody has read it. */
async function setAside(entry: Entry, { type, detail }: Problem): Promise<void> {
  const { sequence, direction, decided, patron_id } = entry;
  const received_at = new Date(await serverNow()).toISOString();
  const answer: Answer = { sequence, direction, decided, result: "refused", refusal: type, detail, patron: "", patron_id, age: null, overridable: false, received_at };
  await change(sequence, (line) => ({ ...line, state: "sent", answer, notice: true }));
}

async function stopped(error: unknown): Promise<Stop> {
  if (error instanceof Gone) return "gone";
  if (error instanceof Unreachable) return "unreachable";
  if (!(error instanceof Refused)) throw error;
  if (error.retryAfterMs) await keepFact("wait_until", Date.now() + error.retryAfterMs);
  return "refused";
}

function asScan(entry: Entry): Record<string, unknown> {
  const { sequence, code, claimed_at, direction, decided, refusal, override_reason, override_by, venue_id } = entry;
  return { sequence, code, claimed_at, direction, decided, refusal, override_reason, override_by, venue_id };
}

/** Add the server's answer to its line. A guest who is inside although the server had said no is told to it as what happened. */
async function settle(entry: Entry, answer: Answer): Promise<void> {
  const now = await (await database()).get("log", entry.sequence);
  const decided = now?.decided ?? entry.decided;
  const passed = answer.result !== "refused";
  const otherwise = decided !== "server" && passed !== (decided === "admitted");
  const notice = answer.result === "double" || otherwise;
  await change(entry.sequence, (line) => ({ ...line, state: "sent", answer, notice }));
  const isIn = decided === "admitted" && entry.direction === "in" && !passed && answer.decided === "server";
  if (isIn) await append({ ...(now ?? entry), decided: "admitted", refusal: "", state: "queued" });
}

async function change(sequence: number, edit: (entry: Entry) => Entry): Promise<void> {
  const transaction = (await database()).transaction("log", "readwrite");
  const now = await transaction.store.get(sequence);
  if (now) await transaction.store.put(edit(now));
  await transaction.done;
  announce();
}

async function forgetOld(): Promise<void> {
  const transaction = (await database()).transaction("log", "readwrite");
  for (const entry of await transaction.store.getAll()) {
    if (entry.state === "sent" && !entry.notice && Date.now() - Date.parse(entry.claimed_at) > KEPT_MS) await transaction.store.delete(entry.sequence);
  }
  await transaction.done;
}
