"""The venue form: flat texts from a page become a venue's fields, and back."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Annotated

import msgspec

from lastlight.domains.venues.geofence import Circle, Geofence, Point, Polygon
from lastlight.domains.venues.hours import WEEKDAYS, Interval, OpeningHours, Week
from lastlight.domains.venues.model import Address, PositionPolicy, TaxRate, Venue
from lastlight.domains.venues.schemas import VenueChange, VenueIn
from lastlight.kernel.errors import Invalid
from lastlight.runtime.http import Input, checked

Short = Annotated[str, msgspec.Meta(max_length=120)]
Long = Annotated[str, msgspec.Meta(max_length=4000)]
SPAN = re.compile(r"\s*([0-2]?\d:[0-5]\d)\s*(?:-|–|to)\s*([0-2]?\d:[0-5]\d)\s*")
PAIR = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*[, ]\s*(-?\d+(?:\.\d+)?)\s*")
TAX = re.compile(r"\s*(.+?)\s+(\d+(?:[.,]\d{1,2})?)\s*%?\s*(added)?\s*")


FORM_NAMES = (
    *((f"address.{name}", name) for name in ("line1", "city", "region", "postal_code", "country")),
    ("geofence.points", "corners"),
    ("geofence.radius_m", "geofence.radius_m"),
    ("geofence", "geofence"),
    ("opening_hours", "mon"),
    ("position.", "position"),
    ("tags", "tags"),
    ("tax_rates", "taxes"),
)


class VenueForm(Input, frozen=True, kw_only=True):
    """What the venue form sends. Hours are one line a weekday, the fence a radius or one corner a line."""

    name: Short
    slug: Short = ""
    line1: Short = ""
    city: Short = ""
    region: Short = ""
    postal_code: Short = ""
    country: Short = ""
    position: Short = ""
    time_zone: Short
    currency: Short
    business_day_hour: int = 6
    capacity: int | None = None
    age_limit: int | None = None
    visit_timeout_minutes: int = 480
    position_policy: PositionPolicy = "when_given"
    fence: Short = "circle"
    radius_m: int = 150
    corners: Long = ""
    tags: Long = ""
    taxes: Long = ""
    always_open: bool = False
    mon: Short = ""
    tue: Short = ""
    wed: Short = ""
    thu: Short = ""
    fri: Short = ""
    sat: Short = ""
    sun: Short = ""
    version: int = 0


def to_venue(form: VenueForm) -> VenueIn:
    """The fields of a new venue; Invalid with every line that cannot be read."""
    errors: dict[str, str] = {}
    hours = None if form.always_open else _hours(form, errors)
    position = _position(form.position, errors)
    fence = _fence(form, position, errors)
    taxes = _taxes(form.taxes, errors)
    if errors:
        raise Invalid(fields=errors)
    venue = VenueIn(
        name=form.name,
        slug=form.slug or None,
        address=Address(
            line1=form.line1,
            city=form.city,
            region=form.region,
            postal_code=form.postal_code,
            country=form.country.upper(),
        ),
        position=position,
        time_zone=form.time_zone,
        currency=form.currency.upper(),
        business_day_hour=form.business_day_hour,
        capacity=form.capacity,
        opening_hours=hours,
        tags=[tag.strip().lower() for tag in form.tags.replace("\n", ",").split(",") if tag.strip()],
        age_limit=form.age_limit,
        tax_rates=taxes,
        geofence=fence,
        position_policy=form.position_policy,
        visit_timeout_minutes=form.visit_timeout_minutes,
    )
    return checked(venue)


def to_change(form: VenueForm, venue: Venue) -> VenueChange:
    """The same as a change; the dates that differ from the week stay as they are, since the form does not show them."""
    data = to_venue(form)
    hours = data.opening_hours
    if hours is not None and venue.opening_hours is not None:
        hours = msgspec.structs.replace(hours, exceptions=venue.opening_hours.exceptions)
    given = {
        name: getattr(data, name) for name in VenueChange.__struct_fields__ if name not in {"slug", "opening_hours"}
    }
    return VenueChange(**given, slug=data.slug or venue.slug, opening_hours=hours)


@contextmanager
def form_errors() -> Generator[None]:
    """Give an Invalid of the venue the names of the form's own fields."""
    try:
        yield
    except Invalid as problem:
        raise Invalid(problem.detail, fields=_form_paths(problem.fields)) from None


