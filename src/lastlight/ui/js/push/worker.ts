/// <reference lib="webworker" />
// The consoles' worker: it receives push messages and does nothing else, so no page of theirs goes through it.
import { receivePush } from "./receive";

declare const self: ServiceWorkerGlobalScope & { __PUSH_ICON: string };

self.addEventListener("install", () => void self.skipWaiting());
receivePush(self, self.__PUSH_ICON);
