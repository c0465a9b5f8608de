// Start: what the phone remembers is shown first, then the server is asked; the rest comes when there is time.
import { render } from "preact";
import { gettext as _ } from "../../../ui/js/i18n";
import { App } from "./app";
import { placeIcons } from "../../../ui/js/icon";
import { watchRoom } from "../../../ui/js/room";
import { fetchLater } from "./parts/later";
import { State } from "./parts/state";
import { startDevice } from "./state/device";
import { startHeartbeat } from "./state/heartbeat";
import { awaitOffer } from "./state/install";
import { remember, standing, sync, unkept } from "./state/night";
import { keepPush } from "./state/push";
import { watchChecks } from "./state/checks";
import { watchHelp } from "./state/help";
import { followLinks } from "./state/route";

async function start(): Promise<void> {
  placeIcons(ICON_DRAWINGS);
  awaitOffer();
  followLinks();
  const root = document.getElementById("app")!;
  try {
    await startDevice();
    await remember();
  } catch {
    root.replaceChildren();
    return render(<NoMemory />, root);
  }
  watchHelp();
  root.replaceChildren();
  render(<App />, root);
  watchRoom(() => unkept.value > 0, () => standing.value === "signed-in");
  await sync();
  startHeartbeat();
  watchChecks();
  whenIdle(() => void keepReady());
}

/** Some private windows keep nothing: without a memory there is no pass, no outbox and no key. */
function NoMemory() {
  return (
    <main class="p-app p-boot">
      <State icon="circle-alert" tone="warn" title={_("This window keeps nothing")} text={_("Last Light needs a place on this phone for your pass. Open it in an ordinary window, not a private one.")} />
    </main>
  );
}

/** The service worker, the scanner for a first scan without a network, and the screens that were not needed at first. */
async function keepReady(): Promise<void> {
  if (!("serviceWorker" in navigator)) return fetchLater();
  await navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => undefined);
  const registration = await navigator.serviceWorker.ready;
  void fetchLater();
  onceSignedIn(() => registration.active?.postMessage("warm"));
  await keepPush().catch(() => undefined); // without a network it is tried again at the next start
}

/** Whoever only passes by does not load what a guest needs; who signs in later does so then. */
function onceSignedIn(work: () => void): void {
  const stop = standing.subscribe((now) => {
    if (now !== "signed-in") return;
    work();
    queueMicrotask(() => stop());
  });
}

function whenIdle(work: () => void): void {
  if ("requestIdleCallback" in window) requestIdleCallback(work, { timeout: 3_000 });
  else setTimeout(work, 1_000);
}

void start();
