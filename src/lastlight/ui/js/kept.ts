// What the staff app keeps on a device for when there is no network: asked for by each of its pages, gone when its person signs out.

import { late } from "./wire/late";

/** What a page tells the worker that keeps. */
export interface ToKeeper {
  /** Whose page is to be kept. */
  keep?: string;
  forget?: boolean;
}

const WORKER = "/staff-sw.js";
const SCOPE = "/staff";
const PATIENCE_MS = 3_000;

/** Keep the page for whoever works here and may call for help. */
export async function keepForNoNetwork(): Promise<void> {
  const { person } = document.body.dataset;
  const calls = document.querySelector("[data-controller~='sos']");
  if (document.documentElement.dataset.app !== "staff" || !person || !calls || !("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage({ keep: person } satisfies ToKeeper);
}

/** Let the worker forget: also what it is fetching at this moment. */
export async function forgetKept(): Promise<void> {
  const worker = (await navigator.serviceWorker?.getRegistration(SCOPE))?.active;
  if (!worker?.scriptURL.endsWith(WORKER)) return;
  const { port1, port2 } = new MessageChannel();
  const done = new Promise<void>((resolve) => (port1.onmessage = () => resolve()));
  worker.postMessage({ forget: true } satisfies ToKeeper, [port2]);
  await Promise.race([done, late(PATIENCE_MS)]);
}
