import { Controller } from "@hotwired/stimulus";

/** A dialog. One that the server sent into #modal opens by itself and is removed when it closes. */
export default class DialogController extends Controller<HTMLDialogElement> {
  static override values = { fetched: Boolean };
  declare readonly fetchedValue: boolean;

  override connect(): void {
    if (!this.fetchedValue) return;
    if (!this.element.open) this.element.showModal();
    this.element.addEventListener("close", () => this.element.remove(), { once: true });
  }

  close(event: Event): void {
    event.preventDefault();
    this.element.close();
  }

  backdrop(event: MouseEvent): void {
    if (event.target === this.element) this.element.close();
  }
}
