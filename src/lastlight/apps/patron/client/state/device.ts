// The phone itself: theme, language, signal. What the next start needs is kept, so that nothing flashes.
import { signal } from "@preact/signals";
import { useLanguage } from "../../../../ui/js/i18n";
import { fact, keepFact } from "../data/database";
import type { Preferences } from "../data/types";

/** What the last call found: `navigator.onLine` says yes to a network that leads nowhere, and no to a server next door. */
export const online = signal(true);
export const language = signal(document.documentElement.lang || "en-ZA");
export const timeZone = signal<string | undefined>(undefined);
/** Whether this phone shows movement: as its system says, or never. */
export const motion = signal<"system" | "reduced">("system");

const COLOURS = { dark: "#150f19", light: "#f8f5f9" } as const;
const prefersLight = matchMedia("(prefers-color-scheme: light)");
let chosen: Preferences["theme"] | null = null;

export async function startDevice(): Promise<void> {
  const kept = await fact("language");
  if (kept) await speak(kept);
  showMotion((await fact("motion")) ?? "system");
  prefersLight.addEventListener("change", () => chosen === "system" && showTheme(resolve("system")));
}

export async function applyPreferences(preferences: Preferences): Promise<void> {
  chosen = preferences.theme;
  showTheme(resolve(preferences.theme));
  timeZone.value = preferences.time_zone || undefined;
  await keepFact("theme", resolve(preferences.theme));
  if (preferences.language !== (await fact("language"))) {
    await keepFact("language", preferences.language);
    await speak(preferences.language);
  }
}

/** Kept on this phone only: another screen of the same person may well move. */
export async function setMotion(wanted: "system" | "reduced"): Promise<void> {
  showMotion(wanted);
  await keepFact("motion", wanted);
}

function showMotion(wanted: "system" | "reduced"): void {
  motion.value = wanted;
  document.documentElement.dataset.motion = wanted;
}

async function speak(tag: string): Promise<void> {
  await useLanguage(tag).catch(() => undefined);
  // English is written as in South Africa, with its dates and numbers, until a person asks for another.
  language.value = tag === "en" ? "en-ZA" : tag;
  document.documentElement.lang = language.value;
}

function resolve(theme: Preferences["theme"]): "dark" | "light" {
  return theme === "system" ? (prefersLight.matches ? "light" : "dark") : theme;
}

function showTheme(theme: "dark" | "light"): void {
  document.documentElement.dataset.theme = theme;
  document.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax`;
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", COLOURS[theme]);
}
