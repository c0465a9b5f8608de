// Why something did not work, in words for people: the server's own where it has spoken.
import { gettext as _ } from "./i18n";
import { Refused } from "./wire/api";

export function why(error: unknown): string {
  if (!(error instanceof Refused)) return _("No connection. Check the network and try again.");
  return Object.values(error.problem.fields ?? {})[0] ?? error.message;
}