def _form_paths(fields: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, sentence in fields.items():
        day = next((part for part in path.replace("[", ".").split(".") if part in WEEKDAYS), None)
        name = next((mine for start, mine in FORM_NAMES if path.startswith(start)), path)
        found.setdefault(day or name, sentence)
    return found


def of_venue(venue: Venue) -> dict[str, str]:
    """A venue as the form's texts."""
    fence, position = venue.geofence, venue.position
    texts = {
        "name": venue.name,
        "slug": venue.slug,
        "line1": venue.address.line1,
        "city": venue.address.city,
        "region": venue.address.region,
        "postal_code": venue.address.postal_code,
        "country": venue.address.country,
        "position": f"{position.lat}, {position.lon}" if position else "",
        "time_zone": venue.time_zone,
        "currency": venue.currency,
        "business_day_hour": str(venue.business_day_hour),
        "capacity": "" if venue.capacity is None else str(venue.capacity),
        "age_limit": "" if venue.age_limit is None else str(venue.age_limit),
        "visit_timeout_minutes": str(venue.visit_timeout_minutes),
        "position_policy": venue.position_policy,
        "fence": "none" if fence is None else "circle" if isinstance(fence, Circle) else "polygon",
        "radius_m": str(round(fence.radius_m)) if isinstance(fence, Circle) else "150",
        "corners": "\n".join(f"{p.lat}, {p.lon}" for p in fence.points) if isinstance(fence, Polygon) else "",
        "tags": ", ".join(venue.tags),
        "taxes": "\n".join(_tax_line(rate) for rate in venue.tax_rates),
        "always_open": "true" if venue.opening_hours is None else "",
        "version": str(venue.version),
    }
    return texts | {day: _day_line(venue.opening_hours, day) for day in WEEKDAYS}


def _hours(form: VenueForm, errors: dict[str, str]) -> OpeningHours:
    week: dict[str, list[Interval]] = {}
    for day in WEEKDAYS:
        text: str = getattr(form, day)
        spans = [SPAN.fullmatch(part) for part in text.split(",") if part.strip()]
        if any(span is None for span in spans):
            errors[day] = "Write times such as 18:00-02:00, several with commas, or nothing for closed."
        week[day] = [Interval(opens=span[1].zfill(5), closes=span[2].zfill(5)) for span in spans if span is not None]
    return OpeningHours(weekly=Week(**week))


def _position(text: str, errors: dict[str, str]) -> Point | None:
    if not text.strip():
        return None
    pair = PAIR.fullmatch(text)
    if pair is None or abs(float(pair[1])) > 90 or abs(float(pair[2])) > 180:
        errors["position"] = "Write latitude and longitude, such as -26.1452, 28.0412."
        return None
    return Point(lat=float(pair[1]), lon=float(pair[2]))


def _fence(form: VenueForm, position: Point | None, errors: dict[str, str]) -> Geofence | None:
    if form.fence == "none":
        return None
    if form.fence == "circle":
        return None if position is None else Circle(center=position, radius_m=float(form.radius_m))
    corners = [_position(line, errors) for line in form.corners.splitlines() if line.strip()]
    if "position" in errors and form.corners:
        errors["corners"] = "Write one corner a line, each as latitude, longitude."
    if len(corners) < 3:
        errors["corners"] = "Draw at least three corners, one a line."
    return Polygon(points=[corner for corner in corners if corner is not None])


def _taxes(text: str, errors: dict[str, str]) -> list[TaxRate]:
    rates: list[TaxRate] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        match = TAX.fullmatch(line)
        if match is None or float(match[2].replace(",", ".")) > 100:
            errors["taxes"] = (
                "Write one tax a line, such as: VAT 15 %. Add the word added where prices do not include it."
            )
            continue
        basis_points = round(float(match[2].replace(",", ".")) * 100)
        rates.append(TaxRate(name=match[1], rate_bp=basis_points, inclusive=match[3] is None))
    return rates


def _tax_line(rate: TaxRate) -> str:
    return f"{rate.name} {rate.rate_bp / 100:g} %" + ("" if rate.inclusive else " added")


def _day_line(hours: OpeningHours | None, day: str) -> str:
    if hours is None:
        return ""
    intervals: list[Interval] = getattr(hours.weekly, day)
    return ", ".join(f"{span.opens}-{span.closes}" for span in sorted(intervals, key=lambda span: span.opens))
