import { Controller } from "@hotwired/stimulus";

/** Dark or light; kept in a cookie so that the server renders it and nothing flashes. */
export default class ThemeController extends Controller<HTMLElement> {
  /** The reader's own press holds against the device's look until they choose again in their account. */
  toggle(): void {
    const root = document.documentElement;
    if (root.dataset.follows) keep("theme_held", "1");
    delete root.dataset.follows;
    show(root.dataset.theme === "dark" ? "light" : "dark");
  }
}

/** For readers who want the look of their device: now, and whenever it changes. */
export function followDevice(): void {
  const light = matchMedia("(prefers-color-scheme: light)");
  const follow = (): void => {
    const root = document.documentElement;
    const wanted = light.matches ? "light" : "dark";
    if (root.dataset.follows && root.dataset.theme !== wanted) show(wanted);
  };
  follow();
  light.addEventListener("change", follow);
}

function show(theme: "dark" | "light"): void {
  document.documentElement.dataset.theme = theme;
  keep("theme", theme);
  window.dispatchEvent(new CustomEvent("ll:theme"));
}

function keep(name: string, value: string): void {
  document.cookie = `${name}=${value};path=/;max-age=31536000;samesite=lax`;
}
