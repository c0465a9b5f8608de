"""One effect for each key, over real sockets: retries, races, answers that get lost."""

import asyncio
import secrets
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.checked import CheckedTransport, Checks
from tests.sandbox.conftest import Controls, Wire

WISH = "amount=1000&currency=usd"


def charges(client: stripe.StripeClient) -> int:
    """How many charges there are."""
    return len(client.v1.charges.list({"limit": 100}).data)


def test_an_answer_is_given_again(wire: Wire) -> None:
    first = wire("POST", "/v1/payment_intents", WISH, idempotency_key="k")
    again = wire("POST", "/v1/payment_intents", WISH, idempotency_key="k")
    assert (first.content, first.status_code) == (again.content, again.status_code)
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert again.headers["original-request"] == first.headers["request-id"] != again.headers["request-id"]
    assert len(wire("GET", "/v1/payment_intents").json()["data"]) == 1
    other = wire("POST", "/v1/payment_intents", WISH, idempotency_key="k", key=f"{wire.key}x")
    assert other.json()["id"] != first.json()["id"]


def test_a_decline_is_given_again(wire: Wire, client: stripe.StripeClient) -> None:
    body = f"{WISH}&confirm=true&payment_method=pm_card_chargeDeclined"
    first = wire("POST", "/v1/payment_intents", body, idempotency_key="k")
    again = wire("POST", "/v1/payment_intents", body, idempotency_key="k")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (402, "true")
    assert again.content == first.content
    assert charges(client) == 1


def test_other_parameters_are_refused(wire: Wire) -> None:
    wire("POST", "/v1/payment_intents", WISH, idempotency_key="k")
    for path, body in (("/v1/payment_intents", "amount=1001&currency=usd"), ("/v1/topups", WISH)):
        refused = wire("POST", path, body, idempotency_key="k")
        assert (refused.status_code, refused.json()["error"]["type"]) == (400, "idempotency_error")
    assert len(wire("GET", "/v1/payment_intents").json()["data"]) == 1


def test_what_never_began_is_not_kept(wire: Wire) -> None:
    assert wire("POST", "/v1/payment_intents", "amount=many&currency=usd", idempotency_key="k").status_code == 400
    assert wire("POST", "/v1/payment_intents", WISH, idempotency_key="k").status_code == 200


@pytest.mark.parametrize("sent", [0, 12, 22])
async def test_of_half_a_request_nothing_is_done(wire: Wire, sent: int) -> None:
    """What a process that died had sent so far may well mean something: here, to pay less."""
    body = "currency=usd&amount=1000"
    host, port = wire.base.removeprefix("http://").split(":")
    head = f"POST /v1/payment_intents HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {wire.key}\r\nidempotency-key: k\r\n"
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n{body[:sent]}".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    made = [wire("POST", "/v1/payment_intents", body, idempotency_key="k") for _ in range(2)]
    assert [(one.status_code, one.json().get("amount")) for one in made] == [(200, 1000), (200, 1000)]
    assert len(wire("GET", "/v1/payment_intents").json()["data"]) == 1


def test_a_key_is_forgotten_after_a_day(wire: Wire, controls: Controls) -> None:
    first = wire("POST", "/v1/payment_intents", WISH, idempotency_key="k").json()["id"]
    controls.later(86_400)
    assert wire("POST", "/v1/payment_intents", WISH, idempotency_key="k").json()["id"] != first


def test_what_is_refused_halfway_leaves_nothing(wire: Wire) -> None:
    assert wire("POST", "/v1/payment_intents", f"{WISH}&confirm=true").status_code == 400
    assert wire("POST", "/v1/payment_intents", f"{WISH}&expand[]=colour").status_code == 400
    assert wire("GET", "/v1/payment_intents").json()["data"] == []
    assert wire("GET", "/v1/events").json()["data"] == []


async def test_a_second_one_at_the_same_time_is_refused(sandbox: str, controls: Controls) -> None:
    controls("answers", mode="slow", seconds=3.0)
    headers = {"authorization": f"Bearer {controls.key}", "idempotency-key": "k"}
    async with httpx.AsyncClient(base_url=sandbox, headers=headers, trust_env=False) as http:
        answers = await asyncio.gather(*(http.post("/v1/payment_intents", content=WISH) for _ in range(2)))
        made, refused = sorted(answers, key=lambda one: one.status_code)
        assert (made.status_code, refused.status_code) == (200, 409)
        assert refused.json()["error"]["code"] == "idempotency_key_in_use"
        assert (await http.post("/v1/payment_intents", content=WISH)).json() == made.json()
        assert len((await http.get("/v1/payment_intents")).json()["data"]) == 1


async def test_a_crowd_with_one_key_makes_one_charge(sandbox: str, key: str, checks: Checks) -> None:
    body = f"{WISH}&confirm=true&payment_method=pm_card_visa"
    headers = {"authorization": f"Bearer {key}", "idempotency-key": secrets.token_hex(8)}
    async with httpx.AsyncClient(base_url=sandbox, headers=headers, trust_env=False) as http:
        answers = await asyncio.gather(*(http.post("/v1/payment_intents", content=body) for _ in range(40)))
        assert {one.status_code for one in answers} <= {200, 409}
        assert len({one.json()["id"] for one in answers if one.status_code == 200}) == 1
        assert len((await http.get("/v1/charges")).json()["data"]) == 1
    for one in answers:
        checks.judge(one.content)


async def test_a_crowd_cannot_refund_more_than_was_paid(sandbox: str, key: str, checks: Checks) -> None:
    async with httpx.AsyncClient(base_url=sandbox, headers={"authorization": f"Bearer {key}"}, trust_env=False) as http:
        paid = await http.post("/v1/payment_intents", content=f"{WISH}&confirm=true&payment_method=pm_card_visa")
        body = f"payment_intent={paid.json()['id']}&amount=300"
        answers = await asyncio.gather(*(http.post("/v1/refunds", content=body) for _ in range(20)))
        assert sorted(one.status_code for one in answers) == [200] * 3 + [400] * 17
        assert (await http.get("/v1/charges")).json()["data"][0]["amount_refunded"] == 900
    for one in answers:
        checks.judge(one.content)


@pytest.mark.parametrize("mode", ["error", "rate_limit", "error_after", "lost"])
def test_the_sdk_tries_again_and_pays_once(
    sandbox: str, controls: Controls, checks: Checks, transport: CheckedTransport, mode: str
) -> None:
    client = stripe.StripeClient(
        controls.key, base_addresses={"api": sandbox}, http_client=transport, max_network_retries=2
    )
    controls("answers", mode=mode, count=2, path="/v1/payment_intents")
    wish: Any = {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    paid = client.v1.payment_intents.create(wish)
    assert paid.status == "succeeded"
    assert [one.payment_intent for one in client.v1.charges.list().data] == [paid.id]


def test_without_retries_the_failure_is_seen(client: stripe.StripeClient, controls: Controls) -> None:
    controls("answers", mode="error", count=1)
    with pytest.raises(stripe.APIError):
        client.v1.balance.retrieve({}, {"max_network_retries": 0})
    controls("answers", mode="rate_limit", count=1)
    with pytest.raises(stripe.RateLimitError):
        client.v1.balance.retrieve({}, {"max_network_retries": 0})
    assert client.v1.balance.retrieve().object == "balance"
