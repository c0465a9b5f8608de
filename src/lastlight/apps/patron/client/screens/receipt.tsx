// The receipt of a purchase: what was paid with which card, what went back, and the way to send the rest back.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { once } from "../../../../ui/js/wire/once";
import type { CreditReceipt, ReceiptRefund } from "../data/credits";
import { dateOf } from "../parts/amounts";
import { Header, NetBanner } from "../parts/frame";
import { SheetIcon } from "../parts/outcome";
import { Skeleton, State } from "../parts/state";
import { say } from "../parts/toast";
import { money, when, zoneOf } from "../parts/words";
import { useAnswer } from "../state/answer";
import { online } from "../state/device";
import { now } from "../state/night";
import { payAddress } from "../state/purchase";
import { hrefOf, thing } from "../state/route";

export function ReceiptScreen() {
  const { answer, at, problem, loading, again } = useAnswer<CreditReceipt>(`/api/patron/credits/purchases/${thing.value}`);
  return (
    <>
      <Header title={_("Receipt")} lead={answer?.business} back={[hrefOf("credits"), _("All credits")]}>
        {answer?.paid_at && (
          <button type="button" class="btn icon ghost" aria-label={_("Print")} onClick={() => print()}>
            <Icon name="printer" />
          </button>
        )}
      </Header>
      <NetBanner />
      {loading ? <Skeleton rows={5} /> : answer ? <Receipt receipt={answer} at={at} again={again} /> : <Missing text={problem?.detail ?? _("It shows up as soon as you are back online.")} />}
    </>
  );
}

function Missing({ text }: { text: string }) {
  return (
    <div class="acts">
      <State icon="cloud-off" tone="warn" title={_("This receipt could not be loaded")} text={text} />
    </div>
  );
}

function Receipt({ receipt, at, again }: { receipt: CreditReceipt; at: number | null; again: () => Promise<void> }) {
  if (!receipt.paid_at) return <NotPaid receipt={receipt} />;
  return (
    <div class="p-receipt">
      {!online.value && at && (
        <p class="u-sm u-2" role="status">
          {_("As of %(time)s.", { time: when(at, now.value, zoneOf(), true) })}
        </p>
      )}
      <Paper receipt={receipt} paidAt={receipt.paid_at} />
      <Back receipt={receipt} again={again} />
    </div>
  );
}

function NotPaid({ receipt }: { receipt: CreditReceipt }) {
  const over = receipt.status === "canceled" || receipt.status === "failed";
  return (
    <div class="acts">
      <State icon={over ? "ban" : "credit-card"} title={over ? _("Nothing was paid") : _("Not paid yet")} text={_("%(amount)s of credits, begun %(day)s.", { amount: money(receipt.amount, receipt.currency), day: dateOf(receipt.created_at, zoneOf()) })}>
        {!over && (
          <a class="btn" href={payAddress(receipt.payment_id)}>
            {_("Continue")}
          </a>
        )}
      </State>
    </div>
  );
}

function Paper({ receipt, paidAt }: { receipt: CreditReceipt; paidAt: string }) {
  const card = receipt.last4 && _("%(brand)s ending in %(last)s", { brand: brandOf(receipt.brand), last: receipt.last4 });
  const left = receipt.remaining - receipt.frozen;
  const lines: [string, string | null][] = [
    [_("Business"), receipt.business],
    [_("Venue"), receipt.venue],
    [_("Receipt number"), receipt.number],
    [_("Paid"), dateOf(paidAt, zoneOf(), true)],
    [_("Card"), card],
    [_("Unspent"), money(receipt.remaining, receipt.currency)],
    [_("Of it frozen"), receipt.frozen ? money(receipt.frozen, receipt.currency) : null],
    [_("Expires"), receipt.expires_at && left ? dateOf(receipt.expires_at, zoneOf()) : null],
  ];
  return (
    <section class="p-card" aria-label={_("Receipt %(number)s", { number: receipt.number })}>
      <p class="p-sum">
        <small>{_("Credits")}</small>
        <b>{money(receipt.amount, receipt.currency)}</b>
      </p>
      <dl class="p-hours">
        {lines.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {receipt.refunds.length > 0 && (
        <>
          <h2>{_("Sent back to the card")}</h2>
          <dl class="p-hours">
            {receipt.refunds.map((one) => (
              <div key={one.id}>
                <dt>{[dateOf(one.ended_at ?? one.created_at, zoneOf()), refundWord(one)].join(" · ")}</dt>
                <dd>{money(one.amount, receipt.currency)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </section>
  );
}

function refundWord({ status }: ReceiptRefund): string {
  if (status === "succeeded") return _("done");
  return status === "failed" || status === "canceled" ? _("did not reach the card") : _("on its way");
}

function brandOf(brand: string): string {
  const known: Record<string, string> = { amex: "American Express", mastercard: "Mastercard", jcb: "JCB", unionpay: "UnionPay", diners: "Diners Club" };
  return known[brand] ?? brand.charAt(0).toUpperCase() + brand.slice(1);
}

/** Within the business's days the guest sends back what is unspent; asked first, for it leaves the app at once. */
function Back({ receipt, again }: { receipt: CreditReceipt; again: () => Promise<void> }) {
  const [asking, setAsking] = useState(false);
  const left = receipt.refundable;
  const open = receipt.refundable_until && Date.parse(receipt.refundable_until) > now.value && left > 0;
  if (!open) return left > 0 ? <p class="u-sm u-2 p-note">{_("The days for sending it back yourself are over. Ask the staff, or spend it.")}</p> : null;
  const until = _("Until %(day)s you can send back what is unspent.", { day: dateOf(receipt.refundable_until!, zoneOf(), true) });
  return (
    <div class="p-actions">
      <button type="button" class="p-btn" onClick={() => setAsking(true)} disabled={!online.value}>
        <Icon name="undo-2" />
        {_("Ask the money back")}
      </button>
      <p class="u-sm u-2">{online.value ? until : _("Sending back needs signal.")}</p>
      {asking && <BackDialog receipt={receipt} onClose={() => setAsking(false)} again={again} />}
    </div>
  );
}

function BackDialog({ receipt, onClose, again }: { receipt: CreditReceipt; onClose: () => void; again: () => Promise<void> }) {
  const { busy, failed, run } = useAttempt();
  const amount = receipt.refundable;
  const stays = receipt.remaining - receipt.frozen - amount;
  const shown = money(amount, receipt.currency);
  const send = () =>
    run(async () => {
      await once(`/api/patron/credits/purchases/${receipt.payment_id}/refund`, { amount });
      say(_("%(amount)s is on its way back to your card.", { amount: shown }));
      onClose();
      await again();
    });
  return (
    <Dialog label={_("Ask the money back?")} onClose={onClose}>
      <SheetIcon name="undo-2" tone="warn" />
      <h2>{_("Send %(amount)s back to your card?", { amount: shown })}</h2>
      <p>{_("These credits are gone at once. The money goes to the card that paid, and banks take some days to show it.")}</p>
      {stays > 0 && <p>{_("%(amount)s cannot go back to a card and stays here as credits.", { amount: money(stays, receipt.currency) })}</p>}
      {failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
      <div class="p-actions">
        <button type="button" class="p-btn danger" onClick={() => void send()} aria-busy={busy} disabled={busy || !online.value}>
          {_("Send it back")}
        </button>
        <button type="button" class="p-btn" onClick={onClose}>
          {_("Keep my credits")}
        </button>
      </div>
    </Dialog>
  );
}
