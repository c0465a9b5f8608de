import { Controller } from "@hotwired/stimulus";

/** Tabs within one page (role=tablist); tabs between pages are plain links and need no script. */
export default class TabsController extends Controller<HTMLElement> {
  static override targets = ["tab", "panel"];
  declare readonly tabTargets: HTMLElement[];
  declare readonly panelTargets: HTMLElement[];

  select(event: Event): void {
    this.show(this.tabTargets.indexOf(event.currentTarget as HTMLElement));
  }

  key(event: KeyboardEvent): void {
    const at = this.tabTargets.indexOf(event.currentTarget as HTMLElement);
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const next = (at + step + this.tabTargets.length) % this.tabTargets.length;
    this.show(next);
    this.tabTargets[next]?.focus();
  }

  private show(index: number): void {
    this.tabTargets.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    this.panelTargets.forEach((panel, i) => {
      panel.hidden = i !== index;
    });
  }
}
