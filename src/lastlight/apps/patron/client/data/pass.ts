// The pass for the night: signed by the server, bound to this phone's key, fetched while there is a network and shown without one.
import { call, Refused, Unreachable, type Problem } from "../../../../ui/js/wire/api";
import { canSign, forgetKey, learnClock, registeredKey, registeredKeyId, serverNow, sign } from "./claim";
import { database } from "./database";

export interface NightPass {
  user_id: string;
  tenant_id: string;
  /** The phone's key that the pass is bound to. */
  key_id: string;
  text: string;
  starts_at: number;
  expires_at: number;
  step_ms: number;
}

/** A pass to show, or why there is none. */
export type Held =
  | { at: "ready"; pass: NightPass }
  | { at: "missing" }
  | { at: "over" }
  | { at: "unsigned" }
  | { at: "refused"; problem: Problem };

interface Given {
  text: string;
  starts_at: string;
  expires_at: string;
  step_seconds: number;
  now: string;
}

/** Refusals of the guest, not of the moment: a kept pass goes with them. */
export const BARRED = new Set(["patron-barred", "guest-banned"]);
/** A pass that ends sooner is renewed while there is a network, so that it lasts the night. */
const RENEW_BEFORE_MS = 6 * 3_600_000;

/** The pass of a guest at one business: the kept one while it is good, else a new one. */
export async function holdPass(userId: string, tenantId: string): Promise<Held> {
  if (!canSign()) return { at: "unsigned" };
  const kept = await keptPass(userId, tenantId);
  const left = kept ? kept.expires_at - (await serverNow()) : 0;
  if (kept && left > RENEW_BEFORE_MS) return { at: "ready", pass: kept };
  try {
    return { at: "ready", pass: await fetchPass(userId, tenantId) };
  } catch (error) {
    if (error instanceof Refused && BARRED.has(error.problem.type)) {
      await dropPass(userId, tenantId);
      return { at: "refused", problem: error.problem };
    }
    if (kept && left > 0) return { at: "ready", pass: kept };
    if (error instanceof Unreachable) return { at: kept ? "over" : "missing" };
    if (error instanceof Refused) return { at: "refused", problem: error.problem };
    throw error;
  }
}

/** What the phone shows in a time step: `LL1.{pass}.{step}.{signature}`. */
export async function shownText(pass: NightPass, step: number): Promise<string> {
  const signature = await sign(pass.user_id, `lastlight-pass-v1\n${pass.text}\n${step}`);
  return `LL1.${pass.text}.${step}.${signature}`;
}

/** The kept pass, if it is bound to the key that this phone has now: a pass without its key opens no door. */
async function keptPass(userId: string, tenantId: string): Promise<NightPass | undefined> {
  const kept = await (await database()).get("passes", [userId, tenantId]);
  return kept && kept.key_id === (await registeredKeyId(userId, tenantId)) ? kept : undefined;
}

async function fetchPass(userId: string, tenantId: string, again = true): Promise<NightPass> {
  const key_id = await registeredKey(userId, tenantId);
  const asked = performance.now();
  try {
    const given = await call<Given>("/api/patron/pass", { method: "POST", body: { key_id } });
    await learnClock(given.now, performance.now() - asked);
    const pass: NightPass = {
      user_id: userId,
      tenant_id: tenantId,
      key_id,
      text: given.text,
      starts_at: Date.parse(given.starts_at),
      expires_at: Date.parse(given.expires_at),
      step_ms: given.step_seconds * 1000,
    };
    await database()
      .then((store) => store.put("passes", pass))
      .catch(() => undefined); // a phone without room shows it for as long as the page is open
    return pass;
  } catch (error) {
    // The key was revoked from another phone: this one becomes a new phone.
    if (!again || !(error instanceof Refused) || error.problem.type !== "phone-key-unknown") throw error;
    await forgetKey(userId);
    return fetchPass(userId, tenantId, false);
  }
}

export async function dropPass(userId: string, tenantId: string): Promise<void> {
  await (await database()).delete("passes", [userId, tenantId]);
}
