// The guest's app and push: its own worker receives, and a browser that was switched on stays on while the same guest is signed in.
import { keepUp, type Worker } from "../../../../ui/js/push/device";
import { fact, keepFact } from "../data/database";
import { me } from "./night";

export const patronWorker: Worker = async () => {
  await navigator.serviceWorker.register("/sw.js", { scope: "/" });
  return navigator.serviceWorker.ready;
};

/** Remember that this guest wants this phone on, or that nobody does. */
export async function rememberPush(wanted: boolean): Promise<void> {
  await keepFact("push", wanted ? (me.value?.user_id ?? "") : "");
}

/** Tell the server again at each start: the session may be a new one. Somebody else's phone is left alone. */
export async function keepPush(): Promise<void> {
  const who = await fact("push");
  if (who && who === me.value?.user_id) await keepUp(patronWorker);
}
