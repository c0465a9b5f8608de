"""The apps by name: where each lives, what it is called, and who is at home in it."""

from dataclasses import dataclass

from lastlight.runtime.context import Actor
from lastlight.ui.shell import App


@dataclass(frozen=True, slots=True)
class AppPlace:
    """One app: its name in the shell, its first address, its title, and the roles that start there."""

    app: App
    prefix: str
    title: str
    roles: frozenset[str]


APPS: tuple[AppPlace, ...] = (
    AppPlace("platform", "/platform", "Platform", frozenset({"super_admin", "ops", "moderator", "finance"})),
    AppPlace("owner", "/owner", "Owner", frozenset({"owner"})),
    AppPlace("management", "/manage", "Management", frozenset({"manager", "vendor_admin"})),
    AppPlace("staff", "/staff", "Staff", frozenset({"staff"})),
    AppPlace("patron", "/patron", "Last Light", frozenset({"patron"})),
)


def app_of(path: str) -> AppPlace | None:
    """The app that a path belongs to; None for pages that belong to all of them."""
    return next((place for place in APPS if path == place.prefix or path.startswith(place.prefix + "/")), None)


def home_of(actor: Actor) -> AppPlace:
    """Where somebody starts: their role's own app, else staff for members of a tenant and patron for guests."""
    if actor.kind in {"patron", "guest", "anonymous"}:
        return _named("patron")
    roles = set(actor.roles)
    own = next((place for place in APPS if place.roles & roles), None)
    return own or _named("platform" if actor.kind == "crew" else "staff")


def _named(app: App) -> AppPlace:
    return next(place for place in APPS if place.app == app)
