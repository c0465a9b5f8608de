// How this device speaks: it enrols once with a one-time code, and signs every request with its own key.
import { call, Refused } from "../../../../ui/js/wire/api";
import { toBase64url } from "../../../../ui/js/wire/base64url";
import { learnClock, serverNow } from "./clock";
import { dropFact, fact, keepFact, wipe, type Identity } from "./database";
import { inBatches, isAtFault, unsent } from "./log";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;

interface Enrolled extends Omit<Identity, "pair"> {
  now: string;
}

/** This device is no scanner of the house any more, and has forgotten everything. */
export class Gone extends Error {}

/** Become a scanner of the venue that made the code; raises Refused for a code that does not hold. */
export async function enrol(code: string): Promise<Identity> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const asked = performance.now();
  const body = { code: code.trim(), public_key: toBase64url(spki) };
  const { now, ...given } = await call<Enrolled>("/api/devices/enrolment", { method: "POST", body });
  await wipe(null);
  await learnClock(now, performance.now() - asked);
  const identity: Identity = { ...given, pair };
  await keepFact("identity", identity);
  await dropFact("gone");
  return identity;
}

/** A signed call. A device that is not known any more forgets everything. */
export async function signedCall<Answer>(path: string, { method = "GET", body }: { method?: "GET" | "POST"; body?: unknown } = {}): Promise<Answer> {
  try {
    return await inTime<Answer>(path, method, body);
  } catch (error) {
    if (isUnknown(error)) return leave();
    throw error;
  }
}

/** A clock that is wrong is set by the answer, once. */
async function inTime<Answer>(path: string, method: "GET" | "POST", body: unknown): Promise<Answer> {
  try {
    return await send<Answer>(path, method, body);
  } catch (error) {
    if (!(error instanceof Refused) || error.problem.type !== "device-clock-wrong" || !error.problem.now) throw error;
    await learnClock(error.problem.now, 0);
    return send<Answer>(path, method, body);
  }
}

async function send<Answer>(path: string, method: "GET" | "POST", body: unknown): Promise<Answer> {
  const identity = await fact("identity");
  if (!identity) throw new Gone("this device is not enrolled");
  const device = `${identity.tenant_id}.${identity.device_id}`;
  const at = new Date(await serverNow()).toISOString();
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body)));
  const message = ["lastlight-device-v1", method, path, device, at, hex(new Uint8Array(hash))].join("\n");
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, identity.pair.privateKey, new TextEncoder().encode(message));
  const headers = { "x-device": device, "x-device-time": at, "x-device-signature": toBase64url(new Uint8Array(signature)) };
  return call<Answer>(path, { method, body, headers });
}

/** What this device has decided before it was revoked is handed in first: the server takes it for a day. */
async function leave(): Promise<never> {
  const identity = await fact("identity");
  const left = identity ? (await unsent()).length - (await handIn()) : 0;
  if (identity) await wipe({ venue: identity.venue, name: identity.name, unsent: left });
  throw new Gone("the server does not know this device any more");
}

/** How many lines the server has taken; where it can take none just now, it is tried again at the next contact. */
async function handIn(): Promise<number> {
  let taken = 0;
  for (const scans of await inBatches()) taken += await handOver(scans);
  return taken;
}

/** How many of these were taken. One that the server cannot take keeps none of the others from it; after a day it takes none. */
async function handOver(scans: Record<string, unknown>[]): Promise<number> {
  try {
    return (await inTime<{ results: unknown[] }>("/api/door/scans", "POST", { scans })).results.length;
  } catch (error) {
    if (isUnknown(error)) return 0;
    if (!isAtFault(error)) throw error;
  }
  let taken = 0;
  for (const scan of scans.length > 1 ? scans : []) taken += await handOver([scan]);
  return taken;
}

function isUnknown(error: unknown): boolean {
  return error instanceof Refused && error.problem.type === "device-unknown";
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
