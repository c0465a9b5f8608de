import { Controller } from "@hotwired/stimulus";
import { toast } from "../toast";

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
      const answer = await fetch("/api/exports", {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key() },
        body: JSON.stringify({ listing: this.listingValue, format: event.params.format, query: this.queryValue }),
      });
      if (!answer.ok) return toast(await said(answer), "danger");
      toast("The export is being made. It downloads by itself, and stays under Account, Exports.", "info");
      await this.follow((await answer.json()) as Export);
    } catch {
      toast("No connection. Check the network and try again.", "warn");
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }

  /** Ask quickly at first, for a short list is made at once; leaving the page only ends the asking. */
  private async follow(made: Export): Promise<void> {
    let wait = ASK_FIRST_MS;
    while (made.state === "queued" || made.state === "running") {
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (!this.element.isConnected) return;
      wait = Math.min(wait * 1.5, ASK_AT_MOST_MS);
      const answer = await fetch(`/api/exports/${made.id}`);
      if (answer.status === 429 || answer.status === 503) continue;
      if (!answer.ok) return toast(await said(answer), "danger");
      made = (await answer.json()) as Export;
    }
    if (made.url) {
      toast("The export is ready: your browser saves the file.", "ok");
      return location.assign(new URL(made.url).pathname);
    }
    toast(made.error || "The export failed. Try again.", "danger");
  }
}

/** A new idempotency key; randomUUID is only there on pages that came over https or from this machine. */
function key(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function said(answer: Response): Promise<string> {
  try {
    const problem = (await answer.json()) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? answer.statusText;
  } catch {
    return "The export could not be started. Try again.";
  }
}
