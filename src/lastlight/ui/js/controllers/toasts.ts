import { Controller } from "@hotwired/stimulus";
import type { ToastDetail } from "../toast";

const STAYS_MS = 6_000;

/** Shows ll:toast events and server-sent toasts, takes each away after a while unless someone is reading it. */
export default class ToastsController extends Controller<HTMLElement> {
  static override targets = ["toast", "template"];
  declare readonly toastTargets: HTMLElement[];
  declare readonly templateTarget: HTMLTemplateElement;

  private readonly timers = new WeakMap<HTMLElement, number>();

  override connect(): void {
    document.body.addEventListener("ll:toast", this.add);
  }

  override disconnect(): void {
    document.body.removeEventListener("ll:toast", this.add);
  }

  toastTargetConnected(toast: HTMLElement): void {
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
    this.element.append(toast);
  };

  private start(toast: HTMLElement): void {
    window.clearTimeout(this.timers.get(toast));
    this.timers.set(toast, window.setTimeout(() => toast.remove(), STAYS_MS));
  }
}
