"""What a layout needs to know about who is looking at what."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

App = Literal["patron", "staff", "management", "owner", "treasury", "platform", "payee"]
Theme = Literal["dark", "light"]


class NavItem(Struct, frozen=True, kw_only=True):
    """One place of an app; `count` is shown beside it, in red when `hot`, and read again at each of `events`."""

    label: str
    href: str
    icon: str
    count: int | None = None
    hot: bool = False
    events: tuple[str, ...] = ()
    current: bool = False


class NavGroup(Struct, frozen=True, kw_only=True):
    """Places that belong together; the first group of an app has no label."""

    label: str = ""
    items: tuple[NavItem, ...] = ()


class TenantRef(Struct, frozen=True, kw_only=True):
    """A tenant in the context switcher; `href` switches to it."""

    id: str
    slug: str
    name: str
    href: str = ""


class VenueRef(Struct, frozen=True, kw_only=True):
    """A venue in the context switcher; `href` switches to it."""

    id: str
    slug: str
    name: str
    href: str = ""


class Me(Struct, frozen=True, kw_only=True):
    """The person signed in; `roles` are words to show, never to decide by."""

    name: str
    email: str = ""
    initials: str = ""
    roles: tuple[str, ...] = ()
    account_href: str = ""


class BrandRef(Struct, frozen=True, kw_only=True):
    """What a business looks like: the addresses of its stylesheet and of its logo, each empty where it has none."""

    name: str
    css: str = ""
    logo: str = ""
    logo_alt: str = ""


class Command(Struct, frozen=True, kw_only=True):
    """An entry of the Ctrl K palette."""

    label: str
    href: str
    icon: str = "arrow-right"
    group: str = ""
    hint: str = ""
    takes_text: bool = False
    """Its address ends where what was typed belongs: it is offered for every text, after what matches."""


class Looking(Struct, frozen=True, kw_only=True):
    """Somebody only looks: a role is previewed, or someone of the crew looks as a person of a tenant."""

    kind: Literal["preview", "impersonation"]
    actor: str
    subject: str
    venues: tuple[str, ...] = ()
    """The venues that a preview is held to; none stands for all."""
    reason: str = ""
    ends_at: datetime
    stop_url: str


class EmergencyPlace(Struct, frozen=True, kw_only=True):
    """A venue at which the reader may call for help, and whom it calls: name and phone, in the order of calling."""

    id: str
    name: str
    contacts: tuple[tuple[str, str], ...] = ()


class Emergency(Struct, frozen=True, kw_only=True):
    """What stands above every page while somebody needs help, and where the reader may call for it; no place: no button."""

    urgent_url: str
    events: tuple[str, ...]
    me: str
    send_url: str = ""
    places: tuple[EmergencyPlace, ...] = ()
    here: str = ""
    """The venue at which the reader is at work, as far as the platform knows."""


class ShellContext(Struct, frozen=True, kw_only=True):
    """Everything around a page; a template sees it as `shell`."""

    app: App
    app_name: str
    theme: Theme = "dark"
    follows_device: bool = False
    """The reader wants the look of their device; `theme` is what it was when last seen."""
    locale: str = "en-ZA"
    direction: Literal["ltr", "rtl"] = "ltr"
    home: str = "/"
    nav: tuple[NavGroup, ...] = ()
    tenant: TenantRef | None = None
    tenants: tuple[TenantRef, ...] = ()
    venue: VenueRef | None = None
    venues: tuple[VenueRef, ...] = ()
    me: Me | None = None
    person: str = ""
    session: str = ""
    """Marks of who is signed in and since when, so that a browser knows whose notifications it was switched on for."""
    live: bool = False
    live_after: int = 0
    """Where the stream of events stood when the page was made: what came between that and its socket is fetched again."""
    commands: tuple[Command, ...] = ()
    unread: int = 0
    notices_url: str = ""
    sign_out_url: str = "/sign-out"
    looking: Looking | None = None
    all_venues_href: str = ""
    emergency: Emergency | None = None
    brand: BrandRef | None = None
    """The own look of the business, or of the platform, where it has chosen one."""


def initials(name: str) -> str:
    """Two letters for an avatar: of the first and the last word, of one word its first two."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()


def palette_commands(shell: ShellContext) -> tuple[Command, ...]:
    """All that Ctrl K offers: every place of the navigation, then the page's own commands."""
    places = [
        Command(label=item.label, href=item.href, icon=item.icon, hint=group.label)
        for group in shell.nav
        for item in group.items
    ]
    return (*places, *shell.commands)
