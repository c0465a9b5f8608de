// From what a scanner read to an answer on the whole screen, in less than a second, with a network or without.
import { signal } from "@preact/signals";
import { Refused, Unreachable } from "../../../../ui/js/wire/api";
import { late } from "../../../../ui/js/wire/late";
import { keyed } from "../../../../ui/js/wire/once";
import { serverNow } from "../data/clock";
import { unlessFull, type Answer, type Direction, type Entrance, type Entry } from "../data/database";
import { decide, type Verdict } from "../data/decide";
import { append, decideHere, keep } from "../data/log";
import { isGenuine, readShown, type ShownPass } from "../data/pass";
import { isUnwritten } from "../data/unwritten";
import { identity, log, maintenance, member, online, readLog, send, snapshot, sync } from "./door";
import { signalAnswer, toneOf, type Tone } from "./sound";

export interface Result {
  tone: Tone;
  /** The server's name for what happened: a refusal, or `admitted`, `left`, `override`. */
  what: string;
  name: string;
  detail: string;
  age: number | null;
  overridable: boolean;
  /** What the entrance costs, and what became of it, in the server's word. */
  entrance: Entrance | null;
  /** Decided here: the server has not heard of it yet. */
  offline: boolean;
  /** This device could not write it down. */
  unwritten: boolean;
  shown: ShownPass | null;
  tookMs: number;
}

/** The server has so long; then the door decides. */
const PATIENCE_MS = 850;

export const mode = signal<Direction>("in");
export const result = signal<Result | null>(null);
export const busy = signal(false);

/** Take a scan; false while another one is being decided. */
export function takeScan(text: string): boolean {
  if (busy.value || maintenance.value || !snapshot.value) return false;
  busy.value = true;
  void scan(text, performance.now()).finally(() => (busy.value = false));
  return true;
}

export function dismiss(): void {
  result.value = null;
}

/** Let a refused guest in by hand, with a reason: the member's own session where there is a network, else their name in the log. */
export async function letInByHand(shown: ShownPass, reason: string): Promise<void> {
  const started = performance.now();
  const device = identity.value;
  if (!device) return;
  try {
    const body = { venue_id: device.venue_id, patron_id: shown.patronId, reason };
    const done = await keyed<{ checkin: { patron: string }; charge: Entrance | null }>("/api/checkins/overrides", body);
    answer({ tone: "yes", what: "override", name: done.checkin.patron, detail: reason, entrance: done.charge, age: shown.age, shown, started });
    void sync();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    online.value = false;
    if (!member.value?.may_override) throw error;
    const entry = await write(shown, "in", { passed: true, refusal: "" }, { reason, by: member.value.user_id });
    await readLog();
    answer({ tone: "yes", what: "override", name: shown.name, detail: reason, age: shown.age, shown, started, offline: true, unwritten: isUnwritten(entry) });
  }
}

async function scan(text: string, started: number): Promise<void> {
  const shown = readShown(text);
  if (!shown) return answer({ tone: "no", what: "code-malformed", started });
  const direction = mode.value;
  const genuine = await isGenuine(shown, snapshot.value!.keys);
  const verdict = decide({ shown, direction, at: await serverNow(), genuine, snapshot: snapshot.value!, log: log.value });
  if (online.value && !verdict.certain) return ask(shown, direction, verdict, started);
  await decideAlone(shown, direction, verdict, started);
  void send();
}

/** The door's own verdict, written down before it is shown; where that cannot be, this is said with it. */
async function decideAlone(shown: ShownPass, direction: Direction, verdict: Verdict, started: number): Promise<void> {
  const entry = await write(shown, direction, verdict);
  await readLog();
  tell(shown, direction, verdict, started, isUnwritten(entry));
}

/** Ask the server; when it takes too long, the door's own verdict stands. */
async function ask(shown: ShownPass, direction: Direction, verdict: Verdict, started: number): Promise<void> {
  const line = await draft(shown, direction, { decided: "server" });
  const entry = await unlessFull(() => append(line), () => null);
  if (!entry) return decideAlone(shown, direction, verdict, started); // what has no number cannot be asked
  const told = send().then((report) => report.answers.find((one) => one.sequence === entry.sequence) ?? null, () => null);
  const heard = await Promise.race([told, late(PATIENCE_MS - (performance.now() - started))]);
  if (heard) return repeat(shown, direction, heard, started);
  online.value = false;
  const written = await decideHere(entry.sequence, verdict.passed ? "admitted" : "refused", verdict.refusal);
  await readLog();
  tell(shown, direction, verdict, started, !written);
}

function write(shown: ShownPass, direction: Direction, verdict: { passed: boolean; refusal: string }, hand?: { reason: string; by: string }): Promise<Entry> {
  return draft(shown, direction, {
    decided: verdict.passed ? "admitted" : "refused",
    refusal: verdict.refusal,
    override_reason: hand?.reason ?? "",
    override_by: hand?.by ?? null,
    state: "queued",
  }).then(keep);
}

async function draft(shown: ShownPass, direction: Direction, rest: Partial<Entry>): Promise<Omit<Entry, "sequence" | "answer" | "notice">> {
  const { code, patronId, name, step } = shown;
  const claimed_at = new Date(await serverNow()).toISOString();
  const line = { code, patron_id: patronId, name, step, direction, claimed_at, venue_id: snapshot.value!.venue_id };
  return { ...line, decided: "server", refusal: "", override_reason: "", override_by: null, state: "asked", ...rest };
}

/** The server's answer. */
function repeat(shown: ShownPass, direction: Direction, heard: Answer, started: number): void {
  const passed = heard.result !== "refused";
  const what = passed ? (direction === "in" ? "admitted" : "left") : heard.refusal;
  const { detail, age, overridable, entrance } = heard;
  answer({ tone: toneOf(passed, direction, what), what, name: heard.patron || shown.name, detail, age, overridable, entrance, shown, started });
}

/** The door's own verdict. */
function tell(shown: ShownPass, direction: Direction, verdict: Verdict, started: number, unwritten: boolean): void {
  const what = verdict.passed ? (direction === "in" ? "admitted" : "left") : verdict.refusal;
  const forged = what === "code-forged";
  const age = snapshot.value?.age_limit == null || forged ? null : shown.age;
  const tone = toneOf(verdict.passed, direction, what);
  answer({ tone, what, name: forged ? "" : shown.name, age, overridable: verdict.overridable, shown, started, offline: !online.value, unwritten });
}

function answer(given: Partial<Result> & Pick<Result, "tone" | "what"> & { started: number }): void {
  const { started, ...rest } = given;
  const blank = { name: "", detail: "", age: null, overridable: false, entrance: null, offline: false, unwritten: false, shown: null };
  const tone = rest.unwritten && rest.tone !== "no" ? "warn" : rest.tone;
  result.value = { ...blank, ...rest, tone, tookMs: Math.round(performance.now() - started) };
  signalAnswer(tone);
}

/** What is wrong, in the server's words where it has spoken. */
export function reasonOf(error: unknown): string {
  return error instanceof Refused ? error.message : "";
}
