import { Controller } from "@hotwired/stimulus";

/** A span of days in the venue's zone becomes two moments: from the first day's start until the last day's end. */
export default class DatesController extends Controller<HTMLFormElement> {
  static override values = { offset: String };
  declare readonly offsetValue: string;

  override connect(): void {
    this.element.addEventListener("formdata", this.moments);
  }

  override disconnect(): void {
    this.element.removeEventListener("formdata", this.moments);
  }

  private readonly moments = (event: FormDataEvent): void => {
    for (const input of this.element.querySelectorAll<HTMLInputElement>('input[type="date"]')) {
      const day = event.formData.get(input.name);
      if (typeof day !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(day)) event.formData.delete(input.name);
      else event.formData.set(input.name, `${input.dataset.end === "true" ? dayAfter(day) : day}T00:00:00${this.offsetValue}`);
    }
  };
}

function dayAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 1);
  return date.toISOString().slice(0, 10);
}
