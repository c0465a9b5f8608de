"""Samples on the kit's page: figures for its charts, visits for its table, people for its feed."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

LONG = "The Extraordinarily Long-Named Rooftop Arcade, Karaoke and Late Supper Club of Rosebank North"
TONIGHT = [2.6, 4.1, 5.2, 7.9, 9.6, 12.8, 15.1, 16.9, 20.3, 22.4]
LAST_WEEK = [
    2.1,
    3.4,
    4.8,
    6.3,
    8.8,
    10.4,
    13.1,
    15.8,
    17.2,
    18.9,
    20.4,
    19.8,
    18.1,
    17.4,
    15.2,
    13.0,
    10.6,
    8.1,
    5.2,
    2.9,
]


def visits(now: datetime) -> SimpleNamespace:
    """A table of visits as a listing gives it."""
    states = (("open", "Inside"), ("closed", "Left"), ("timed_out", "Timed out"))

    def header(
        name: str, label: str, kind: str, sort: str = "", direction: str = "", **choices: str
    ) -> SimpleNamespace:
        return SimpleNamespace(name=name, label=label, kind=kind, sort=sort, direction=direction, choices=choices)

    def row(index: int, guest: str, minutes: int, status: str, spent: int | None) -> dict[str, Any]:
        opened = now - timedelta(minutes=minutes)
        money = None if spent is None else {"amount": spent, "currency": "ZAR"}
        return {
            "id": index,
            "guest": guest,
            "opened_at": opened,
            "stay": timedelta(minutes=minutes),
            "status": status,
            "spent": money,
        }

    return SimpleNamespace(
        name="visits",
        headers=[
            header("guest", "Guest", "text", "guest"),
            header("opened_at", "Arrived", "time", "opened_at", "desc"),
            header("stay", "Stay", "duration"),
            header("status", "State", "enum", **dict(states)),
            header("spent", "Spent", "money", "-spent"),
        ],
        rows=[
            row(1, "Zinhle Dube", 84, "open", 28500),
            row(2, "Liam O'Connor", 46, "open", 0),
            row(3, LONG, 1500, "timed_out", None),
            row(4, "Priya <Naidoo> & friends", 130, "closed", 123456789),
        ],
        next="cursor",
        query={"status": ["open"], "sort": "-opened_at"},
        filters=(
            SimpleNamespace(name="status", label="State", kind="enum", choices=states),
            SimpleNamespace(name="opened_at", label="Arrived", kind="time", choices=()),
        ),
        q="",
        sort="-opened_at",
        total=312,
        export=True,
    )


def revenue() -> dict[str, Any]:
    """A chart of revenue, tonight and a week ago."""
    labels = [f"{(18 + half // 2) % 24:02d}:{'30' if half % 2 else '00'}" for half in range(len(LAST_WEEK))]
    return {
        "kind": "line",
        "labels": labels,
        "series": [
            {"name": "Tonight", "values": [round(value * 100_000) for value in TONIGHT], "style": "accent"},
            {"name": "Last Saturday", "values": [round(value * 100_000) for value in LAST_WEEK], "style": "muted"},
        ],
        "unit": "money",
        "currency": "ZAR",
        "now_index": len(TONIGHT) - 1,
        "summary": "Revenue per half hour tonight, ahead of last Saturday in every interval.",
    }


def arrivals() -> dict[str, Any]:
    """A chart of arrivals by hour."""
    return {
        "kind": "stacked",
        "labels": ["18:00", "19:00", "20:00", "21:00", "22:00"],
        "series": [
            {"name": "Arrived", "values": [12, 31, 58, 74, 66], "style": "accent"},
            {"name": "Left", "values": [0, 2, 9, 15, 21], "style": "muted"},
        ],
        "unit": "count",
        "summary": "Arrivals peak at nine; departures stay low.",
    }
