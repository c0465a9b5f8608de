// A payment's whole life with the official Node SDK: `node life_cycle.mjs http://127.0.0.1:8420 sk_test_…`; prints one JSON object.
import Stripe from 'stripe';

const [base, key] = process.argv.slice(2);
const { protocol, hostname, port } = new URL(base);
const stripe = new Stripe(key, { protocol: protocol.slice(0, -1), host: hostname, port: Number(port), telemetry: false });

const customer = await stripe.customers.create({ name: 'Ada', metadata: { table: '7' } });
const wish = {
  amount: 5000,
  currency: 'usd',
  customer: customer.id,
  capture_method: 'manual',
  confirm: true,
  return_url: 'https://example.com/back',
};
const held = await stripe.paymentIntents.create({ ...wish, payment_method: 'pm_card_visa' });
const taken = await stripe.paymentIntents.capture(held.id, {
  amount_to_capture: 4000,
  expand: ['latest_charge.balance_transaction'],
});
const refund = await stripe.refunds.create({ payment_intent: held.id, amount: 1500 }, { idempotencyKey: `refund-${held.id}` });
const again = await stripe.refunds.create({ payment_intent: held.id, amount: 1500 }, { idempotencyKey: `refund-${held.id}` });

let declined = null;
try {
  await stripe.paymentIntents.create({ ...wish, payment_method: 'pm_card_chargeDeclinedInsufficientFunds' });
} catch (error) {
  declined = { type: error.type, decline: error.decline_code, status: error.payment_intent.status };
}

const events = [];
for await (const event of stripe.events.list({ limit: 3 })) events.push(event.type);
const balance = await stripe.balance.retrieve();

process.stdout.write(
  JSON.stringify({
    version: taken.lastResponse?.apiVersion ?? null,
    states: [held.status, taken.status, refund.status],
    fee: taken.latest_charge.balance_transaction.fee,
    refundedOnce: refund.id === again.id,
    declined,
    newest: events[0],
    oldest: events.at(-1),
    pending: balance.pending[0].amount,
  }),
);
