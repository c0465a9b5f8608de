// What the guest's business looks like: its accent over the app's own, its logo beside the heading.
import { useEffect } from "preact/hooks";
import { me } from "../state/night";

const SHEET = "brand-sheet";

/** The business's stylesheet stands after the app's own for as long as its guest is here. */
export function useAccent(): void {
  const href = me.value?.tenant?.accent_css ?? "";
  useEffect(() => {
    const known = document.getElementById(SHEET) as HTMLLinkElement | null;
    if (!href) return known?.remove();
    if (known?.getAttribute("href") === href) return;
    const sheet = Object.assign(document.createElement("link"), { id: SHEET, rel: "stylesheet", href });
    sheet.addEventListener("load", () => known?.remove());
    document.head.append(sheet);
  }, [href]);
}

/** Decoration: the business's name stands under the heading. */
export function Logo() {
  const logo = me.value?.tenant?.logo;
  return logo ? <img class="p-logo" src={logo} alt="" onError={(event) => event.currentTarget.remove()} /> : null;
}
