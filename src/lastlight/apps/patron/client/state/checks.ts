// Safety checks: staff ask whether all is well. The answer is written to the phone first, signed, and sent as every action is.
import { computed, effect, signal } from "@preact/signals";
import { enqueue } from "../data/outbox";
import type { SafetyCheck } from "../data/types";
import { commands, me, sync, told } from "./night";

const asked = signal<SafetyCheck | null>(null);
/** Those that were answered on this phone, before the server says so. */
const answered = signal<ReadonlySet<string>>(new Set());
/** This person has called for help: what became of it stays in sight until they put it away. */
export const helpCalled = signal<string | null>(null);

/** The question that waits for an answer. */
export const openCheck = computed<SafetyCheck | null>(() => {
  const check = asked.value;
  if (!check || answered.value.has(check.id)) return null;
  return commands.value.some((command) => command.url === urlOf(check.id)) ? null : check;
});

/** Whether the call for help still waits on this phone. */
export const helpWaits = computed(() => commands.value.some((command) => command.state === "queued" && command.url === urlOf(helpCalled.value ?? "")));

export async function answerCheck(check: SafetyCheck, answer: "fine" | "help", note: string): Promise<void> {
  const person = me.value;
  if (!person?.tenant) return;
  answered.value = new Set([...answered.value, check.id]);
  if (answer === "help") helpCalled.value = check.id;
  const said = { url: urlOf(check.id), answer, note: note.trim() };
  const subject = `safety-check/${check.id}/${answer}`;
  await enqueue({ userId: person.user_id, tenantId: person.tenant.id }, { kind: "answer", subject, said, venueId: check.venue_id, venueName: check.venue });
  await sync();
}

/** They come with the night, whenever it is asked for: a signal from the server, the network, the clock. */
export function watchChecks(): void {
  effect(() => {
    const found = told.value?.checks;
    if (found) asked.value = found.find((check) => check.answer === null && check.missed_at === null) ?? null;
  });
}

function urlOf(id: string): string {
  return `/api/patron/safety-checks/${id}/answer`;
}
