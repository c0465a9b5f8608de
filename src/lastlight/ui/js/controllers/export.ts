import { Controller } from "@hotwired/stimulus";
import { gettext as _ } from "../i18n";
import { toast } from "../toast";
import { why } from "../why";
import { call, Refused } from "../wire/api";
import { late } from "../wire/late";
import { once } from "../wire/once";

interface Export {
  id: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled" | "expired";
  rows_done: number;
  rows_total: number | null;
  error: string;
  url: string | null;
}

const ASK_FIRST_MS = 300;
const ASK_AT_MOST_MS = 3_000;

/** An export is a job: ask for it, say so, follow it, and fetch the file when it is ready. */
export default class ExportController extends Controller<HTMLElement> {
  static override values = { listing: String, query: Object };
  declare readonly listingValue: string;
  declare readonly queryValue: object;

  async start(event: Event & { params: { format: string } }): Promise<void> {
    this.element.removeAttribute("open");
    this.element.setAttribute("aria-busy", "true");
    try {
      const made = await once<Export>("/api/exports", { listing: this.listingValue, format: event.params.format, query: this.queryValue });
      toast(_("The export is being made. It downloads by itself, and stays under Account, Exports."), "info");
      await this.follow(made);
    } catch (error) {
      toast(why(error), error instanceof Refused ? "danger" : "warn");
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }

  /** Ask quickly at first, for a short list is made at once; leaving the page only ends the asking. */
  private async follow(made: Export): Promise<void> {
    let wait = ASK_FIRST_MS;
    while (made.state === "queued" || made.state === "running") {
      await late(wait);
      if (!this.element.isConnected) return;
      wait = Math.min(wait * 1.5, ASK_AT_MOST_MS);
      made = await call<Export>(`/api/exports/${made.id}`).catch((error: unknown) => {
        if (error instanceof Refused && (error.problem.status === 429 || error.problem.status === 503)) return made;
        throw error;
      });
    }
    if (made.url) {
      toast(_("The export is ready: your browser saves the file."), "ok");
      return location.assign(new URL(made.url).pathname);
    }
    toast(made.error || _("The export failed. Try again."), "danger");
  }
}
