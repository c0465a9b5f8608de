"""The plan of a night, made from a seed: who comes when, in what company, how long they stay, what goes wrong. Pure."""

import math
import random
from dataclasses import dataclass
from enum import StrEnum

FIRST_NAMES = (
    "Amahle", "Aisha", "Bongani", "Busi", "Chloe", "Daniel", "Dineo", "Ethan", "Fatima", "Gugu", "Hannah", "Imran", "Jabu",
    "Johan", "Kagiso", "Karabo", "Lebo", "Liam", "Lindiwe", "Mandla", "Mia", "Naledi", "Neo", "Nomsa", "Oratile", "Palesa",
    "Pieter", "Priya", "Refilwe", "Ruan", "Sana", "Sipho", "Tariq", "Thabo", "Thandi", "Tumi", "Unathi", "Vuyo", "Wandile",
    "Yusuf", "Zanele", "Zinhle",
)  # fmt: skip
LAST_NAMES = (
    "Adams", "Botha", "Dlamini", "Dube", "Fourie", "Govender", "Hendricks", "Jacobs", "Khumalo", "Khoza", "Lekota", "Maseko",
    "Mbeki", "Mkhize", "Mokoena", "Moloi", "Naidoo", "Ndlovu", "Nel", "Nkosi", "Patel", "Petersen", "Pillay", "Radebe",
    "Sithole", "Smit", "Tshabalala", "van Wyk", "Venter", "Zulu",
)  # fmt: skip


class Mishap(StrEnum):
    """What goes wrong at the door."""

    NONE = "none"
    STALE_CODE = "stale code"
    FAR_AWAY = "far away"
    SCANNED_TWICE = "scanned twice"
    RETRIED = "retried"


MISHAPS = (
    (Mishap.NONE, 88),
    (Mishap.RETRIED, 5),
    (Mishap.SCANNED_TWICE, 3),
    (Mishap.STALE_CODE, 2),
    (Mishap.FAR_AWAY, 2),
)


@dataclass(frozen=True, slots=True)
class Outing:
    """One guest's night: minutes are counted from the doors' opening."""

    guest: int
    venue: int
    arrives: float
    leaves: float | None
    """None: walks out without checking out; the venue's time-out closes the visit."""
    mishap: Mishap


def plan_night(*, seed: int, guests: int, venues: int, hours: float) -> list[Outing]:
    """The outings of a night in order of arrival.

    Arrivals follow a bell with its peak at two fifths of the night; people come in groups of one to six that share a venue and
    mostly leave together; a stay is log-normal around two hours, cut at the end of the night.
    """
    dice = random.Random(seed)  # noqa: S311 - a plan to repeat, not a secret
    length = hours * 60
    outings: list[Outing] = []
    guest = 0
    while guest < guests:
        size = min(guests - guest, dice.choices(range(1, 7), weights=(22, 36, 18, 14, 6, 4))[0])
        venue = dice.choices(range(venues), weights=[1 / (place + 1) for place in range(venues)])[0]
        arrival = _arrival(dice, length)
        stay = min(max(15.0, dice.lognormvariate(math.log(min(120.0, length / 3)), 0.5)), length)
        for _ in range(size):
            arrives = arrival + dice.uniform(0, 2)
            leaves = arrives + stay + dice.gauss(0, 6) if dice.random() < 0.85 else None
            mishap = dice.choices([kind for kind, _ in MISHAPS], weights=[weight for _, weight in MISHAPS])[0]
            outings.append(Outing(guest, venue, arrives, None if leaves is None else max(arrives + 5, leaves), mishap))
            guest += 1
    return sorted(outings, key=lambda outing: (outing.arrives, outing.guest))


def _arrival(dice: random.Random, length: float) -> float:
    while True:
        minute = dice.gauss(length * 0.4, length * 0.2)
        if 0 <= minute <= length * 0.95:
            return minute


def guest_name(seed: int, number: int) -> str:
    """A name for a guest, the same each time."""
    dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - a name to repeat, not a secret
    return f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)}"


def position_near(seed: int, number: int, lat: float, lon: float, *, metres: float) -> tuple[float, float]:
    """A place `metres` or less from another, in a direction of the guest's own."""
    dice = random.Random(seed * 7_919 + number)  # noqa: S311 - a place to repeat, not a secret
    angle, away = dice.uniform(0, 2 * math.pi), dice.uniform(0.2, 1) * metres
    return lat + away * math.cos(angle) / 111_195, lon + away * math.sin(angle) / (
        111_195 * math.cos(math.radians(lat))
    )
