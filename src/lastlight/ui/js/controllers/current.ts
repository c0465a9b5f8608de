import { Controller } from "@hotwired/stimulus";

/** A row of tabs that is wider than a phone: the current one is scrolled to its middle. */
export default class CurrentController extends Controller<HTMLElement> {
  override connect(): void {
    const current = this.element.querySelector("[aria-current]");
    if (!current) return;
    const row = this.element.getBoundingClientRect();
    const tab = current.getBoundingClientRect();
    this.element.scrollLeft += tab.left + tab.width / 2 - (row.left + row.width / 2);
  }
}
