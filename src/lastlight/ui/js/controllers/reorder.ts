import { Controller } from "@hotwired/stimulus";
import { gettext as _ } from "../i18n";
import { toast } from "../toast";
import { why } from "../why";
import { call, Refused } from "../wire/api";

/**
 * A list that is put in order: by dragging, or by the buttons earlier and later of each item. The whole order is sent at once;
 * when it is refused, the items go back.
 */
export default class ReorderController extends Controller<HTMLElement> {
  static override targets = ["item"];
  static override values = { url: String, field: String };
  declare readonly itemTargets: HTMLElement[];
  declare readonly urlValue: string;
  declare readonly fieldValue: string;

  private dragged: HTMLElement | null = null;
  private before: HTMLElement[] = [];

  override connect(): void {
    this.element.addEventListener("dragstart", this.start);
    this.element.addEventListener("dragover", this.over);
    this.element.addEventListener("drop", this.drop);
    this.element.addEventListener("dragend", this.end);
  }

  override disconnect(): void {
    this.element.removeEventListener("dragstart", this.start);
    this.element.removeEventListener("dragover", this.over);
    this.element.removeEventListener("drop", this.drop);
    this.element.removeEventListener("dragend", this.end);
  }

  earlier(event: Event): void {
    this.step(event, -1);
  }

  later(event: Event): void {
    this.step(event, 1);
  }

  private step(event: Event, by: -1 | 1): void {
    const button = event.currentTarget as HTMLButtonElement;
    const items = this.itemTargets;
    const from = items.findIndex((item) => item.contains(button));
    const [item, other] = [items[from], items[from + by]];
    if (!item || !other) return;
    if (by < 0) other.before(item);
    else other.after(item);
    this.settleEnds();
    // At an end its button is off: the other way is the next that one may want.
    const buttons = [...item.querySelectorAll<HTMLButtonElement>("[data-action^='reorder#']")];
    (button.disabled ? buttons.find((one) => !one.disabled) : button)?.focus();
    void this.send(items, item);
  }

  private readonly start = (event: DragEvent): void => {
    const item = (event.target as Element).closest<HTMLElement>("[data-reorder-target=item]");
    if (!item) return;
    this.dragged = item;
    this.before = this.itemTargets;
    item.dataset.dragged = "true";
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
  };

  private readonly over = (event: DragEvent): void => {
    if (!this.dragged) return;
    event.preventDefault();
    const target = (event.target as Element).closest<HTMLElement>("[data-reorder-target=item]");
    if (!target || target === this.dragged) return;
    const items = this.itemTargets;
    if (items.indexOf(target) < items.indexOf(this.dragged)) target.before(this.dragged);
    else target.after(this.dragged);
  };

  private readonly drop = (event: DragEvent): void => {
    if (!this.dragged) return;
    event.preventDefault();
    const item = this.dragged;
    this.dragged = null;
    delete item.dataset.dragged;
    if (this.before.some((one, place) => this.itemTargets[place] !== one)) void this.send(this.before, item);
    this.settleEnds();
  };

  /** Let go outside of the list: nothing has moved. */
  private readonly end = (): void => {
    if (!this.dragged) return;
    delete this.dragged.dataset.dragged;
    this.dragged = null;
    this.restore(this.before);
  };

  private async send(before: HTMLElement[], item: HTMLElement): Promise<void> {
    const place = this.itemTargets.indexOf(item) + 1;
    try {
      await call(this.urlValue, { method: "PUT", body: { [this.fieldValue]: this.itemTargets.map((one) => one.dataset.id) } });
      return toast(_("Moved to place %(place)s.", { place }), "ok");
    } catch (error) {
      toast(why(error), error instanceof Refused ? "danger" : "warn");
    }
    this.restore(before);
  }

  private restore(before: HTMLElement[]): void {
    for (const item of before) if (item.isConnected) this.element.append(item);
    this.settleEnds();
  }

  /** The first goes no earlier, the last no later. */
  private settleEnds(): void {
    const last = this.itemTargets.length - 1;
    this.itemTargets.forEach((item, place) => {
      const buttons = item.querySelectorAll<HTMLButtonElement>("[data-action^='reorder#']");
      for (const button of buttons) button.disabled = button.dataset.action === "reorder#earlier" ? place === 0 : place === last;
    });
  }
}
