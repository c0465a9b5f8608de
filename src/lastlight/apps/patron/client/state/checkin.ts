// From a scanned text to an outcome that a person can act on: checked in, saved on this phone, or refused and why.
import { signal } from "@preact/signals";
import { gettext as _ } from "../../../../ui/js/i18n";
import { call, Refused, Unreachable } from "../../../../ui/js/wire/api";
import { serverNow } from "../data/claim";
import { readCode, type VenueCode } from "../data/code";
import type { Command } from "../data/database";
import { find, isUnkept } from "../data/kept";
import { dismiss, enqueue } from "../data/outbox";
import type { Charged, CodePlace, Position, Problem } from "../data/types";
import { online } from "./device";
import { home, me, pullAnew, send, sync } from "./night";
import { locate } from "./position";
import { go, scannedOutside } from "./route";
import { switchTo } from "./account";

export type Flow =
  | { step: "idle" }
  | { step: "working"; doing: "checking" | "locating" | "joining" | "leaving" }
  | { step: "offer"; code: VenueCode; place: CodePlace; claimedAt?: string }
  | { step: "position"; code: VenueCode; why: "denied" | "unavailable" | "unsupported"; claimedAt?: string }
  | { step: "done"; venueName: string | null; charged: Charged | null }
  | { step: "left" }
  | { step: "saved"; kind: Command["kind"]; venueName: string | null }
  | { step: "unkept"; kind: Command["kind"] }
  | { step: "refused"; problem: Problem; kind: Command["kind"] };

export const flow = signal<Flow>({ step: "idle" });

const notOurs = (): Problem => ({
  type: "code-malformed",
  title: _("This is not a check-in code"),
  detail: _("Scan the code on the venue's screen or poster."),
  status: 422,
});
const NEEDS_POSITION = new Set(["position-required", "position-imprecise"]);

/** A scan that had to wait for its guest counts from when it was made, but not from longer ago: a new phone's key proves no more. */
const WAITS_MS = 4 * 60_000;

/** Check in with what was scanned, typed or read from a picture; `at` is when, by this phone, where that was not just now. */
export async function checkIn(scanned: string, at?: number): Promise<void> {
  const code = readCode(scanned);
  const waited = at === undefined ? 0 : Date.now() - at;
  const claimedAt = waited > 0 && waited < WAITS_MS ? new Date((await serverNow()) - waited).toISOString() : undefined;
  if (!code) return refuse(notOurs(), "checkin");
  flow.value = { step: "working", doing: "checking" };
  const place = await placeElsewhere(code);
  if (place) flow.value = { step: "offer", code, place, claimedAt };
  else if (me.value?.kind !== "patron") refuse(await notHere(), "checkin");
  else await arrive(code, { claimedAt });
}

/** Go on with the code that another app opened us with, once its guest has signed in; whether there was one. */
export async function checkInScanned(): Promise<boolean> {
  const scanned = scannedOutside.value;
  if (!scanned) return false;
  scannedOutside.value = null;
  go("home", { replace: true });
  await checkIn(scanned.text, scanned.at);
  return true;
}

/** Become a guest of the business whose code was scanned, or switch to it, then check in there. */
export async function joinAndCheckIn(code: VenueCode, place: CodePlace, claimedAt?: string): Promise<void> {
  flow.value = { step: "working", doing: "joining" };
  try {
    await switchTo(place.tenant.slug);
    await arrive(code, { claimedAt });
  } catch (error) {
    refuse(problemOf(error), "checkin");
  }
}

/** Try again with the position that was missing, as of the moment of the scan. */
export function tryPositionAgain(code: VenueCode, claimedAt?: string): Promise<void> {
  return arrive(code, { wanted: true, claimedAt });
}

/** A command that was refused for want of a position, found later in the list: the same scan, with a position, as a new command. */
export async function retryWithPosition(command: Command): Promise<void> {
  const code = readCode(command.body.code ?? "");
  if (!code) return;
  const claimedAt = command.body.claimed_at;
  await dismiss(command.id);
  await arrive(code, { wanted: true, claimedAt });
}

