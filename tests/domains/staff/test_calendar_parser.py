"""The feed of one's shifts as a calendar that did not write it reads it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from lastlight.domains.staff.calendars import FeedShift, calendar_text

AT = datetime(2026, 11, 21, 20, tzinfo=UTC)
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200)


def feed_shift(number: int, **fields: str) -> FeedShift:
    given = {"venue": "Kōjō", "duty": "Bar", "note": "", "status": "published"} | fields
    return FeedShift(
        id=UUID(int=number),
        starts_at=AT,
        ends_at=AT + timedelta(hours=8),
        updated_at=AT - timedelta(days=3),
        version=3,
        **given,
    )


def read(*shifts: FeedShift) -> Any:
    """A calendar as its parser gives it, whose types say less than it does."""
    return Calendar.from_ical(calendar_text(shifts, title="Shifts at Kōjō"))


def test_a_calendar_reads_the_shifts_with_their_times_and_states() -> None:
    calendar = read(feed_shift(1), feed_shift(2, status="cancelled", note="Bring, the keys;\nall of them"))
    one, other = calendar.walk("VEVENT")
    assert (str(calendar["VERSION"]), str(calendar["X-WR-CALNAME"])) == ("2.0", "Shifts at Kōjō")
    assert (one.decoded("DTSTART"), one.decoded("DTEND")) == (AT, AT + timedelta(hours=8))
    assert (str(one["SUMMARY"]), str(one["STATUS"]), int(one["SEQUENCE"])) == ("Bar · Kōjō", "CONFIRMED", 3)
    assert str(one["UID"]) == f"{UUID(int=1)}@lastlight"
    assert (str(other["STATUS"]), str(other["DESCRIPTION"])) == ("CANCELLED", "Bring, the keys;\nall of them")
    assert [event.errors for event in (one, other)] == [[], []]


def test_nobodys_calendar_is_an_empty_one() -> None:
    assert read().walk("VEVENT") == []


@given(venue=WORDS, duty=WORDS, note=WORDS)
def test_whatever_people_write_comes_back_as_they_wrote_it(venue: str, duty: str, note: str) -> None:
    [event] = read(feed_shift(1, venue=venue, duty=duty, note=note)).walk("VEVENT")

    def printable(text: str) -> str:
        return "".join(sign for sign in text if sign.isprintable())

    assert str(event["LOCATION"]) == printable(venue)
    assert str(event.get("DESCRIPTION", "")) == printable(note)
    assert event.errors == []
