"""The modules of a tenant that can be switched on and off (TEN-07): off hides them, refuses their operations and stops their jobs."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Toggle:
    """One module: its stable name, what people call it, what it is for, whether a new tenant starts with it, and what it needs."""

    name: str
    title: str
    description: str
    default: bool = False
    needs: tuple[str, ...] = ()
    """The modules without which it cannot work."""


TOGGLES = (
    Toggle("pos", "Till", "Orders, tabs, drawers and receipts at the bar."),
    Toggle("credits", "Credits", "Stored value that guests buy and spend."),
    Toggle("loyalty", "Loyalty", "Points, levels and rewards for guests."),
    Toggle("inventory", "Stock", "Stock, purchasing, recipes and counts."),
    Toggle("programme", "Programme", "Events, tickets and guest lists."),
    Toggle("messaging", "Messages", "Conversations between guests and the house."),
    Toggle("campaigns", "Campaigns", "Offers and news by e-mail and push."),
    Toggle("safety", "Safety", "Incidents, SOS and reports.", default=True),
    Toggle("staff", "Staff", "Shifts, clocking in and tasks.", default=True),
    Toggle("treasury", "Treasury", "Split rules, payouts and statements."),
    Toggle("analytics", "Analytics", "Figures over nights, venues and guests.", default=True),
)

BY_NAME = {toggle.name: toggle for toggle in TOGGLES}


def wrongly_standing(toggle: Toggle, *, enabled: bool, on: Collection[str]) -> list[Toggle]:
    """The modules that must be switched before this one: those it needs that are off, or those on that need it."""
    if enabled:
        return [other for other in TOGGLES if other.name in toggle.needs and other.name not in on]
    return [other for other in TOGGLES if toggle.name in other.needs and other.name in on]
