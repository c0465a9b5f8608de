import { Controller } from "@hotwired/stimulus";

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** Keeps every <time data-relative> (how long ago) and <time data-since> (how long already) on the page true. */
export default class ClockController extends Controller<HTMLElement> {
  private timer = 0;

  override connect(): void {
    this.timer = window.setInterval(() => this.tick(), 15_000);
    document.addEventListener("htmx:after:swap", this.tick);
    this.tick();
  }

  override disconnect(): void {
    window.clearInterval(this.timer);
    document.removeEventListener("htmx:after:swap", this.tick);
  }

  private readonly tick = (): void => {
    const language = document.documentElement.lang || "en";
    const now = Date.now();
    const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
    for (const time of this.element.querySelectorAll<HTMLTimeElement>("time[data-relative]")) {
      time.textContent = relative(ago, (Date.parse(time.dateTime) - now) / 1000);
    }
    for (const time of this.element.querySelectorAll<HTMLTimeElement>("time[data-since]")) {
      time.textContent = span(language, Math.max(0, (now - Date.parse(time.dateTime)) / 1000));
    }
  };
}

function relative(format: Intl.RelativeTimeFormat, seconds: number): string {
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  }
  return format.format(0, "minute");
}

function span(language: string, seconds: number): string {
  const unit = (name: string, value: number) =>
    new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "narrow" }).format(value);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  return hours ? `${unit("hour", hours)} ${unit("minute", minutes)}` : unit("minute", minutes);
}
