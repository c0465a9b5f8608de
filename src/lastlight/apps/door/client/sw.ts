/// <reference lib="webworker" />
// Keeps the scanner's shell and files, warms the camera's reader, and sends the log when the network is back.
import { setCacheNameDetails } from "workbox-core";
import { matchPrecache, precacheAndRoute } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";
import { CacheFirst } from "workbox-strategies";
import { flush, SYNC_TAG } from "./data/log";

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}
declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[]; __LAZY_ASSETS: string[] };

const SHELL = "/staff/door";
const LAZY_CACHE = "last-light-door-lazy";
const lazy: string[] = self.__LAZY_ASSETS;

// The guest's worker clears away caches that are called as its own were: these are not.
setCacheNameDetails({ prefix: "last-light-door", precache: "kept", suffix: "v1" });
precacheAndRoute(self.__WB_MANIFEST);
registerRoute(new NavigationRoute(async () => (await matchPrecache(SHELL)) ?? fetch(SHELL), { allowlist: [/^\/staff\/door$/] }));
registerRoute(({ url }) => lazy.includes(url.pathname) || /^\/static\/messages-.*\.json$/.test(url.pathname), new CacheFirst({ cacheName: LAZY_CACHE }));

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(Promise.all([self.clients.claim(), dropOldLazy()])));
self.addEventListener("sync", ((event: SyncEvent) => {
  if (event.tag === SYNC_TAG) event.waitUntil(flushOrRetry());
}) as EventListener);
self.addEventListener("message", (event) => {
  if (event.data === "warm") event.waitUntil(warm());
});

/** The browser repeats a sync that failed, so failing is how to ask for another try. */
async function flushOrRetry(): Promise<void> {
  const { stop } = await flush();
  if (stop === "unreachable" || stop === "refused" || stop === "wait") throw new Error(`the log waits: ${stop}`);
}

/** Fetch the camera's reader before the first scan, so that the first one may be offline. */
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
