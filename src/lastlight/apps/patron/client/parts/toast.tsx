// Said in passing, and read out: the one place for it, so that nothing is said twice.
import { signal } from "@preact/signals";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";

type Tone = "ok" | "warn" | "danger" | "info";
const SHOWN_MS = 5_000;
const current = signal<{ text: string; tone: Tone; holds: () => boolean } | null>(null);
let timer: number | undefined;

/** Say it for a few seconds, or for as long as it holds where that is shorter. */
export function say(text: string, tone: Tone = "ok", holds: () => boolean = () => true): void {
  current.value = { text, tone, holds };
  clearTimeout(timer);
  timer = window.setTimeout(() => (current.value = null), SHOWN_MS);
}

// icons: circle-check, triangle-alert, circle-alert, info
const ICONS: Record<Tone, string> = { ok: "circle-check", warn: "triangle-alert", danger: "circle-alert", info: "info" };

export function Toasts() {
  const shown = current.value?.holds() ? current.value : null;
  return (
    <div class="toasts p-toasts" role="status" aria-live="polite">
      {shown && (
        <div class={`toast ${shown.tone}`}>
          <Icon name={ICONS[shown.tone]} />
          <span class="text">{shown.text}</span>
          <button type="button" class="btn icon ghost sm" aria-label={_("Dismiss")} onClick={() => (current.value = null)}>
            <Icon name="x" />
          </button>
        </div>
      )}
    </div>
  );
}
