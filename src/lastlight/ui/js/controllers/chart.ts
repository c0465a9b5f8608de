import { Controller } from "@hotwired/stimulus";
import type { Chart, ChartLibrary, ChartPayload } from "../charts";

/** Draws the payload of its attribute; a morph that changes the attribute redraws. The table below stays for everyone. */
export default class ChartController extends Controller<HTMLElement> {
  static override targets = ["canvas"];
  static override values = { payload: Object };
  declare readonly canvasTarget: HTMLElement;
  declare readonly payloadValue: ChartPayload;

  private library?: ChartLibrary;
  private chart?: Chart;
  private observer?: ResizeObserver;

  override async connect(): Promise<void> {
    window.addEventListener("ll:theme", this.draw);
    this.library = await import("../charts");
    if (!this.element.isConnected) return;
    this.draw();
    this.observer = new ResizeObserver(() => this.chart?.resize());
    this.observer.observe(this.canvasTarget);
  }

  override disconnect(): void {
    window.removeEventListener("ll:theme", this.draw);
    this.observer?.disconnect();
    this.chart?.dispose();
    this.chart = undefined;
  }

  payloadValueChanged(): void {
    if (this.library) this.draw();
  }

  private readonly draw = (): void => {
    if (!this.library) return;
    this.chart = this.library.render(this.canvasTarget, this.payloadValue, this.chart);
    this.element.dataset.ready = "true";
  };
}
