// What the screen of one's own code shows: the pass and the code of the moment.
import { signal } from "@preact/signals";
import { serverNow } from "../data/claim";
import { fact } from "../data/database";
import { dropPass, holdPass, shownText, type Held, type NightPass } from "../data/pass";
import type { Problem } from "../data/types";

export interface Shown {
  text: string;
  /** Milliseconds until the next code. */
  leftMs: number;
}

/** Null while the phone looks. */
export const held = signal<Held | null>(null);
export const shown = signal<Shown | null>(null);
/** How far the server's clock is ahead of the phone's. */
export const clockAhead = signal(0);

let holder = "";
let holding: Promise<void> | null = null;
let current = { pass: "", step: -1, text: "" };

/** Look for the pass of a guest, and fetch one where that is needed and possible. One look at a time. */
export function showPass(userId: string, tenantId: string): Promise<void> {
  holding ??= look(userId, tenantId).finally(() => (holding = null));
  return holding;
}

/** The business has barred its guest: what the phone had to show goes, and why is said in its place. */
export async function takePassAway(userId: string, tenantId: string, problem: Problem): Promise<void> {
  await holding;
  await dropPass(userId, tenantId);
  held.value = { at: "refused", problem };
}

/** Show the code of this moment; true where the pass has ended and another one is needed. */
export async function turnCode(): Promise<boolean> {
  const found = held.value;
  if (found?.at !== "ready") return false;
  const at = await serverNow();
  clockAhead.value = (await fact("clock_ahead")) ?? 0;
  if (at >= found.pass.expires_at) return true;
  const text = await codeAt(found.pass, at);
  shown.value = { text, leftMs: found.pass.step_ms - (at % found.pass.step_ms) };
  return false;
}

async function look(userId: string, tenantId: string): Promise<void> {
  if (holder !== `${userId} ${tenantId}`) {
    held.value = null;
    shown.value = null;
    holder = `${userId} ${tenantId}`;
  }
  held.value = await holdPass(userId, tenantId);
  await turnCode();
}

async function codeAt(pass: NightPass, at: number): Promise<string> {
  const step = Math.floor(at / pass.step_ms);
  if (current.pass !== pass.text || current.step !== step) current = { pass: pass.text, step, text: await shownText(pass, step) };
  return current.text;
}
