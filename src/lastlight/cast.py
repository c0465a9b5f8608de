"""Who plays in the demonstration: the crew, two businesses with their people, and one that waits to be let in."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of each business: guests, and past nights."""

    guests: int
    nights: int


SIZES: Mapping[str, Size] = {"small": Size(guests=500, nights=28), "large": Size(guests=10_000, nights=365)}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the demonstration: the name, the role, and for which venue (empty: all)."""

    role: str
    name: str
    email: str
    venue: str = ""


@dataclass(frozen=True, slots=True)
class Business:
    """A business of the demonstration; `main` is its venue that never closes."""

    slug: str
    name: str
    contact: str
    main: str
    people: tuple[Person, ...]
    accent: str = ""


CREW = (
    Person("super_admin", "Sam Adeyemi", "sam@lastlight.example"),
    Person("ops", "Ola Berg", "ola@lastlight.example"),
    Person("moderator", "Mo Farouk", "mo@lastlight.example"),
    Person("finance", "Fay Lindt", "fay@lastlight.example"),
)
BUSINESSES = (
    Business(
        "kojo-arcade",
        "Kōjō Arcade",
        "Nandi Kōjō",
        "kojo-rosebank",
        (
            Person("owner", "Nandi Kōjō", "owner@kojo.example"),
            Person("manager", "Thandi Mokoena", "manager@kojo.example"),
            Person("staff", "Kagiso Moloi", "staff@kojo.example"),
            Person("vendor_admin", "Johan Venter", "vendor@kojo.example", "kojo-rosebank"),
            Person("patron", "Zinhle Dube", "zinhle@guests.example"),
        ),
    ),
    Business(
        "the-low-light",
        "The Low Light",
        "Lerato Khumalo",
        "low-light-maboneng",
        (
            Person("owner", "Lerato Khumalo", "owner@lowlight.example"),
            Person("manager", "Sipho Dlamini", "manager@lowlight.example"),
            Person("staff", "Busi Tshabalala", "staff@lowlight.example"),
            Person("patron", "Liam Petersen", "liam@guests.example"),
        ),
        accent="#1e9e8a",
    ),
)
CREWS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "kojo-arcade": {
        "kojo-rosebank": ("Amahle Radebe", "Ruan Botha", "Neo Sithole", "Fatima Patel"),
        "kojo-braamfontein": ("Tumi Maseko", "Liam Fourie", "Dineo Khoza"),
    },
    "the-low-light": {"low-light-maboneng": ("Wandile Zulu", "Hannah Smit", "Imran Govender")},
}
"""Who else works where: they sign in like the others, with their first name at the business's domain."""
SANCTIONS = (
    ("banned", "Started two fights in one night."),
    ("suspended", "Jumped the queue and pushed a doorman."),
    ("soft_banned", "Staff decide at the door: left without paying once."),
)
WAITING = ("sunset-row", "Sunset Row", "Priya Naidoo", "priya@sunsetrow.example")
