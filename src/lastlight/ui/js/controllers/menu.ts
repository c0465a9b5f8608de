import { Controller } from "@hotwired/stimulus";

/** Adds to <details class="menu"> what the element lacks: Esc, a click outside, arrow keys. */
export default class MenuController extends Controller<HTMLDetailsElement> {
  override connect(): void {
    document.addEventListener("click", this.outside);
    this.element.addEventListener("keydown", this.key);
  }

  override disconnect(): void {
    document.removeEventListener("click", this.outside);
    this.element.removeEventListener("keydown", this.key);
  }

  private readonly outside = (event: Event): void => {
    if (!this.element.contains(event.target as Node)) this.element.open = false;
  };

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && this.element.open) {
      event.stopPropagation();
      this.element.open = false;
      this.element.querySelector("summary")?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.move(event);
    }
  };

  private move(event: KeyboardEvent): void {
    if ((event.target as HTMLElement).matches("input:not([type=radio], [type=checkbox]), textarea, select")) return;
    event.preventDefault();
    this.element.open = true;
    const items = [...this.element.querySelectorAll<HTMLElement>(".panel :is(a, button)")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const next = event.key === "ArrowDown" ? at + 1 : at - 1;
    items[(next + items.length) % items.length]?.focus();
  }
}
