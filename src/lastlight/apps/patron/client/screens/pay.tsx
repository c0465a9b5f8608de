// Paying by card, on a page of its own: left, loaded anew or come back to, it is the same payment.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { call } from "../../../../ui/js/wire/api";
import type { Checkout, OwnCredits } from "../data/credits";
import { CardFields } from "../parts/card-fields";
import { Header, NetBanner } from "../parts/frame";
import { Skeleton, State } from "../parts/state";
import { money } from "../parts/words";
import { useCheckout, type Watched } from "../state/checkout";
import { online } from "../state/device";
import { me } from "../state/night";
import { providerOf, type PayError } from "../state/provider";
import { begin, payAddress } from "../state/purchase";
import { hrefOf, thing } from "../state/route";

const SLOW_MS = 8_000;
/** They leave it open what became of a try. */
const UNSURE = new Set(["api_connection_error", "api_error", "rate_limit_error"]);
/** The page as the server gave it may load the fields; the one that the phone kept may not. */
const MAY_PAY = "pays" in document.documentElement.dataset;

export function PayScreen() {
  const watched = useCheckout(thing.value);
  const { checkout, problem, ask, watch } = watched;
  useEffect(() => {
    if (online.value && !MAY_PAY) location.reload();
  }, [online.value]);
  useEffect(() => {
    if (!location.search) return;
    history.replaceState(null, "", location.pathname); // the bank's page led back here: the address names the secret
    watch(true);
    void ask();
  }, []);
  return (
    <>
      <Header title={_("Pay by card")} lead={me.value?.tenant?.name} back={[hrefOf("credits"), _("My credits")]} />
      <NetBanner />
      {checkout ? <Payment watched={watched} checkout={checkout} /> : <Unknown text={problem?.detail} />}
    </>
  );
}

function Unknown({ text }: { text: string | undefined }) {
  if (!text && online.value) return <Skeleton rows={4} />;
  return (
    <div class="acts">
      <State icon="cloud-off" tone="warn" title={_("This payment could not be loaded")} text={text ?? _("It waits for you as it is. Paying needs signal.")}>
        <a class="btn" href={hrefOf("credits")}>
          {_("My credits")}
        </a>
      </State>
    </div>
  );
}

type Phase = "beginning" | "card" | "bank" | "confirming" | "leaving" | "processing" | "paid" | "canceled" | "failed";

interface Doing {
  /** The provider is being told, or the server does not know yet what it was told. */
  act: "" | "paying" | "sure" | "leaving";
  error: PayError | null;
}

function phaseOf({ status, client_secret }: Checkout, { act }: Doing): Phase {
  if (status === "captured" || status === "settled") return "paid";
  if (status === "canceled" || status === "failed") return status;
  if (status === "processing" || status === "authorised") return "processing";
  if (act === "leaving") return "leaving";
  if (act === "sure") return "confirming";
  if (status === "created" || !client_secret) return "beginning";
  return status === "action" && act !== "paying" ? "bank" : "card";
}

function said(phase: Phase): string {
  const words: Record<Phase, string> = {
    beginning: _("Your payment is being prepared"),
    card: _("Your card"),
    bank: _("Your bank asks"),
    confirming: _("Your payment is being confirmed"),
    leaving: _("Your payment is being given up"),
    processing: _("Your payment is being processed"),
    paid: _("Paid. Thank you."),
    canceled: _("Given up: nothing was paid"),
    failed: _("It did not begin: nothing was paid"),
  };
  return words[phase];
}

function Payment({ watched, checkout }: { watched: Watched; checkout: Checkout }) {
  const { watch, ask } = watched;
  const [doing, setDoing] = useState<Doing>({ act: "", error: null });
  const phase = phaseOf(checkout, doing);
  useEffect(() => {
    if (document.activeElement === document.body) document.querySelector<HTMLElement>("#main h1")?.focus({ preventScroll: true });
  }, [phase]);
  const learn = (error: PayError | null) => {
    setDoing({ act: error ? "" : "sure", error });
    if (!error) watch(true);
    if (error?.type !== "validation_error") void ask();
  };
  const giveUp = async () => {
    await call(`/api/patron/payments/${checkout.payment_id}/cancellation`, { method: "POST" });
    setDoing({ act: "leaving", error: null });
    watch(true);
    await ask();
  };
  const open = phase === "card" || phase === "bank" || phase === "beginning";
  return (
    <>
      <section class="p-card p-sum" aria-label={_("Your purchase")}>
        <small>
          <Icon name="wallet" />
          {_("Credits")}
        </small>
        <b>{money(checkout.amount, checkout.currency)}</b>
      </section>
      <p class="sr" role="status">
        {said(phase)}
      </p>
      {phase === "card" && <Trouble error={doing.error} failure={checkout.failure} />}
      {phase === "card" && <CardFields checkout={checkout} busy={doing.act === "paying"} onTry={() => setDoing({ act: "paying", error: null })} onOutcome={learn} />}
      {phase === "bank" && <Bank checkout={checkout} onOutcome={learn} />}
      {phase !== "card" && phase !== "bank" && <Standing phase={phase} checkout={checkout} />}
      {open && doing.act !== "paying" && <GiveUp onGiveUp={giveUp} />}
    </>
  );
}

