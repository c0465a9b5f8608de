"""What happens to adjustments. Reasons stay in the audit log."""

from typing import ClassVar
from uuid import UUID

from lastlight.domains.adjustments.permissions import ADJUSTMENTS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class AdjustmentRequested(Event, frozen=True, kw_only=True):
    """An adjustment above the limit waits for another person."""

    event_name: ClassVar[str] = "adjustment.requested"
    audience: ClassVar[Permission | None] = ADJUSTMENTS_READ
    money: ClassVar[bool] = True
    adjustment_id: UUID
    subject: str
    amount: int
    currency: str


class AdjustmentBooked(Event, frozen=True, kw_only=True):
    """An adjustment was booked, with another person's approval where it needed one."""

    event_name: ClassVar[str] = "adjustment.booked"
    audience: ClassVar[Permission | None] = ADJUSTMENTS_READ
    money: ClassVar[bool] = True
    webhook: ClassVar[bool] = True
    adjustment_id: UUID
    subject: str
    amount: int
    currency: str
    approved: bool


class AdjustmentEnded(Event, frozen=True, kw_only=True):
    """A request was declined, or withdrawn by whoever made it: `status` says which."""

    event_name: ClassVar[str] = "adjustment.ended"
    audience: ClassVar[Permission | None] = ADJUSTMENTS_READ
    money: ClassVar[bool] = True
    adjustment_id: UUID
    subject: str
    status: str


EVENTS = (AdjustmentRequested, AdjustmentBooked, AdjustmentEnded)
