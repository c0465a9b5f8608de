// Putting the app on the home screen: the browser says when it can, the person says when it does.
import { signal } from "@preact/signals";

interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: "accepted" | "dismissed" }>;
}

/** Set while the browser offers to install the app. */
export const offer = signal<InstallPrompt | null>(null);

export function awaitOffer(): void {
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offer.value = event as InstallPrompt;
  });
  addEventListener("appinstalled", () => (offer.value = null));
}

export async function install(): Promise<void> {
  const prompt = offer.value;
  offer.value = null;
  await prompt?.prompt();
}

/** Whether this iPhone or iPad could have the app on its home screen, which only the person can put there. */
export function byHand(): boolean {
  const apple = /iPhone|iPad/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
  return apple && !matchMedia("(display-mode: standalone)").matches;
}
