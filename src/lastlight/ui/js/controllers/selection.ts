import { Controller } from "@hotwired/stimulus";

/** Rows with check boxes and the bar that acts on them; Shift selects a range; survives a morph of the table. */
export default class SelectionController extends Controller<HTMLElement> {
  static override targets = ["box", "all", "bar", "count"];
  declare readonly boxTargets: HTMLInputElement[];
  declare readonly allTarget: HTMLInputElement;
  declare readonly hasAllTarget: boolean;
  declare readonly barTarget: HTMLElement;
  declare readonly countTarget: HTMLElement;

  private last = -1;

  boxTargetConnected(): void {
    this.update();
  }

  boxTargetDisconnected(): void {
    this.update();
  }

  toggleAll(): void {
    for (const box of this.boxTargets) box.checked = this.allTarget.checked;
    this.update();
  }

  toggle(event: MouseEvent): void {
    const box = event.target as HTMLInputElement;
    const index = this.boxTargets.indexOf(box);
    if (event.shiftKey && this.last >= 0) {
      const [from, to] = [Math.min(index, this.last), Math.max(index, this.last)];
      for (const between of this.boxTargets.slice(from, to + 1)) between.checked = box.checked;
    }
    this.last = index;
    this.update();
  }

  clear(): void {
    for (const box of this.boxTargets) box.checked = false;
    this.update();
  }

  private update(): void {
    const chosen = this.boxTargets.filter((box) => box.checked).length;
    this.countTarget.textContent = String(chosen);
    this.barTarget.hidden = chosen === 0;
    if (!this.hasAllTarget) return;
    this.allTarget.checked = chosen > 0 && chosen === this.boxTargets.length;
    this.allTarget.indeterminate = chosen > 0 && chosen < this.boxTargets.length;
  }
}
