import { Controller } from "@hotwired/stimulus";
import type { ToastDetail } from "../toast";

const STAYS_MS = 6_000;

/**
 * Shows ll:toast events and server-sent toasts, takes each away after a while unless someone is reading it. They stand inside of a
 * dialog that is open, and above it: what lies outside of one is dimmed, and can neither be clicked nor heard.
 */
export default class ToastsController extends Controller<HTMLElement> {
  static override targets = ["toast", "template"];
  declare readonly toastTargets: HTMLElement[];
  declare readonly templateTarget: HTMLTemplateElement;

  private readonly timers = new WeakMap<HTMLElement, number>();

  override connect(): void {
    document.body.addEventListener("ll:toast", this.add);
    // Neither event bubbles; a dialog that closes may be taken off the page by those who hear of it after us.
    document.addEventListener("toggle", this.rise, true);
    document.addEventListener("close", this.rise, true);
    this.rise();
  }

  override disconnect(): void {
    document.body.removeEventListener("ll:toast", this.add);
    document.removeEventListener("toggle", this.rise, true);
    document.removeEventListener("close", this.rise, true);
    // A dialog that was taken off the page without being closed took these along.
    if (!this.element.isConnected && !document.getElementById(this.element.id)) document.body.append(this.element);
  }

  toastTargetConnected(toast: HTMLElement): void {
    this.rise();
    this.start(toast);
    toast.addEventListener("pointerenter", () => window.clearTimeout(this.timers.get(toast)));
    toast.addEventListener("pointerleave", () => this.start(toast));
    toast.addEventListener("focusin", () => window.clearTimeout(this.timers.get(toast)));
    toast.addEventListener("focusout", () => this.start(toast));
  }

  dismiss(event: Event): void {
    (event.target as Element).closest(".toast")?.remove();
  }

  private readonly add = (event: Event): void => {
    const { text, tone = "info" } = (event as CustomEvent<ToastDetail>).detail;
    const model = this.templateTarget.content.querySelector(`[data-tone="${tone}"]`);
    const toast = model?.cloneNode(true) as HTMLElement | undefined;
    const words = toast?.querySelector(".text");
    if (!toast || !words || this.toastTargets.some((shown) => shown.querySelector(".text")?.textContent === text)) return;
    words.textContent = text;
    this.rise();
    this.element.append(toast);
  };

  private readonly rise = (): void => {
    const place = [...document.querySelectorAll<HTMLDialogElement>("dialog:modal")].at(-1) ?? document.body;
    if (this.element.parentElement !== place) place.append(this.element);
    if (!this.element.matches(":popover-open")) this.element.showPopover?.();
  };

  private start(toast: HTMLElement): void {
    window.clearTimeout(this.timers.get(toast));
    this.timers.set(toast, window.setTimeout(() => toast.remove(), STAYS_MS));
  }
}
