"""Sample data of the gallery: every component in every state, with names too long and lists too short."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lastlight.ui.gallery_samples import LONG, arrivals, revenue, visits
from lastlight.ui.shell import (
    App,
    Command,
    Looking,
    Me,
    NavGroup,
    NavItem,
    ShellContext,
    TenantRef,
    Theme,
    VenueRef,
)

APPS: tuple[tuple[App, str], ...] = (
    ("management", "Management"),
    ("staff", "Staff"),
    ("owner", "Owner"),
    ("treasury", "Treasury"),
    ("platform", "Platform"),
    ("patron", "Patron"),
)
SECTIONS: tuple[tuple[str, str, str], ...] = (
    ("foundations", "Foundations", "swatch-book"),
    ("basics", "Badges, buttons, numbers", "badge-check"),
    ("forms", "Forms", "text-cursor-input"),
    ("data", "Lists and charts", "table-2"),
    ("feedback", "Dialogs and states", "message-square-warning"),
    ("stories", "History and conversation", "history"),
    ("floor", "Till, kitchen, pass", "martini"),
)
CODE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 11 11" width="88" height="88"><path fill="#fff" d="M0 0h11v11H0z"/>'
    '<path fill="#160d1c" d="M1 1h3v3H1zM7 1h3v3H7zM1 7h3v3H1zM5 5h1v1H5zM7 7h1v1H7zM9 9h1v1H9zM7 9h1v1H7zM5 8h1v2H5z"/></svg>'
)


def gallery_shell(app: App = "management", *, theme: Theme = "dark", live: bool = False) -> ShellContext:
    """A full shell: groups, counts, a switcher with venues, commands."""
    name = dict(APPS)[app]
    sections = tuple(NavItem(label=title, href=f"#{key}", icon=icon) for key, title, icon in SECTIONS)
    apps = tuple(
        NavItem(
            label=title, href=f"?app={key}", icon="palette", current=key == app, count=12 if key == "staff" else None
        )
        for key, title in APPS
    )
    return ShellContext(
        app=app,
        app_name=name,
        theme=theme,
        home="/gallery",
        nav=(NavGroup(items=sections), NavGroup(label="Accents", items=apps)),
        tenant=TenantRef(id="t1", slug="kojo", name="Kōjō Arcade"),
        venue=VenueRef(id="v1", slug="rosebank", name="Rosebank"),
        venues=(
            VenueRef(id="v1", slug="rosebank", name="Rosebank", href="?venue=rosebank"),
            VenueRef(id="v2", slug="long", name=LONG, href="?venue=long"),
        ),
        all_venues_href="?venue=",
        me=Me(
            name="Thandi Mokoena",
            email="thandi@kojo.example",
            initials="TM",
            roles=("Duty manager",),
            account_href="/account",
        ),
        live=live,
        commands=(
            Command(label="Switch to light", href="?theme=light", icon="sun-moon", group="Do"),
            Command(label="Switch to dark", href="?theme=dark", icon="sun-moon", group="Do", hint="the default"),
        ),
        unread=3,
        notices_url="#feedback",
    )


def gallery_context() -> dict[str, Any]:
    """All that the gallery's templates show."""
    now = datetime.now(UTC)
    return {
        "now": now,
        "long": LONG,
        "code_svg": CODE,
        "apps": APPS,
        "segments": [{"label": word.title(), "value": word, "href": f"?theme={word}"} for word in ("dark", "light")],
        "looks": [
            Looking(
                kind="impersonation",
                actor="Anele of support",
                subject="Thandi Mokoena",
                reason="Ticket 4411, payout missing",
                ends_at=now + timedelta(minutes=12),
                stop_url="#",
            ),
            Looking(
                kind="preview",
                actor="Lerato Dlamini",
                subject="Staff",
                venues=("Kōjō Rosebank",),
                ends_at=now + timedelta(minutes=28),
                stop_url="#",
            ),
        ],
        "zones": _zones(),
        "visits": visits(now),
        "revenue": revenue(),
        "arrivals": arrivals(),
        "history": _history(now),
        "feed": _feed(now),
        "messages": _messages(now),
        "uploads": _uploads(),
        "ticket_lines": _ticket_lines(),
        "sent_at": now - timedelta(minutes=14),
    }


def _zones() -> list[dict[str, Any]]:
    rows = (
        ("Arcade hall", 104, 160, "Kagiso M.", "–", 1824000, "ok", "Steady"),
        ("Karaoke rooms", 47, 48, "Naledi P.", "35 min", 2160000, "danger", "Full"),
        ("Main bar", 78, 90, "Johan V.", "6 min", 3415000, "warn", "Filling"),
        ("Kitchen counter", 31, 60, "Busi T.", "11 min", 1288000, "ok", "Steady"),
        (LONG, 0, 80, "–", "–", 0, "", "Closed"),
    )
    names = ("name", "guests", "capacity", "lead", "wait", "per_hour", "tone", "word")
    return [dict(zip(("id", *names), (index, *row), strict=True)) for index, row in enumerate(rows)]


def _history(now: datetime) -> list[dict[str, Any]]:
    return [
        {"who": "Held for review", "what": "by rule “new bank under 7 days”", "at": now, "tone": "danger"},
        {
            "who": "Sipho Dlamini",
            "what": "changed the capacity",
            "at": now - timedelta(days=2),
            "before": "400",
            "after": "450",
            "note": "from 41.13.220.8",
        },
        {"who": "Lerato Khumalo", "what": f"renamed the venue to {LONG}", "at": now - timedelta(days=19)},
    ]


def _feed(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": 1,
            "at": now,
            "who": "Zinhle D.",
            "what": "at the door",
            "href": "#stories",
            "glyph": "log-in",
            "verb": "Came in",
            "tone": "ok",
        },
        {"id": 2, "at": now - timedelta(minutes=1), "who": "Table 12", "what": "paid by card", "amount": "R 612"},
        {"id": 3, "at": now - timedelta(minutes=6), "who": LONG, "what": "checked out", "amount": "R 388"},
    ]


def _messages(now: datetime) -> list[dict[str, Any]]:
    return [
        {"by": "Zinhle Dube", "at": now - timedelta(minutes=9), "text": "I left my jacket in karaoke room 2."},
        {"by": "Naledi P.", "at": now - timedelta(minutes=7), "text": "Found it, it is at the door.", "mine": True},
        {
            "by": "Thandi Mokoena",
            "at": now - timedelta(minutes=6),
            "text": "Check her name before you hand it over.",
            "note": True,
        },
        {"by": "You", "at": now, "text": "On my way.", "mine": True, "unsent": True},
    ]


def _uploads() -> list[dict[str, Any]]:
    return [
        {"name": "delivery-note.pdf", "note": "1.2 MB", "state": "done"},
        {
            "name": "menu-summer-2027-final-final-really-final.xlsx",
            "note": "Sending, 60 %",
            "state": "sending",
            "percent": 60,
        },
        {"name": "photo.heic", "note": "This kind of file is not taken. Send a JPEG, PNG or PDF.", "state": "failed"},
    ]


def _ticket_lines() -> list[dict[str, Any]]:
    return [
        {"quantity": 2, "name": "Neon Sour", "note": "one no egg white", "amount": "R 190,00", "state": ("Sent", "ok")},
        {"quantity": 1, "name": "Velvet Punch for 4", "amount": "R 340,00", "state": ("New", "accent"), "done": True},
        {"quantity": 1, "name": LONG, "note": "no salt", "amount": "R 107,00"},
    ]
