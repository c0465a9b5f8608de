// Dark, as a door is at night, unless somebody wants it light.
import { signal } from "@preact/signals";
import { fact, keepFact } from "../data/database";

const COLOURS = { dark: "#0b100e", light: "#f5f8f6" } as const;

export const theme = signal<"dark" | "light">("dark");

export async function startLook(): Promise<void> {
  show((await fact("theme")) ?? "dark");
}

export async function setTheme(wanted: "dark" | "light"): Promise<void> {
  show(wanted);
  await keepFact("theme", wanted);
}

function show(wanted: "dark" | "light"): void {
  theme.value = wanted;
  document.documentElement.dataset.theme = wanted;
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", COLOURS[wanted]);
}
