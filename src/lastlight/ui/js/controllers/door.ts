import { Controller } from "@hotwired/stimulus";
import { keepAwake } from "../awake";

const CHECK_EVERY_MS = 1_000;

/** The display at a door: keeps awake, fills the screen on a touch, and hides a code that has died while it could not be renewed. */
export default class DoorController extends Controller<HTMLElement> {
  static override targets = ["code", "left", "stale"];
  static override values = { lives: Number, rotates: Number };
  declare readonly codeTarget: HTMLElement;
  declare readonly hasCodeTarget: boolean;
  declare readonly leftTarget: HTMLProgressElement;
  declare readonly hasLeftTarget: boolean;
  declare readonly staleTarget: HTMLElement;
  declare readonly hasStaleTarget: boolean;
  declare readonly livesValue: number;
  declare readonly rotatesValue: number;

  private timer = 0;
  private shownAt = 0;
  private sleep?: () => void;

  override connect(): void {
    this.timer = window.setInterval(() => this.tick(), CHECK_EVERY_MS);
    this.sleep = keepAwake();
  }

  override disconnect(): void {
    window.clearInterval(this.timer);
    this.sleep?.();
  }

  /** The server says with each answer how long its code still lives; only that counts, not this device's clock. */
  livesValueChanged(): void {
    this.renew();
  }

  rotatesValueChanged(): void {
    this.renew();
  }

  async fill(): Promise<void> {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  }

  private renew(): void {
    this.shownAt = performance.now();
    this.tick();
  }

  private tick(): void {
    const seconds = (performance.now() - this.shownAt) / 1_000;
    const dead = this.livesValue > 0 && seconds >= this.livesValue;
    if (this.hasCodeTarget) this.codeTarget.dataset.stale = String(dead);
    if (this.hasStaleTarget) this.staleTarget.hidden = !dead;
    if (this.hasLeftTarget) this.leftTarget.value = Math.max(0, this.rotatesValue - seconds);
  }
}
