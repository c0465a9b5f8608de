"""How much may be sent by one person in a day, and kept by one business: counted before anything is stored."""

from lastlight.kernel.errors import Conflict, Problem
from lastlight.kernel.ids import PLATFORM, TenantId, UserId
from lastlight.runtime import limits
from lastlight.runtime.services import Services
from lastlight.runtime.tenant_settings import TenantSetting

MEGABYTE = 1024 * 1024
PIECES = 16
"""A megabyte is counted in so many pieces, so that a small picture costs little."""
DAY = 86_400

BUSINESS_MEGABYTES = TenantSetting(
    key="files.business_megabytes",
    type=int,
    default=5_000,
    minimum=20,
    maximum=10_000_000,
    label="Files of a business",
    description="How much a business may keep of what its people and guests upload.",
    unit="MB",
    platform=True,
)
PERSON_MEGABYTES = TenantSetting(
    key="files.person_megabytes_a_day",
    type=int,
    default=200,
    minimum=20,
    maximum=100_000,
    label="Uploads of one person",
    description="How much one person may upload within a day, whatever becomes of it.",
    unit="MB",
    platform=True,
)
SETTINGS = (BUSINESS_MEGABYTES, PERSON_MEGABYTES)
# What we make ourselves, such as an export, expires and is not counted.
USED = """
select (select coalesce(sum(size), 0) from files where tenant_id = $1 and removed_at is null and expires_at is null)::bigint as used,
       (select value from tenant_settings where tenant_id = $2 and key = $3) as most,
       (select value from tenant_settings where tenant_id = $2 and key = $4) as a_day
"""


class StorageFull(Conflict):
    """The business keeps as much as it may."""

    type = "storage-full"
    title = "There is no room for this file"


class UploadsSpent(Problem):
    """Somebody has sent as much as one person may in a day."""

    type = "uploads-spent"
    status = 429
    title = "You have sent as much as you may"


async def require_room(services: Services, tenant_id: TenantId, *, size: int, by: UserId | None) -> None:
    """Count what is about to be stored for a business by somebody (None: by the platform). Raises StorageFull, UploadsSpent."""
    row = await services.pools.system.fetchrow(USED, tenant_id, PLATFORM, BUSINESS_MEGABYTES.key, PERSON_MEGABYTES.key)
    most = BUSINESS_MEGABYTES.read(row["most"])
    if row["used"] + size > most * MEGABYTE:
        raise StorageFull(
            f"The business may keep {most:,} MB of files. Remove what is not needed any more, or ask Last Light for more room."
        )
    if by is None:
        return
    a_day = PERSON_MEGABYTES.read(row["a_day"])
    policy = limits.Policy("uploads", a_day * PIECES, DAY)
    decision = await limits.check(services, policy=policy, key=str(by), cost=-(-size * PIECES // MEGABYTE))
    if not decision.allowed:
        minutes = max(1, round(decision.reset_seconds / 60))
        wait = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
        raise UploadsSpent(
            f"One person may send {a_day} MB a day. Send this again in {wait}.", headers=decision.headers()
        )
