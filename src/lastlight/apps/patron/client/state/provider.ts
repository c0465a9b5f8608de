// The card provider's own script: it draws the fields in a frame of its own, and a card never touches this page.
import type { Checkout } from "../data/credits";

export interface PayError {
  type: string;
  message?: string;
}

interface Outcome {
  error?: PayError;
  paymentIntent?: { status: string };
}

interface CardElement {
  on(name: "ready" | "loaderror", hear: () => void): void;
  mount(place: HTMLElement): void;
  destroy(): void;
}

export interface Elements {
  create(kind: "payment"): CardElement;
  update(options: { appearance: Appearance }): void;
}

export interface Provider {
  elements(options: { clientSecret: string; appearance: Appearance }): Elements;
  confirmPayment(options: { elements: Elements; confirmParams: { return_url: string }; redirect: "if_required" }): Promise<Outcome>;
  handleNextAction(options: { clientSecret: string }): Promise<Outcome>;
}

export interface Appearance {
  theme: "night" | "stripe";
  variables: Record<string, string>;
}

declare global {
  interface Window {
    Stripe?: (key: string) => Provider;
  }
}

const PATIENCE_MS = 15_000;
let loading: Promise<void> | null = null;
let provider: Provider | null = null;

/** The provider's script, once for the page; a try that failed is made again at the next wish. */
export async function providerOf({ script, publishable_key }: Checkout): Promise<Provider> {
  if (provider) return provider;
  loading ??= loaded(script).finally(() => (loading = null));
  await loading;
  if (!window.Stripe) throw new Error("the provider's script defines nothing");
  return (provider ??= window.Stripe(publishable_key));
}

function loaded(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: address, async: true });
    const giveUp = () => {
      script.remove();
      reject(new Error("the provider's script did not come"));
    };
    const late = setTimeout(giveUp, PATIENCE_MS);
    script.addEventListener("load", () => (clearTimeout(late), resolve()));
    script.addEventListener("error", () => (clearTimeout(late), giveUp()));
    document.head.append(script);
  });
}

/** What the fields look like on a card of the app's own: the dark surface has no name that the provider knows. */
export function appearance(): Appearance {
  const light = document.documentElement.dataset.theme === "light";
  return { theme: light ? "stripe" : "night", variables: { borderRadius: "12px", ...(light ? {} : { colorBackground: "#161019" }) } };
}
