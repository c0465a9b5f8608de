// This browser as a device that is told: whether it can be, whether it is, and how to switch it on and off.
import { toBase64url } from "../wire/base64url";
import { call, Refused } from "../wire/api";

export interface Device {
  id: string;
  label: string;
  created_at: string;
  last_success_at: string | null;
  last_failure: string;
  current: boolean;
  outdated: boolean;
}
/** How an app reaches its worker, registered and active. */
export type Worker = () => Promise<ServiceWorkerRegistration>;
export type Standing = "unsupported" | "home-screen" | "blocked" | "off" | "on";

const DEVICES = "/api/me/push-subscriptions";

/** Whether this browser can be told at all, and whether it may. `on` and `off` are for the server to say. */
export function ability(): "unsupported" | "home-screen" | "blocked" | "able" {
  const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  if (!able) return /iPhone|iPad/.test(navigator.userAgent) ? "home-screen" : "unsupported";
  return Notification.permission === "denied" ? "blocked" : "able";
}

/** How this browser stands with the server, and the devices that the server knows. */
export async function standing(worker: Worker): Promise<{ standing: Standing; devices: Device[] }> {
  const { items } = await call<{ items: Device[] }>(DEVICES);
  const may = ability();
  if (may !== "able") return { standing: may, devices: items };
  const subscribed = Notification.permission === "granted" && (await subscription(worker)) !== null;
  return { standing: subscribed && items.some((device) => device.current) ? "on" : "off", devices: items };
}

/** Ask the browser and tell the server; null when the person or the browser said no. */
export async function switchOn(worker: Worker): Promise<Device | null> {
  if ((await Notification.requestPermission()) !== "granted") return null;
  const registration = await worker();
  const { key } = await call<{ key: string }>("/api/push/key");
  const had = await registration.pushManager.getSubscription();
  if (had && keyOf(had) !== key) await had.unsubscribe();
  const now = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  return tell(now, key);
}

/** Take the browser's subscription back, and the device from the server. */
export async function switchOff(worker: Worker, id: string): Promise<void> {
  await call(`${DEVICES}/${id}`, { method: "DELETE" });
  await (await subscription(worker))?.unsubscribe();
}

/** A browser that was switched on stays on for a new session of the same person, and moves to a new key of ours. */
export async function keepUp(worker: Worker): Promise<boolean> {
  if (ability() !== "able" || Notification.permission !== "granted") return false;
  const had = await subscription(worker);
  if (!had) return false;
  const device = await tell(had, keyOf(had)).catch((error: unknown) => {
    if (error instanceof Refused && error.problem.fields?.application_server_key) return null; // that key was destroyed
    throw error;
  });
  return !device || device.outdated ? (await switchOn(worker)) !== null : true;
}

async function subscription(worker: Worker): Promise<PushSubscription | null> {
  return (await worker()).pushManager.getSubscription();
}

function tell(made: PushSubscription, key: string): Promise<Device> {
  const { endpoint, keys } = made.toJSON();
  const body = { endpoint, keys: { p256dh: keys?.p256dh, auth: keys?.auth }, application_server_key: key };
  return call<Device>(DEVICES, { method: "POST", body });
}

/** The key of ours that a subscription was made with, in base64url. */
function keyOf(made: PushSubscription): string {
  return toBase64url(new Uint8Array(made.options.applicationServerKey ?? new ArrayBuffer(0)));
}
