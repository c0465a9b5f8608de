import { Controller } from "@hotwired/stimulus";
import { gettext as _, ngettext } from "../i18n";
import { toast } from "../toast";
import { why } from "../why";
import { isOpen, refusalIn, Unreachable } from "../wire/api";
import { placeFor, type Place } from "../wire/place";

interface Waiting {
  file: File;
  row: HTMLElement;
  shown: string;
  place?: Place;
}

/**
 * Pictures chosen or dropped, each with words for those who do not see it; sent one by one to the address that the server gives
 * for it. What failed stays, with why, to be sent again.
 */
export default class UploadController extends Controller<HTMLElement> {
  static override targets = ["zone", "input", "list", "row", "foot", "button"];
  static override values = { url: String, most: Number };
  declare readonly zoneTarget: HTMLElement;
  declare readonly inputTarget: HTMLInputElement;
  declare readonly listTarget: HTMLElement;
  declare readonly rowTarget: HTMLTemplateElement;
  declare readonly footTarget: HTMLElement;
  declare readonly buttonTarget: HTMLButtonElement;
  declare readonly urlValue: string;
  declare readonly mostValue: number;

  private waiting: Waiting[] = [];

  override disconnect(): void {
    for (const { shown } of this.waiting) URL.revokeObjectURL(shown);
  }

  over(event: DragEvent): void {
    event.preventDefault();
    this.zoneTarget.dataset.over = "true";
  }

  out(): void {
    delete this.zoneTarget.dataset.over;
  }

  drop(event: DragEvent): void {
    event.preventDefault();
    this.out();
    this.add(event.dataTransfer?.files);
  }

  choose(): void {
    this.add(this.inputTarget.files);
    this.inputTarget.value = "";
  }

  take(event: Event): void {
    const row = (event.currentTarget as Element).closest("li");
    const gone = this.waiting.find((one) => one.row === row);
    if (gone) this.forget(gone);
    this.inputTarget.focus();
  }

  async send(): Promise<void> {
    if (this.buttonTarget.getAttribute("aria-busy") === "true" || !this.described()) return;
    this.buttonTarget.setAttribute("aria-busy", "true");
    let sent = 0;
    for (const one of [...this.waiting]) if (await this.sendOne(one)) sent += 1;
    this.buttonTarget.removeAttribute("aria-busy");
    const said = ngettext("%(num)d picture is uploaded. It is shown once it is resized.", "%(num)d pictures are uploaded. They are shown once they are resized.", sent);
    if (sent) toast(said, "ok");
  }

  private add(files: FileList | null | undefined): void {
    for (const file of files ?? []) {
      if (!file.type.startsWith("image/")) {
        toast(_("%(file)s is no picture.", { file: file.name }), "warn");
      } else if (file.size > this.mostValue) {
        toast(_("%(file)s is larger than %(most)s MB. Make it smaller first.", { file: file.name, most: Math.floor(this.mostValue / 1024 / 1024) }), "warn");
      } else {
        this.addRow(file);
      }
    }
    this.settle();
    this.waiting.find(({ row }) => !words(row).value)?.row.querySelector<HTMLInputElement>("input")?.focus();
  }

  private addRow(file: File): void {
    const row = (this.rowTarget.content.firstElementChild as HTMLElement).cloneNode(true) as HTMLElement;
    const shown = URL.createObjectURL(file);
    row.querySelector("img")!.src = shown;
    row.querySelector(".name")!.textContent = file.name;
    row.querySelector("button")!.setAttribute("aria-label", _("Remove %(file)s", { file: file.name }));
    row.querySelector("progress")!.setAttribute("aria-label", _("Sending %(file)s", { file: file.name }));
    this.listTarget.append(row);
    this.waiting.push({ file, row, shown });
  }

  /** Every picture has its words; the first that has none gets the focus. */
  private described(): boolean {
    const wanting = this.waiting.filter(({ row }) => !words(row).value.trim());
    for (const { row } of this.waiting) {
      const wrong = wanting.some((one) => one.row === row);
      words(row).toggleAttribute("aria-invalid", false);
      if (wrong) words(row).setAttribute("aria-invalid", "true");
      say(row, wrong ? _("Say what it shows, for those who do not see it.") : "", wrong);
    }
    if (wanting[0]) words(wanting[0].row).focus();
    return wanting.length === 0;
  }

  private async sendOne(one: Waiting): Promise<boolean> {
    const bar = one.row.querySelector("progress")!;
    bar.hidden = false;
    say(one.row, _("Sending"), false);
    try {
      const alt = words(one.row).value;
      if (one.place?.alt !== alt) one.place = await placeFor(this.urlValue, alt);
      await put(one.place!, one.file, (percent) => (bar.value = percent));
      this.forget(one);
      return true;
    } catch (error) {
      bar.hidden = true;
      if (!isOpen(error)) delete one.place;
      say(one.row, why(error), true);
      return false;
    }
  }

  private forget(one: Waiting): void {
    URL.revokeObjectURL(one.shown);
    one.row.remove();
    this.waiting = this.waiting.filter((other) => other !== one);
    this.settle();
  }

  private settle(): void {
    this.footTarget.hidden = this.waiting.length === 0;
  }
}

function words(row: HTMLElement): HTMLInputElement {
  return row.querySelector<HTMLInputElement>("input")!;
}

function say(row: HTMLElement, text: string, wrong: boolean): void {
  row.querySelector("[role=status]")!.textContent = text;
  row.classList.toggle("danger", wrong);
}

/** fetch tells nothing of how far an upload is, so this one is an old request. */
function put({ address, key }: Place, file: File, progress: (percent: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address);
    request.setRequestHeader("content-type", file.type);
    request.setRequestHeader("idempotency-key", key);
    request.upload.onprogress = (event) => event.lengthComputable && progress((event.loaded / event.total) * 100);
    request.onload = () => (request.status < 300 ? resolve() : reject(refusalIn(request.responseText, request.status)));
    request.onerror = () => reject(new Unreachable("no connection"));
    request.send(file);
  });
}
