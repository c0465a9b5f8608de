// Credits: what there is and what of it expires, buying more, payments that are not finished, and what became of each credit.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import type { CreditSum, OwnCredits, OwnPayment, Wish } from "../data/credits";
import { dateOf } from "../parts/amounts";
import { BuyDialog } from "../parts/buy-credits";
import { CreditHistory } from "../parts/credit-history";
import { Header, NetBanner } from "../parts/frame";
import { Skeleton, State } from "../parts/state";
import { money, when, zoneOf } from "../parts/words";
import { CREDITS, useAnswer } from "../state/answer";
import { online } from "../state/device";
import { home, me, now } from "../state/night";
import { begin, isPayable, isUnderWay, openWish, payAddress, PAYMENTS } from "../state/purchase";

export function CreditsScreen() {
  return (
    <>
      <Header title={_("Credits")} lead={home.value?.tenant.name} />
      <NetBanner />
      {me.value?.kind === "patron" ? (
        <Credits />
      ) : (
        <div class="acts">
          <State icon="wallet" title={_("No credits yet")} text={_("Scan a venue's code to become its guest; then credits can be bought here.")} />
        </div>
      )}
    </>
  );
}

function Credits() {
  const { answer, at, problem, loading } = useAnswer<OwnCredits>(CREDITS);
  if (loading) return <Skeleton rows={4} />;
  if (!answer) {
    return (
      <div class="acts">
        <State icon="cloud-off" tone="warn" title={_("Your credits could not be loaded")} text={problem?.detail ?? _("They show up as soon as you are back online.")} />
      </div>
    );
  }
  return (
    <div class="p-venue">
      <div class="p-column">
        {!online.value && at && (
          <p class="u-sm u-2" role="status">
            {_("As of %(time)s. Buying needs signal.", { time: when(at, now.value, zoneOf(), true) })}
          </p>
        )}
        <Sums credits={answer} />
        <Buy credits={answer} />
        <Unfinished />
      </div>
      <div class="p-column">
        <CreditHistory />
      </div>
    </div>
  );
}

function Sums({ credits }: { credits: OwnCredits }) {
  const none = credits.offers[0]?.currency;
  const nothing = none ? [{ currency: none, balance: 0, frozen: 0, available: 0, expires_at: null, expiring: 0 }] : [];
  return (
    <>
      {(credits.balances.length ? credits.balances : nothing).map((sum) => (
        <Sum key={sum.currency} sum={sum} />
      ))}
    </>
  );
}

// icons: wallet, snowflake, hourglass
function Sum({ sum }: { sum: CreditSum }) {
  return (
    <section class="p-card p-sum" aria-label={_("Credits in %(currency)s", { currency: sum.currency })}>
      <small>
        <Icon name="wallet" />
        {_("To spend")}
      </small>
      <b>{money(sum.available, sum.currency)}</b>
      {sum.frozen > 0 && (
        <p>
          <Icon name="snowflake" />
          {_("%(amount)s more is frozen: the bank of the card that paid has a question. It is released or taken back once the bank decides.", { amount: money(sum.frozen, sum.currency) })}
        </p>
      )}
      {sum.expires_at && (
        <p>
          <Icon name="hourglass" />
          {_("Next to expire: %(amount)s, on %(day)s. What expires first is spent first.", { amount: money(sum.expiring, sum.currency), day: dateOf(sum.expires_at, zoneOf()) })}
        </p>
      )}
    </section>
  );
}

function Buy({ credits }: { credits: OwnCredits }) {
  const [asking, setAsking] = useState(false);
  if (!credits.on_sale || !credits.offers.length) return <p class="u-sm u-2">{_("Credits are not on sale at the moment. Those you have can be spent.")}</p>;
  return (
    <div class="p-actions">
      <button type="button" class="p-btn go" onClick={() => setAsking(true)} disabled={!online.value}>
        <Icon name="plus" />
        {_("Buy credits")}
      </button>
      {asking && <BuyDialog offers={credits.offers} onClose={() => setAsking(false)} />}
    </div>
  );
}

/** Payments that were begun: continued, never begun twice. */
function Unfinished() {
  const { answer } = useAnswer<{ items: OwnPayment[] }>(PAYMENTS);
  const [wish, setWish] = useState<Wish | null>(null);
  useEffect(() => {
    void openWish().then(setWish);
  }, [answer]);
  const open = (answer?.items ?? []).filter(isUnderWay);
  if (!open.length && !wish) return null;
  return (
    <section class="p-block" aria-labelledby="unfinished-title">
      <div class="p-sec">
        <h2 id="unfinished-title">{_("Not finished")}</h2>
      </div>
      <ul class="acts">
        {wish && <WishRow wish={wish} />}
        {open.map((one) => (
          <li key={one.id} class="one">
            <span class="ic">
              <Icon name={isPayable(one) ? "credit-card" : "hourglass"} />
            </span>
            <b>{money(one.paid.amount, one.paid.currency)}</b>
            <small>{_("Begun %(time)s", { time: when(one.created_at, now.value, zoneOf(), true) })}</small>
            <span class="amt">
              <a class="btn sm" href={payAddress(one.id)} aria-label={isPayable(one) ? _("Continue to pay %(amount)s", { amount: money(one.paid.amount, one.paid.currency) }) : undefined}>
                {isPayable(one) ? _("Continue") : _("Being processed")}
              </a>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Sent, and never answered: sent again it is the same purchase. */
function WishRow({ wish }: { wish: Wish }) {
  const { busy, failed, run } = useAttempt();
  const go = () => run(async () => location.assign(payAddress(await begin(wish.wanted))));
  return (
    <li class="one">
      <span class="ic">
        <Icon name="credit-card" />
      </span>
      <b>{money(wish.wanted.amount, wish.wanted.currency)}</b>
      <small>{failed || _("Sent without an answer; nothing is paid.")}</small>
      <span class="amt">
        <button type="button" class="btn sm" onClick={() => void go()} aria-busy={busy} disabled={busy || !online.value}>
          {_("Continue")}
        </button>
      </span>
    </li>
  );
}
