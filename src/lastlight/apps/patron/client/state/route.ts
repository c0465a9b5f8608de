// Where the app is: one signal, the browser's own history, ordinary links.
import { computed, signal } from "@preact/signals";

export type View = "home" | "activity" | "scan" | "venues" | "profile" | "sign-in" | "register" | "code";

const VIEWS = new Set<View>(["activity", "scan", "venues", "profile", "sign-in", "register"]);
const path = signal(location.pathname);

export const view = computed<View>(() => {
  if (path.value.startsWith("/c/")) return "code";
  const name = path.value.split("/")[2] as View | undefined;
  return name && VIEWS.has(name) ? name : "home";
});
/** The code of the address, when another app opened us with it. */
export const codeInAddress = computed(() => (path.value.startsWith("/c/") ? decodeURIComponent(path.value.slice(3)) : null));

export function hrefOf(target: View): string {
  return target === "home" ? "/patron" : `/patron/${target}`;
}

export function go(target: View, { replace = false } = {}): void {
  const href = hrefOf(target);
  if (href === path.value) return;
  history[replace ? "replaceState" : "pushState"](null, "", href);
  path.value = href;
  scrollTo(0, 0);
}

/** Links inside the app change the view without a load; everything else is the browser's. */
export function followLinks(): void {
  addEventListener("popstate", () => (path.value = location.pathname));
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest?.("a[href]") as HTMLAnchorElement | null;
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.target || link.origin !== location.origin) return;
    const name = link.pathname.split("/")[2] as View | undefined;
    if (link.pathname !== "/patron" && !(link.pathname.startsWith("/patron/") && name && VIEWS.has(name))) return;
    event.preventDefault();
    go(name ?? "home");
  });
}
