// The provider's fields, and the button that pays: what is typed stays in the provider's frame.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import type { Checkout } from "../data/credits";
import { appearance, providerOf, type Elements, type PayError, type Provider } from "../state/provider";
import { State } from "./state";
import { money } from "./words";

interface Props {
  checkout: Checkout;
  busy: boolean;
  /** It is being confirmed; what became of it follows. */
  onTry: () => void;
  onOutcome: (error: PayError | null) => void;
}

/** Where the provider leads back to, should the bank ask on a page of its own. */
function returnAddress(): string {
  return location.origin + location.pathname;
}

export function CardFields({ checkout, busy, onTry, onOutcome }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [kit, setKit] = useState<{ provider: Provider; elements: Elements } | null>(null);
  const [standing, setStanding] = useState<"coming" | "ready" | "away">("coming");
  const [turn, setTurn] = useState(0);
  const secret = checkout.client_secret!;
  useEffect(() => {
    let leave = () => undefined as void;
    let here = true;
    setStanding("coming");
    providerOf(checkout)
      .then((provider) => {
        if (!here || !place.current) return;
        const elements = provider.elements({ clientSecret: secret, appearance: appearance() });
        const fields = elements.create("payment");
        const themes = new MutationObserver(() => elements.update({ appearance: appearance() }));
        fields.on("ready", () => setStanding("ready"));
        fields.on("loaderror", () => setStanding("away"));
        fields.mount(place.current);
        themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
        setKit({ provider, elements });
        leave = () => (themes.disconnect(), fields.destroy());
      })
      .catch(() => here && setStanding("away"));
    return () => {
      here = false;
      leave();
    };
  }, [secret, turn]);
  const pay = async () => {
    if (!kit || busy) return;
    onTry();
    const confirming = kit.provider.confirmPayment({ elements: kit.elements, confirmParams: { return_url: returnAddress() }, redirect: "if_required" });
    const { error } = await confirming.catch(() => ({ error: { type: "api_connection_error" } as PayError }));
    onOutcome(error ?? null);
  };
  return (
    <div class="p-pay">
      <div class="p-card" hidden={standing === "away"}>
        <div ref={place} aria-busy={standing === "coming"} />
        {standing === "coming" && <p class="u-sm u-2">{_("The card provider's secure fields are on their way…")}</p>}
      </div>
      {standing === "away" && (
        <State compact icon="cloud-off" tone="warn" title={_("The card provider cannot be reached")} text={_("Nothing was paid, and nothing is lost: this payment waits for you.")}>
          <button type="button" class="btn" onClick={() => setTurn(turn + 1)}>
            {_("Try again")}
          </button>
        </State>
      )}
      {standing === "ready" && (
        <button type="button" class="p-btn go" onClick={() => void pay()} aria-busy={busy} disabled={busy}>
          <Icon name="lock" />
          {_("Pay %(amount)s", { amount: money(checkout.amount, checkout.currency) })}
        </button>
      )}
    </div>
  );
}
