// What htmx cannot swap must still reach the person: a dead network, a 5xx, an expired sign-in.
import { toast } from "./toast";

interface ResponseEvent extends Event {
  detail: { ctx: { response: { status: number; headers: Headers }; text?: string; swap?: string } };
}

function sentence(event: ResponseEvent): string {
  const { response, text } = event.detail.ctx;
  if (response.headers.get("content-type")?.includes("json")) {
    try {
      const problem = JSON.parse(text ?? "") as { detail?: string; title?: string };
      const said = problem.detail ?? problem.title;
      if (said) return said;
    } catch {
      // not a problem document after all: the status speaks
    }
  }
  if (response.status === 403) return "You may not do that. Ask someone who manages roles.";
  if (response.status === 404) return "That is not there any more. Reload the page.";
  if (response.status === 409) return "Someone else changed this meanwhile. Reload the page and try again.";
  if (response.status === 429) return "Too many tries. Wait a moment and try again.";
  return "Something went wrong on our side. Try again in a moment.";
}

/** Statuses that an element declares itself (hx-status:422) are left to htmx; of the others the person is told. */
export function reportFailures(): void {
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = (event as ResponseEvent).detail;
    const status = ctx.response?.status ?? 200;
    const html = ctx.response?.headers.get("content-type")?.includes("html") ?? true;
    if (status === 401) {
      event.preventDefault();
      location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    } else if (status >= 400 && !(status === 422 && html)) {
      event.preventDefault();
      toast(sentence(event as ResponseEvent), "danger");
    }
  });
  document.addEventListener("htmx:error", (event) => {
    const target = event.target as Element;
    if (target.closest("[data-live-block]")) return; // the live pill already says so
    toast("No connection. Check the network and try again.", "warn");
  });
}
