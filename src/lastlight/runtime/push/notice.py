"""What somebody is told, and of which kind, so that they may switch that kind off."""

from datetime import datetime
from typing import Literal

import msgspec

from lastlight.kernel.money import Money
from lastlight.kernel.permissions import Permission

Urgency = Literal["very-low", "low", "normal", "high"]
HOUR = 3600


class NoticeKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of notice, which each person has or has not. List it among a Module's `notices`."""

    key: str
    label: str
    description: str
    permission: Permission | None = None
    """Who is ever told such a thing; None for guests."""
    order: int = 100
    """Its place among the kinds; what is most urgent comes first."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell people. A locked screen may show it: no guest's name, nothing that staff wrote about one."""

    kind: NoticeKind
    title: str
    """English, translated for each reader; `{name}` stands for one of `words`, `amounts` or `moments`."""
    body: str = ""
    words: dict[str, str] = {}
    amounts: dict[str, Money] = {}
    """Written as each reader's screens write them."""
    moments: dict[str, datetime] = {}
    zone: str = "UTC"
    """The time zone in which moments are written."""
    url: str
    """The page of ours that a tap opens."""
    tag: str
    """What it is about: a later notice with the same tag takes the place of the earlier one."""
    urgency: Urgency = "normal"
    seconds: int = 4 * HOUR
    """How long it is worth telling; a device that is off for longer never hears of it."""
    silent: bool = False
    """Without sound and vibration."""
    stays: bool = False
    """Until somebody touches it."""
