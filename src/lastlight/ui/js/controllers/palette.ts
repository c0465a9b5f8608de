import { Controller } from "@hotwired/stimulus";

/** Ctrl K: filters the shell's commands at once; a page may add results of its own through hx-get on the input. */
export default class PaletteController extends Controller<HTMLElement> {
  static override targets = ["dialog", "input", "list", "none"];
  declare readonly dialogTarget: HTMLDialogElement;
  declare readonly inputTarget: HTMLInputElement;
  declare readonly listTarget: HTMLElement;
  declare readonly noneTarget: HTMLElement;

  override connect(): void {
    document.addEventListener("keydown", this.hotkey);
  }

  override disconnect(): void {
    document.removeEventListener("keydown", this.hotkey);
  }

  open(): void {
    if (!this.dialogTarget.open) this.dialogTarget.showModal();
    this.inputTarget.select();
    this.filter();
  }

  filter(): void {
    const words = this.inputTarget.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const option of this.all) {
      const text = (option.textContent ?? "").toLowerCase();
      option.hidden = option.dataset.takesText === undefined ? !words.every((word) => text.includes(word)) : !words.length;
      const typed = option.querySelector("[data-typed]");
      if (typed) typed.textContent = `“${this.inputTarget.value.trim()}”`;
    }
    for (const heading of this.listTarget.querySelectorAll<HTMLElement>(".grp")) {
      heading.hidden = !this.shown.some((option) => option.dataset.group === heading.dataset.group);
    }
    this.noneTarget.hidden = this.shown.length > 0;
    this.mark(0);
  }

  key(event: KeyboardEvent): void {
    const at = this.shown.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") this.mark(at + 1);
    else if (event.key === "ArrowUp") this.mark(at - 1);
    else if (event.key === "Enter") this.follow(this.shown[at]);
    else return;
    event.preventDefault();
  }

  choose(event: Event): void {
    this.follow((event.target as Element).closest<HTMLElement>("[role=option]") ?? undefined);
  }

  private get all(): HTMLElement[] {
    return [...this.listTarget.querySelectorAll<HTMLElement>("[role=option]")];
  }

  private get shown(): HTMLElement[] {
    return this.all.filter((option) => !option.hidden);
  }

  private mark(index: number): void {
    const options = this.shown;
    for (const option of this.all) option.setAttribute("aria-selected", "false");
    const chosen = options[(index + options.length) % (options.length || 1)];
    if (!chosen) return this.inputTarget.removeAttribute("aria-activedescendant");
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    this.inputTarget.setAttribute("aria-activedescendant", chosen.id);
  }

  private follow(option: HTMLElement | undefined): void {
    const href = option?.dataset.href;
    if (!href) return;
    this.dialogTarget.close();
    const typed = option?.dataset.takesText === undefined ? "" : encodeURIComponent(this.inputTarget.value.trim());
    location.assign(href + typed);
  }

  private readonly hotkey = (event: KeyboardEvent): void => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      this.open();
    }
  };
}
