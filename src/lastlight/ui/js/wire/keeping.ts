/// <reference lib="webworker" />
// What every worker of ours does beside its own work: files that are fetched later and kept, and sending in the background.
import { registerRoute } from "workbox-routing";
import { CacheFirst } from "workbox-strategies";

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

/** Keep what is loaded later: fetched at the message "warm", so that the first use may be without a network. */
export function keepLazy(worker: ServiceWorkerGlobalScope, cacheName: string, lazy: string[]): void {
  const messages = /^\/static\/messages-.*\.json$/;
  registerRoute(({ url }) => lazy.includes(url.pathname) || messages.test(url.pathname), new CacheFirst({ cacheName }));
  takeOver(worker);
  worker.addEventListener("activate", (event) => event.waitUntil(Promise.all([worker.clients.claim(), dropOld()])));
  worker.addEventListener("message", (event) => {
    if (event.data === "warm") event.waitUntil(warm());
  });

  async function warm(): Promise<void> {
    const cache = await caches.open(cacheName);
    for (const url of lazy) if (!(await cache.match(url))) await cache.add(url).catch(() => undefined);
  }

  async function dropOld(): Promise<void> {
    const cache = await caches.open(cacheName);
    for (const request of await cache.keys()) {
      const { pathname } = new URL(request.url);
      if (!lazy.includes(pathname) && !pathname.startsWith("/static/messages-")) await cache.delete(request);
    }
  }
}

/** A newer worker does not wait until every page of the older one is closed. */
export function takeOver(worker: ServiceWorkerGlobalScope): void {
  worker.addEventListener("install", () => void worker.skipWaiting());
}

/** Send what waits when the browser sees a network; it repeats a sync that failed, so failing is how to ask for another try. */
export function sendInBackground(worker: ServiceWorkerGlobalScope, tag: string, send: () => Promise<boolean>): void {
  worker.addEventListener("sync", ((event: SyncEvent) => {
    if (event.tag === tag) event.waitUntil(sent());
  }) as EventListener);

  async function sent(): Promise<void> {
    if (!(await send())) throw new Error("something still waits to be sent");
  }
}
