import { Controller } from "@hotwired/stimulus";
import { toast } from "../toast";

interface Waiting {
  file: File;
  row: HTMLElement;
  shown: string;
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
    if (sent) toast(sent === 1 ? "1 picture is uploaded. It is shown once it is resized." : `${sent} pictures are uploaded. They are shown once they are resized.`, "ok");
  }

  private add(files: FileList | null | undefined): void {
    for (const file of files ?? []) {
      if (!file.type.startsWith("image/")) {
        toast(`${file.name} is no picture.`, "warn");
      } else if (file.size > this.mostValue) {
        toast(`${file.name} is larger than ${Math.floor(this.mostValue / 1024 / 1024)} MB. Make it smaller first.`, "warn");
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
    row.querySelector("button")!.setAttribute("aria-label", `Remove ${file.name}`);
    row.querySelector("progress")!.setAttribute("aria-label", `Sending ${file.name}`);
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
      say(row, wrong ? "Say what it shows, for those who do not see it." : "", wrong);
    }
    if (wanting[0]) words(wanting[0].row).focus();
    return wanting.length === 0;
  }

  private async sendOne(one: Waiting): Promise<boolean> {
    const bar = one.row.querySelector("progress")!;
    bar.hidden = false;
    say(one.row, "Sending", false);
    try {
      const address = await this.ask(words(one.row).value);
      await put(address, one.file, (percent) => (bar.value = percent));
      this.forget(one);
      return true;
    } catch (error) {
      bar.hidden = true;
      say(one.row, error instanceof Refused ? error.message : "No connection. Check the network and try again.", true);
      return false;
    }
  }

  private async ask(alt: string): Promise<string> {
    const answer = await fetch(this.urlValue, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ alt }),
    });
    if (!answer.ok) throw new Refused(await answer.text());
    return new URL(((await answer.json()) as { upload_url: string }).upload_url).pathname;
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

/** The server said no, and why. */
class Refused extends Error {
  constructor(body: string) {
    let detail = "";
    try {
      const problem = JSON.parse(body) as { detail?: string; fields?: Record<string, string> };
      detail = Object.values(problem.fields ?? {})[0] ?? problem.detail ?? "";
    } catch {
      // not one of ours
    }
    super(detail || "The picture could not be sent. Try again.");
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
function put(address: string, file: File, progress: (percent: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address);
    request.setRequestHeader("content-type", file.type);
    request.upload.onprogress = (event) => event.lengthComputable && progress((event.loaded / event.total) * 100);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Refused(request.responseText)));
    request.onerror = () => reject(new Error("no connection"));
    request.send(file);
  });
}
