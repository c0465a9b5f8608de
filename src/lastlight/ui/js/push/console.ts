// The consoles' worker for push, which no page goes through. One person's browser stays on from session to session.
import type { Worker } from "./device";
import { keepUp } from "./device";

const WORKER = "/static/push-worker.js";
const SCOPE = "/static/push/";
const KEPT = "last-light-push";

export const consoleWorker: Worker = async () => {
  const made = await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  if (!made.active) await activated(made);
  return made;
};

function activated(made: ServiceWorkerRegistration): Promise<void> {
  const worker = made.installing ?? made.waiting;
  return new Promise((resolve, reject) => {
    if (!worker) return resolve();
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the browser let go of the worker"));
    });
  });
}

/** Remember that this person wants this browser on, or that nobody does. */
export function remember(wanted: boolean): void {
  const { person, session } = document.body.dataset;
  if (wanted && person) localStorage.setItem(KEPT, JSON.stringify({ person, session }));
  else localStorage.removeItem(KEPT);
}

/** In a new session of the person who switched it on, tell the server again; somebody else's browser is left alone. */
export async function keepPush(): Promise<void> {
  const { person, session } = document.body.dataset;
  const kept = localStorage.getItem(KEPT);
  if (!person || !session || !kept) return;
  const wanted = JSON.parse(kept) as { person?: string; session?: string };
  if (wanted.person !== person || wanted.session === session) return;
  if (await keepUp(consoleWorker)) remember(true);
}
