/// <reference lib="webworker" />
// Keeps the app's shell and files, warms the scanner, and sends the outbox when the network is back.
import { cleanupOutdatedCaches, matchPrecache, precacheAndRoute } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";
import { fact } from "./data/database";
import { keepLazy, sendInBackground } from "../../../ui/js/wire/keeping";
import { receivePush } from "../../../ui/js/push/receive";
import { flush, SYNC_TAG } from "./data/outbox";

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[]; __LAZY_ASSETS: string[]; __PUSH_ICON: string };

const SHELL = "/patron";

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
// The page on which a card is typed has a policy of its own, and comes from the server each time; without a network the app says so.
registerRoute(new NavigationRoute(({ request }) => fetch(request).catch(shell), { allowlist: [/^\/patron\/pay\//] }));
registerRoute(new NavigationRoute(shell, { allowlist: [/^\/patron(\/|$)/, /^\/c\//] }));
receivePush(self, self.__PUSH_ICON);
keepLazy(self, "last-light-lazy", self.__LAZY_ASSETS);
sendInBackground(self, SYNC_TAG, async () => {
  const { stop } = await flush();
  return stop !== "unreachable" && stop !== "server" && stop !== "wait";
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
