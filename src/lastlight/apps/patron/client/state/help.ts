// A guest who is in calls for help. The call is written to the phone first and sent as every action is; what became of it is read live.
import { computed, effect, signal, untracked } from "@preact/signals";
import { call as ask } from "../../../../ui/js/wire/api";
import { dismiss, enqueue } from "../data/outbox";
import { fact, keepFact } from "../data/database";
import type { HelpCall, HelpState, Problem } from "../data/types";
import { recall, remember } from "./answer";
import { online } from "./device";
import { commands, me, present, pullAnew, standing, sync, told } from "./night";
import { locate } from "./position";

const PATH = "/api/patron/help";
const COUNTED_AS_SENDING_MS = 4_000;

export type About = NonNullable<HelpCall["about"]>;

export interface Said {
  about: About | null;
  place: string;
  note: string;
}

/** How a call stands: on this phone, on its way, refused, or as the server says. */
export type Help =
  | { at: "sending" | "unsent"; quiet: boolean }
  | { at: "refused"; quiet: boolean; id: string; problem: Problem | undefined }
  | { at: HelpCall["status"]; quiet: boolean; call: HelpCall };

const known = signal<HelpState>({ offered: false, call: null });
const seen = signal("");
const slow = signal(false);
export const quiet = signal(false);
export const sheetOpen = signal(false);

/** The button stands for who is in, where the business offers it; a call that stands keeps it. */
export const helpOffered = computed(() => (known.value.offered && present.value !== null) || help.value !== null);

export const help = computed<Help | null>(() => {
  const mine = commands.value.filter((command) => command.kind === "help");
  const open = known.value.call && !known.value.call.ended_at ? known.value.call : null;
  const refused = mine.find((command) => command.state === "rejected");
  if (refused) return { at: "refused", quiet: !!refused.body.quiet, id: refused.id, problem: refused.problem };
  const waits = mine.find((command) => command.state === "queued");
  // What is said besides, of a call that has been heard already, may wait without a word.
  if (waits && !open) return { at: slow.value || !online.value || waits.tries ? "unsent" : "sending", quiet: !!waits.body.quiet };
  const last = open ?? known.value.call;
  if (!last || (last.ended_at && seen.value === last.id)) return null;
  return { at: last.status, quiet: last.quiet, call: last };
});

/** Call for help now; what is wrong and where may be said with it or after. */
export async function callForHelp(said: Said, shareQuietly: boolean, position: boolean): Promise<void> {
  navigator.vibrate?.(shareQuietly ? 30 : [60, 40, 120]);
  slow.value = false;
  window.setTimeout(() => (slow.value = true), COUNTED_AS_SENDING_MS);
  await send(said, shareQuietly);
  if (!position) return;
  const where = await locate(); // the call does not wait for it
  if ("position" in where) await send(said, shareQuietly, where.position);
}

async function send(said: Said, shareQuietly: boolean, position?: { lat: number; lon: number; accuracy_m: number }): Promise<void> {
  const person = me.value;
  if (!person?.tenant) return;
  const here = present.value;
  const body = { about: said.about, place: said.place.trim(), note: said.note.trim(), quiet: shareQuietly };
  await enqueue(
    { userId: person.user_id, tenantId: person.tenant.id },
    { kind: "help", subject: "", help: body, position, venueId: here?.venueId ?? null, venueName: here?.venueName ?? null },
  );
  await sync();
}

/** The guest needs no help any more. */
export async function withdraw(id: string): Promise<void> {
  const call = await ask<HelpCall>(`${PATH}/${id}/withdrawal`, { method: "POST" });
  known.value = { ...known.value, call };
  await pullAnew();
}

/** Put away what was refused or is over. */
export async function putAway(): Promise<void> {
  const now = help.value;
  if (now?.at === "refused") await dismiss(now.id);
  if (now && "call" in now && now.call.ended_at) {
    seen.value = now.call.id;
    await keepFact("help_seen", now.call.id);
  }
  sheetOpen.value = false;
}

export async function setQuiet(wanted: boolean): Promise<void> {
  quiet.value = wanted;
  await keepFact("help_quiet", wanted);
}

/** It comes with the night, whenever that is asked for: a signal from the server, the network, the clock. Without a network the phone's memory stands. */
export function watchHelp(): void {
  void Promise.all([fact("help_quiet"), fact("help_seen")]).then(([chosen, put]) => {
    quiet.value = chosen ?? false;
    seen.value = put ?? "";
  });
  effect(() => {
    const person = me.value;
    if (standing.value !== "signed-in" || person?.kind !== "patron") known.value = { offered: false, call: null };
    else void recall<HelpState>(person.user_id, PATH).then((kept) => kept && !savedNow() && (known.value = kept.answer));
  });
  effect(() => {
    const start = told.value;
    if (start?.me?.kind === "patron") untracked(() => hear(start.me!.user_id, start.help));
  });
}

let asked = false;
const savedNow = (): boolean => asked;

/** Left out where the business has switched its safety module off: nobody would hear. */
function hear(person: string, found: HelpState | null): void {
  asked = true;
  known.value = found ?? { offered: false, call: null };
  void remember(person, PATH, known.value);
}
