// What became of one's credits, the newest first: the newest page stays on the phone, older ones need the network.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { call } from "../../../../ui/js/wire/api";
import type { CreditEntry, EntryKind, EntryPage } from "../data/credits";
import { useAnswer } from "../state/answer";
import { online } from "../state/device";
import { now } from "../state/night";
import { SpendDialog } from "./spend-receipt";
import { Skeleton, State } from "./state";
import { money, when, zoneOf } from "./words";

const ENTRIES = "/api/patron/credits/entries?limit=30";

export function CreditHistory() {
  const { items, next, loading, busy, failed, load } = useEntries();
  if (loading) return <Skeleton rows={4} />;
  return (
    <section class="p-block" aria-labelledby="history-title">
      <div class="p-sec">
        <h2 id="history-title">{_("History")}</h2>
      </div>
      {items.length ? (
        <ul class="acts">
          {items.map((one) => (
            <Row key={one.id} entry={one} />
          ))}
        </ul>
      ) : (
        <div class="acts">
          <State compact icon="receipt-text" title={_("Nothing yet")} text={_("What you buy and spend is listed here, the newest first.")} />
        </div>
      )}
      {failed && (
        <p class="u-sm u-2" role="alert">
          {failed}
        </p>
      )}
      {next && (
        <button type="button" class="p-btn" onClick={() => void load()} aria-busy={busy} disabled={busy || !online.value}>
          {_("Show earlier ones")}
        </button>
      )}
    </section>
  );
}

/** The newest page as the server says it now, with what was read beyond it. */
function useEntries() {
  const { answer, loading } = useAnswer<EntryPage>(ENTRIES);
  const { busy, failed, run } = useAttempt();
  const [{ items, next }, setKnown] = useState<EntryPage>({ items: [], next: null });
  useEffect(() => {
    if (answer) setKnown((known) => joined(answer, known));
  }, [answer]);
  const load = () =>
    run(async () => {
      const older = await call<EntryPage>(`${ENTRIES}&after=${encodeURIComponent(next!)}`);
      setKnown((known) => ({ items: [...known.items, ...older.items.filter((one) => !known.items.some(({ id }) => id === one.id))], next: older.next }));
    });
  return { items: items.length ? items : (answer?.items ?? []), next: items.length ? next : (answer?.next ?? null), loading, busy, failed, load };
}

function joined(newest: EntryPage, known: EntryPage): EntryPage {
  const ids = new Set(newest.items.map(({ id }) => id));
  const beyond = known.items.filter(({ id }) => !ids.has(id));
  const meets = beyond.length < known.items.length;
  return meets && newest.next && beyond.length ? { items: [...newest.items, ...beyond], next: known.next } : newest;
}

// icons: credit-card, martini, undo-2, circle-alert, scale, gift, hourglass, snowflake, sun, gavel
const LOOKS: Record<EntryKind, [string, () => string]> = {
  bought: ["credit-card", () => _("Bought")],
  spent: ["martini", () => _("Spent")],
  "spend-reversed": ["undo-2", () => _("Given back")],
  refunded: ["credit-card", () => _("Sent back to the card")],
  "refund-failed": ["circle-alert", () => _("Came back from the card")],
  adjusted: ["scale", () => _("Put right by staff")],
  gift: ["gift", () => _("A gift")],
  expired: ["hourglass", () => _("Expired")],
  frozen: ["snowflake", () => _("Frozen: the bank asks")],
  released: ["sun", () => _("Released again")],
  disputed: ["gavel", () => _("Taken back by the bank")],
  "dispute-reversed": ["sun", () => _("Given back by the bank")],
};

function Row({ entry }: { entry: CreditEntry }) {
  const [icon, word] = LOOKS[entry.kind];
  const [open, setOpen] = useState(false);
  const opens = entry.kind === "spent" || entry.kind === "spend-reversed";
  const tax = entry.tax ? _("%(amount)s of it taxes", { amount: money(Math.abs(entry.tax), entry.currency) }) : "";
  const facts = [aside(entry), entry.venue, entry.kind === "bought" ? "" : entry.description, tax, when(entry.at, now.value, zoneOf())];
  return (
    <li>
      <span class="ic">
        <Icon name={icon} />
      </span>
      <b>
        {entry.payment_id ? (
          <a class="p-cover" href={`/patron/credits/${entry.payment_id}`}>
            {word()}
          </a>
        ) : opens ? (
          <button type="button" class="p-cover p-plain" onClick={() => setOpen(true)}>
            {word()}
          </button>
        ) : (
          word()
        )}
      </b>
      <small>{facts.filter(Boolean).join(" · ")}</small>
      <span class="amt">{entry.amount ? signed(entry.amount, entry.currency) : ""}</span>
      {open && <SpendDialog entry={entry} word={word()} onClose={() => setOpen(false)} />}
    </li>
  );
}

/** What is set aside for a dispute, or is not any more: it stays theirs meanwhile, so no amount stands on the right. */
function aside({ kind, froze, currency }: CreditEntry): string {
  if (kind !== "frozen" && kind !== "released") return "";
  const amount = money(Math.abs(froze), currency);
  return froze > 0 ? _("%(amount)s set aside", { amount }) : _("%(amount)s free again", { amount });
}

function signed(amount: number, currency: string): string {
  return `${amount > 0 ? "+" : "−"}${money(Math.abs(amount), currency)}`;
}
