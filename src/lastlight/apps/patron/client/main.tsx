// Start: what the phone remembers is shown first, then the server is asked; the rest comes when there is time.
import { render } from "preact";
import { App } from "./app";
import { startDevice } from "./state/device";
import { startHeartbeat, startListening } from "./state/heartbeat";
import { commands, remember, standing, sync } from "./state/night";
import { followLinks } from "./state/route";

async function start(): Promise<void> {
  followLinks();
  await startDevice();
  await remember();
  const root = document.getElementById("app")!;
  root.replaceChildren();
  render(<App />, root);
  await sync();
  startHeartbeat();
  if (standing.value === "signed-in") void startListening();
  whenIdle(() => void keepReady());
}

/** The service worker, storage that is not cleared under pressure, and the scanner for a first scan without a network. */
async function keepReady(): Promise<void> {
  if (commands.value.length || standing.value === "signed-in") await navigator.storage?.persist?.().catch(() => false);
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => undefined);
  const registration = await navigator.serviceWorker.ready;
  if (standing.value === "signed-in") registration.active?.postMessage("warm");
}

function whenIdle(work: () => void): void {
  if ("requestIdleCallback" in window) requestIdleCallback(work, { timeout: 3_000 });
  else setTimeout(work, 1_000);
}

void start();
