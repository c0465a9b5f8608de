"""Only what was signed with one of our secrets, within five minutes of now, is an event."""

import json
import time

import pytest
import stripe

from lastlight.runtime.processor import Event, SignatureRefused, verified_event

NOW = 1_800_000_000
OLD, NEW = "whsec_0123456789abcdef", "whsec_fedcba9876543210"
BODY = json.dumps(
    {
        "id": "evt_1", "object": "event", "api_version": "2026-10-28.endive", "created": NOW - 3, "livemode": False, "type": "charge.failed",
        "data": {"object": {"id": "ch_1", "object": "charge", "amount": 100}}, "account": "acct_7",
    },
    indent=2,
).encode()  # fmt: skip


def signed(body: bytes = BODY, *, secret: str = NEW, at: int = NOW) -> str:
    """The header as the processor writes it."""
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)  # pyright: ignore[reportUnknownMemberType]


def verified(header: str, body: bytes = BODY, *, now: float = NOW, secrets: tuple[str, ...] = (NEW, OLD)) -> Event:
    """The event, or its refusal."""
    return verified_event(body, header, now=now, secrets=secrets)


@pytest.mark.parametrize("secret", [NEW, OLD])
@pytest.mark.parametrize("away", [0, 300, -300])
def test_either_secret_and_five_minutes_in_both_directions(secret: str, away: int) -> None:
    event = verified(signed(secret=secret, at=NOW + away))
    assert event == Event(
        id="evt_1", type="charge.failed", created=NOW - 3, account="acct_7", api_version="2026-10-28.endive", livemode=False,
        object_id="ch_1", object_type="charge", data={"id": "ch_1", "object": "charge", "amount": 100},
    )  # fmt: skip


def test_one_header_with_both_secrets_during_a_change() -> None:
    both = f"{signed(secret=NEW)},v1={signed(secret=OLD).partition('v1=')[2]}"
    assert verified(both, secrets=(OLD,)).id == verified(both, secrets=(NEW,)).id == "evt_1"


@pytest.mark.parametrize(
    ("header", "body", "sentence"),
    [
        (signed(secret="whsec_somebody_elses"), BODY, "does not fit"),
        (signed(), json.dumps(json.loads(BODY)).encode(), "does not fit"),  # written again: the same words, other bytes
        (signed(), BODY.replace(b"100", b"900"), "does not fit"),
        (signed(at=NOW - 301), BODY, "too old"),
        (signed(at=NOW + 301), BODY, "too far in the future"),
        (signed().replace("t=", "t=1,t="), BODY, "cannot be read"),
        (signed().replace(str(NOW), str(NOW + 1)), BODY, "does not fit"),
        (signed().replace("v1=", "v0="), BODY, "does not fit"),
        (f"t={NOW}", BODY, "does not fit"),
        (f"t={NOW},v1=", BODY, "does not fit"),
        ("t=soon,v1=00", BODY, "cannot be read"),
        ("v1=00", BODY, "cannot be read"),
        ("t=１８００００００００,v1=00", BODY, "cannot be read"),
        (signed() + "," * 5000, BODY, "cannot be read"),
        ("", BODY, "is missing"),
        (signed(), b"\xff\xfe", "does not fit"),
        (signed(b"[]"), b"[]", "is no event"),
        (signed(b"{}"), b"{}", "is no event"),
        (signed(b"not json"), b"not json", "is no event"),
        (signed(b'{"object": "event"}'), b'{"object": "event"}', "is no event"),
    ],
)
def test_anything_else_is_refused(header: str, body: bytes, sentence: str) -> None:
    with pytest.raises(SignatureRefused, match=sentence):
        verified(header, body)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(SignatureRefused, match="does not fit"):
        verified(signed(), secrets=())
    with pytest.raises(SignatureRefused, match="does not fit"):
        verified(signed(secret=" "), secrets=("",))


def test_the_sdk_itself_believes_the_future() -> None:
    """Why the bound is ours: the official verifier takes a signature of next year."""
    header = signed(at=int(time.time()) + 31_536_000)
    assert stripe.Webhook.construct_event(BODY, header, NEW).id == "evt_1"  # pyright: ignore[reportUnknownMemberType]
