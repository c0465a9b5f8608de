import { Controller } from "@hotwired/stimulus";
import { toast } from "../toast";

/** Copies the text of its source (or of an attribute) and says so. */
export default class CopyController extends Controller<HTMLElement> {
  static override targets = ["source"];
  static override values = { text: String, done: String };
  declare readonly sourceTarget: HTMLElement;
  declare readonly hasSourceTarget: boolean;
  declare readonly textValue: string;
  declare readonly doneValue: string;

  async copy(): Promise<void> {
    const text = this.textValue || (this.hasSourceTarget ? (this.sourceTarget.textContent ?? "").trim() : "");
    try {
      await navigator.clipboard.writeText(text);
      toast(this.doneValue || "Copied", "ok");
    } catch {
      if (this.hasSourceTarget) getSelection()?.selectAllChildren(this.sourceTarget);
      toast("The browser refused. The text is selected: press Ctrl C.", "warn");
    }
  }
}
