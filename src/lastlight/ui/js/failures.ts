// What htmx cannot swap must still reach the person: a dead network, a 5xx, an expired sign-in.
import { gettext as _ } from "./i18n";
import { leadsToSignIn, sessionEnded } from "./session";
import { toast } from "./toast";
import { sentence, type Problem } from "./wire/api";

interface Context {
  sourceElement: Element;
  request?: { method?: string };
  response?: { status: number; headers: Headers };
  text?: string;
  hx?: { redirect?: string };
}
interface ContextEvent extends Event {
  detail: { ctx: Context };
}

/** By status, for answers that are not ours to word. */
const SENTENCES: Record<number, () => string> = {
  403: () => _("You may not do that. Ask someone who manages roles."),
  404: () => _("That is not there any more. Reload the page."),
  409: () => _("Someone else changed this meanwhile. Reload the page and try again."),
  413: () => _("That is too large to send."),
  429: () => _("Too many tries. Wait a moment and try again."),
};

/** HTML that the server meant for this element: it says how to swap it, or the element says so for this status. */
function isMeant({ sourceElement, response }: Context): boolean {
  if (!response?.headers.get("content-type")?.includes("html")) return false;
  if (response.headers.has("HX-Reswap")) return true;
  const status = String(response.status);
  return [status, `${status.slice(0, 2)}x`, `${status[0]}xx`].some((pattern) => sourceElement.hasAttribute(`hx-status:${pattern}`));
}

function words({ request, response, text }: Context): string {
  if (response?.headers.get("content-type")?.includes("json")) {
    try {
      const said = sentence(JSON.parse(text ?? "") as Partial<Problem>);
      if (said) return said;
    } catch {
      // not a problem document after all: the status speaks
    }
  }
  const known = SENTENCES[response?.status ?? 0];
  if (known) return known();
  return writes(request) ? unsure() : _("Something went wrong on our side. Try again in a moment.");
}

/** Whether something was sent that may have been done though nobody says so. */
function writes(request: Context["request"]): boolean {
  return (request?.method ?? "GET").toUpperCase() !== "GET";
}

function unsure(): string {
  return _("No answer came, so it is not known whether this was done. Look before you do it again.");
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
    else toast(words(ctx), "danger");
  });
  document.addEventListener("htmx:error", (event) => {
    // A block that asks by itself is spoken for by the live pill; a press inside of it is somebody's, who has to know.
    if ((event.target as Element).matches("[data-live-block]")) return;
    const sent = navigator.onLine && writes((event as ContextEvent).detail?.ctx?.request);
    toast(sent ? unsure() : _("No connection. Check the network and try again."), "warn");
  });
}
