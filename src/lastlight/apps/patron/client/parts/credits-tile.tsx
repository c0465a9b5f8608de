// Credits on the first page: what there is, and the way to more.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import type { OwnCredits } from "../data/credits";
import { CREDITS, useAnswer } from "../state/answer";
import { online } from "../state/device";
import { now } from "../state/night";
import { hrefOf } from "../state/route";
import { money, when, zoneOf } from "./words";

export function CreditsTile() {
  const { answer, at } = useAnswer<OwnCredits>(CREDITS);
  if (!answer || !(answer.on_sale || answer.balances.length)) return null;
  const sums = answer.balances.map(({ available, currency }) => money(available, currency));
  const none = answer.offers[0] ? money(0, answer.offers[0].currency) : "–";
  const known = !online.value && at ? _("As of %(time)s", { time: when(at, now.value, zoneOf(), true) }) : _("To spend");
  return (
    <a class="tile p-purse" href={hrefOf("credits")}>
      <small>
        <Icon name="wallet" />
        {_("Credits")}
      </small>
      <b>{sums.join(" · ") || none}</b>
      <em>{sums.length ? known : _("Buy some and pay with a tap")}</em>
      <Icon name="chevron-right" />
    </a>
  );
}
