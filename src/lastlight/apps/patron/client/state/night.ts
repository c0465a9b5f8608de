// What the screens show: the server's last word on this person, with the commands that it has not heard yet on top.
import { batch, computed, signal } from "@preact/signals";
import { call, Refused, Unreachable } from "../../../../ui/js/wire/api";
import { canSign, learnClock, registeredKey } from "../data/claim";
import { database, fact, keepFact, wipe, type Command, type Snapshot } from "../data/database";
import { commandsOf, countUnkept, wipeMemory } from "../data/kept";
import { alone, byId, flush, forgetIdentity, onChange, rememberIdentity, type Report } from "../data/outbox";
import { BARRED } from "../data/pass";
import type { Home, Me, Problem, Start } from "../data/types";
import { applyPreferences, online } from "./device";
import { held, showPass, takePassAway } from "./pass";

export type Standing = "opening" | "signed-out" | "signed-in";

export const standing = signal<Standing>("opening");
export const me = signal<Me | null>(null);
export const home = signal<Home | null>(null);
export const commands = signal<Command[]>([]);
/** Why the server would not show this person's night, when it would not. */
export const trouble = signal<Problem | null>(null);
export const justSent = signal(0);
/** The session ended while commands wait: they are kept until this person signs in again. */
export const mustSignIn = signal(false);
export const now = signal(Date.now());
export const savedAt = signal<number | null>(null);
/** The server's last answer, and when it came: what it says of help, checks and bookings is taken from here. */
export const told = signal<(Start & { at: number }) | null>(null);

/** How many commands only this page knows of: the phone could not keep them. */
export const unkept = signal(0);

export const queued = computed(() => commands.value.filter((command) => command.state === "queued"));
export const rejected = computed(() => commands.value.filter((command) => command.state === "rejected"));

export interface Present {
  venueId: string | null;
  venueName: string | null;
  since: number;
  timesOutAt: number | null;
  /** Only this phone knows of it so far. */
  saved: boolean;
}

/** Where this person is, as far as anybody knows. */
export const present = computed<Present | null>(() => {
  const visit = home.value?.visit;
  // Without a network nobody says that it has timed out.
  const lasts = visit && (online.value || Date.parse(visit.times_out_at) > now.value);
  let found: Present | null = lasts
    ? { venueId: visit.venue_id, venueName: visit.venue, since: Date.parse(visit.opened_at), timesOutAt: Date.parse(visit.times_out_at), saved: false }
    : null;
  for (const command of queued.value) {
    if (command.kind !== "checkin" && command.kind !== "checkout") continue;
    // Its first try is still under way: the answer is a moment off.
    if (!command.tries && online.value) continue;
    if (command.kind === "checkout") found = null;
    else found = { venueId: command.venue_id, venueName: command.venue_name, since: command.at, timesOutAt: null, saved: true };
  }
  return found;
});

const SENT_SHOWN_MS = 6_000;
const NOTHING: Start = { me: null, home: null, help: null, checks: null, bookings: null, credits: null };
let pulling: Promise<void> | null = null;
let underWay: Promise<unknown> = Promise.resolve();
let leaving = false;

/** Show what the phone remembers, at once and without a network. */
export async function remember(): Promise<void> {
  const person = await fact("person");
  const snapshot = person ? await (await database()).get("snapshots", person) : undefined;
  if (snapshot) {
    show(snapshot);
    await applyPreferences(snapshot.me.preferences);
  }
  await readCommands();
  onChange(() => void readCommands());
}

/** Send what waits, then ask for the night anew. */
export function sync(): Promise<Report> {
  const done = send().then((report) => pullAnew().then(() => report));
  underWay = done.catch(() => undefined);
  return done;
}

/** Once the sending and asking that is under way has come to its end. */
export function settled(): Promise<unknown> {
  return underWay;
}

/** Send what waits; the screens show at once what became of it. */
export async function send(): Promise<Report> {
  const report = await flush();
  if (report.late) showSent(report.late);
  if (report.stop === "signed-out") mustSignIn.value = true;
  if (report.stop === "unreachable") online.value = false;
  await readCommands();
  return report;
}

/** Ask the server who this is and how the night stands. Never more than one such question at a time. */
export function pull({ entered = false } = {}): Promise<void> {
  if (leaving) return Promise.resolve();
  pulling ??= ask(entered).finally(() => (pulling = null));
  return pulling;
}

/** Ask again after a change: a question that was under way before it may bring the old answer. */
export async function pullAnew(how: { entered?: boolean } = {}): Promise<void> {
  await pulling;
  await pull(how);
}

/** Work during which no answer of the server is written to the phone any more. */
export async function quietly(work: () => Promise<void>): Promise<void> {
  leaving = true;
  try {
    await pulling;
    await alone(work);
  } finally {
    leaving = false;
  }
}

