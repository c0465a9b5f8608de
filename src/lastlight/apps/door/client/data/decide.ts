// What the door decides by itself, from what it knew of the house when it last asked and from its own log. Pure.
import type { Direction, Entry, Snapshot } from "./database";
import { isAlive, type ShownPass } from "./pass";

export interface Verdict {
  passed: boolean;
  /** The server's name for the reason; empty where the guest passes. */
  refusal: string;
  /** Staff may let the guest in by hand. */
  overridable: boolean;
  /** Nothing that the server knows could change it, so it is not asked. */
  certain: boolean;
}

export interface Question {
  shown: ShownPass;
  direction: Direction;
  /** Milliseconds, by the server's clock. */
  at: number;
  genuine: boolean | undefined;
  snapshot: Snapshot;
  log: Entry[];
}

const PASSED: Verdict = { passed: true, refusal: "", overridable: false, certain: false };

export function decide(question: Question): Verdict {
  const { shown, direction, at, genuine, snapshot, log } = question;
  if (genuine === false) return no("code-forged", { certain: true });
  if (shown.tenantId !== snapshot.tenant_id) return no("code-unknown", { certain: true });
  if (!isAlive(shown, at, snapshot.step_seconds)) return no("code-expired", { certain: true });
  if (genuine === undefined) return no("code-forged");
  if (snapshot.revoked_keys.includes(shown.keyId)) return no("code-retired");
  if (direction === "out") return isHere(shown.patronId, snapshot, log) ? PASSED : no("no-open-visit");
  if (isReplay(shown, log)) return no("code-replayed", { certain: true });
  return welcome(question);
}

function welcome({ shown, at, snapshot, log }: Question): Verdict {
  if (snapshot.barred.includes(shown.patronId)) return no("patron-barred");
  if (isInside(shown.patronId, snapshot, log)) return no("visit-open");
  if (snapshot.by_hand.includes(shown.patronId)) return no("patron-barred", { overridable: true });
  if (snapshot.age_limit !== null && isTooYoung(shown.age, snapshot)) return no("under-age", { overridable: true });
  if (snapshot.status === "paused") return no("venue-paused", { overridable: true });
  if (snapshot.status === "archived" || !isOpen(snapshot, at)) return no("venue-closed", { overridable: true });
  return PASSED;
}

/** Whether a line of the log let its guest pass: in the server's word where there is one, else in the door's own. */
export function hasPassed(entry: Entry): boolean {
  if (entry.decided === "admitted") return true;
  return entry.answer !== null && entry.answer.result !== "refused";
}

function isReplay(shown: ShownPass, log: Entry[]): boolean {
  return log.some((entry) => entry.direction === "in" && entry.patron_id === shown.patronId && entry.step === shown.step && hasPassed(entry));
}

function isInside(patronId: string, snapshot: Snapshot, log: Entry[]): boolean {
  return effects(snapshot, log).get(patronId) ?? snapshot.inside.includes(patronId);
}

function isHere(patronId: string, snapshot: Snapshot, log: Entry[]): boolean {
  return effects(snapshot, log).get(patronId) ?? snapshot.here.includes(patronId);
}

/** What this door has done since it last asked: who came in, who left. */
function effects(snapshot: Snapshot, log: Entry[]): Map<string, boolean> {
  const since = Date.parse(snapshot.at);
  const found = new Map<string, boolean>();
  for (const entry of log) {
    const known = entry.state === "sent" && entry.answer !== null && Date.parse(entry.answer.received_at) <= since;
    if (!known && hasPassed(entry)) found.set(entry.patron_id, entry.direction === "in");
  }
  return found;
}

function isTooYoung(age: number | null, { age_limit, birth_date_required }: Snapshot): boolean {
  return age === null ? birth_date_required : age < age_limit!;
}

function isOpen({ is_open, closes_at, opens_at }: Snapshot, at: number): boolean {
  if (is_open) return closes_at === null || at < Date.parse(closes_at);
  return opens_at !== null && at >= Date.parse(opens_at);
}

function no(refusal: string, { overridable = false, certain = false } = {}): Verdict {
  return { passed: false, refusal, overridable, certain };
}
