/// <reference lib="webworker" />
// Keeps the scanner's shell and files, warms the camera's reader, and sends the log when the network is back.
import { setCacheNameDetails } from "workbox-core";
import { matchPrecache, precacheAndRoute } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";
import { keepLazy, sendInBackground } from "../../../ui/js/wire/keeping";
import { flush, SYNC_TAG } from "./data/log";

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[]; __LAZY_ASSETS: string[] };

const SHELL = "/staff/door";

// The guest's worker clears away caches that are called as its own were: these are not.
setCacheNameDetails({ prefix: "last-light-door", precache: "kept", suffix: "v1" });
precacheAndRoute(self.__WB_MANIFEST);
registerRoute(new NavigationRoute(async () => (await matchPrecache(SHELL)) ?? fetch(SHELL), { allowlist: [/^\/staff\/door$/] }));
keepLazy(self, "last-light-door-lazy", self.__LAZY_ASSETS);
sendInBackground(self, SYNC_TAG, async () => {
  const { stop } = await flush();
  return stop !== "unreachable" && stop !== "refused" && stop !== "wait";
});
