// Signing in and out, joining and switching businesses; leaving takes everything off this phone.
import { refusal as passkeyRefusal, showPasskey, type Request as PasskeyRequest } from "../../../../ui/js/passkeys";
import { gettext as _ } from "../../../../ui/js/i18n";
import { call, Refused } from "../../../../ui/js/wire/api";
import { fact, keyOf, wipe } from "../data/database";
import { deviceLabel } from "../data/claim";
import { commandsOf, wipeMemory } from "../data/kept";
import { flush, forgetIdentity } from "../data/outbox";
import type { Preferences, SignedInSession } from "../data/types";
import { applyPreferences } from "./device";
import { startListening, stopListening } from "./heartbeat";
import { me, mustSignIn, pullAnew, quietly, readCommands, signedOut, sync } from "./night";

export async function signIn(email: string, password: string): Promise<void> {
  // What waits on this phone was done at one business: its guest goes back there.
  const tenant = mustSignIn.value && me.value?.email === email.toLowerCase() ? me.value.tenant?.slug : undefined;
  await call("/api/auth/session", { method: "POST", body: { email, password, as: "patron", label: deviceLabel(), ...(tenant && { tenant }) } });
  await entered();
}

/** The second step, after a right password: a code of the app, or a recovery code. */
export async function signInWithCode(ticket: string, code: string): Promise<void> {
  await call("/api/auth/session/second-factor", { method: "POST", body: { ticket, code } });
  await entered();
}

/** The second step by a passkey. */
export async function signInWithPasskey(ticket: string): Promise<void> {
  const asked = await call<PasskeyRequest>("/api/auth/passkeys/challenge", { method: "POST", body: { ticket } });
  const passkey = await showPasskey(asked).catch((error: unknown) => {
    throw new Refused({ type: "passkey", status: 0, title: "", detail: passkeyRefusal(error) });
  });
  await call("/api/auth/session/second-factor", { method: "POST", body: { ticket, passkey } });
  await entered();
}

/** Create an account and, where the address was new, go straight in. */
export async function register(name: string, email: string, password: string): Promise<void> {
  await call("/api/auth/register", { method: "POST", body: { name, email, password } });
  await signIn(email, password);
}

/** Go to another business as its guest; the first time that makes one of us. */
export async function switchTo(slug: string): Promise<void> {
  await flush();
  const unsent = me.value ? (await commandsOf(me.value.user_id)).filter((command) => command.state === "queued") : [];
  if (unsent.length) {
    throw new Refused({
      type: "unsent",
      status: 0,
      title: _("Something is still unsent"),
      detail: _("What is saved on this phone for the other business must be sent first. Wait for signal and try again."),
    });
  }
  await call("/api/auth/session", { method: "PUT", body: { tenant: slug, as: "patron" } });
  await entered();
}

export async function savePreferences(preferences: Preferences): Promise<void> {
  const saved = await call<Preferences>("/api/me/preferences", { method: "PUT", body: preferences });
  await applyPreferences(saved);
  await pullAnew();
}

export async function saveName(name: string): Promise<void> {
  await call("/api/me/name", { method: "PUT", body: { name } });
  await pullAnew();
}

/** Told once: the age limit of a door must not depend on who tells it last. */
export async function giveBirthDate(date: string): Promise<void> {
  await call("/api/patron/birth-date", { method: "PUT", body: { birth_date: date } });
  await pullAnew();
}

export async function sessions(): Promise<SignedInSession[]> {
  return (await call<{ items: SignedInSession[] }>("/api/auth/sessions")).items;
}

export async function revokeSession(id: string): Promise<void> {
  await call(`/api/auth/sessions/${id}`, { method: "DELETE" });
}

/** Every other phone and browser is signed out by it. */
export async function changePassword(current: string, wanted: string): Promise<void> {
  await call("/api/auth/password/change", { method: "POST", body: { current_password: current, new_password: wanted } });
}

/** Ask for a link that sets a new password; what is answered is the same for every address. */
export async function forgotPassword(email: string): Promise<string> {
  const { message } = await call<{ message: string }>("/api/auth/password/forgot", { method: "POST", body: { email } });
  return message;
}

/** Leave this phone, or every one. The phone's key is given back, and nothing of the person stays. */
export async function signOut({ everywhere = false } = {}): Promise<void> {
  const userId = me.value?.user_id ?? (await fact("person"));
  stopListening();
  await quietly(() => leavePhone(userId, everywhere));
  signedOut();
}

async function leavePhone(userId: string | undefined, everywhere: boolean): Promise<void> {
  if (userId) await revokePhoneKey(userId).catch(() => undefined);
  const leave = everywhere
    ? call("/api/auth/logout-all", { method: "POST" })
    : call("/api/auth/session", { method: "DELETE" });
  await leave.catch((error: unknown) => {
    if (!(error instanceof Refused && error.problem.status === 401)) throw error;
  });
  if (!userId) return;
  wipeMemory(userId);
  await wipe(userId);
}

async function entered(): Promise<void> {
  forgetIdentity();
  stopListening();
  await pullAnew({ entered: true });
  await readCommands();
  await sync();
  void startListening();
}

/** The key for the business that the session is for; keys with others die with this phone's memory of them. */
async function revokePhoneKey(userId: string): Promise<void> {
  const key = await keyOf(userId);
  const id = key?.registered[me.value?.tenant?.id ?? ""];
  if (id) await call(`/api/patron/keys/${id}`, { method: "DELETE" });
}
