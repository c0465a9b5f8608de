"""Events: what happened, said once, in the transaction of the change."""

from typing import Any, ClassVar

import msgspec

from lastlight.kernel.permissions import Permission


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A domain event. Its fields are the `data` of the envelope; class attributes declare the rest.

    `audience` is the permission whose holders (at the event's venue, if it has one) hear it on their sockets; None means that
    only the patron it concerns hears it, and if it concerns none, nobody (it still enters the audit chain).
    """

    event_name: ClassVar[str]
    event_version: ClassVar[int] = 1
    audience: ClassVar[Permission | None] = None
    money: ClassVar[bool] = False
    """It moves money: its audit entry says what it said for seven years, as books do; others for three."""
    webhook: ClassVar[bool] = False
    """May be subscribed to by outbound webhooks."""


class Envelope(msgspec.Struct, frozen=True):
    """The one shape of an event on a socket and in `GET /api/events`."""

    id: str
    seq: int
    name: str
    at: str
    tenant_id: str
    venue_id: str | None
    data: dict[str, Any]
