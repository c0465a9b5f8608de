"""What looks like fraud at the door: raised by the machine, judged by people."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from lastlight.domains.checkins.cases import read_flag
from lastlight.domains.checkins.errors import FlagResolved
from lastlight.domains.checkins.events import CheckinFlagged, CheckinFlagResolved
from lastlight.domains.checkins.flag_schemas import Flag
from lastlight.domains.checkins.permissions import FLAGS_READ, FLAGS_RESOLVE
from lastlight.domains.checkins.scan_schemas import ResolutionIn
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import PLATFORM, PatronId, VenueId, uuid7
from lastlight.runtime.context import Ctx

FlagKind = Literal["duplicate", "impossible_travel", "cloned_code", "barred", "override"]
RAISE = """
insert into checkin_flags (tenant_id, id, venue_id, patron_id, kind, detail, checkin_id, other_checkin_id, scan_id, other_scan_id,
                           kilometres, seconds_apart, happened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict do nothing
returning id
"""
LOCK = "select venue_id, status from checkin_flags where tenant_id = $1 and id = $2 for update"
RESOLVE = """
update checkin_flags set status = $3, resolution = $4, resolved_by = $5, resolved_at = now() where tenant_id = $1 and id = $2
"""
OPEN = """
select count(*) from checkin_flags where tenant_id = $1 and status = 'open' and ($2::uuid[] is null or venue_id = any($2))
"""


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """The other side of a finding, and how far it lies from this one."""

    checkin_id: UUID | None = None
    scan_id: UUID | None = None
    kilometres: float | None = None
    seconds: int | None = None


async def raise_flag(
    ctx: Ctx,
    *,
    kind: FlagKind,
    venue_id: VenueId,
    patron_id: PatronId,
    happened_at: datetime,
    detail: str,
    checkin_id: UUID | None = None,
    scan_id: UUID | None = None,
    other: Apart = Apart(),  # noqa: B008 - frozen, so shared safely
) -> None:
    """Flag a check-in or a scan; the same finding twice is one flag, also when it was judged long ago."""
    flag_id = await ctx.db.fetchval(
        RAISE,
        ctx.tenant_id,
        uuid7(),
        venue_id,
        patron_id,
        kind,
        detail,
        checkin_id,
        other.checkin_id,
        scan_id,
        other.scan_id,
        other.kilometres,
        other.seconds,
        happened_at,
    )
    if flag_id is None:
        return
    ctx.emit(
        CheckinFlagged(flag_id=flag_id, venue_id=venue_id, patron_id=patron_id, kind=kind),
        entity=("checkin_flag", flag_id),
        venue_id=venue_id,
        after={"kind": kind, "detail": detail},
    )


async def resolve_flag(ctx: Ctx, *, flag_id: UUID, data: ResolutionIn) -> Flag:
    """Confirm or dismiss a flag, with a reason."""
    ctx.require(FLAGS_RESOLVE)
    row = None if ctx.tenant_id == PLATFORM else await ctx.db.fetchrow(LOCK, ctx.tenant_id, flag_id)
    if row is None:
        raise NotFound
    ctx.require(FLAGS_RESOLVE, row["venue_id"])
    if row["status"] != "open":
        raise FlagResolved
    if not data.reason.strip():
        raise Invalid(fields={"reason": "Say what it turned out to be; it stands in the history."})
    await ctx.db.execute(RESOLVE, ctx.tenant_id, flag_id, data.status, data.reason.strip(), ctx.actor.user_id)
    ctx.emit(
        CheckinFlagResolved(flag_id=flag_id, venue_id=row["venue_id"], status=data.status),
        entity=("checkin_flag", flag_id),
        venue_id=row["venue_id"],
        before={"status": "open"},
        after={"status": data.status},
        reason=data.reason.strip(),
    )
    return await read_flag(ctx, flag_id=flag_id, permission=FLAGS_RESOLVE)


async def count_open_flags(ctx: Ctx) -> int | None:
    """How many flags at the actor's venues nobody has judged; None where there are none."""
    return await ctx.db.fetchval(OPEN, ctx.tenant_id, ctx.venues(FLAGS_READ)) or None
