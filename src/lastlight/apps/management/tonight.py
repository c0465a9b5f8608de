"""Tonight: the manager's first screen, live."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lastlight.apps.shell import chosen_venue
from lastlight.domains import checkins, venues
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo, View, page

FULL, FILLING = 0.95, 0.85
FEED = 14


@dataclass(frozen=True, slots=True)
class Night:
    """The sums over the venues that are shown."""

    inside: int
    capacity: int | None
    arrived: int
    arrived_change: int | None
    weekday: str
    hour_arrivals: int
    quarter_arrivals: int
    quarter_net: int
    left: int
    timed_out: int
    average_stay: int | None
    open_venues: int
    spark: list[int]


@page("/manage", permission=checkins.VISITS_READ)
async def tonight_page(ctx: Ctx, request: RequestInfo) -> View:
    """Show the night as it happens."""
    picked = chosen_venue(request)
    mine = {venue.id for venue in await venues.standing_venues(ctx, permission=checkins.VISITS_READ)}
    only: list[UUID] = [picked] if picked is not None and picked in mine else []
    tonight = await checkins.read_tonight(ctx, venue_ids=only, feed_length=FEED)
    night = _sums(tonight)
    return View(
        "management/tonight.html",
        {
            "night": night,
            "lead": _lead(tonight, ctx.now),
            "rows": [_row(figures) for figures in tonight.venues],
            "chart": _chart(tonight, night),
            "feed": [_line(line, several=len(tonight.venues) > 1) for line in tonight.feed],
            "attention": _attention(tonight),
            "screen_url": f"/screen/{tonight.venues[0].venue_id}" if len(tonight.venues) == 1 else "",
        },
    )


def _sums(tonight: checkins.Tonight) -> Night:
    figures = tonight.venues
    arrived, before = sum(f.arrivals_tonight for f in figures), sum(f.arrivals_last_week for f in figures)
    stays = [(f.average_stay_seconds, f.departures_tonight) for f in figures if f.average_stay_seconds]
    weight = sum(count for _, count in stays) or 1
    slots = [slot.tonight for slot in tonight.arrivals if slot.tonight is not None]
    return Night(
        inside=sum(f.inside for f in figures),
        capacity=sum(f.capacity or 0 for f in figures) if figures and all(f.capacity for f in figures) else None,
        arrived=arrived,
        arrived_change=round((arrived - before) / before * 100) if before else None,
        weekday=f"{figures[0].business_day:%A}" if figures else "",
        hour_arrivals=sum(f.arrivals_60 for f in figures),
        quarter_arrivals=sum(f.arrivals_15 for f in figures),
        quarter_net=sum(f.arrivals_15 - f.departures_15 for f in figures),
        left=sum(f.departures_tonight for f in figures),
        timed_out=sum(f.timed_out_tonight for f in figures),
        average_stay=round(sum(stay * count for stay, count in stays) / weight) if stays else None,
        open_venues=sum(f.is_open and f.status == "active" for f in figures),
        spark=slots[-12:],
    )


def _lead(tonight: checkins.Tonight, now: datetime) -> str:
    if not tonight.venues:
        return "No venue yet."
    first = tonight.venues[0]
    clock = now.astimezone(ZoneInfo(first.time_zone))
    return (
        f"{first.business_day:%A} {first.business_day.day} {first.business_day:%B}, {clock:%H:%M} on the venue's clock"
    )


def _row(figures: Any) -> dict[str, Any]:
    share = figures.inside / figures.capacity if figures.capacity else 0.0
    if figures.status == "paused":
        words, tone = "Paused", "warn"
    elif not figures.is_open:
        words, tone = "Closed", ""
    elif share >= FULL:
        words, tone = "Full", "danger"
    elif share >= FILLING:
        words, tone = "Filling", "warn"
    else:
        words, tone = "Steady", "ok"
    return {
        "id": figures.venue_id,
        "name": figures.venue,
        "inside": figures.inside,
        "capacity": figures.capacity,
        "hour_arrivals": figures.arrivals_60,
        "words": words,
        "tone": tone,
    }


def _chart(tonight: checkins.Tonight, night: Night) -> dict[str, Any]:
    """From an hour before the first arrival of either night to the end of the later one."""
    slots = tonight.arrivals
    busy = [index for index, slot in enumerate(slots) if slot.tonight or slot.last_week]
    known = [index for index, slot in enumerate(slots) if slot.tonight is not None]
    now = known[-1] if known else 0
    start = max(0, min([*busy, now]) - 1)
    end = min(len(slots), max([*busy, now, start + 8]) + 2)
    shown = slots[start:end]
    return {
        "kind": "line",
        "labels": [slot.at for slot in shown],
        "series": [
            {"name": "Tonight", "values": [slot.tonight for slot in shown], "style": "accent"},
            {
                "name": f"Last {night.weekday}" if night.weekday else "Last week",
                "values": [slot.last_week for slot in shown],
                "style": "dash",
            },
        ],
        "unit": "count",
        "now_index": max(0, now - start),
        "summary": f"{night.arrived} guests arrived tonight so far, by half hour, beside the same weekday a week ago.",
    }


def _line(line: Any, *, several: bool) -> dict[str, Any]:
    what = {"in": "checked in", "out": "checked out", "timed_out": "was timed out"}[line.kind]
    stay = "" if line.duration_seconds is None else _stay(line.duration_seconds)
    return {
        "id": f"{line.visit_id}-{line.kind}",
        "at": line.at,
        "who": line.patron,
        "what": f"{what} · {line.venue}" if several else what,
        "amount": stay,
    }


def _stay(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min"


def _attention(tonight: checkins.Tonight) -> list[dict[str, str]]:
    items: list[dict[str, str]] = []
    for figures in tonight.venues:
        href = f"/manage/venues/{figures.venue_id}"
        if figures.capacity and figures.inside >= figures.capacity * FULL:
            over = figures.inside > figures.capacity
            items.append(
                {
                    "title": f"{figures.venue} is {'over capacity' if over else 'full'}",
                    "text": f"{figures.inside} of {figures.capacity} inside. One in, one out.",
                    "tone": "danger",
                    "glyph": "users-round",
                    "verb": "See who is in",
                    "href": f"/manage/visits?status=open&venue_id={figures.venue_id}",
                }
            )
        if figures.status == "paused":
            items.append(
                {
                    "title": f"{figures.venue} is paused",
                    "text": "Nobody can check in until it is opened again.",
                    "tone": "warn",
                    "glyph": "map-pin-off",
                    "verb": "Open the venue",
                    "href": href,
                }
            )
    return items
