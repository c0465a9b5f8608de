// From what a scanner read to an answer on the whole screen, in less than a second, with a network or without.
import { signal } from "@preact/signals";
import { call, Refused, Unreachable } from "../../../../ui/js/wire/api";
import { uuid7 } from "../../../../ui/js/wire/uuid";
import { serverNow } from "../data/clock";
import type { Answer, Direction, Entry } from "../data/database";
import { decide, type Verdict } from "../data/decide";
import { append, decideHere } from "../data/log";
import { isGenuine, readShown, type ShownPass } from "../data/pass";
import { identity, log, maintenance, member, online, readLog, send, snapshot, sync } from "./door";
import { signalAnswer, type Tone } from "./sound";

export interface Result {
  tone: Tone;
  /** The server's name for what happened: a refusal, or `admitted`, `left`, `override`. */
  what: string;
  name: string;
  detail: string;
  age: number | null;
  overridable: boolean;
  /** Decided here: the server has not heard of it yet. */
  offline: boolean;
  shown: ShownPass | null;
  tookMs: number;
}

/** The server has so long; then the door decides. */
const PATIENCE_MS = 850;
const WARNINGS = new Set(["visit-open", "no-open-visit", "code-replayed"]);

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
    const headers = { "idempotency-key": uuid7() };
    const done = await call<{ checkin: { patron: string } }>("/api/checkins/overrides", { method: "POST", body, headers });
    answer({ tone: "yes", what: "override", name: done.checkin.patron, detail: reason, age: shown.age, shown, started });
    void sync();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    online.value = false;
    if (!member.value?.may_override) throw error;
    await write(shown, "in", { passed: true, refusal: "" }, { reason, by: member.value.user_id });
    answer({ tone: "yes", what: "override", name: shown.name, detail: reason, age: shown.age, shown, started, offline: true });
  }
}

async function scan(text: string, started: number): Promise<void> {
  const shown = readShown(text);
  if (!shown) return answer({ tone: "no", what: "code-malformed", started });
  const direction = mode.value;
  const genuine = await isGenuine(shown, snapshot.value!.keys);
  const verdict = decide({ shown, direction, at: await serverNow(), genuine, snapshot: snapshot.value!, log: log.value });
  if (online.value && !verdict.certain) return ask(shown, direction, verdict, started);
  await write(shown, direction, verdict);
  await readLog();
  tell(shown, direction, verdict, started);
  void send();
}

/** Ask the server; when it takes too long, the door's own verdict stands. */
async function ask(shown: ShownPass, direction: Direction, verdict: Verdict, started: number): Promise<void> {
  const entry = await append(await draft(shown, direction, { decided: "server" }));
  const told = send().then((report) => report.answers.find((one) => one.sequence === entry.sequence) ?? null, () => null);
  const heard = await Promise.race([told, late(PATIENCE_MS - (performance.now() - started))]);
  if (heard) return repeat(shown, direction, heard, started);
  online.value = false;
  await decideHere(entry.sequence, verdict.passed ? "admitted" : "refused", verdict.refusal);
  await readLog();
  tell(shown, direction, verdict, started);
}

function late(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), Math.max(0, ms)));
}

function write(shown: ShownPass, direction: Direction, verdict: { passed: boolean; refusal: string }, hand?: { reason: string; by: string }): Promise<Entry> {
  return draft(shown, direction, {
    decided: verdict.passed ? "admitted" : "refused",
    refusal: verdict.refusal,
    override_reason: hand?.reason ?? "",
    override_by: hand?.by ?? null,
    state: "queued",
  }).then(append);
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
  const { detail, age, overridable } = heard;
  answer({ tone: toneOf(passed, direction, what), what, name: heard.patron || shown.name, detail, age, overridable, shown, started });
}

/** The door's own verdict. */
function tell(shown: ShownPass, direction: Direction, verdict: Verdict, started: number): void {
  const what = verdict.passed ? (direction === "in" ? "admitted" : "left") : verdict.refusal;
  const forged = what === "code-forged";
  const age = snapshot.value?.age_limit == null || forged ? null : shown.age;
  const tone = toneOf(verdict.passed, direction, what);
  answer({ tone, what, name: forged ? "" : shown.name, age, overridable: verdict.overridable, shown, started, offline: !online.value });
}

function toneOf(passed: boolean, direction: Direction, what: string): Tone {
  if (passed) return direction === "in" ? "yes" : "bye";
  return WARNINGS.has(what) ? "warn" : "no";
}

function answer(given: Partial<Result> & Pick<Result, "tone" | "what"> & { started: number }): void {
  const { started, ...rest } = given;
  const blank = { name: "", detail: "", age: null, overridable: false, offline: false, shown: null };
  result.value = { ...blank, ...rest, tookMs: Math.round(performance.now() - started) };
  signalAnswer(rest.tone);
}

/** What is wrong, in the server's words where it has spoken. */
export function reasonOf(error: unknown): string {
  return error instanceof Refused ? error.problem.detail : "";
}
