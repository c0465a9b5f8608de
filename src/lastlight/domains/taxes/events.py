"""What happens to tax categories and rates."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from lastlight.domains.taxes.permissions import TAXES_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class TaxCategoryCreated(Event, frozen=True, kw_only=True):
    """A kind of item was named for the tax office."""

    event_name: ClassVar[str] = "tax_category.created"
    audience: ClassVar[Permission | None] = TAXES_READ
    webhook: ClassVar[bool] = True
    tax_category_id: UUID
    code: str
    name: str


class TaxCategoryChanged(Event, frozen=True, kw_only=True):
    """It was renamed, archived or taken back from the archive; `fields` names what."""

    event_name: ClassVar[str] = "tax_category.changed"
    audience: ClassVar[Permission | None] = TAXES_READ
    webhook: ClassVar[bool] = True
    tax_category_id: UUID
    version: int
    fields: list[str]


class TaxRateStarted(Event, frozen=True, kw_only=True):
    """A rate was written down that applies from a business day on, at one venue or at all."""

    event_name: ClassVar[str] = "tax_rate.started"
    audience: ClassVar[Permission | None] = TAXES_READ
    webhook: ClassVar[bool] = True
    rate_id: UUID
    tax_category_id: UUID
    venue_id: UUID | None
    millionths: int
    valid_from: date


class TaxRateEnded(Event, frozen=True, kw_only=True):
    """A rate was given a last business day, another one, or none."""

    event_name: ClassVar[str] = "tax_rate.ended"
    audience: ClassVar[Permission | None] = TAXES_READ
    webhook: ClassVar[bool] = True
    rate_id: UUID
    tax_category_id: UUID
    venue_id: UUID | None
    valid_until: date | None
    version: int


class TaxRateWithdrawn(Event, frozen=True, kw_only=True):
    """A rate was taken back before its first day was over."""

    event_name: ClassVar[str] = "tax_rate.withdrawn"
    audience: ClassVar[Permission | None] = TAXES_READ
    webhook: ClassVar[bool] = True
    rate_id: UUID
    tax_category_id: UUID
    venue_id: UUID | None
    version: int


EVENTS = (TaxCategoryCreated, TaxCategoryChanged, TaxRateStarted, TaxRateEnded, TaxRateWithdrawn)
