import { Controller } from "@hotwired/stimulus";
import { late } from "../wire/late";

const EVERY_MS = 4_000;
const ALLOWED = "ll:sos-sound";

/** Makes a sound while a call that nobody has answered stands above the page, and once for an urgent word to all staff.
 *  Browsers stay mute until a person has touched the page: then it asks to be allowed. */
export default class SirenController extends Controller<HTMLElement> {
  static override targets = ["call", "news", "ask"];
  declare readonly callTargets: HTMLElement[];
  declare readonly newsTargets: HTMLElement[];
  declare readonly askTarget: HTMLElement;

  private audio?: AudioContext;
  private timer = 0;
  private readonly heard = new Set<string>();

  override connect(): void {
    document.addEventListener("pointerdown", this.wake, { once: true });
    document.addEventListener("keydown", this.wake, { once: true });
  }

  override disconnect(): void {
    document.removeEventListener("pointerdown", this.wake);
    document.removeEventListener("keydown", this.wake);
    window.clearInterval(this.timer);
    void this.audio?.close();
  }

  callTargetConnected(): void {
    if (!this.loud.length) return;
    this.sound();
    window.clearInterval(this.timer);
    this.timer = window.setInterval(() => this.sound(), EVERY_MS);
  }

  callTargetDisconnected(): void {
    if (this.loud.length) return;
    window.clearInterval(this.timer);
    this.askTarget.hidden = true;
  }

  newsTargetConnected(word: HTMLElement): void {
    const key = word.dataset.key ?? "";
    if (this.heard.has(key)) return;
    this.heard.add(key);
    void this.tones([660, 880]);
  }

  async allow(): Promise<void> {
    localStorage.setItem(ALLOWED, "yes");
    await this.ready();
    this.askTarget.hidden = true;
    this.sound();
  }

  private get loud(): HTMLElement[] {
    return this.callTargets.filter((call) => call.dataset.silent !== "true");
  }

  private sound(): void {
    const level = Math.max(0, ...this.loud.map((call) => Number(call.dataset.level ?? 0)));
    if (!this.loud.length) return;
    void this.tones(Array.from({ length: 2 + level }, () => [880, 620]).flat());
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([200, 100, 200]);
  }

  private readonly wake = (): void => {
    if (localStorage.getItem(ALLOWED) === "yes") void this.ready();
  };

  /** The page may make a sound: the person has allowed it once, and the browser sees them at the page. */
  private async ready(): Promise<boolean> {
    if (!("AudioContext" in window)) return false;
    this.audio ??= new AudioContext();
    if (this.audio.state !== "running") await Promise.race([this.audio.resume(), late(300)]);
    return this.audio.state === "running";
  }

  private async tones(pitches: number[]): Promise<void> {
    const allowed = localStorage.getItem(ALLOWED) === "yes" && (await this.ready().catch(() => false));
    this.askTarget.hidden = allowed || !this.loud.length;
    this.element.dataset.sounded = String(Number(this.element.dataset.sounded ?? 0) + (allowed ? 1 : 0));
    if (!allowed || !this.audio) return;
    pitches.forEach((pitch, place) => this.tone(pitch, this.audio!.currentTime + place * 0.22));
  }

  private tone(pitch: number, at: number): void {
    const voice = this.audio!.createOscillator();
    const volume = this.audio!.createGain();
    voice.type = "square";
    voice.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.35, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
    voice.connect(volume).connect(this.audio!.destination);
    voice.start(at);
    voice.stop(at + 0.22);
  }
}
