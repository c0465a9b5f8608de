"""What a business decides about its door."""

from datetime import timedelta
from typing import Any

import msgspec

from lastlight.runtime.tenant_settings import TenantSetting

CLAIM_MAX_AGE = TenantSetting(
    key="checkins.claim_max_age_minutes",
    type=int,
    default=720,
    label="Late check-ins",
    description="How long after the fact a phone without a network may hand in a check-in or check-out that it signed.",
    minimum=0,
    maximum=10_080,
    unit="minutes",
)
VAGUEST_POSITION = TenantSetting(
    key="checkins.position_max_accuracy_m",
    type=int,
    default=200,
    label="Vaguest position",
    description="A position that is less exact than this is not believed where a venue asks for one.",
    minimum=10,
    maximum=5_000,
    unit="metres",
)
BIRTH_DATE_REQUIRED = TenantSetting(
    key="checkins.birth_date_required",
    type=bool,
    default=False,
    label="Birth date needed",
    description="Venues with a least age refuse guests who have not given their birth date.",
)
TRAVEL_KMH = TenantSetting(
    key="checkins.travel_max_kmh",
    type=int,
    default=200,
    label="Fastest travel",
    description="Two check-ins of a guest that only somebody faster could have made are flagged.",
    minimum=20,
    maximum=2_000,
    unit="km/h",
)
TRAVEL_LEAST_KM = TenantSetting(
    key="checkins.travel_least_km",
    type=int,
    default=5,
    label="Nearest travel",
    description="Venues that are nearer to one another are not judged: a few minutes explain them.",
    minimum=1,
    maximum=1_000,
    unit="km",
)
CLONE_WINDOW = TenantSetting(
    key="checkins.clone_window_seconds",
    type=int,
    default=60,
    label="Same pass at two doors",
    description="A pass that is shown to another scanner so soon after it let somebody in is flagged as a copy; 0 turns this off.",
    minimum=0,
    maximum=3_600,
    unit="seconds",
)
SETTINGS = (
    CLAIM_MAX_AGE,
    VAGUEST_POSITION,
    BIRTH_DATE_REQUIRED,
    TRAVEL_KMH,
    TRAVEL_LEAST_KM,
    CLONE_WINDOW,
)


class DoorRules(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's rules, as its settings give them."""

    oldest_claim: timedelta
    vaguest_m: float
    birth_date_required: bool


def door_rules(settings: dict[str, Any] | None) -> DoorRules:
    """The rules of a tenant's stored settings; what is not stored takes its default."""
    stored = settings or {}
    return DoorRules(
        oldest_claim=timedelta(minutes=CLAIM_MAX_AGE.read(stored.get(CLAIM_MAX_AGE.key))),
        vaguest_m=float(VAGUEST_POSITION.read(stored.get(VAGUEST_POSITION.key))),
        birth_date_required=BIRTH_DATE_REQUIRED.read(stored.get(BIRTH_DATE_REQUIRED.key)),
    )
