"""The protocol under the SDK: forms, keys, errors, expansion, lists, headers."""

import base64

import pytest
import stripe

from lastlight.sandbox.wire import decoded
from tests.sandbox.conftest import Controls, Wire


@pytest.mark.parametrize(
    ("form", "tree"),
    [
        ("a=1&b[c]=2&b[d][e]=3", {"a": "1", "b": {"c": "2", "d": {"e": "3"}}}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[1]=2&a[0]=1", {"a": ["1", "2"]}),
        ("a[0][b]=1&a[1][b]=2", {"a": [{"b": "1"}, {"b": "2"}]}),
        ("a%5Bb%5D=x%20y%2B", {"a": {"b": "x y+"}}),
        ("a=&b=%C3%A9", {"a": "", "b": "é"}),
    ],
)
def test_forms(form: str, tree: object) -> None:
    assert decoded(form) == tree


@pytest.mark.parametrize(
    "body", ["a[b=1", "[a]=1", "amount=1&amount[a]=2", "amount[a]=2&amount=1", "a[b][c][d][e][f][g]=1"]
)
def test_a_form_that_means_nothing_is_refused(wire: Wire, body: str) -> None:
    assert wire("POST", "/v1/payment_intents", body).status_code == 400


def test_keys(wire: Wire) -> None:
    assert wire("GET", "/v1/balance").status_code == 200
    basic = base64.b64encode(f"{wire.key}:".encode()).decode()
    assert wire("GET", "/v1/balance", authorization=f"Basic {basic}").status_code == 200
    for key in ("sk_live_abc", "sk_test_", "sk_test_a-b", "nonsense", "Basic"):
        refused = wire("GET", "/v1/balance", key=key)
        assert (refused.status_code, refused.json()["error"]["type"]) == (401, "invalid_request_error")
    assert wire("POST", "/_sandbox/reset", key="pk_test_abc").status_code == 401


def test_each_key_is_an_account_of_its_own(client: stripe.StripeClient, wire: Wire) -> None:
    made = client.v1.customers.create({"name": "Ada"})
    assert wire("GET", f"/v1/customers/{made.id}").status_code == 200
    other = wire("GET", f"/v1/customers/{made.id}", key=f"{wire.key}x")
    assert (other.status_code, other.json()["error"]["code"]) == (404, "resource_missing")
    assert wire("GET", "/v1/events", key=f"{wire.key}x").json()["data"] == []


def test_every_answer_has_its_headers(wire: Wire) -> None:
    fine = wire("GET", "/v1/balance")
    assert fine.headers["stripe-version"] == stripe.api_version
    assert fine.headers["request-id"].startswith("req_")
    assert wire("GET", "/v1/nothing").headers["request-id"] != fine.headers["request-id"]
    assert wire("GET", "/v1/balance", stripe_version="2020-08-27").status_code == 200
    refused = wire("GET", "/v1/balance", stripe_version="yesterday")
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, "Invalid Stripe API version: yesterday")


@pytest.mark.parametrize(
    ("asked", "status", "code", "param"),
    [
        (("GET", "/v1/payment_intents/pi_none", ""), 404, "resource_missing", "intent"),
        (("GET", "/v1/refunds/re_none", ""), 404, "resource_missing", "id"),
        (("POST", "/v1/payment_intents", "currency=usd"), 400, "parameter_missing", "amount"),
        (("POST", "/v1/payment_intents", "currency=usd&amount=0"), 400, "parameter_invalid_integer", "amount"),
        (("POST", "/v1/payment_intents", "currency=usd&amount=100000000"), 400, "amount_too_large", "amount"),
        (("POST", "/v1/payment_intents", "currency=xxx&amount=100"), 400, None, "currency"),
        (("POST", "/v1/topups", "currency=usd&amount=1&description="), 400, "parameter_invalid_empty", "description"),
        (("POST", "/v1/payment_intents", "currency=usd&amount=1&customer=cus_no"), 404, "resource_missing", "customer"),
        (("POST", "/v1/refunds", "charge=ch_none"), 404, "resource_missing", "charge"),
        (("POST", "/v1/webhook_endpoints", "url=nowhere&enabled_events[]=*"), 400, "url_invalid", "url"),
        (("PUT", "/v1/balance", ""), 404, None, None),
    ],
)
def test_errors_are_told_as_stripe_tells_them(
    wire: Wire, asked: tuple[str, str, str], status: int, code: str | None, param: str | None
) -> None:
    answer = wire(*asked)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (status, "invalid_request_error")
    assert (error.get("code"), error.get("param")) == (code, param)


