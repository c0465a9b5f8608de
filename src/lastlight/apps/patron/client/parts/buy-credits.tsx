// How much to buy: what the business offers, or an amount of one's own.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { Field } from "../../../../ui/js/parts/field";
import type { CreditOffer } from "../data/credits";
import { online } from "../state/device";
import { present } from "../state/night";
import { begin, payAddress } from "../state/purchase";
import { minorOf } from "./amounts";
import { SheetIcon } from "./outcome";
import { money } from "./words";

interface Props {
  offers: CreditOffer[];
  onClose: () => void;
}

export function BuyDialog({ offers, onClose }: Props) {
  const { busy, failed, fields, run } = useAttempt();
  const [offer, setOffer] = useState(offers[0]!);
  const [chosen, setChosen] = useState<number | null>(offers[0]!.amounts[0] ?? null);
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState("");
  const amount = chosen ?? minorOf(typed, offer.currency);
  const within = amount !== null && amount >= offer.least && amount <= offer.most;
  const bounds = _("From %(least)s to %(most)s.", { least: money(offer.least, offer.currency), most: money(offer.most, offer.currency) });
  const change = (currency: string) => {
    const other = offers.find((one) => one.currency === currency)!;
    setOffer(other);
    setChosen(other.amounts[0] ?? null);
    setWrong("");
  };
  const buy = () =>
    run(async () => {
      if (!within) return setWrong(typed.trim() ? bounds : _("Type an amount: %(least)s to %(most)s.", { least: money(offer.least, offer.currency), most: money(offer.most, offer.currency) }));
      setWrong("");
      const here = present.value && !present.value.saved ? present.value.venueId : null;
      location.assign(payAddress(await begin({ amount, currency: offer.currency, venue_id: here })));
    });
  return (
    <Dialog label={_("Buy credits")} onClose={onClose}>
      <SheetIcon name="wallet" tone="accent" />
      <h2>{_("Buy credits")}</h2>
      <form
        class="p-form p-buy"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void buy();
        }}
      >
        {offers.length > 1 && <Choice name="currency" legend={_("Currency")} options={offers.map((one) => [one.currency, one.currency])} value={offer.currency} onValue={change} />}
        {offer.amounts.length > 0 && (
          <Choice
            name="package"
            legend={_("How much")}
            options={[...offer.amounts.map((one): [string, string] => [String(one), money(one, offer.currency)]), ["", _("Another amount")]]}
            value={chosen === null ? "" : String(chosen)}
            onValue={(value) => setChosen(value ? Number(value) : null)}
          />
        )}
        {chosen === null && (
          <Field label={_("Amount in %(currency)s", { currency: offer.currency })} name="amount" value={typed} onValue={setTyped} hint={wrong ? undefined : bounds} error={wrong || fields.amount} maxLength={16} literal required />
        )}
        {failed && (
          <p class="p-failed" role="alert">
            {fields.amount && chosen !== null ? fields.amount : failed}
          </p>
        )}
        <div class="p-actions">
          <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy || !online.value}>
            <Icon name="credit-card" />
            {within ? _("Pay %(amount)s by card", { amount: money(amount, offer.currency) }) : _("Pay by card")}
          </button>
          <button type="button" class="p-btn" onClick={onClose}>
            {_("Cancel")}
          </button>
        </div>
        {!online.value && <p class="u-sm u-2">{_("Buying needs signal.")}</p>}
      </form>
    </Dialog>
  );
}

interface ChoiceProps {
  name: string;
  legend: string;
  options: [string, string][];
  value: string;
  onValue: (value: string) => void;
}

function Choice({ name, legend, options, value, onValue }: ChoiceProps) {
  return (
    <fieldset class="p-starts">
      <legend>{legend}</legend>
      <div class="p-chips">
        {options.map(([key, label]) => (
          <label key={key} class="chip">
            <input type="radio" class="sr" name={name} value={key} checked={key === value} onChange={() => onValue(key)} />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
