"""Dates, money and numbers as the reader expects them: the filters of every template and mail."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
)
from babel.units import format_unit

from lastlight.kernel.money import digits_of
from lastlight.ui.reader import current_locale, current_zone
from lastlight.ui.translations import gettext

NBSP = "\u00a0"
MINUS = "\u2212"
DASH = "\u2013"
Style = Literal["short", "medium", "long", "full"]


def money(minor: int | None, currency: str = "ZAR", *, whole: bool = False, signed: bool = False) -> str:
    """An amount in minor units as text: `R 1 240,00`; `whole` drops the cents, `signed` shows the plus."""
    if minor is None:
        return DASH
    digits = digits_of(currency)
    amount = Decimal(abs(minor)).scaleb(-digits)
    if whole:
        amount = amount.quantize(Decimal(1))
    pattern = _pattern(0 if whole else digits, current_locale())
    text = format_currency(amount, currency, locale=current_locale(), currency_digits=False, format=pattern)
    text = re.sub(r"(?<=[^\W\d_])(?=\d)", NBSP, text).replace("\u202f", NBSP)
    sign = MINUS if minor < 0 else "+" if signed and minor > 0 else ""
    return sign + text


@lru_cache(maxsize=256)
def _pattern(digits: int, locale: str) -> str:
    """The language's pattern of money with so many decimals: as amounts are kept, whatever the language's data says of a currency."""
    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    return re.sub(r"\.0+", "." + "0" * digits if digits else "", pattern)


def money_value(value: Any) -> str:
    """An amount that carries its currency: a struct or mapping with `amount` (minor units) and `currency`."""
    return money(field(value, "amount"), field(value, "currency"))


def field(row: Any, name: str) -> Any:
    """A field of a struct or a key of a mapping."""
    return cast("Mapping[str, Any]", row)[name] if isinstance(row, Mapping) else getattr(row, name)


def number(value: float | Decimal | None, *, digits: int = 0, signed: bool = False, compact: bool = False) -> str:
    """A number with the reader's separators; `digits` is the most after the point; `compact` gives 12K."""
    if value is None:
        return DASH
    if compact:
        return format_compact_decimal(value, locale=current_locale(), fraction_digits=digits)
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    write = _whole_number if isinstance(value, int) else format_decimal
    text = write(value, format=pattern, locale=current_locale()).replace("\u202f", NBSP)
    text = text.replace("-", MINUS, 1) if value < 0 else text
    return f"+{text}" if signed and value > 0 else text


def percent(value: float | None, *, digits: int = 0, signed: bool = False) -> str:
    """A share (0.124) as text (12.4%)."""
    if value is None:
        return DASH
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
    text = format_percent(value, format=pattern, locale=current_locale())
    text = text.replace("-", MINUS, 1)
    return f"+{text}" if signed and value > 0 else text


def local(moment: datetime, *, zone: str = "") -> datetime:
    """The moment in the venue's zone; a moment without a zone is taken as UTC.

    One at the very end of what a calendar knows has no local time there, and stays in UTC: it must not break a page.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(ZoneInfo(zone or current_zone()))
    except OverflowError:
        return aware


def moment(value: datetime | None, style: Style = "medium", *, zone: str = "", amid: bool = False) -> str:
    """Date and time in the venue's zone: `21 Nov 2025, 22:41`; short is `Today 22:41` or `19 Nov 22:41`; long names the month.

    `amid` is for the middle of a sentence: `since today 22:41`.
    """
    if value is None:
        return DASH
    at = local(value, zone=zone)
    date_part = day(at, style, zone=zone, amid=amid)
    return f"{date_part} {clock(at, zone=zone)}" if style == "short" else f"{date_part}, {clock(at, zone=zone)}"


def as_moment(value: datetime | str | None, *, back: int = 0) -> datetime | None:
    """A moment from its RFC 3339 text; `back` seconds earlier, so that an end of midnight still names its day."""
    if not value:
        return None
    parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
    return parsed - timedelta(seconds=back)


def local_day(value: datetime | None) -> str:
    """The date of a moment in the venue's zone, as a date field wants it: 2025-11-21."""
    return "" if value is None else local(value).date().isoformat()


