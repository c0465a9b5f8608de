// Where the app is: one signal, the browser's own history, ordinary links.
import { computed, signal } from "@preact/signals";

export type View = "home" | "activity" | "scan" | "venues" | "profile" | "sign-in" | "register" | "forgot" | "code" | "pass" | "venue" | "bookings" | "credits" | "receipt" | "pay";

const VIEWS = new Set<View>(["activity", "scan", "pass", "venues", "bookings", "credits", "profile", "sign-in", "register", "forgot"]);
const path = signal(location.pathname);
/** When the address was opened: a code in it was scanned then. */
const openedAt = Date.now();

export const view = computed<View>(() => {
  if (path.value.startsWith("/c/")) return "code";
  const [, , name, thing] = path.value.split("/") as [string, string, View | undefined, string | undefined];
  if (name === "venues" && thing) return "venue";
  if (name === "credits" && thing) return "receipt";
  if (name === "pay" && thing) return "pay";
  return name && VIEWS.has(name) ? name : "home";
});
/** The id of what the view is of, where the address names one. */
export const thing = computed(() => path.value.split("/")[3] ?? "");
/** Views for people whom the app does not know. */
const ENTRANCES = new Set<View>(["sign-in", "register", "forgot"]);
export const entering = computed(() => ENTRANCES.has(view.value));
/** The code that another app opened us with, and when: kept while its guest signs in or creates an account. */
export const scannedOutside = signal(path.value.startsWith("/c/") ? { text: textOf(path.value), at: openedAt } : null);

export function hrefOf(target: View): string {
  return target === "home" ? "/patron" : `/patron/${target}`;
}

export function go(target: View, { replace = false } = {}): void {
  open(hrefOf(target), { replace });
}

function open(href: string, { replace = false } = {}): void {
  if (href === path.value) return;
  history[replace ? "replaceState" : "pushState"](null, "", href);
  path.value = href;
  scrollTo(0, 0);
}

/** Links inside the app change the view without a load; everything else is the browser's. */
export function followLinks(): void {
  addEventListener("popstate", () => {
    path.value = location.pathname;
    if (path.value.startsWith("/c/")) scannedOutside.value ??= { text: textOf(path.value), at: Date.now() };
  });
  document.addEventListener("click", (event) => {
    if (view.value === "pay") return; // its policy is its own: the views are loaded anew, under theirs
    const link = (event.target as Element).closest?.("a[href]") as HTMLAnchorElement | null;
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.target || link.origin !== location.origin) return;
    const name = link.pathname.split("/")[2] as View | undefined;
    if (link.pathname !== "/patron" && !(link.pathname.startsWith("/patron/") && name && VIEWS.has(name))) return;
    event.preventDefault();
    open(link.pathname);
  });
}

function textOf(address: string): string {
  try {
    return decodeURIComponent(address.slice("/c/".length));
  } catch {
    return address.slice("/c/".length);
  }
}
