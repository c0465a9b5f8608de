/// <reference lib="webworker" />
// Keeps the app's shell and files, warms the scanner, and sends the outbox when the network is back.
import { cleanupOutdatedCaches, matchPrecache, precacheAndRoute } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";
import { CacheFirst } from "workbox-strategies";
import { fact } from "./data/database";
import { receivePush } from "../../../ui/js/push/receive";
import { flush, SYNC_TAG } from "./data/outbox";

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}
declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[]; __LAZY_ASSETS: string[]; __PUSH_ICON: string };

const SHELL = "/patron";
const LAZY_CACHE = "last-light-lazy";
const lazy: string[] = self.__LAZY_ASSETS;

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
registerRoute(new NavigationRoute(shell, { allowlist: [/^\/patron(\/|$)/, /^\/c\//] }));
registerRoute(({ url }) => lazy.includes(url.pathname) || /^\/static\/messages-.*\.json$/.test(url.pathname), new CacheFirst({ cacheName: LAZY_CACHE }));

receivePush(self, self.__PUSH_ICON);
self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(Promise.all([self.clients.claim(), dropOldLazy()])));
self.addEventListener("sync", ((event: SyncEvent) => {
  if (event.tag === SYNC_TAG) event.waitUntil(flushOrRetry());
}) as EventListener);
self.addEventListener("message", (event) => {
  if (event.data === "warm") event.waitUntil(warm());
});

/** The kept shell, in this phone's theme and language. */
async function shell(): Promise<Response> {
  const kept = await matchPrecache(SHELL);
  if (!kept) return fetch(SHELL);
  const [theme, language] = await Promise.all([fact("theme"), fact("language")]).catch(() => [undefined, undefined] as const);
  let html = await kept.text();
  if (theme) {
    html = html.replace(/data-theme="(dark|light)"/, `data-theme="${theme}"`);
    html = html.replace(/(name="theme-color" content=")[^"]*/, `$1${theme === "light" ? "#f8f5f9" : "#150f19"}`);
  }
  if (language && /^[A-Za-z-]{2,12}$/.test(language)) html = html.replace(/<html lang="[^"]*"/, `<html lang="${language}"`);
  const headers = new Headers(kept.headers);
  headers.delete("content-length");
  headers.delete("content-encoding");
  return new Response(html, { status: 200, headers });
}

/** The browser repeats a sync that failed, so failing is how to ask for another try. */
async function flushOrRetry(): Promise<void> {
  const { stop } = await flush();
  if (stop === "unreachable" || stop === "server" || stop === "wait") throw new Error(`the outbox waits: ${stop}`);
}

/** Fetch the scanner and its module before the first scan, so that the first one may be offline. */
async function warm(): Promise<void> {
  const cache = await caches.open(LAZY_CACHE);
  for (const url of lazy) if (!(await cache.match(url))) await cache.add(url).catch(() => undefined);
}

async function dropOldLazy(): Promise<void> {
  const cache = await caches.open(LAZY_CACHE);
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (!lazy.includes(pathname) && !pathname.startsWith("/static/messages-")) await cache.delete(request);
  }
}