def zone_offset() -> str:
    """How far the venue's zone is from UTC at this time of the year: +02:00."""
    return datetime.now(ZoneInfo(current_zone())).isoformat()[-6:]


def day(value: date | datetime | None, style: Style = "medium", *, zone: str = "", amid: bool = False) -> str:
    """A date; of a moment, the date it has in the venue's zone. Short says Today, and leaves out the year that it is."""
    if value is None:
        return DASH
    that = local(value, zone=zone).date() if isinstance(value, datetime) else value
    if style != "short":
        return _date(that, style, current_locale())
    today = datetime.now(ZoneInfo(zone or current_zone())).date()
    if that == today:
        return gettext("today") if amid else gettext("Today")
    return _date(that, "MMMd" if that.year == today.year else "yMMMd", current_locale())


def clock(value: datetime | time | None, *, zone: str = "") -> str:
    """Hours and minutes in the venue's zone: `22:41`."""
    if value is None:
        return DASH
    at = local(value, zone=zone).timetz() if isinstance(value, datetime) else value
    return _clock(at.hour, at.minute, current_locale())


def relative(value: datetime | None, *, now: datetime | None = None) -> str:
    """How long ago, or in how long: `3 min ago`."""
    if value is None:
        return DASH
    gap = local(value) - local(now or datetime.now(UTC))
    if abs(gap) < timedelta(minutes=1):
        return gettext("just now")
    return format_timedelta(gap, add_direction=True, format="short", locale=current_locale(), threshold=1)


def duration(value: timedelta | float | None) -> str:
    """A span, or seconds, in its two largest units: `1h 12m`. Seconds only where there is nothing larger."""
    if value is None:
        return DASH
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    parts: list[str] = []
    for unit, size in (
        ("duration-day", 86_400),
        ("duration-hour", 3_600),
        ("duration-minute", 60),
        ("duration-second", 1),
    ):
        count, seconds = divmod(seconds, size)
        if count and not (size == 1 and parts):
            parts.append(_unit(count, unit, current_locale()))
    return " ".join(parts[:2]) if parts else _unit(0, "duration-minute", current_locale())


# A page writes the same days, hours and counts hundreds of times, and the library reads its patterns anew for each.
@lru_cache(maxsize=4096)
def _date(value: date, style: Style | Literal["MMMd", "yMMMd"], locale: str) -> str:
    if style in ("MMMd", "yMMMd"):
        return format_skeleton(style, value, locale=locale)
    return format_date(value, style, locale=locale)


@lru_cache(maxsize=4096)
def _clock(hour: int, minute: int, locale: str) -> str:
    return format_time(time(hour, minute), "HH:mm", locale=locale)


@lru_cache(maxsize=4096)
def _unit(count: int, unit: str, locale: str) -> str:
    return format_unit(count, unit, "narrow", locale=locale)


@lru_cache(maxsize=4096)
def _whole_number(value: int, format: str, locale: str) -> str:  # noqa: A002 - as the library names it
    return format_decimal(value, format=format, locale=locale)


def iso(value: datetime) -> str:
    """A moment for a machine: the `datetime` attribute of `<time>`."""
    return local(value, zone="UTC").isoformat().replace("+00:00", "Z")


def svg_data(svg: str) -> str:
    """An SVG as the source of an image: shown, but never run, whatever it holds."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def sparkpath(points: Sequence[float], *, width: int = 100, height: int = 26) -> str:
    """The `d` of an SVG path through the points, filling width by height; empty for fewer than two."""
    if len(points) < 2:
        return ""
    low, high = min(points), max(points)
    step, reach, foot = width / (len(points) - 1), height - 5, height - 2
    heights = [foot - (point - low) / ((high - low) or 1) * reach for point in points]
    return "M" + " L".join(f"{index * step:.1f},{top:.1f}" for index, top in enumerate(heights))
