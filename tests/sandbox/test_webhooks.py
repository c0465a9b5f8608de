"""Webhooks as a receiver sees them: signed, in order, again when it failed; and the controls that disturb them."""

import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from tests.sandbox.checked import Checks
from tests.sandbox.conftest import Controls

PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


class Receiver:
    """An endpoint that keeps what it gets, and answers with the next of `statuses`, else 200."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            """Takes one delivery."""

            def do_POST(self) -> None:
                """Keep it, then answer."""
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((body, self.headers["stripe-signature"]))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def names(self, secret: str, checks: Checks | None = None) -> list[str]:
        """The types of the events that came, each verified by the SDK."""
        for body, _ in self.got if checks else []:
            assert checks is not None
            checks.judge(body)
        return [stripe.Webhook.construct_event(body, header, secret).type for body, header in self.got]


@pytest.fixture
def receiver() -> Generator[Receiver]:
    """A receiver that runs."""
    made = Receiver()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def endpoint(client: stripe.StripeClient, controls: Controls, receiver: Receiver) -> stripe.WebhookEndpoint:
    """The receiver, registered for everything."""
    return client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})


@pytest.fixture
def hooked(receiver: Receiver, endpoint: stripe.WebhookEndpoint) -> tuple[Receiver, str]:
    """The receiver and its secret."""
    return receiver, str(endpoint.secret)


def pay(client: stripe.StripeClient) -> stripe.PaymentIntent:
    """A payment: three events."""
    return client.v1.payment_intents.create(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )


def test_events_arrive_signed_and_in_order(
    client: stripe.StripeClient,
    controls: Controls,
    receiver: Receiver,
    endpoint: stripe.WebhookEndpoint,
    checks: Checks,
) -> None:
    for _ in range(5):
        pay(client)
    controls("settle")
    assert receiver.names(str(endpoint.secret), checks) == PAID * 5
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.names("whsec_wrong")
    body, header = receiver.got[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", header, str(endpoint.secret))
    event = stripe.Webhook.construct_event(body, header, str(endpoint.secret))
    assert (event.api_version, event.data.object["status"]) == (stripe.api_version, "requires_confirmation")
    assert event.request is not None
    assert str(event.request.id).startswith("req_")
    assert client.v1.events.retrieve(event.id).pending_webhooks == 0


def test_only_what_was_asked_for_arrives(client: stripe.StripeClient, controls: Controls, receiver: Receiver) -> None:
    endpoint = client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["charge.succeeded"], "metadata": {"a": "1"}, "description": "one"}
    )
    secret = str(endpoint.secret)
    pay(client)
    controls("settle")
    assert receiver.names(secret) == ["charge.succeeded"]
    shown = client.v1.webhook_endpoints.retrieve(endpoint.id)
    assert ("secret" in shown.to_dict(), shown.status) == (False, "enabled")
    changed = client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True, "enabled_events": ["*"]})
    assert (changed.status, changed.enabled_events) == ("disabled", ["*"])
    pay(client)
    controls("settle")
    assert len(receiver.got) == 1
    assert [one.id for one in client.v1.webhook_endpoints.list().data] == [endpoint.id]
    assert client.v1.webhook_endpoints.delete(endpoint.id).deleted
    assert client.v1.webhook_endpoints.list().data == []


def test_a_failed_delivery_is_tried_again(
    client: stripe.StripeClient, controls: Controls, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    receiver.statuses[:] = [500, 200, 200, 302]
    pay(client)
    controls("settle")
    assert receiver.names(str(endpoint.secret)) == PAID
    controls.later(5)
    controls("settle")
    assert receiver.names(str(endpoint.secret)) == [*PAID, PAID[0]]
    waiting = [one for one in controls("deliveries")["data"] if one["state"] == "queued"]
    assert [(one["attempts"], one["status"]) for one in waiting] == [(2, 302)]
    assert client.v1.events.list({"type": PAID[0]}).data[0].pending_webhooks == 1
    controls.later(60)
    controls("settle")
    assert receiver.got[0][0] == receiver.got[3][0] == receiver.got[4][0]
    assert {one["state"] for one in controls("deliveries")["data"]} == {"delivered"}


def test_it_is_given_up_in_the_end(client: stripe.StripeClient, controls: Controls) -> None:
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:1/", "enabled_events": ["customer.created"]})
    client.v1.customers.create({"name": "Ada"})
    for _ in range(11):
        controls("settle")
        controls.later(43_200)
    assert [(one["state"], one["attempts"]) for one in controls("deliveries")["data"]] == [("failed", 11)]


@pytest.mark.parametrize(
    "disturbance",
    [
        ("reorder", 3, (PAID[::-1], PAID[::-1])),
        ("duplicate", 1, ([PAID[0], PAID[0], *PAID[1:]], [PAID[0], PAID[0], *PAID[1:]])),
        ("drop", 2, (PAID[2:], PAID[2:])),
        ("fail", 1, (PAID[1:], [*PAID[1:], PAID[0]])),
        ("delay", 2, (PAID[2:], [PAID[2], *PAID[:2]])),
    ],
)
def test_deliveries_are_disturbed(
    client: stripe.StripeClient,
    controls: Controls,
    hooked: tuple[Receiver, str],
    disturbance: tuple[str, int, tuple[list[str], list[str]]],
) -> None:
    (receiver, secret), (mode, count, (at_once, later)) = hooked, disturbance
    controls("webhooks", mode=mode, count=count, seconds=60)
    pay(client)
    controls("settle")
    assert receiver.names(secret) == at_once
    controls.later(60)
    controls("settle")
    assert receiver.names(secret) == later
    pay(client)
    controls("settle")
    assert receiver.names(secret) == [*later, *PAID]


def test_two_secrets_sign_while_one_follows_the_other(
    client: stripe.StripeClient, controls: Controls, receiver: Receiver, endpoint: stripe.WebhookEndpoint
) -> None:
    fresh = controls("roll_secret", endpoint=endpoint.id, keep_seconds=3600)["secret"]
    pay(client)
    controls("settle")
    assert receiver.names(str(endpoint.secret)) == receiver.names(fresh) == PAID
    controls.later(3600)
    receiver.got.clear()
    pay(client)
    controls("settle")
    assert receiver.names(fresh) == PAID
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.names(str(endpoint.secret))
