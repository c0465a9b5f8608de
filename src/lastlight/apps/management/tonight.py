"""Tonight: the manager's first screen, live."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from lastlight.apps.management.door_attention import EVENTS as DOOR_EVENTS
from lastlight.apps.management.door_attention import door_attention
from lastlight.apps.night import feed_lines, shown_venues
from lastlight.domains import checkins
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
    arrivals: list[int]
    """By half hour, the latest last."""
    arrived_by: list[int]
    """How many had come by the end of each half hour."""


@page("/manage", permission=checkins.VISITS_READ)
async def tonight_page(ctx: Ctx, request: RequestInfo) -> View:
    """Show the night as it happens."""
    tonight = await checkins.read_tonight(ctx, venue_ids=await shown_venues(ctx, request), feed_length=FEED)
    night = _sums(tonight)
    return View(
        "management/tonight.html",
        {
            "night": night,
            "lead": _lead(tonight),
            "rows": [_row(figures) for figures in tonight.venues],
            "chart": _chart(tonight, night),
            "feed": feed_lines(tonight.feed, visits="/manage/visits", several=len(tonight.venues) > 1),
            "attention": [*_attention(tonight), *await door_attention(ctx)],
            "needs_events": [
                "checkin.verified",
                "visit.closed",
                "visit.timed_out",
                "venue.status_changed",
                *DOOR_EVENTS,
            ],
            "screens": [(figures.venue, f"/screen/{figures.venue_id}") for figures in tonight.venues],
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
        arrivals=slots[-7:-1],
        arrived_by=list(accumulate(slots))[-16:],
    )


def _lead(tonight: checkins.Tonight) -> str:
    if not tonight.venues:
        return "No venue yet."
    day = tonight.venues[0].business_day
    where = tonight.venues[0].venue if len(tonight.venues) == 1 else f"{len(tonight.venues)} venues"
    return f"{day:%A} {day.day} {day:%B}, {where}"


def _row(figures: checkins.VenueTonight) -> dict[str, Any]:
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
    labels, counts = [slot.at for slot in shown], [slot.tonight for slot in shown]
    if (
        tonight.venues
    ):  # the half hour that runs is not over: its point is the last 30 minutes, so that the line does not fall
        labels[now - start] = f"{tonight.at.astimezone(ZoneInfo(tonight.venues[0].time_zone)):%H:%M}"
        counts[now - start] = sum(figures.arrivals_30 for figures in tonight.venues)
    return {
        "kind": "line",
        "labels": labels,
        "series": [
            {"name": "Tonight", "values": counts, "style": "accent"},
            {
                "name": f"Last {night.weekday}" if night.weekday else "Last week",
                "values": [slot.last_week for slot in shown],
                "style": "muted",
            },
        ],
        "unit": "count",
        "now_index": max(0, now - start),
        "summary": f"{night.arrived} guests arrived tonight so far, by half hour, beside the same weekday a week ago.",
    }


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
