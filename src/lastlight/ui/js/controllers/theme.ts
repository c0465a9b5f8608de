import { Controller } from "@hotwired/stimulus";

/** Dark or light; kept in a cookie so that the server renders it and nothing flashes. */
export default class ThemeController extends Controller<HTMLElement> {
  toggle(): void {
    const root = document.documentElement;
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    document.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax`;
    window.dispatchEvent(new CustomEvent("ll:theme"));
  }
}