export async function checkOut(): Promise<void> {
  const person = whoAmI();
  if (!person) return;
  flow.value = { step: "working", doing: "leaving" };
  const { id } = await enqueue(person, { kind: "checkout", subject: "checkout", venueId: null, venueName: null });
  await send();
  void pullAnew();
  const after = await find(id);
  if (!after) flow.value = { step: "left" };
  else if (after.state === "queued") flow.value = isUnkept(id) ? { step: "unkept", kind: "checkout" } : { step: "saved", kind: "checkout", venueName: null };
  else {
    await dismiss(id);
    if (after.problem?.type === "no-open-visit") flow.value = { step: "left" };
    else refuse(after.problem ?? notOurs(), "checkout");
  }
}

export function finish(): void {
  flow.value = { step: "idle" };
}

interface Arrival {
  wanted?: boolean;
  claimedAt?: string;
}

async function arrive(code: VenueCode, { wanted = false, claimedAt }: Arrival = {}): Promise<void> {
  const person = whoAmI();
  if (!person) return refuse(await notHere(), "checkin");
  const venue = home.value?.venues.find((known) => known.id === code.venueId);
  let position: Position | null = null;
  if (wanted || code.kind === "poster" || venue?.position_policy === "required") {
    flow.value = { step: "working", doing: "locating" };
    const located = await locate();
    if ("failed" in located) {
      flow.value = { step: "position", code, why: located.failed, claimedAt };
      return;
    }
    position = located.position;
  }
  flow.value = { step: "working", doing: "checking" };
  const venueName = venue?.name ?? null;
  const command = await enqueue(person, { kind: "checkin", subject: code.text, position, venueId: code.venueId, venueName, claimedAt });
  await send();
  await conclude(command, code, position !== null);
  void pullAnew();
}

/** What became of the command: gone means done, queued means saved, rejected says why. */
async function conclude(command: Command, code: VenueCode, hadPosition: boolean): Promise<void> {
  const after = await find(command.id);
  if (!after) {
    flow.value = { step: "done", venueName: home.value?.visit?.venue ?? command.venue_name, charged: home.value?.charged ?? null };
  } else if (after.state === "queued") {
    flow.value = isUnkept(command.id) ? { step: "unkept", kind: "checkin" } : { step: "saved", kind: "checkin", venueName: command.venue_name };
  } else {
    const problem = after.problem ?? notOurs();
    await dismiss(command.id);
    if (NEEDS_POSITION.has(problem.type) && !hadPosition) {
      await arrive(code, { wanted: true, claimedAt: command.body.claimed_at });
    } else refuse(problem, "checkin");
  }
}

/** Where a genuine code belongs, when that is not the business that this person is with now. */
async function placeElsewhere(code: VenueCode): Promise<CodePlace | null> {
  const here = me.value?.kind === "patron" ? me.value.tenant : null;
  if (here && (!online.value || home.value?.venues.some((venue) => venue.id === code.venueId))) return null;
  try {
    const place = await call<CodePlace>(`/api/codes/${encodeURIComponent(code.text)}`);
    return here && place.tenant.id === here.id ? null : place;
  } catch (error) {
    // The server does not vouch for it, or does not answer: the check-in itself will say what is wrong.
    if (error instanceof Refused || error instanceof Unreachable) return null;
    throw error;
  }
}

function whoAmI(): { userId: string; tenantId: string } | null {
  const person = me.value;
  if (!person?.tenant || person.kind !== "patron") return null;
  return { userId: person.user_id, tenantId: person.tenant.id };
}

async function notHere(): Promise<Problem> {
  await sync();
  return online.value
    ? { type: "code-unknown", status: 422, title: _("This code belongs to no venue"), detail: _("Scan the code that the venue's screen shows now.") }
    : { type: "offline", status: 0, title: _("You need signal the first time"), detail: _("You are not a guest of this business yet. Scan again when you have signal.") };
}

function refuse(problem: Problem, kind: Command["kind"]): void {
  flow.value = { step: "refused", problem, kind };
}

function problemOf(error: unknown): Problem {
  if (error instanceof Refused) return error.problem;
  return { type: "offline", status: 0, title: _("No connection"), detail: _("Last Light did not answer. Nothing was changed; try again.") };
}
