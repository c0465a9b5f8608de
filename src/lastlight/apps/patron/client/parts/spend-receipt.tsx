// What credits were spent on, line by line with its taxes, and what of it came back.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { Dialog } from "../../../../ui/js/parts/dialog";
import type { CreditEntry, SpendReceipt, SpentLine } from "../data/credits";
import { useAnswer } from "../state/answer";
import { dateOf } from "./amounts";
import { SheetIcon } from "./outcome";
import { Skeleton } from "./state";
import { money, zoneOf } from "./words";

export function SpendDialog({ entry, word, onClose }: { entry: CreditEntry; word: string; onClose: () => void }) {
  const { answer, problem, loading } = useAnswer<SpendReceipt>(`/api/patron/credits/entries/${entry.id}`);
  const facts = [entry.venue, dateOf(entry.at, zoneOf(entry.venue_id), true)].filter(Boolean).join(" · ");
  return (
    <Dialog label={word} onClose={onClose}>
      <SheetIcon name={entry.amount > 0 ? "undo-2" : "receipt-text"} tone="accent" />
      <h2>{money(Math.abs(entry.amount), entry.currency)}</h2>
      <p>
        {entry.description}
        <br />
        <small>{facts}</small>
      </p>
      {loading && <Skeleton rows={2} />}
      {answer?.lines && <Lines lines={answer.lines} currency={entry.currency} />}
      {!answer && !loading && (
        <p class="u-sm u-2" role="status">
          {problem?.detail ?? _("It shows up as soon as you are back online.")}
        </p>
      )}
      <div class="p-actions">
        {answer && (
          <button type="button" class="p-btn" onClick={() => print()}>
            <Icon name="printer" />
            {_("Print")}
          </button>
        )}
        <button type="button" class="p-btn" onClick={onClose}>
          {_("Close")}
        </button>
      </div>
    </Dialog>
  );
}

function Lines({ lines, currency }: { lines: SpentLine[]; currency: string }) {
  const rows: [string, number][] = [];
  for (const line of lines) rows.push([line.quantity > 1 ? `${line.quantity} × ${line.description}` : line.description, line.gross]);
  const net = lines.reduce((sum, line) => sum + line.net, 0);
  const taxes = new Map<string, number>();
  for (const tax of lines.flatMap((line) => line.taxes)) {
    const name = `${tax.name} ${tax.millionths / 10_000} %`;
    taxes.set(name, (taxes.get(name) ?? 0) + tax.amount);
  }
  return (
    <dl class="p-hours">
      {rows.map(([name, amount], place) => (
        <div key={place}>
          <dt>{name}</dt>
          <dd>{money(amount, currency)}</dd>
        </div>
      ))}
      {taxes.size > 0 && (
        <div>
          <dt>{_("Without taxes")}</dt>
          <dd>{money(net, currency)}</dd>
        </div>
      )}
      {[...taxes].map(([name, amount]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{money(amount, currency)}</dd>
        </div>
      ))}
    </dl>
  );
}
