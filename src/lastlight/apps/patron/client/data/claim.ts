// The phone vouches for the time of a check-in: it signs code, time and key of the command with a key that cannot leave it.
import { call } from "../../../../ui/js/wire/api";
import { toBase64url } from "../../../../ui/js/wire/base64url";
import { serverClock } from "../../../../ui/js/wire/clock";
import { dropKey, fact, keepFact, keepKey, keyOf, type SigningKey } from "./database";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;

export const { serverNow, learnClock } = serverClock({ read: () => fact("clock_ahead"), keep: (ahead) => keepFact("clock_ahead", ahead) });

/** What is signed: the server builds the same text. */
export function claimText(subject: string, claimedAt: string, commandId: string): string {
  return `lastlight-claim-v1\n${subject}\n${claimedAt}\n${commandId}`;
}

/** The signature, or null where the browser signs for secure pages only and this is none: then only the server's clock counts. */
export async function sign(userId: string, text: string): Promise<string | null> {
  if (!canSign()) return null;
  const { pair } = await signingKey(userId);
  const bytes = new TextEncoder().encode(text);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, bytes);
  return toBase64url(new Uint8Array(signature));
}

export function canSign(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

/** The id by which a tenant knows this phone's key; registers it when it does not yet. */
export async function registeredKey(userId: string, tenantId: string): Promise<string> {
  const key = await signingKey(userId);
  const known = key.registered[tenantId];
  if (known) return known;
  const spki = await crypto.subtle.exportKey("spki", key.pair.publicKey);
  const body = { public_key: toBase64url(new Uint8Array(spki)), label: deviceLabel() };
  const { id } = await call<{ id: string }>("/api/patron/keys", { method: "POST", body });
  const newest = await signingKey(userId);
  await keepKey({ ...newest, registered: { ...newest.registered, [tenantId]: id } });
  return id;
}

/** The same, as far as this phone remembers it. */
export async function registeredKeyId(userId: string, tenantId: string): Promise<string | undefined> {
  return (await keyOf(userId))?.registered[tenantId];
}

/** A key that the server does not take any more: the next use makes a new one. */
export async function forgetKey(userId: string): Promise<void> {
  await dropKey(userId);
}

async function signingKey(userId: string): Promise<SigningKey> {
  const known = await keyOf(userId);
  if (known) return known;
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  return keepKey({ user_id: userId, pair, registered: {} }, { anew: true });
}

/** Words that let a person recognise this phone in a list. */
export function deviceLabel(): string {
  const agent = navigator.userAgent;
  const system = ["iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux"].find((name) => agent.includes(name));
  const browser = ["Firefox", "Edg", "OPR", "SamsungBrowser", "Chrome", "Safari"].find((name) => agent.includes(name));
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera", SamsungBrowser: "Samsung Internet", Macintosh: "Mac", CrOS: "ChromeOS" };
  return [browser, system].map((name) => (name ? (names[name] ?? name) : "")).filter(Boolean).join(" on ") || "Browser";
}
