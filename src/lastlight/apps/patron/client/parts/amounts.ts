// Amounts as people type them, and dates as receipts write them.
import { language, timeZone } from "../state/device";

/** How many decimals a currency has. */
function digitsOf(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** "12,50" in minor units of the currency; null for what is no amount of it, and for what may stand for thousands where it is read. */
export function minorOf(text: string, currency: string): number | null {
  const digits = digitsOf(currency);
  const found = /^(\d{1,12})(?:([.,])(\d+))?$/.exec(text.replace(/[\s']/g, ""));
  const part = found?.[3] ?? "";
  if (!found || part.length > digits) return null;
  if (part.length === 3 && found[2] === markOfThousands()) return null;
  return Number(found[1]) * 10 ** digits + Number(part.padEnd(digits, "0"));
}

function markOfThousands(): string | undefined {
  return new Intl.NumberFormat(language.value).formatToParts(1e6).find((part) => part.type === "group")?.value;
}

/** "22 November 2026"; with the time where it matters. */
export function dateOf(at: string, zone: string | undefined, withTime = false): string {
  const time = withTime ? ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const) : {};
  return new Intl.DateTimeFormat(language.value, { day: "numeric", month: "long", year: "numeric", timeZone: timeZone.value ?? zone, ...time }).format(new Date(at));
}
