import { Controller } from "@hotwired/stimulus";

/** Keeps what is shown once: as a text file, or on paper. */
export default class KeepController extends Controller<HTMLElement> {
  static override targets = ["source"];
  static override values = { name: String, title: String };
  declare readonly sourceTarget: HTMLElement;
  declare readonly nameValue: string;
  declare readonly titleValue: string;

  download(): void {
    const lines = Array.from(this.sourceTarget.querySelectorAll("code"), (code) => code.textContent ?? "");
    const url = URL.createObjectURL(new Blob([[this.titleValue, "", ...lines, ""].join("\n")], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = this.nameValue;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1_000);
  }

  print(): void {
    window.print();
  }
}
