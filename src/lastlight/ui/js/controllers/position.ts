import { Controller } from "@hotwired/stimulus";

const PATIENCE_MS = 12_000;

/** Asks the phone where it is before a form is sent, and sends it without where it does not say: the server decides what then counts. */
export default class PositionController extends Controller<HTMLFormElement> {
  static override targets = ["lat", "lon", "accuracy", "state"];
  static override values = { rule: String };
  declare readonly latTarget: HTMLInputElement;
  declare readonly lonTarget: HTMLInputElement;
  declare readonly accuracyTarget: HTMLInputElement;
  declare readonly stateTarget: HTMLElement;
  declare readonly ruleValue: string;
  private asked = false;

  async ask(event: Event): Promise<void> {
    const button = event.currentTarget as HTMLButtonElement;
    if (this.ruleValue === "off" || this.asked) {
      this.asked = false;
      return;
    }
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    this.say(this.stateTarget.dataset.wait ?? "");
    const found = await here();
    this.fill(found);
    this.say(found ? "" : (this.stateTarget.dataset.denied ?? ""));
    button.removeAttribute("aria-busy");
    this.asked = true;
    this.element.requestSubmit(button);
    this.asked = false;
  }

  private fill(found: GeolocationCoordinates | undefined): void {
    for (const [field, value] of [
      [this.latTarget, found?.latitude],
      [this.lonTarget, found?.longitude],
      [this.accuracyTarget, found?.accuracy],
    ] as const) {
      field.disabled = value === undefined;
      field.value = value === undefined ? "" : String(value);
    }
  }

  private say(words: string): void {
    this.stateTarget.textContent = words;
    this.stateTarget.hidden = words === "";
  }
}

function here(): Promise<GeolocationCoordinates | undefined> {
  return new Promise((found) => {
    if (!("geolocation" in navigator)) return found(undefined);
    navigator.geolocation.getCurrentPosition(
      (position) => found(position.coords),
      () => found(undefined),
      { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: 0 },
    );
  });
}
