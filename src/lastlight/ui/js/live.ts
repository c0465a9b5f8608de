// Sockets carry signals only: an event named "checkin.verified" becomes "ll:checkin.verified" on <body>, blocks refetch
// themselves. After a gap every block is told to refetch (ll:resync); when sockets fail, the feed is polled instead.
import { io } from "socket.io-client";
import { sessionEnded } from "./session";

interface Envelope {
  id: string;
  seq: number;
  name: string;
}
interface Feed {
  events: Envelope[];
  next: number;
}
type State = "wait" | "live" | "poll" | "down";

const POLL_EVERY_MS = 5_000;
const POLL_AFTER_FAILURES = 3;
const RETRY_REFUSED_MS = 2_000;
const REMEMBERED = 500;

const LABELS: Record<State, string> = { wait: "Connecting", live: "Live", poll: "Every 5 s", down: "Reconnecting" };

const seen = new Set<string>();
let cursor: number | null = null;
let failures = 0;
let poller: number | undefined;

function show(state: State): void {
  document.body.dataset.liveState = state;
  for (const pill of document.querySelectorAll<HTMLElement>("[data-live]:not(body)")) {
    pill.dataset.state = state;
    const words = pill.querySelector("span");
    if (words) words.textContent = pill.dataset[`${state}Words`] ?? LABELS[state];
  }
}

function signal(name: string, detail: unknown): void {
  document.body.dispatchEvent(new CustomEvent(`ll:${name}`, { detail }));
}

function isEnvelope(detail: unknown): detail is Envelope {
  return typeof detail === "object" && detail !== null && "seq" in detail && "id" in detail;
}

function receive(name: string, detail: unknown): void {
  if (isEnvelope(detail)) {
    if (seen.has(detail.id)) return;
    seen.add(detail.id);
    if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as string);
    cursor = Math.max(cursor ?? 0, detail.seq);
  }
  signal(name, detail);
}

/** Ask the feed once; without a cursor there is nothing to ask after, so every block refetches. */
async function poll(): Promise<void> {
  if (document.visibilityState === "hidden") return;
  if (cursor === null) return signal("resync", { reason: "poll" });
  try {
    const answer = await fetch(`/api/events?after=${cursor}`, {
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(POLL_EVERY_MS),
    });
    if (answer.status === 401) return sessionEnded();
    if (!answer.ok) throw new Error(String(answer.status));
    const feed = (await answer.json()) as Feed;
    for (const event of feed.events) receive(event.name, event);
    cursor = feed.next;
    show("poll");
  } catch {
    show("down");
  }
}

function startPolling(): void {
  if (poller !== undefined) return;
  poller = window.setInterval(() => void poll(), POLL_EVERY_MS);
  void poll();
}

function stopPolling(): void {
  window.clearInterval(poller);
  poller = undefined;
  failures = 0;
}

export function startLive(): void {
  const socket = io({ path: "/realtime/", transports: ["websocket", "polling"], reconnectionDelayMax: 5_000 });
  const drawnAt = Number(document.body.dataset.liveAfter ?? 0);
  let interrupted = false;
  let greeted = false;

  socket.on("connect", () => {
    stopPolling();
    show("live");
    if (interrupted) signal("resync", { reason: "reconnected" });
    interrupted = false;
  });
  socket.on("disconnect", (reason) => {
    interrupted = true;
    show("down");
    if (reason === "io server disconnect") window.setTimeout(() => socket.connect(), RETRY_REFUSED_MS); // not retried by itself
  });
  socket.on("connect_error", () => {
    interrupted = true;
    failures += 1;
    if (poller === undefined) show("down");
    if (failures >= POLL_AFTER_FAILURES) startPolling();
    if (!socket.active) window.setTimeout(() => socket.connect(), RETRY_REFUSED_MS); // refused by the server, not by the network
  });
  socket.on("system.hello", (hello: { seq?: number }) => {
    if (typeof hello.seq !== "number") return;
    cursor = Math.max(cursor ?? 0, hello.seq);
    if (!greeted && drawnAt > 0 && hello.seq > drawnAt) signal("resync", { reason: "happened while the page was loading" });
    greeted = true;
  });
  socket.onAny((name: string, detail: unknown) => {
    if (name !== "system.hello") receive(name, detail);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && !socket.connected) {
      socket.connect();
      if (poller !== undefined) void poll();
    }
  });
}
