"""Money, dates and numbers as people read them, at the edges."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from lastlight.ui import formats
from lastlight.ui.reader import reading_as


@pytest.fixture(autouse=True)
def in_johannesburg():
    with reading_as(locale="en-ZA", zone="Africa/Johannesburg"):
        yield


def spaces(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("minor", "currency", "options", "text"),
    [
        (124000, "ZAR", {}, "R 1 240,00"),
        (-19000, "ZAR", {}, "−R 190,00"),
        (50000, "ZAR", {"signed": True}, "+R 500,00"),
        (15173449, "ZAR", {"whole": True}, "R 151 734"),
        (1, "ZAR", {}, "R 0,01"),
        (0, "ZAR", {"signed": True}, "R 0,00"),
        (1200, "JPY", {}, "JP¥1 200"),
        (1234567, "KWD", {}, "KWD 1 234,567"),
        (9_007_199_254_740_993, "ZAR", {}, "R 90 071 992 547 409,93"),
        (None, "ZAR", {}, "–"),
    ],
)
def test_money(minor: int | None, currency: str, options: dict[str, bool], text: str) -> None:
    assert spaces(formats.money(minor, currency, **options)) == text


def test_money_follows_the_reader() -> None:
    with reading_as(locale="en-US", zone="UTC"):
        assert formats.money(-124050, "USD") == "−$1,240.50"
    with reading_as(locale="de-DE", zone="UTC"):
        assert spaces(formats.money(124050, "EUR")) == "1.240,50 €"
    assert spaces(formats.money(124050)) == "R 1 240,50"


def test_money_of_a_value_that_carries_its_currency() -> None:
    assert spaces(formats.money_value({"amount": 100, "currency": "ZAR"})) == "R 1,00"


def test_numbers() -> None:
    assert spaces(formats.number(1234567)) == "1 234 567"
    assert formats.number(-2) == "−2"
    assert formats.number(3, signed=True) == "+3"
    assert formats.number(2.5, digits=1) == "2,5"
    assert formats.number(None) == "–"
    assert formats.percent(0.124, digits=1, signed=True) == "+12,4%"
    assert formats.percent(-0.031, digits=1) == "−3,1%"
    assert formats.percent(None) == "–"


def test_moments_are_told_in_the_venues_zone() -> None:
    late = datetime(2025, 11, 21, 22, 41, 59, tzinfo=UTC)
    assert formats.moment(late) == "22 Nov 2025, 00:41"
    assert formats.moment(late, zone="Asia/Tokyo") == "22 Nov 2025, 07:41"
    assert formats.moment(late.replace(tzinfo=None)) == "22 Nov 2025, 00:41"
    assert formats.day(late) == "22 Nov 2025"
    assert formats.day(date(2025, 11, 21)) == "21 Nov 2025"
    assert formats.clock(late) == "00:41"
    assert formats.clock(time(18, 5)) == "18:05"
    assert formats.local_day(late) == "2025-11-22"
    assert formats.iso(late) == "2025-11-21T22:41:59Z"
    assert formats.zone_offset() == "+02:00"
    assert (formats.moment(None), formats.day(None), formats.clock(None), formats.relative(None)) == (
        "–",
        "–",
        "–",
        "–",
    )


def test_a_moment_at_the_end_of_the_calendar_breaks_no_page() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for zone in ("Pacific/Honolulu", "Africa/Johannesburg"):
        for at in (first, last):
            assert all(formats.moment(at, style, zone=zone) for style in ("short", "medium", "long"))


def test_short_moments_name_today_and_leave_out_this_year() -> None:
    now = datetime.now(UTC)
    assert formats.moment(now, "short") == f"Today {formats.clock(now)}"
    assert formats.moment(now, "short", amid=True) == f"today {formats.clock(now)}"
    other = now.replace(year=now.year - 1, month=1, day=2)
    assert str(now.year - 1) in formats.moment(other, "short")


def test_relative() -> None:
    now = datetime(2025, 11, 21, 22, 0, tzinfo=UTC)
    assert formats.relative(now - timedelta(seconds=59), now=now) == "just now"
    assert formats.relative(now - timedelta(minutes=3), now=now).startswith("3 min")
    assert formats.relative(now + timedelta(hours=2), now=now).startswith("in 2")


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(minutes=72), "1h 12m"),
        (4320, "1h 12m"),
        (timedelta(days=1, hours=1, minutes=9), "1d 1h"),
        (59, "59s"),
        (0, "0m"),
        (None, "–"),
    ],
)
def test_duration(span: timedelta | float | None, text: str) -> None:
    assert formats.duration(span) == text


def test_sparkpath() -> None:
    assert formats.sparkpath([]) == ""
    assert formats.sparkpath([5]) == ""
    assert formats.sparkpath([1, 3, 2]) == "M0.0,24.0 L50.0,3.0 L100.0,13.5"
    assert formats.sparkpath([4, 4]) == "M0.0,24.0 L100.0,24.0"


def test_moments_from_queries() -> None:
    midnight = formats.as_moment("2025-11-21T22:00:00Z", back=1)
    assert midnight is not None
    assert formats.local_day(midnight) == "2025-11-21"
    assert formats.as_moment(None) is None
