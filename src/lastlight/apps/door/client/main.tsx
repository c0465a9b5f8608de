// Start: what the device remembers is shown first, then the server is asked; the rest comes when there is time.
import { render } from "preact";
import { keepAwake } from "../../../ui/js/awake";
import { EnrolScreen, InsecureScreen } from "./screens/enrol";
import { DoorScreen } from "./screens/door";
import { placeIcons } from "../../../ui/js/icon";
import { watchRoom } from "../../../ui/js/room";
import { identity, now, online, remember, send, standing, sync, unwritten, waiting } from "./state/door";
import { startLook } from "./state/look";
import { startSound } from "./state/sound";

const OFFLINE_EVERY_MS = 5_000;
const CLOCK_EVERY_MS = 5_000;

function App() {
  if (standing.value === "opening") return null;
  if (standing.value === "insecure") return <InsecureScreen />;
  return standing.value === "enrolled" ? <DoorScreen /> : <EnrolScreen />;
}

async function start(): Promise<void> {
  placeIcons(ICON_DRAWINGS);
  const root = document.getElementById("app")!;
  await startLook();
  await startSound();
  await remember();
  root.replaceChildren();
  render(<App />, root);
  keepAwake();
  watchRoom(() => unwritten.value > 0, () => standing.value === "enrolled");
  void keepReady();
  await sync();
  keepTime();
}

/** The service worker, and the camera's reader for a first scan without a network. */
async function keepReady(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("/door-sw.js", { scope: "/staff/door" }).catch(() => undefined);
  const registration = await navigator.serviceWorker.ready;
  registration.active?.postMessage("warm");
}

/** Report by the server's beat; look for a lost network sooner, and whenever somebody looks at the screen. */
function keepTime(): void {
  addEventListener("online", () => void sync());
  addEventListener("offline", () => (online.value = false));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void sync());
  setInterval(() => (now.value = Date.now()), CLOCK_EVERY_MS);
  setInterval(() => {
    if (!online.value) void sync();
    else if (waiting.value.length || unwritten.value) void send();
  }, OFFLINE_EVERY_MS);
  const beat = async () => {
    await sync().catch(() => undefined);
    setTimeout(() => void beat(), (identity.value?.heartbeat_seconds ?? 30) * 1000);
  };
  setTimeout(() => void beat(), (identity.value?.heartbeat_seconds ?? 30) * 1000);
}

void start();