/** Why the last try paid nothing; what is wrong with what was typed, the provider's fields say themselves. */
function Trouble({ error, failure }: { error: PayError | null; failure: string }) {
  const typing = error?.type === "validation_error";
  const unsure = error && !typing && (UNSURE.has(error.type) || !error.message);
  const text = typing || unsure ? "" : (error?.message ?? failure);
  return (
    <div role="alert" class="p-alert">
      {(text || unsure) && (
        <div class={`net ${text ? "danger" : ""}`}>
          <Icon name="circle-alert" class="i-lg" />
          <span>
            <b>{text ? _("Nothing was paid.") : _("The card provider did not answer.")}</b>{" "}
            <span class="sub">
              {text ? _("%(why)s Try again, or use another card.", { why: text }) : _("We look whether it went through. If the card can be typed again, nothing was paid.")}
            </span>
          </span>
        </div>
      )}
    </div>
  );
}

/** The bank wants to be sure that it is its customer who pays. */
function Bank({ checkout, onOutcome }: { checkout: Checkout; onOutcome: (error: PayError | null) => void }) {
  const { busy, failed, run } = useAttempt();
  const confirm = () =>
    run(async () => {
      const provider = await providerOf(checkout);
      const { error } = await provider.handleNextAction({ clientSecret: checkout.client_secret! });
      onOutcome(error ?? null);
    });
  return (
    <div class="acts">
      <State icon="landmark" title={_("Your bank asks whether it is you")} text={_("Confirm this payment with your bank. Nothing is paid before you do.")}>
        <button type="button" class="btn" onClick={() => void confirm()} aria-busy={busy} disabled={busy}>
          {_("Confirm with my bank")}
        </button>
        {failed && (
          <p class="p-failed" role="alert">
            {failed}
          </p>
        )}
      </State>
    </div>
  );
}

function Standing({ phase, checkout }: { phase: Exclude<Phase, "card" | "bank">; checkout: Checkout }) {
  if (phase === "paid") return <Paid checkout={checkout} />;
  if (phase === "canceled" || phase === "failed") return <Nothing checkout={checkout} why={phase === "failed" ? checkout.failure : ""} title={said(phase)} />;
  if (phase === "beginning") return <Beginning />;
  const text = {
    confirming: _("It takes a moment. You may leave this page: your credits come as soon as it is paid."),
    leaving: _("It takes a moment."),
    processing: _("Your bank takes its time. You may leave this page: your credits come as soon as it is paid, and your history shows it."),
  }[phase];
  return (
    <Waiting title={said(phase)} text={text}>
      {phase !== "leaving" && (
        <a class="btn" href={hrefOf("credits")}>
          {_("My credits")}
        </a>
      )}
    </Waiting>
  );
}

// icons: hourglass, circle-check, ban
function Waiting({ title, text, children }: { title: string; text: string; children?: ComponentChildren }) {
  return (
    <div class="acts" aria-busy="true">
      <State icon="hourglass" title={title} text={text}>
        {children}
      </State>
    </div>
  );
}

function Beginning() {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const late = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(late);
  }, []);
  const text = slow ? _("The card provider does not answer at the moment. We keep trying; nothing is paid, and you can come back later.") : _("The card provider is being asked. It takes a moment.");
  return (
    <>
      <p class="sr" role="status">
        {slow && text}
      </p>
      <Waiting title={said("beginning")} text={text} />
    </>
  );
}

function Paid({ checkout }: { checkout: Checkout }) {
  const [sum, setSum] = useState<string | null>(null);
  useEffect(() => {
    void call<OwnCredits>("/api/patron/credits").then(
      ({ balances }) => {
        const own = balances.find((one) => one.currency === checkout.currency);
        if (own) setSum(money(own.available, own.currency));
      },
      () => undefined,
    );
  }, []);
  return (
    <div class="acts">
      <State icon="circle-check" title={said("paid")} text={sum === null ? _("Your credits are there.") : _("You have %(amount)s to spend now.", { amount: sum })}>
        <a class="btn" href={hrefOf("credits")}>
          {_("My credits")}
        </a>
        <a class="btn" href={`/patron/credits/${checkout.payment_id}`}>
          {_("See the receipt")}
        </a>
      </State>
    </div>
  );
}

function Nothing({ checkout, title, why }: { checkout: Checkout; title: string; why: string }) {
  const { busy, failed, run } = useAttempt();
  const again = () => run(async () => location.replace(payAddress(await begin({ amount: checkout.amount, currency: checkout.currency, venue_id: null }))));
  return (
    <div class="acts">
      <State icon="ban" tone={why ? "warn" : ""} title={title} text={why || _("No card was charged.")}>
        <button type="button" class="btn" onClick={() => void again()} aria-busy={busy} disabled={busy || !online.value}>
          {_("Start again")}
        </button>
        <a class="btn" href={hrefOf("credits")}>
          {_("My credits")}
        </a>
      </State>
      {failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
    </div>
  );
}

function GiveUp({ onGiveUp }: { onGiveUp: () => Promise<void> }) {
  const { busy, failed, run } = useAttempt();
  return (
    <div class="p-actions">
      <button type="button" class="p-btn quiet" onClick={() => void run(onGiveUp)} aria-busy={busy} disabled={busy || !online.value}>
        {_("Give up this payment")}
      </button>
      {failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
    </div>
  );
}