def test_expansion_reaches_four_levels_and_no_field_beside(client: stripe.StripeClient, wire: Wire) -> None:
    client.v1.payment_intents.create(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    found = client.v1.payment_intents.list({"expand": ["data.latest_charge.balance_transaction.source"]}).data[0]
    charge = found.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert isinstance(charge.balance_transaction.source, stripe.Charge)
    for path in ("colour", "amount", "latest_charge.amount", "a.b.c.d.e"):
        assert wire("GET", f"/v1/payment_intents/{found.id}", f"expand[]={path}").status_code == 400


def test_lists_are_paged_in_both_directions(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"name": f"Guest {number}"}).id for number in range(7)]
    newest = made[::-1]
    first = client.v1.customers.list({"limit": 3})
    assert ([one.id for one in first.data], first.has_more) == (newest[:3], True)
    second = client.v1.customers.list({"limit": 3, "starting_after": newest[2]})
    assert [one.id for one in second.data] == newest[3:6]
    back = client.v1.customers.list({"limit": 2, "ending_before": newest[3]})
    assert ([one.id for one in back.data], back.has_more) == (newest[1:3], True)
    everyone = [one.id for one in client.v1.customers.list({"limit": 2}).auto_paging_iter()]
    assert everyone[:7] == newest
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.list({"starting_after": "cus_none"})


def test_lists_are_filtered_by_time(client: stripe.StripeClient, controls: Controls) -> None:
    older = client.v1.customers.create({"name": "Ada"})
    controls.later(100)
    newer = client.v1.customers.create({"name": "Eve"})
    assert [one.id for one in client.v1.customers.list({"created": {"gte": newer.created}}).data] == [newer.id]
    assert [one.id for one in client.v1.customers.list({"created": {"lt": newer.created}}).data] == [older.id]
    assert [one.id for one in client.v1.customers.list({"created": older.created}).data] == [older.id]
    assert client.v1.customers.list({"created": {"gt": older.created, "lt": newer.created}}).data == []


def test_balance_transactions_are_filtered(client: stripe.StripeClient, controls: Controls) -> None:
    for currency in ("usd", "eur"):
        client.v1.payment_intents.create(
            {"amount": 1000, "currency": currency, "payment_method": "pm_card_visa", "confirm": True}
        )
    charge = client.v1.charges.list({"limit": 1}).data[0]
    client.v1.refunds.create({"charge": charge.id, "amount": 100})
    listed = client.v1.balance_transactions.list
    assert [one.amount for one in listed({"type": "refund"}).data] == [-100]
    assert [one.currency for one in listed({"currency": "usd"}).data] == ["usd"]
    assert [one.source for one in listed({"source": charge.id}).data] == [charge.id]
    assert listed({"payout": "po_1"}).data == []
    events = client.v1.events.list
    assert {one.type for one in events({"type": "refund.*"}).data} == {"refund.created"}
    assert {one.type for one in events({"types": ["charge.refunded", "refund.created"]}).data} == {
        "charge.refunded",
        "refund.created",
    }


def test_a_reset_forgets_this_account_only(client: stripe.StripeClient, controls: Controls, wire: Wire) -> None:
    client.v1.customers.create({"name": "Ada"})
    other = f"{wire.key}x"
    wire("POST", "/v1/customers", "name=Eve", key=other)
    controls("reset")
    assert client.v1.customers.list().data == []
    assert [one["name"] for one in wire("GET", "/v1/customers", key=other).json()["data"]] == ["Eve"]
