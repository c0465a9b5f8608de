// Hardware scanners type what they read, fast, and press Enter: heard from anywhere on the screen, never by a button or a field.
const PASS = /^LL1\.[\w-]{100,}\.\d{1,11}\.[\w-]{40,}$/;
const PASS_BEGINS = "LL1.";
/** A pause between two keys that ends what came before; a busy device is slower than a scanner. */
const PAUSE_MS = 400;
/** What begins as a pass is a scanner's: a device that stalls in the middle of it still hears the rest. */
const PASS_PAUSE_MS = 4_000;
/** People do not type so fast for so long. */
const FAST_MS = 35;
const LONG_ENOUGH = 8;

interface Burst {
  text: string;
  from: number;
  last: number;
  field: HTMLInputElement | HTMLTextAreaElement | null;
  before: string;
}

/** Deliver what hardware scanners read; returns how to stop. */
export function listenToWedge(deliver: (text: string) => void): () => void {
  let burst: Burst | null = null;
  const heard = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const at = event.timeStamp;
    if (burst && at - burst.last > (burst.text.startsWith(PASS_BEGINS) ? PASS_PAUSE_MS : PAUSE_MS)) burst = null;
    if (event.key === "Enter" && burst) {
      const ended = burst;
      burst = null;
      if (!isScan(ended)) return;
      event.preventDefault();
      event.stopPropagation();
      restore(ended);
      deliver(ended.text.slice(Math.max(0, ended.text.lastIndexOf(PASS_BEGINS))));
    } else if (event.key.length === 1) {
      burst ??= { text: "", from: at, last: at, ...fieldOf(event.target) };
      burst.text += event.key;
      burst.last = at;
    } else if (event.key !== "Shift") burst = null;
  };
  addEventListener("keydown", heard, { capture: true });
  return () => removeEventListener("keydown", heard, { capture: true });
}

function isScan({ text, from, last }: Burst): boolean {
  return PASS.test(text) || (text.length >= LONG_ENOUGH && (last - from) / text.length < FAST_MS);
}

function fieldOf(target: EventTarget | null): Pick<Burst, "field" | "before"> {
  const field = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement ? target : null;
  return { field, before: field?.value ?? "" };
}

/** What the scanner typed into a field was not meant for it. */
function restore({ field, before }: Burst): void {
  if (!field || field.value === before) return;
  field.value = before;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}
