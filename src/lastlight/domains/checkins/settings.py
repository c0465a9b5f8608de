"""What a business decides about its door."""

from datetime import timedelta
from typing import Any

import msgspec

CLAIM_MAX_AGE = ("checkins.claim_max_age_minutes", 720)
VAGUEST_POSITION = ("checkins.position_max_accuracy_m", 200)
BIRTH_DATE_REQUIRED = ("checkins.birth_date_required", False)


class DoorRules(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's rules, as its settings give them."""

    oldest_claim: timedelta
    vaguest_m: float
    birth_date_required: bool


def door_rules(settings: dict[str, Any] | None) -> DoorRules:
    """The rules of a tenant's stored settings; what is not stored takes its default."""
    stored = settings or {}
    return DoorRules(
        oldest_claim=timedelta(minutes=stored.get(*CLAIM_MAX_AGE)),
        vaguest_m=float(stored.get(*VAGUEST_POSITION)),
        birth_date_required=bool(stored.get(*BIRTH_DATE_REQUIRED)),
    )
