import { Controller } from "@hotwired/stimulus";
import { toast } from "../toast";
import { drop, enqueue, flush, onChange, unsent, type Unsent } from "../wire/outbox";
import { uuid7 } from "../wire/uuid";
import { Hold } from "../hold";

interface Call {
  venue_id: string;
  place: string;
  severity: string;
  note: string;
  silent: boolean;
  pressed_at: string;
}

const HOLD_MS = 1_500;
const RETRY_MS = 2_500;
const LAST_VENUE = "ll:sos-venue";

/** Calls for help: held to fire, written to the device first, sent until the server has it, and never silently lost. */
export default class SosController extends Controller<HTMLElement> {
  static override targets = ["sheet", "fire", "words", "progress", "venue", "place", "severity", "note", "silent", "contacts", "unsent", "model"];
  static override values = { me: String, url: String };
  declare readonly sheetTarget: HTMLDialogElement;
  declare readonly fireTarget: HTMLButtonElement;
  declare readonly wordsTarget: HTMLElement;
  declare readonly progressTarget: HTMLProgressElement;
  declare readonly venueTarget: HTMLSelectElement | HTMLInputElement;
  declare readonly placeTarget: HTMLInputElement;
  declare readonly severityTarget: HTMLSelectElement;
  declare readonly noteTarget: HTMLInputElement;
  declare readonly silentTarget: HTMLInputElement;
  declare readonly contactsTargets: HTMLElement[];
  declare readonly unsentTarget: HTMLElement;
  declare readonly modelTarget: HTMLTemplateElement;
  declare readonly meValue: string;
  declare readonly urlValue: string;

  private hold!: Hold;
  private timer = 0;
  private forget = () => undefined as void;

  override connect(): void {
    const known = localStorage.getItem(LAST_VENUE);
    if (!this.venueTarget.value && known) this.venueTarget.value = known;
    this.hold = new Hold(HOLD_MS, {
      tick: (ms) => (this.progressTarget.value = ms),
      end: (fired) => this.ended(fired),
    });
    this.forget = onChange(() => void this.show());
    this.timer = window.setInterval(() => void this.retry(), RETRY_MS);
    addEventListener("online", this.send);
    document.addEventListener("visibilitychange", this.send);
    this.pick();
    void this.show().then(this.send);
  }

  override disconnect(): void {
    this.hold.cancel();
    this.forget();
    window.clearInterval(this.timer);
    removeEventListener("online", this.send);
    document.removeEventListener("visibilitychange", this.send);
  }

  press(event: PointerEvent | KeyboardEvent): void {
    if (event instanceof KeyboardEvent) {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (event.repeat) return;
    } else {
      if (event.button !== 0) return;
      this.fireTarget.setPointerCapture(event.pointerId);
    }
    this.start();
  }

  release(event: Event): void {
    if (event instanceof KeyboardEvent && event.key !== " " && event.key !== "Enter") return;
    this.hold.cancel();
  }

  /** Screen readers and switches press without holding: the same time runs, and a second press cancels it. */
  click(event: PointerEvent): void {
    event.preventDefault();
    if (event.detail !== 0 || event.pointerType) return;
    if (this.hold.running) this.hold.cancel();
    else this.start();
  }

  stop(event: Event): void {
    event.preventDefault();
  }

  close(): void {
    this.hold.cancel();
    this.idle();
  }

  /** Shows whom to call at the venue that is chosen. */
  pick(): void {
    for (const list of this.contactsTargets) list.hidden = list.dataset.venue !== this.venueTarget.value;
  }

  private start(): void {
    if (!this.venueTarget.value) {
      this.venueTarget.focus();
      toast("Choose the venue first.", "warn");
      return;
    }
    this.fireTarget.dataset.state = "hold";
    this.wordsTarget.textContent = this.wordsTarget.dataset.hold ?? "";
    this.hold.start();
  }

  private ended(fired: boolean): void {
    if (fired) void this.fire();
    else this.idle();
  }

  private idle(): void {
    this.fireTarget.dataset.state = "";
    this.progressTarget.value = 0;
    this.wordsTarget.textContent = this.wordsTarget.dataset.idle ?? "";
  }

  private async fire(): Promise<void> {
    this.fireTarget.dataset.state = "fired";
    this.wordsTarget.textContent = this.wordsTarget.dataset.fired ?? "";
    if (!this.silentTarget.checked) navigator.vibrate?.([60, 40, 120]);
    const body: Call = {
      venue_id: this.venueTarget.value,
      place: this.placeTarget.value.trim() || "Place not said",
      severity: this.severityTarget.value,
      note: this.noteTarget.value.trim(),
      silent: this.silentTarget.checked,
      pressed_at: new Date().toISOString(),
    };
    localStorage.setItem(LAST_VENUE, body.venue_id);
    await enqueue({ id: uuid7(), person: this.meValue, url: this.urlValue, body, at: Date.now(), tries: 0, state: "queued" });
    this.sheetTarget.close();
    this.noteTarget.value = "";
    this.send();
  }

  private readonly send = (): void => {
    void flush(this.meValue).then((arrived) => {
      // The bar above the page shows it from here on: who has heard it, who comes.
      if (arrived.size) document.body.dispatchEvent(new CustomEvent("ll:sos.sent"));
    });
  };

  private async retry(): Promise<void> {
    if ((await unsent(this.meValue)).some((one) => one.state !== "rejected")) this.send();
  }

  private async show(): Promise<void> {
    const waiting = (await unsent(this.meValue)) as Unsent<Call>[];
    this.unsentTarget.replaceChildren(...waiting.map((one) => this.bar(one)));
  }

  private bar(command: Unsent<Call>): HTMLElement {
    const bar = this.modelTarget.content.firstElementChild!.cloneNode(true) as HTMLElement;
    const part = <Kind extends HTMLElement>(name: string) => bar.querySelector<Kind>(`[data-part=${name}]`)!;
    const phone = this.phoneOf(command.body.venue_id);
    bar.dataset.state = command.state;
    if (command.body.silent) bar.classList.add("quiet");
    const [title, detail] = words(command);
    part("title").textContent = title;
    part("detail").textContent = detail;
    const link = part<HTMLAnchorElement>("call");
    link.hidden = !phone;
    if (phone) {
      link.href = phone.href;
      link.querySelector("span")!.textContent = `Call ${phone.textContent?.trim() ?? ""}`;
    }
    part("enter").hidden = command.state !== "signed-out";
    const again = part<HTMLButtonElement>("again");
    again.hidden = command.state === "rejected";
    again.addEventListener("click", this.send);
    const gone = part<HTMLButtonElement>("drop");
    gone.hidden = command.state !== "rejected";
    gone.addEventListener("click", () => void drop(command.id));
    return bar;
  }

  private phoneOf(venue: string): HTMLAnchorElement | null {
    const list = this.contactsTargets.find((one) => one.dataset.venue === venue);
    return list?.querySelector<HTMLAnchorElement>("a[href^='tel:']") ?? null;
  }
}

function words({ state, tries, problem, body }: Unsent<Call>): [string, string] {
  if (state === "rejected") return ["Your call for help was refused.", problem?.detail ?? ""];
  if (state === "signed-out") return ["Your call for help is not sent yet.", "Your session has ended. Sign in to send it."];
  if (!tries) return ["Calling for help …", body.place];
  return ["Your call for help is not sent yet.", "No connection. It is sent as soon as there is one."];
}
