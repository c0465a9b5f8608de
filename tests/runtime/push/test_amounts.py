"""Amounts in notices, as each reader's screens write them."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from lastlight.kernel.money import Money
from lastlight.runtime.push.deliver import Device, Spread, payload

TOLD: dict[str, Any] = {
    "kind": "news",
    "title": "{sum} waits",
    "body": "It waits at {place}.",
    "words": {"sum": "1240.50 EUR", "place": "the door"},
    "amounts": {"sum": Money(124_050, "EUR")},
    "moments": {},
    "zone": "UTC",
    "url": "/owner",
    "tag": "sum",
    "urgency": "normal",
    "silent": False,
    "stays": False,
    "expires_at": datetime(2026, 11, 21, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("locale", "title"),
    [
        ("de", "1.240,50\u00a0€ waits"),
        ("en", "€1\u00a0240,50 waits"),
        ("en-ZA", "€1\u00a0240,50 waits"),
        ("en-US", "€1,240.50 waits"),
        ("nobody-speaks-this", "€1\u00a0240,50 waits"),
    ],
)
def test_an_amount_is_written_as_its_reader_writes(locale: str, title: str) -> None:
    said = payload(_through_a_job(TOLD), Device(id=uuid4(), locale=locale))
    assert (said["title"], said["body"]) == (title, "It waits at the door.")


def test_a_notice_that_an_earlier_release_queued_is_told_as_it_was_written() -> None:
    queued = {name: value for name, value in TOLD.items() if name != "amounts"}
    assert payload(_through_a_job(queued), Device(id=uuid4(), locale="en"))["title"] == "1240.50 EUR waits"


def _through_a_job(given: dict[str, Any]) -> Spread:
    """As it comes out of the queue, which keeps it as JSON."""
    return msgspec.convert(msgspec.json.decode(msgspec.json.encode(given)), Spread)
