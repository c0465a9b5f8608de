// What the answers are called at a door: short words, and what to do.
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import type { Entrance, Entry } from "../data/database";
import { hasPassed } from "../data/decide";
import { snapshot } from "../state/door";
import { toneOf, type Tone } from "../state/sound";

// icons: check, log-out, triangle-alert, x
/** The sign of each tone, beside its colour. */
export const SIGNS: Record<Tone, string> = { yes: "check", bye: "log-out", warn: "triangle-alert", no: "x" };

interface Words {
  word: string;
  advice: string;
}

/** What to do, as it is said to who works at the door: the server speaks to guests, so it is heard only where there are no words of ours. */
export function adviceFor(what: string, detail: string): string {
  const known = WORDS()[what];
  return known ? known.advice || detail : detail || wordsFor(what).advice;
}

/** The word on the whole screen, and a sentence under it where something is to be done. */
export function wordsFor(what: string): Words {
  return WORDS()[what] ?? { word: _("Do not let in"), advice: _("Ask a manager.") };
}

const WORDS = (): Record<string, Words> => ({
  admitted: { word: _("Come in"), advice: "" },
  override: { word: _("Let in by hand"), advice: "" },
  left: { word: _("Goodbye"), advice: "" },
  "visit-open": { word: _("Already inside"), advice: _("Is this the guest of the pass? They came in before and did not check out.") },
  "no-open-visit": { word: _("Not inside"), advice: _("Nobody of this pass is checked in here. They may go.") },
  "code-replayed": { word: _("Used already"), advice: _("This very code was scanned before. Wait for the next one, at most ten seconds.") },
  "code-malformed": { word: _("Not a pass"), advice: _("Ask the guest to open My code in the app.") },
  "code-forged": { word: _("Forged"), advice: _("This pass was not made by Last Light. Do not let them in with it; tell a manager.") },
  "code-expired": { word: _("Old code"), advice: _("A picture of a pass, or the phone's clock is wrong. Ask for the code in the app itself.") },
  "code-retired": { word: _("Old phone"), advice: _("The guest has removed this phone. Ask for the phone that they use now.") },
  "code-unknown": { word: _("Another business"), advice: _("This pass is not for this business. Ask the guest to switch in the app.") },
  "patron-barred": { word: _("Do not let in"), advice: _("The business has barred this guest.") },
  "under-age": { word: _("Too young"), advice: _("Younger than this venue allows.") },
  "age-unknown": { word: _("Age not known"), advice: _("The guest has given no date of birth. Check an ID; whoever is old enough is let in by hand.") },
  "entry-unpaid": { word: _("Too few credits"), advice: _("They can buy credits in their app, here and now, and show the pass again.") },
  "venue-closed": { word: _("Closed"), advice: _("The venue takes no guests at this hour.") },
  "venue-paused": { word: _("Paused"), advice: _("The venue takes no guests at the moment.") },
  "claim-in-future": { word: _("Clock wrong"), advice: _("Set this device's clock to automatic.") },
  "claim-too-late": { word: _("Sent too late"), advice: _("The business does not take scans that are so old.") },
  "sequence-reused": { word: _("Not counted"), advice: _("This device's count is behind. Enrol the scanner again.") },
});

/** The word and the advice where somebody is short of credits: what has become of those that they had. */
export function wordsForShort({ missing, frozen = 0, expired = 0, currency }: Entrance): Words {
  const few = wordsFor("entry-unpaid");
  const next = _("They can buy credits in their app and show the pass again, or ask a manager.");
  const lost: string[] = [];
  if (frozen) lost.push(_("%(amount)s of their credits is frozen while a card payment is disputed.", { amount: money(frozen, currency) }));
  if (expired) lost.push(_("%(amount)s of their credits has expired.", { amount: money(expired, currency) }));
  const word = frozen >= missing ? _("Credits frozen") : expired >= missing ? _("Credits expired") : few.word;
  return lost.length ? { word, advice: [...lost, next].join(" ") } : few;
}

/** What is said of the price of the entrance: what was paid, is owed or is missing; without the server, what will be charged. */
export function entranceText(entrance: Entrance | null, offline: boolean): string {
  const price = snapshot.value?.entrance;
  if (!entrance) return offline && price ? _("The entrance of %(amount)s is charged when there is a network, unless it was paid today", { amount: money(price.amount, price.currency) }) : "";
  const amount = money(entrance.amount, entrance.currency);
  if (entrance.status === "short") return _("Entrance %(amount)s: %(missing)s is missing", { amount, missing: money(entrance.missing, entrance.currency) });
  if (entrance.status === "waived") return _("Entrance %(amount)s let off", { amount });
  return entrance.status === "paid" ? _("Entrance %(amount)s paid", { amount }) : _("Entrance %(amount)s not paid", { amount });
}

function money(minor: number, currency: string): string {
  const format = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** Hours and minutes on the venue's clock, whatever zone the device is set to. */
export function clock(at: string | number): string {
  return new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: snapshot.value?.time_zone }).format(new Date(at));
}

/** "just now", "4 min ago", "2 h ago". */
export function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return _("just now");
  return minutes < 60 ? ngettext("%(num)s min ago", "%(num)s min ago", minutes) : ngettext("%(num)s h ago", "%(num)s h ago", Math.floor(minutes / 60));
}

/** What became of a line of the log, and how to show it. */
export function lineState(entry: Entry): { tone: Tone; word: string } {
  const passed = hasPassed(entry);
  const refusal = entry.answer?.refusal || entry.refusal;
  const tone = toneOf(passed, entry.direction, refusal);
  if (entry.again || entry.answer?.result === "double") return { tone: "warn", word: _("Let in twice") };
  if (passed) return { tone, word: entry.direction === "in" ? _("Let in") : _("Checked out") };
  return { tone, word: wordsFor(refusal).word };
}

/** What the server took otherwise than this door did. */
export function noticeText(entry: Entry): string {
  const who = entry.answer?.patron || entry.name || _("A guest");
  const at = clock(entry.claimed_at);
  if (entry.again) {
    const { door, at: then } = entry.again;
    return _("Let in twice: %(who)s came in here at %(at)s, and by %(door)s at %(then)s. Look who it is.", { who, at, door, then: clock(then) });
  }
  if (entry.answer?.result === "double") return _("Let in twice: %(who)s was inside already when this door let them in at %(at)s.", { who, at });
  if (entry.answer?.result === "refused" && !(entry.answer.refusal in WORDS())) {
    return _("The scan of %(who)s at %(at)s could not be counted: %(why)s", { who, at, why: entry.answer.detail });
  }
  if (entry.answer?.result === "refused") {
    const why = wordsFor(entry.answer.refusal).word;
    return _("%(who)s was let in here at %(at)s, but the house says: %(why)s. Find them.", { who, at, why });
  }
  return _("%(who)s was turned away here at %(at)s, but the house had let them in. They may come in.", { who, at });
}
