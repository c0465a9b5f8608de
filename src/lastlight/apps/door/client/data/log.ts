// The device's log: written before anything is shown, sent in order, each line once, by the page or by the worker.
import { Refused, Unreachable, type Problem } from "../../../../ui/js/wire/api";
import { lasts, pauseFor } from "../../../../ui/js/wire/pause";
import { askForSync, tabs } from "../../../../ui/js/wire/tabs";
import { learnClock, serverNow } from "./clock";
import { countUp, database, fact, keepFact, unlessFull, type Answer, type Entry, type LetInAgain, type Lines } from "./database";
import { Gone, signedCall } from "./device";
import { countUnwritten, hold, inTurn, writeHeld } from "./unwritten";

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

/** Write a line down; its number is given here. Fails where this device can keep nothing. */
export async function append(draft: Draft): Promise<Entry> {
  const write = (lines: Lines) => add(lines, draft);
  const entry = await inTurn(() => writeHeld(within).then(() => within(write)));
  if (entry.state === "queued") await askForSync(SYNC_TAG);
  return entry;
}

/** Write down what this door has decided. Where that fails, this page keeps it and tries again: `isUnwritten` says so. */
export function keep(draft: Draft): Promise<Entry> {
  return unlessFull(
    () => append(draft),
    () => {
      const entry = hold((lines) => add(lines, draft), { ...draft, answer: null, notice: false })!;
      announce();
      return entry;
    },
  );
}

/** Try again to write what this page holds; whether nothing is left of it. */
export async function writeAgain(): Promise<boolean> {
  const before = countUnwritten();
  await unlessFull(() => inTurn(() => writeHeld(within)), () => undefined);
  if (before > countUnwritten()) announce();
  return countUnwritten() === 0;
}

/** What the door decided by itself about a line that it had asked the server about, whose answer may have come this moment; whether it is written. */
export async function decideHere(sequence: number, decided: "admitted" | "refused", refusal: string): Promise<boolean> {
  const write = async (lines: Lines) => {
    const line = await lines.objectStore("log").get(sequence);
    if (!line) return;
    const known = { ...line, decided, refusal };
    if (line.state !== "sent") await lines.objectStore("log").put({ ...known, state: "queued" });
    else if (isInAllTheSame(known, line.answer)) await add(lines, letIn(known));
  };
  const isWritten = await unlessFull(
    () => inTurn(() => writeHeld(within).then(() => within(write))).then(() => true),
    () => {
      hold(write);
      announce();
      return false;
    },
  );
  if (isWritten) await askForSync(SYNC_TAG);
  return isWritten;
}

export async function markSeen(sequence: number): Promise<void> {
  await change(sequence, (entry) => ({ ...entry, notice: false }));
}

/** Other devices let the same guests in as this one: said once of each line. */
export async function markAgain(found: LetInAgain[]): Promise<void> {
  for (const again of found) {
    await change(again.sequence, (line) => (line.again || line.direction !== "in" ? line : { ...line, again, notice: true }));
  }
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

/** What was decided here and the server does not have, as it is sent. */
export async function inBatches(): Promise<Record<string, unknown>[][]> {
  const decided = (await unsent()).filter((entry) => entry.decided !== "server").map(asScan);
  return Array.from({ length: Math.ceil(decided.length / AT_ONCE) }, (_, index) => decided.slice(index * AT_ONCE, (index + 1) * AT_ONCE));
}

/** Send what the server does not have. One sender at a time, over all tabs and the worker. */
export async function flush(): Promise<Report> {
  await writeAgain();
  return alone(async () => {
    const report: Report = { stop: "nothing", sent: 0, answers: [] };
    if (lasts(await fact("pause"))) return { ...report, stop: "wait" };
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
export function isAtFault(error: unknown): error is Refused {
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
  const answer: Answer = { sequence, direction, decided, result: "refused", refusal: type, detail, patron: "", patron_id, age: null, overridable: false, entrance: null, received_at };
  await change(sequence, (line) => ({ ...line, state: "sent", answer, notice: true }));
}

async function stopped(error: unknown): Promise<Stop> {
  if (error instanceof Gone) return "gone";
  if (error instanceof Unreachable) return "unreachable";
  if (!(error instanceof Refused)) throw error;
  if (error.retryAfterMs) await keepFact("pause", pauseFor(error.retryAfterMs));
  return "refused";
}

function asScan(entry: Entry): Record<string, unknown> {
  const { sequence, code, claimed_at, direction, decided, refusal, override_reason, override_by, venue_id } = entry;
  return { sequence, code, claimed_at, direction, decided, refusal, override_reason, override_by, venue_id };
}

/** Add the server's answer to its line. A guest who is inside although the server had said no is told to it as what happened. */
async function settle(entry: Entry, answer: Answer): Promise<void> {
  const more = await within(async (lines) => {
    const line = await lines.objectStore("log").get(entry.sequence);
    if (!line) return null;
    const passed = answer.result !== "refused";
    const otherwise = line.decided !== "server" && passed !== (line.decided === "admitted");
    await lines.objectStore("log").put({ ...line, state: "sent", answer, notice: answer.result === "double" || otherwise });
    return isInAllTheSame(line, answer) ? add(lines, letIn(line)) : null;
  });
  if (more) await askForSync(SYNC_TAG);
}

/** Whether the door let a guest in whom the server, asked, had turned away. */
function isInAllTheSame(line: Entry, answer: Answer | null): boolean {
  return line.decided === "admitted" && line.direction === "in" && answer?.result === "refused" && answer.decided === "server";
}

function letIn(line: Entry): Draft {
  return { ...line, decided: "admitted", refusal: "", state: "queued" };
}

/** A line and its number at once: a page that is killed leaves no gap in the count. */
async function add(lines: Lines, draft: Draft): Promise<Entry> {
  const entry: Entry = { ...draft, sequence: await countUp(lines, "sequence"), answer: null, notice: false };
  await lines.objectStore("log").add(entry);
  return entry;
}

/** Change the log in one step: all of it, or nothing where the page is killed meanwhile. */
async function within<Result>(work: (lines: Lines) => Promise<Result>): Promise<Result> {
  const lines = (await database()).transaction(["facts", "log"], "readwrite");
  const [result] = await Promise.all([work(lines), lines.done]);
  announce();
  return result;
}

async function change(sequence: number, edit: (entry: Entry) => Entry): Promise<void> {
  const transaction = (await database()).transaction("log", "readwrite");
  const now = await transaction.store.get(sequence);
  if (now) await transaction.store.put(edit(now));
  await transaction.done;
  announce();
}

/** By the time of the server's last answer: a device whose clock runs ahead, or is set, would forget what it has just sent. */
async function forgetOld(): Promise<void> {
  const told = await fact("told");
  if (!told) return;
  const now = Date.parse(told.at);
  const transaction = (await database()).transaction("log", "readwrite");
  for (const entry of await transaction.store.getAll()) {
    if (entry.state === "sent" && !entry.notice && now - Date.parse(entry.claimed_at) > KEPT_MS) await transaction.store.delete(entry.sequence);
  }
  await transaction.done;
}
