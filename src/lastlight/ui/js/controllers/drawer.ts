import { Controller } from "@hotwired/stimulus";

/** The sidebar of a phone: opens over the page, holds the focus, closes on Esc, scrim and navigation. */
export default class DrawerController extends Controller<HTMLElement> {
  static override targets = ["panel", "scrim", "toggle", "rest"];
  declare readonly panelTarget: HTMLElement;
  declare readonly scrimTarget: HTMLElement;
  declare readonly toggleTarget: HTMLElement;
  declare readonly restTarget: HTMLElement;

  private readonly narrow = matchMedia("(max-width: 56rem)");

  override connect(): void {
    this.narrow.addEventListener("change", this.close);
    document.addEventListener("keydown", this.escape);
  }

  override disconnect(): void {
    this.narrow.removeEventListener("change", this.close);
    document.removeEventListener("keydown", this.escape);
  }

  open(): void {
    this.set(true);
    this.panelTarget.querySelector<HTMLElement>("a, button")?.focus();
  }

  close = (): void => {
    const wasOpen = this.element.dataset.drawer === "open";
    this.set(false);
    if (wasOpen && this.narrow.matches) this.toggleTarget.focus();
  };

  private readonly escape = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && this.element.dataset.drawer === "open") this.close();
  };

  private set(open: boolean): void {
    this.element.dataset.drawer = open ? "open" : "closed";
    this.scrimTarget.hidden = !open;
    this.restTarget.inert = open;
    this.toggleTarget.setAttribute("aria-expanded", String(open));
  }
}
