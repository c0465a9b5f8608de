import stripe


def test_it(client: stripe.StripeClient, controls):
    v = client.v1
    cus = v.customers.create(
        {"name": "A", "email": "a@b.c", "address": {"line1": "x"}, "shipping": {"name": "x", "address": {"line1": "y"}}}
    )
    pi = v.payment_intents.create(
        {
            "amount": 1000,
            "currency": "usd",
            "customer": cus.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "expand": ["latest_charge.balance_transaction", "customer", "payment_method", "latest_charge.refunds"],
            "setup_future_usage": "off_session",
        }
    )
    r = v.refunds.create({"payment_intent": pi.id, "amount": 300})
    try:
        v.payment_intents.create(
            {"amount": 1000, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
        )
    except stripe.CardError as e:
        pass
    p = v.payment_intents.create(
        {
            "amount": 1000,
            "currency": "usd",
            "payment_method": "pm_card_threeDSecure2Required",
            "confirm": True,
            "return_url": "http://x/",
        }
    )
    v.payment_intents.create(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_createDispute", "confirm": True}
    )
    v.payment_intents.create(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_createDisputeInquiry", "confirm": True}
    )
    controls.later()
    for d in v.disputes.list({"expand": ["data.charge"]}).data:
        v.disputes.update(d.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    controls.later()
    p = v.payment_intents.create(
        {
            "amount": 1000,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "capture_method": "manual",
        }
    )
    v.payment_intents.capture(p.id, {"amount_to_capture": 400})
    s = v.setup_intents.create({"customer": cus.id, "payment_method": "pm_card_visa", "confirm": True})
    t = v.topups.create({"amount": 100, "currency": "usd"})
    controls.later(86400 * 4)
    w = v.webhook_endpoints.create({"url": "http://127.0.0.1:1/", "enabled_events": ["*"]})
    v.webhook_endpoints.delete(w.id)
    v.customers.delete(cus.id)
    v.customers.retrieve(cus.id)
    v.events.list({"limit": 100})
    v.balance_transactions.list({"limit": 100, "expand": ["data.source"]})
    v.balance.retrieve()
