/// <reference lib="webworker" />
// Keeps one page of the staff app for when there is no network: the SOS button, whom to call, one's tasks. Everything else needs the server.
import { setCacheNameDetails } from "workbox-core";
import { precacheAndRoute } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";
import type { ToKeeper } from "../../../ui/js/kept";
import { sendInBackground, takeOver } from "../../../ui/js/wire/keeping";
import { flushAll, SYNC_TAG } from "../../../ui/js/wire/outbox";

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] };

const PAGE = "/staff/without-network";
/** Somebody's own: signing out removes every cache whose name begins like this one. */
const KEPT = "user-staff";
const PATIENCE_MS = 12_000;
const FRESH_MS = 60_000;
/** A proxy that stands where the server should. */
const AWAY = new Set([502, 503, 504]);
/** Who asks may not see it any more. */
const NOT_THEIRS = new Set([401, 403, 404]);

let keeping: Promise<void> = Promise.resolve();
let fresh = { person: "", at: 0 };

setCacheNameDetails({ prefix: "last-light-staff", precache: "kept", suffix: "v1" });
precacheAndRoute(self.__WB_MANIFEST);
registerRoute(new NavigationRoute(({ request }) => open(request), { allowlist: [/^\/staff(\/|$)/], denylist: [/^\/staff\/door$/] }));
takeOver(self);
sendInBackground(self, SYNC_TAG, flushAll);
self.addEventListener("message", (event) => {
  const { keep, forget } = event.data as ToKeeper;
  if (keep) event.waitUntil((keeping = keeping.then(() => keepFor(keep)).catch(() => undefined)));
  if (forget) event.waitUntil(forgetAll().then(() => event.ports[0]?.postMessage("forgotten")));
});

/** The page from the server, or the one that is kept where no answer comes. */
async function open(request: Request): Promise<Response> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("too slow")), PATIENCE_MS));
  try {
    const answer = await Promise.race([fetch(request), late]);
    return AWAY.has(answer.status) ? ((await kept()) ?? answer) : answer;
  } catch {
    return (await kept()) ?? (await fetch(request));
  }
}

async function kept(): Promise<Response | undefined> {
  return (await caches.open(KEPT)).match(PAGE);
}

/** Keep the page as it is for this person now; nobody's who is not signed in here any more. */
async function keepFor(person: string): Promise<void> {
  if (fresh.person === person && Date.now() - fresh.at < FRESH_MS) return;
  const answer = await fetch(PAGE, { credentials: "same-origin", cache: "no-store" });
  const cache = await caches.open(KEPT);
  if (answer.ok && !answer.redirected) await cache.put(PAGE, answer);
  else if (answer.redirected || NOT_THEIRS.has(answer.status)) await cache.delete(PAGE);
  fresh = { person, at: answer.ok ? Date.now() : 0 };
}

async function forgetAll(): Promise<void> {
  await keeping;
  fresh = { person: "", at: 0 };
  await caches.delete(KEPT);
}
