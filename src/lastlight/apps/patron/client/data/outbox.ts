// Commands are written to the phone first and sent after: in order, once, whoever of the page and the service worker is first.
import { call, isLater, Refused } from "../../../../ui/js/wire/api";
import { claimText, registeredKey, serverNow, sign } from "./claim";
import { database, fact, keepFact, type Command, type CommandBody } from "./database";
import { change, commandsOf, drop, forget, unkept, write, writeAgain } from "./kept";
import type { CheckedIn, Home, Me, Position, Problem, Visit } from "./types";
import { lasts, pauseFor } from "../../../../ui/js/wire/pause";
import { askForSync, tabs } from "../../../../ui/js/wire/tabs";
import { uuid7 } from "../../../../ui/js/wire/uuid";

export const SYNC_TAG = "last-light-outbox";
const LOCK = "last-light-outbox";
/** Hear of every change to the outbox, from whichever tab or worker. */
export const { onChange, announce } = tabs("last-light-outbox");
/** These say nothing about the command either. */
const LATER_TYPES = new Set(["not-signed-in", "session-ended", "token-expired", "token-invalid"]);
const IDENTITY_FOR_MS = 30_000;

export type Stop = "nothing" | "unreachable" | "server" | "wait" | "signed-out" | "someone-else";
export interface Report {
  sent: string[];
  /** Those of them that an earlier try had left on the phone. */
  late: number;
  rejected: string[];
  stop: Stop;
}

export interface Person {
  userId: string;
  tenantId: string;
}

interface Draft {
  kind: Command["kind"];
  /** The code's text; a check-out signs the word `checkout` in its place, an answer what it answers. */
  subject: string;
  /** What an answer says, and to which question. */
  said?: { url: string; answer: "fine" | "help"; note: string };
  /** What a call for help says; it proves no time, and signs nothing. */
  help?: Pick<CommandBody, "about" | "place" | "note" | "quiet">;
  position?: Position | null;
  venueId: string | null;
  venueName: string | null;
  /** The claimed time of a command that this one replaces. */
  claimedAt?: string;
}

const URLS = { checkin: "/api/checkin/verify", checkout: "/api/checkout", help: "/api/patron/help" } as const;
let lastTurn: Promise<unknown> = Promise.resolve();
let identity = { userId: "", tenantId: "", at: 0 };

/** Write a command down, signed; the time it claims is now by the server's clock. A phone without room has it in memory: `isUnkept`. */
export async function enqueue(person: Person, draft: Draft): Promise<Command> {
  const id = uuid7();
  const claimedAt = draft.claimedAt ?? new Date(await serverNow()).toISOString();
  const body: CommandBody = draft.kind === "checkin" ? { code: draft.subject } : {};
  if (draft.said) Object.assign(body, { answer: draft.said.answer, note: draft.said.note });
  if (draft.position) body.position = draft.position;
  if (draft.help) Object.assign(body, draft.help, { pressed_at: claimedAt });
  else body.claimed_at = claimedAt;
  const command: Command = {
    id,
    user_id: person.userId,
    tenant_id: person.tenantId,
    kind: draft.kind,
    url: draft.said?.url ?? URLS[draft.kind as keyof typeof URLS],
    body,
    signature: draft.help ? null : await signed(person.userId, claimText(draft.subject, claimedAt, id)),
    at: Date.parse(claimedAt),
    venue_id: draft.venueId,
    venue_name: draft.venueName,
    tries: 0,
    state: "queued",
  };
  await write(command);
  announce();
  await askForSync(SYNC_TAG);
  return command;
}

/** A phone that cannot keep its key signs nothing: then the command counts from when the server gets it. */
function signed(userId: string, text: string): Promise<string | null> {
  return sign(userId, text).catch(() => null);
}

export async function dismiss(id: string): Promise<void> {
  await drop(id);
  announce();
}

