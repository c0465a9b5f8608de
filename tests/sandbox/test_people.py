"""Customers, the cards that they keep, setup intents, top-ups; and all of it once with the asynchronous SDK."""

import httpx
import pytest
import stripe

from tests.sandbox.conftest import Controls


def test_a_customer_and_their_card(client: stripe.StripeClient) -> None:
    ada = client.v1.customers.create(
        {
            "name": "Ada",
            "email": "ada@example.com",
            "address": {"line1": "1 Sun St", "city": "Lagos"},
            "metadata": {"a": "1"},
        }
    )
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    changed = client.v1.customers.update(
        ada.id,
        {
            "invoice_settings": {"default_payment_method": card.id},
            "address": "",
            "metadata": "",
            "tax_exempt": "exempt",
        },
    )
    assert changed.address is None
    assert changed.metadata is not None
    assert (changed.metadata.to_dict(), changed.tax_exempt, changed.name) == ({}, "exempt", "Ada")
    shown = client.v1.customers.retrieve(ada.id, {"expand": ["invoice_settings.default_payment_method"]})
    assert shown.invoice_settings is not None
    assert isinstance(shown.invoice_settings.default_payment_method, stripe.PaymentMethod)
    update = client.v1.payment_methods.update(card.id, {"billing_details": {"name": "Ada L"}, "metadata": {"b": "2"}})
    assert update.billing_details.name == "Ada L"
    assert client.v1.customers.delete(ada.id).deleted
    assert client.v1.customers.retrieve(ada.id).deleted
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.update(ada.id, {"name": "Eve"})


def test_a_kept_card_pays_until_it_is_let_go(client: stripe.StripeClient) -> None:
    ada = client.v1.customers.create({"name": "Ada", "email": "ada@example.com"})
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    for _ in range(2):
        paid = client.v1.payment_intents.create(
            {"amount": 500, "currency": "usd", "customer": ada.id, "payment_method": card.id, "confirm": True}
        )
        assert (paid.status, paid.customer) == ("succeeded", ada.id)
    assert [one.id for one in client.v1.payment_methods.list({"customer": ada.id, "type": "card"}).data] == [card.id]
    assert client.v1.payment_methods.detach(card.id).customer is None
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.attach(card.id, {"customer": ada.id})
    assert [one.id for one in client.v1.customers.list({"email": "ada@example.com"}).data][:1] == [ada.id]


def test_a_card_is_used_once_unless_it_is_kept(client: stripe.StripeClient) -> None:
    card = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    first = {
        "amount": 500,
        "currency": "usd",
        "payment_method": card.id,
        "confirm": True,
        "return_url": "https://example.com",
    }
    assert client.v1.payment_intents.create(first).status == "succeeded"  # pyright: ignore[reportArgumentType] one dict for two calls
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create(first)  # pyright: ignore[reportArgumentType] one dict for two calls


def test_a_card_is_kept_by_paying(client: stripe.StripeClient) -> None:
    ada = client.v1.customers.create({"name": "Ada"})
    client.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "customer": ada.id,
            "payment_method": "pm_card_visa",
            "setup_future_usage": "off_session",
            "confirm": True,
            "return_url": "https://example.com",
        }
    )
    kept = client.v1.payment_methods.list({"customer": ada.id}).data
    assert [one.card.last4 for one in kept if one.card] == ["4242"]


def test_a_card_is_kept_without_paying(client: stripe.StripeClient, controls: Controls, http: httpx.Client) -> None:
    ada = client.v1.customers.create({"name": "Ada"})
    made = client.v1.setup_intents.create({"customer": ada.id, "usage": "off_session"})
    assert made.status == "requires_payment_method"
    assert client.v1.setup_intents.update(made.id, {"description": "for later"}).description == "for later"
    with pytest.raises(stripe.CardError):
        client.v1.setup_intents.confirm(made.id, {"payment_method": "pm_card_chargeDeclined"})
    assert client.v1.setup_intents.retrieve(made.id).status == "requires_payment_method"
    asked = client.v1.setup_intents.confirm(made.id, {"payment_method": "pm_card_authenticationRequired"})
    assert asked.next_action is not None
    assert asked.next_action.redirect_to_url is not None
    assert http.post(str(asked.next_action.redirect_to_url.url), data={"outcome": "complete"}).status_code == 200
    done = client.v1.setup_intents.retrieve(made.id, {"expand": ["payment_method"]})
    assert isinstance(done.payment_method, stripe.PaymentMethod)
    assert (done.status, done.payment_method.customer) == ("succeeded", ada.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.setup_intents.cancel(made.id)
    assert refusal.value.code == "setup_intent_unexpected_state"
    other = client.v1.setup_intents.create({})
    assert client.v1.setup_intents.cancel(other.id, {"cancellation_reason": "abandoned"}).status == "canceled"
    assert [one.id for one in client.v1.setup_intents.list({"customer": ada.id}).data] == [made.id]


def test_topups(client: stripe.StripeClient, controls: Controls) -> None:
    made = client.v1.topups.create({"amount": 5000, "currency": "usd", "description": "float", "metadata": {"a": "1"}})
    assert client.v1.topups.update(made.id, {"description": "the float"}).status == "pending"
    other = client.v1.topups.create({"amount": 700, "currency": "usd"})
    assert client.v1.topups.cancel(other.id).status == "canceled"
    controls.later()
    arrived = client.v1.topups.retrieve(made.id, {"expand": ["balance_transaction"]})
    assert isinstance(arrived.balance_transaction, stripe.BalanceTransaction)
    assert (arrived.status, arrived.balance_transaction.net) == ("succeeded", 5000)
    assert client.v1.balance.retrieve().available[0].amount == 5000
    assert [one.id for one in client.v1.topups.list({"status": "canceled"}).data] == [other.id]


async def test_the_asynchronous_sdk(client: stripe.StripeClient) -> None:
    v1 = client.v1
    ada = await v1.customers.create_async({"name": "Ada"})
    held = await v1.payment_intents.create_async(
        {
            "amount": 900,
            "currency": "usd",
            "customer": ada.id,
            "payment_method": "pm_card_visa",
            "capture_method": "manual",
            "confirm": True,
            "return_url": "https://example.com",
        }
    )
    taken = await v1.payment_intents.capture_async(held.id, {"expand": ["latest_charge"]})
    assert isinstance(taken.latest_charge, stripe.Charge)
    refund = await v1.refunds.create_async({"charge": taken.latest_charge.id, "amount": 400})
    assert (taken.status, refund.status) == ("succeeded", "succeeded")
    with pytest.raises(stripe.CardError):
        await v1.payment_intents.create_async(
            {"amount": 900, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
        )
    listed = await v1.charges.list_async({"customer": ada.id})
    assert [one.amount_refunded for one in listed.data] == [400]
    names = [one.type async for one in (await v1.events.list_async({"limit": 5})).auto_paging_iter()]
    assert "charge.refunded" in names
    assert (await v1.balance.retrieve_async()).object == "balance"
