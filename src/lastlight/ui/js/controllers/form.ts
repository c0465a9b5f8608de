import { Controller } from "@hotwired/stimulus";

/** A form is sent once at a time, and after a refusal the first wrong field has the focus. */
export default class FormController extends Controller<HTMLFormElement> {
  override connect(): void {
    this.element.addEventListener("submit", this.busy, true);
    this.element.addEventListener("htmx:finally:request", this.ready);
    window.addEventListener("pageshow", this.ready);
    this.focusFirstError();
  }

  override disconnect(): void {
    this.element.removeEventListener("submit", this.busy, true);
    this.element.removeEventListener("htmx:finally:request", this.ready);
    window.removeEventListener("pageshow", this.ready);
  }

  private readonly busy = (event: SubmitEvent): void => {
    if (this.element.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    this.element.setAttribute("aria-busy", "true");
    event.submitter?.setAttribute("aria-busy", "true");
  };

  private readonly ready = (): void => {
    this.element.removeAttribute("aria-busy");
    for (const button of this.element.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
    this.focusFirstError();
  };

  private focusFirstError(): void {
    this.element.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }
}