/** One flusher at a time, over all tabs and the worker; what is being sent is never sent twice at once. */
export function flush(): Promise<Report> {
  return alone(async () => {
    const report: Report = { sent: [], late: 0, rejected: [], stop: "nothing" };
    await writeAgain();
    const userId = (await fact("person").catch(() => undefined)) ?? unkept()[0]?.user_id;
    if (!userId) return report;
    const queued = (await commandsOf(userId)).filter((command) => command.state === "queued");
    if (!queued.length) return report;
    const held = lasts(await fact("pause").catch(() => undefined));
    // A call for help waits for nobody: not for the time that the server asked for, nor behind what it would not take now.
    const turn = held ? queued.filter((command) => command.kind === "help") : queued;
    if (!turn.length) return { ...report, stop: "wait" };
    for (const command of turn.sort(byId)) {
      report.stop = await send(command, report);
      if (report.stop !== "nothing") break;
    }
    announce();
    return report;
  });
}

/** While nothing is being sent. Where the browser has no locks (a page that is not secure) there is no worker either, and each page takes its own turn. */
export function alone<Result>(work: () => Promise<Result>): Promise<Result> {
  if (globalThis.navigator.locks) return navigator.locks.request(LOCK, work);
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => undefined);
  return turn;
}

/** Sort commands as they are sent. */
export function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

async function send(command: Command, report: Report): Promise<Stop> {
  try {
    if (!(await isStillThem(command))) return "someone-else";
    const body = await withProof(command);
    const answer = await call<CheckedIn | Visit | null>(command.url, {
      method: "POST",
      body,
      headers: { "idempotency-key": command.id },
    });
    await settle(command, answer);
    report.sent.push(command.id);
    if (command.tries) report.late += 1;
    return "nothing";
  } catch (error) {
    if (!(error instanceof Refused)) return again(command, "unreachable");
    return refused(command, error, report);
  }
}

async function refused(command: Command, { problem, retryAfterMs }: Refused, report: Report): Promise<Stop> {
  if (isLater(problem) || LATER_TYPES.has(problem.type) || problem.status === 401) {
    if (retryAfterMs) await keepFact("pause", pauseFor(retryAfterMs));
    identity.at = 0;
    return again(command, problem.status === 401 ? "signed-out" : "server");
  }
  await reject(command, problem);
  report.rejected.push(command.id);
  return "nothing";
}

async function again(command: Command, stop: Stop): Promise<Stop> {
  await change(command.id, (now) => ({ ...now, tries: now.tries + 1 }));
  return stop;
}

async function reject(command: Command, problem: Problem): Promise<void> {
  await change(command.id, (now) => ({ ...now, state: "rejected", problem }));
}

/** The cookie may belong to somebody else by now: then nothing of this person's is sent. */
async function isStillThem(command: Command): Promise<boolean> {
  if (Date.now() - identity.at > IDENTITY_FOR_MS) {
    const me = await call<Me>("/api/me");
    rememberIdentity(me);
  }
  return identity.userId === command.user_id && identity.tenantId === command.tenant_id;
}

export function rememberIdentity(me: Me): void {
  identity = { userId: me.user_id, tenantId: me.kind === "patron" ? (me.tenant?.id ?? "") : "", at: Date.now() };
}

export function forgetIdentity(): void {
  identity.at = 0;
}

/** The body is completed once, and kept as it was sent: a repeat must be the same. */
async function withProof(command: Command): Promise<CommandBody> {
  if (command.body.proof || !command.signature) return command.body;
  const key_id = await registeredKey(command.user_id, command.tenant_id);
  const body = { ...command.body, proof: { key_id, signature: command.signature } };
  await change(command.id, (now) => ({ ...now, body }));
  return body;
}

async function settle(command: Command, answer: CheckedIn | Visit | null): Promise<void> {
  forget(command.id, await note(command, answer).then(() => true, () => false));
}

/** What the server answered becomes part of what is shown, in the same transaction that drops the command. */
async function note(command: Command, answer: CheckedIn | Visit | null): Promise<void> {
  const transaction = (await database()).transaction(["commands", "snapshots"], "readwrite");
  const snapshots = transaction.objectStore("snapshots");
  const snapshot = await snapshots.get(command.user_id);
  if (snapshot?.home && snapshot.home.tenant.id === command.tenant_id && (command.kind === "checkin" || command.kind === "checkout")) {
    const arrived = command.kind === "checkin" ? (answer as CheckedIn | null) : null;
    const home: Home = { ...snapshot.home, visit: arrived?.visit ?? null, charged: arrived?.charge };
    await snapshots.put({ ...snapshot, home });
  }
  await transaction.objectStore("commands").delete(command.id);
  await transaction.done;
}
