// A command that must be done once, however often it is sent: until its answer is known it keeps its key, and is the same command.
import { gettext as _ } from "../i18n";
import { call, isOpen, Refused } from "./api";
import { late } from "./late";
import { uuid7 } from "./uuid";

const PAUSE_MS = 1_000;
/** The keys of commands whose answers are not known, by what they say. */
const open = new Map<string, string>();

/** Send a command; where its answer is lost or leaves open whether it was done, once more by itself. The same again has the same key. */
export async function once<Answer>(path: string, body: unknown): Promise<Answer> {
  try {
    return await keyed<Answer>(path, body);
  } catch (error) {
    if (!isOpen(error)) throw error;
    await late(PAUSE_MS);
    return keyed<Answer>(path, body);
  }
}

/** Send it this one time, for who cannot wait; the same again has the same key. */
export async function keyed<Answer>(path: string, body: unknown): Promise<Answer> {
  const words = JSON.stringify([path, body]);
  const key = open.get(words) ?? uuid7();
  open.set(words, key);
  let known = true;
  try {
    return await call<Answer>(path, { method: "POST", body, headers: { "idempotency-key": key } });
  } catch (error) {
    known = !isOpen(error);
    throw reassured(error);
  } finally {
    if (known) open.delete(words);
  }
}

/** Nobody has to look first whether a command was done that has its key: sent again, it is done once. */
function reassured(error: unknown): unknown {
  if (!(error instanceof Refused) || error.problem.type !== "outcome-unknown") return error;
  return new Refused({ ...error.problem, detail: _("Send it again as it is: it is done only once.") }, error.retryAfterMs);
}
