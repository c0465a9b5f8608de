import { Controller } from "@hotwired/stimulus";
import { waiting } from "../wire/outbox";

const LOOK_MS = 5_000;

/** The page that the device keeps: shown in another one's place, it says so, and makes way when the network is back. */
export default class KeptController extends Controller<HTMLElement> {
  static override values = { path: String };
  static override targets = ["instead"];
  declare readonly pathValue: string;
  declare readonly insteadTargets: HTMLElement[];
  private timer = 0;

  override connect(): void {
    if (location.pathname === this.pathValue) return;
    for (const part of this.insteadTargets) part.hidden = false;
    this.timer = window.setInterval(() => void this.look(), LOOK_MS);
  }

  override disconnect(): void {
    window.clearInterval(this.timer);
  }

  again(): void {
    location.reload();
  }

  /** Not while a sheet is open or a call for help is on its way: what was typed stays, and what is sent is told here. */
  private async look(): Promise<void> {
    if (document.querySelector("dialog[open], .sos-bar") || (await waiting())) return;
    const there = await fetch("/health", { cache: "no-store" }).catch(() => null);
    if (there?.ok) location.reload();
  }
}
