// Each answer has a sound and a touch of its own, so that nobody has to look, or to tell colours apart.
import { signal } from "@preact/signals";
import { fact, keepFact, type Direction } from "../data/database";

export type Tone = "yes" | "bye" | "warn" | "no";

const WARNINGS = new Set(["visit-open", "no-open-visit", "code-replayed"]);

/** The tone of an answer, on the whole screen and in the list of recent scans alike. */
export function toneOf(passed: boolean, direction: Direction, what: string): Tone {
  if (passed) return direction === "in" ? "yes" : "bye";
  return WARNINGS.has(what) ? "warn" : "no";
}

/** Notes as frequency (Hz) and length (s), one after another. */
const MELODIES: Record<Tone, [number, number][]> = {
  yes: [[660, 0.09], [990, 0.16]],
  bye: [[880, 0.09], [587, 0.14]],
  warn: [[523, 0.12], [0, 0.05], [523, 0.12], [0, 0.05], [523, 0.12]],
  no: [[196, 0.28], [0, 0.06], [147, 0.4]],
};
const TOUCHES: Record<Tone, number[]> = { yes: [60], bye: [30, 40, 30], warn: [90, 60, 90], no: [350, 90, 350] };

export const sound = signal(true);
/** The browser makes no sound yet: nobody has touched this page since it was opened. */
export const mute = signal(false);
let context: AudioContext | null = null;

/** Browsers let a page sound only after somebody has touched it. */
export async function startSound(): Promise<void> {
  sound.value = (await fact("sound")) ?? true;
  const wake = () => {
    context ??= new AudioContext();
    void context.resume().then(() => (mute.value = false), () => undefined);
  };
  mute.value = !navigator.userActivation?.hasBeenActive;
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, wake, { passive: true });
}

export async function setSound(on: boolean): Promise<void> {
  sound.value = on;
  await keepFact("sound", on);
  if (on) signalAnswer("yes");
}

export function signalAnswer(tone: Tone): void {
  navigator.vibrate?.(TOUCHES[tone]);
  if (sound.value && context?.state === "running") play(context, MELODIES[tone], tone === "no" ? "square" : "triangle");
}

function play(on: AudioContext, notes: [number, number][], shape: OscillatorType): void {
  let at = on.currentTime + 0.01;
  for (const [frequency, length] of notes) {
    if (frequency) {
      const oscillator = new OscillatorNode(on, { type: shape, frequency });
      const loudness = new GainNode(on, { gain: 0 });
      loudness.gain.setValueAtTime(0, at);
      loudness.gain.linearRampToValueAtTime(0.5, at + 0.012);
      loudness.gain.setValueAtTime(0.5, at + length - 0.03);
      loudness.gain.linearRampToValueAtTime(0, at + length);
      oscillator.connect(loudness).connect(on.destination);
      oscillator.start(at);
      oscillator.stop(at + length);
    }
    at += length;
  }
}
