// When to look again: a signal from the socket, a tab that comes back, the network, and a slow clock under all of them.
import { effect } from "@preact/signals";
import type { Socket } from "socket.io-client";
import { lasts } from "../../../../ui/js/wire/pause";
import { fact } from "../data/database";
import { online } from "./device";
import { mustSignIn, now, pull, queued, standing, sync } from "./night";

const UNSENT_EVERY_MS = 4_000;
const UNHEARD_EVERY_MS = 20_000;
const CLOCK_EVERY_MS = 10_000;
const SETTLE_MS = 250;
/** They say nothing of the night: what a phone prepares for itself would else have it ask for everything again. */
const UNSHOWN = new Set(["system.hello", "patron.key_registered", "patron.pass_issued"]);

let socket: Socket | null = null;
let settling: number | undefined;

export function startHeartbeat(): void {
  addEventListener("online", () => void sync());
  addEventListener("offline", () => (online.value = false));
  // Without a network a socket would only knock in vain.
  effect(() => {
    if (!online.value) stopListening();
    else if (standing.value === "signed-in" && !mustSignIn.value) void startListening();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    now.value = Date.now();
    if (standing.value === "signed-in") void sync();
  });
  setInterval(() => (now.value = Date.now()), CLOCK_EVERY_MS);
  // `navigator.onLine` is not to be trusted, and not every browser has background sync.
  setInterval(() => void retry(), UNSENT_EVERY_MS);
  setInterval(() => {
    if (socket?.connected || standing.value !== "signed-in" || mustSignIn.value || document.visibilityState !== "visible") return;
    void pull();
    void startListening();
  }, UNHEARD_EVERY_MS);
}

async function retry(): Promise<void> {
  if (standing.value !== "signed-in" || document.visibilityState !== "visible") return;
  if (lasts(await fact("pause").catch(() => undefined))) return;
  if (!online.value || queued.value.length) await sync();
}

/** Sockets carry signals only; each one means: ask again. */
export async function startListening(): Promise<void> {
  if (socket || !online.value) return;
  const found = await import("socket.io-client").catch(() => null);
  if (!found || socket || !online.value) return;
  const { io } = found;
  socket = io({ path: "/realtime/", transports: ["websocket", "polling"], reconnectionDelayMax: 10_000 });
  let heardBefore = false;
  socket.on("connect", () => {
    if (heardBefore) lookAgain();
    heardBefore = true;
  });
  // What the server ends does not come back by itself: look why, and connect anew at the next slow look.
  socket.on("disconnect", (reason) => {
    if (reason === "io server disconnect") giveUp();
  });
  socket.on("connect_error", () => {
    if (!socket?.active) giveUp();
  });
  socket.onAny((name: string) => {
    if (!UNSHOWN.has(name)) lookAgain();
  });
}

/** A session of another kind joins other rooms. */
export function stopListening(): void {
  socket?.disconnect();
  socket = null;
}

function giveUp(): void {
  stopListening();
  lookAgain();
}

function lookAgain(): void {
  clearTimeout(settling);
  settling = window.setTimeout(() => void pull(), SETTLE_MS);
}
