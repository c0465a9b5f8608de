// What htmx cannot swap must still reach the person: a dead network, a 5xx, an expired sign-in.
import { leadsToSignIn, sessionEnded } from "./session";
import { toast } from "./toast";

interface Context {
  sourceElement: Element;
  response?: { status: number; headers: Headers };
  text?: string;
  hx?: { redirect?: string };
}
interface ContextEvent extends Event {
  detail: { ctx: Context };
}
interface Problem {
  detail?: string;
  title?: string;
}

const SENTENCES: Record<number, string> = {
  403: "You may not do that. Ask someone who manages roles.",
  404: "That is not there any more. Reload the page.",
  409: "Someone else changed this meanwhile. Reload the page and try again.",
  413: "That is too large to send.",
  429: "Too many tries. Wait a moment and try again.",
};

/** HTML that the server meant for this element: it says how to swap it, or the element says so for this status. */
function isMeant({ sourceElement, response }: Context): boolean {
  if (!response?.headers.get("content-type")?.includes("html")) return false;
  if (response.headers.has("HX-Reswap")) return true;
  const status = String(response.status);
  return [status, `${status.slice(0, 2)}x`, `${status[0]}xx`].some((pattern) => sourceElement.hasAttribute(`hx-status:${pattern}`));
}

function sentence({ response, text }: Context): string {
  if (response?.headers.get("content-type")?.includes("json")) {
    try {
      const problem = JSON.parse(text ?? "") as Problem;
      const said = problem.detail ?? problem.title;
      if (said) return said;
    } catch {
      // not a problem document after all: the status speaks
    }
  }
  return SENTENCES[response?.status ?? 0] ?? "Something went wrong on our side. Try again in a moment.";
}

export function reportFailures(): void {
  document.addEventListener("htmx:before:response", (event) => {
    if (!leadsToSignIn((event as ContextEvent).detail.ctx.hx?.redirect)) return;
    event.preventDefault();
    sessionEnded();
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = (event as ContextEvent).detail;
    const status = ctx.response?.status ?? 200;
    if (status < 400 || isMeant(ctx)) return;
    event.preventDefault();
    if (status === 401) sessionEnded();
    else toast(sentence(ctx), "danger");
  });
  document.addEventListener("htmx:error", (event) => {
    // A block that asks by itself is spoken for by the live pill; a press inside of it is somebody's, who has to know.
    if ((event.target as Element).matches("[data-live-block]")) return;
    toast("No connection. Check the network and try again.", "warn");
  });
}
