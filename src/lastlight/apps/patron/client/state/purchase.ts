// A purchase that must be begun once: its key is kept with the wish until it is answered, and what is unfinished is continued.
import { call, isOpen } from "../../../../ui/js/wire/api";
import { uuid7 } from "../../../../ui/js/wire/uuid";
import type { OwnPayment, PaymentStatus, Purchase, WantedCredits, Wish } from "../data/credits";
import { fact, keepFact } from "../data/database";
import { me } from "./night";

export const PAYMENTS = "/api/patron/payments?purpose=credits&sort=-created_at&limit=20";
const PURCHASES = "/api/patron/credits/purchases";
/** For so long a key says the same to the server. */
const KEY_LASTS_MS = 20 * 3_600_000;
/** They can still be paid. */
const PAYABLE = new Set<PaymentStatus>(["created", "open", "action"]);
const UNDER_WAY = new Set<PaymentStatus>([...PAYABLE, "processing", "authorised"]);

export function isPayable(payment: OwnPayment): boolean {
  return PAYABLE.has(payment.status);
}

export function isUnderWay(payment: OwnPayment): boolean {
  return UNDER_WAY.has(payment.status);
}

/** The purchase whose answer this phone never heard. */
export async function openWish(): Promise<Wish | null> {
  const wish = (await fact("wish").catch(() => undefined)) ?? null;
  return wish && wish.tenant_id === me.value?.tenant?.id && Date.now() - wish.at < KEY_LASTS_MS ? wish : null;
}

export function forgetWish(): Promise<void> {
  return keepFact("wish", null);
}

/** Begin to buy, or go on with the same that is unfinished; the payment to be made. */
export async function begin(wanted: WantedCredits): Promise<string> {
  const wish = (await sameWish(wanted)) ?? { key: uuid7(), tenant_id: me.value?.tenant?.id ?? "", wanted, at: Date.now() };
  const { items } = await call<{ items: OwnPayment[] }>(PAYMENTS);
  const known = items.find((one) => isPayable(one) && one.paid.amount === wanted.amount && one.paid.currency === wanted.currency);
  if (known) {
    await forgetWish();
    return known.id;
  }
  await keepFact("wish", wish);
  try {
    const made = await call<Purchase>(PURCHASES, { method: "POST", body: wish.wanted, headers: { "idempotency-key": wish.key } });
    await forgetWish();
    return made.payment_id;
  } catch (error) {
    if (!isOpen(error)) await forgetWish();
    throw error;
  }
}

async function sameWish(wanted: WantedCredits): Promise<Wish | null> {
  const wish = await openWish();
  return wish?.wanted.amount === wanted.amount && wish.wanted.currency === wanted.currency ? wish : null;
}

export function payAddress(paymentId: string): string {
  return `/patron/pay/${paymentId}`;
}