export async function readCommands(): Promise<void> {
  const person = (await fact("person").catch(() => undefined)) ?? me.value?.user_id;
  const found = person ? (await commandsOf(person)).sort(byId) : [];
  const kept = person ? await database().then((store) => store.get("snapshots", person)).catch(() => undefined) : undefined;
  batch(() => {
    commands.value = found;
    unkept.value = countUnkept();
    if (kept?.home && standing.value === "signed-in") home.value = kept.home;
  });
}

export function signedOut(): void {
  forgetIdentity();
  batch(() => {
    me.value = null;
    home.value = null;
    commands.value = [];
    told.value = null;
    mustSignIn.value = false;
    trouble.value = null;
    standing.value = "signed-out";
  });
}

async function ask(entered: boolean): Promise<void> {
  try {
    let [start, took] = await timed<Start>("/api/patron/start").catch(inParts);
    if (start !== NOTHING && !start.me && !me.value && !entered) {
      online.value = true;
      return signedOut();
    }
    const person = start.me ?? (await call<Me>("/api/me"));
    rememberIdentity(person);
    if (!start.home && isAnother(person)) await keep(person, null);
    let night = start.home;
    if (!night && person.kind === "patron") [night, took] = await timed<Home>("/api/patron/home");
    await keep(person, night, start);
    batch(() => {
      online.value = true;
      trouble.value = null;
      mustSignIn.value = false;
    });
    if (night) await preparePhone(person, night, took);
  } catch (error) {
    if (error instanceof Unreachable) return lost();
    if (!(error instanceof Refused)) throw error;
    online.value = true;
    await turnedAway(error.problem);
  }
}

/** Where the server cannot give all at once, whom the phone does not know yet is at least told what it can; an older one knows only the parts. */
function inParts(error: unknown): [Start, number] {
  const status = error instanceof Refused ? error.problem.status : error instanceof Unreachable ? error.status : 0;
  if (status !== 404 && (me.value || status < 500)) throw error;
  return [NOTHING, 0];
}

/** An answer, and how many milliseconds it took. */
async function timed<Answer>(path: string): Promise<[Answer, number]> {
  const asked = performance.now();
  const answer = await call<Answer>(path);
  return [answer, performance.now() - asked];
}

/** Somebody else than is shown, or the same guest of another business. */
function isAnother(person: Me): boolean {
  return me.value?.user_id !== person.user_id || me.value.tenant?.id !== person.tenant?.id;
}

/** Without an answer the phone's own memory stands; a person it knows stays signed in. */
function lost(): void {
  batch(() => {
    online.value = false;
    if (standing.value === "opening") standing.value = "signed-out";
  });
}

async function turnedAway(problem: Problem): Promise<void> {
  forgetIdentity();
  if (problem.status !== 401) {
    trouble.value = problem;
    const person = me.value;
    if (person?.tenant && BARRED.has(problem.type)) await takePassAway(person.user_id, person.tenant.id, problem);
    if (standing.value === "opening") standing.value = "signed-out";
    return;
  }
  await readCommands();
  if (commands.value.length && me.value) {
    mustSignIn.value = true;
    return;
  }
  const gone = me.value?.user_id;
  if (gone) {
    wipeMemory(gone);
    await alone(() => wipe(gone));
  }
  signedOut();
}

async function keep(person: Me, night: Home | null, start: Start | null = null): Promise<void> {
  const snapshot: Snapshot = { user_id: person.user_id, me: person, home: night, saved_at: Date.now() };
  const before = await fact("person").catch(() => undefined);
  const store = await database().catch(() => null);
  // What the phone has no room for is shown all the same.
  await store?.put("snapshots", snapshot).catch(() => undefined);
  if (before !== person.user_id) {
    await keepFact("person", person.user_id);
    if (before) await store?.delete("snapshots", before).catch(() => undefined);
    await readCommands();
  }
  show(snapshot, start);
  await applyPreferences(person.preferences);
}

/** So that a night needs no network: the clock, a key that the server knows, and the pass that is bound to it. */
async function preparePhone(person: Me, night: Home, took: number): Promise<void> {
  await learnClock(night.now, took);
  if (!canSign()) return;
  await registeredKey(person.user_id, night.tenant.id).catch(() => undefined);
  if (held.value?.at !== "refused") void showPass(person.user_id, night.tenant.id);
}

function show(snapshot: Snapshot, start: Start | null = null): void {
  batch(() => {
    me.value = snapshot.me;
    home.value = snapshot.home;
    savedAt.value = snapshot.saved_at;
    standing.value = "signed-in";
    if (start) told.value = { ...start, at: Date.now() };
  });
}

function showSent(count: number): void {
  justSent.value = count;
  setTimeout(() => (justSent.value = 0), SENT_SHOWN_MS);
}
