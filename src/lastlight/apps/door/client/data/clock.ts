// The server's time, as far as this device knows it: learnt from each answer that tells it.
import { fact, keepFact } from "./database";

/** An answer that took longer says too little about the time. */
const VAGUE_MS = 4_000;

export async function serverNow(): Promise<number> {
  return Date.now() + ((await fact("clock_ahead")) ?? 0);
}

export async function learnClock(serverTime: string, tookMs: number): Promise<void> {
  const ahead = Date.parse(serverTime) - (Date.now() - tookMs / 2);
  const vague = tookMs > VAGUE_MS && (await fact("clock_ahead")) !== undefined;
  if (Number.isFinite(ahead) && !vague) await keepFact("clock_ahead", Math.round(ahead));
}
