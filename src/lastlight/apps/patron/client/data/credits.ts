// Credits and card payments, as the server writes them; amounts are minor units.

export interface CreditSum {
  currency: string;
  balance: number;
  /** Of the balance: in dispute, not to be spent. */
  frozen: number;
  available: number;
  /** When some of it expires next, and how much that is. */
  expires_at: string | null;
  expiring: number;
}

export interface CreditOffer {
  currency: string;
  amounts: number[];
  least: number;
  most: number;
}

export interface OwnCredits {
  balances: CreditSum[];
  on_sale: boolean;
  offers: CreditOffer[];
  guest_refund_days: number;
}

export type EntryKind =
  | "bought"
  | "spent"
  | "spend-reversed"
  | "refunded"
  | "refund-failed"
  | "adjusted"
  | "gift"
  | "expired"
  | "frozen"
  | "released"
  | "disputed"
  | "dispute-reversed";

export interface CreditEntry {
  id: string;
  at: string;
  kind: EntryKind;
  amount: number;
  /** Of the amount, with its sign. */
  tax: number;
  balance: number;
  /** What this line froze, or let go where it is negative. */
  froze: number;
  /** Of the balance. */
  frozen: number;
  currency: string;
  venue: string | null;
  venue_id: string | null;
  description: string;
  payment_id: string | null;
  number: number;
}

/** A line of what was paid for, or of what came back of it: what it is without taxes, and with them. */
export interface SpentLine {
  description: string;
  quantity: number;
  price: number;
  net: number;
  taxes: { name: string; millionths: number; included: boolean; amount: number }[];
  gross: number;
}

export interface SpendReceipt {
  id: string;
  lines: SpentLine[] | null;
}

export interface EntryPage {
  items: CreditEntry[];
  next: string | null;
}

export interface WantedCredits {
  amount: number;
  currency: string;
  venue_id: string | null;
}

/** A purchase that was sent under its key and has no answer yet. */
export interface Wish {
  key: string;
  tenant_id: string;
  wanted: WantedCredits;
  at: number;
}

export interface Purchase {
  payment_id: string;
  status: PaymentStatus;
  amount: number;
  currency: string;
}

export type PaymentStatus = "created" | "open" | "action" | "processing" | "authorised" | "captured" | "settled" | "canceled" | "failed";

/** What the page needs to pay, or how the payment stands. */
export interface Checkout {
  payment_id: string;
  status: PaymentStatus;
  amount: number;
  currency: string;
  /** Why the last card was declined, or why nothing came of it. */
  failure: string;
  publishable_key: string;
  script: string;
  client_secret: string | null;
}

/** A line of the list of one's own card payments. */
export interface OwnPayment {
  id: string;
  created_at: string;
  purpose: string;
  paid: { amount: number; currency: string };
  status: PaymentStatus;
}

export interface ReceiptRefund {
  id: string;
  amount: number;
  status: "created" | "pending" | "succeeded" | "failed" | "canceled";
  created_at: string;
  ended_at: string | null;
}

export interface CreditReceipt {
  payment_id: string;
  number: string;
  status: PaymentStatus;
  business: string;
  venue: string | null;
  amount: number;
  currency: string;
  brand: string;
  last4: string;
  created_at: string;
  paid_at: string | null;
  remaining: number;
  frozen: number;
  expires_at: string | null;
  /** What of it can go back to the card. */
  refundable: number;
  refundable_until: string | null;
  refunds: ReceiptRefund[];
}
