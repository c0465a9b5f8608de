import { Controller } from "@hotwired/stimulus";
import { toast } from "../toast";

interface ExportJob {
  id: string;
  state?: string;
  status?: string;
  url?: string | null;
  download_url?: string | null;
  error?: string | null;
}

const ASK_EVERY_MS = 1_000;
const PATIENCE = 300;

/** An export is a job: ask for it, say so, and fetch the file when it is ready. */
export default class ExportController extends Controller<HTMLElement> {
  static override values = { listing: String, query: Object };
  declare readonly listingValue: string;
  declare readonly queryValue: object;

  async start(event: Event & { params: { format: string } }): Promise<void> {
    this.element.removeAttribute("open");
    const answer = await fetch("/api/exports", {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
      body: JSON.stringify({ listing: this.listingValue, format: event.params.format, query: this.queryValue }),
    });
    if (!answer.ok) return toast(await said(answer), "danger");
    toast("The export is being made. It downloads by itself.", "info");
    await this.follow((await answer.json()) as ExportJob);
  }

  private async follow(job: ExportJob): Promise<void> {
    for (let asked = 0; asked < PATIENCE && this.element.isConnected; asked++) {
      const url = job.download_url ?? job.url;
      if (url) return location.assign(url);
      if ((job.state ?? job.status) === "failed") return toast(job.error ?? "The export failed. Try again.", "danger");
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      const answer = await fetch(`/api/exports/${job.id}`);
      if (!answer.ok) return toast(await said(answer), "danger");
      job = (await answer.json()) as ExportJob;
    }
  }
}

async function said(answer: Response): Promise<string> {
  try {
    const problem = (await answer.json()) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? answer.statusText;
  } catch {
    return "The export could not be started. Try again.";
  }
}
