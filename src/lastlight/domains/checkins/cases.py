"""The evidence of a flag: both sides of the finding, and what was done about it."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.checkins.flag_schemas import Flag, FlagCase, Sighting, StepDone
from lastlight.domains.checkins.permissions import FLAGS_READ
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

FLAG = """
select f.id, f.venue_id, f.patron_id, f.kind, f.detail, f.checkin_id, f.other_checkin_id, f.scan_id, f.other_scan_id,
       f.kilometres, f.seconds_apart, f.happened_at, f.raised_at, f.status, f.resolution, f.resolved_at,
       coalesce(u.name, '') as resolved_by, f.version
from checkin_flags f
left join users u on u.id = f.resolved_by
where f.tenant_id = $1 and """
ONE = FLAG + "f.id = $2"
OF_CHECKIN = (
    FLAG
    + """f.status <> 'dismissed' and (f.checkin_id = $2 or f.other_checkin_id = $2
    or exists (select from door_scans s where s.tenant_id = $1 and s.id = f.scan_id and s.checkin_id = $2))
order by f.raised_at desc, f.id desc
limit 10
"""
)
ABOUT = """
select w.name as venue, p.name as patron,
       case when p.status_until <= now() then 'active' else p.status end as patron_status,
       (select c.id from checkins c
        where c.tenant_id = $1 and c.patron_id = f.patron_id and c.arrived_at <= f.happened_at
          and c.id is distinct from f.checkin_id
        order by c.arrived_at desc, c.id desc limit 1) as earlier_checkin_id
from checkin_flags f
join venues w on w.tenant_id = $1 and w.id = f.venue_id
join patrons p on p.tenant_id = $1 and p.id = f.patron_id
where f.tenant_id = $1 and f.id = $2
"""
CHECKINS = """
select c.id as checkin_id, null::uuid as scan_id, c.venue_id, w.name as venue, c.arrived_at as at, c.received_at, c.method,
       coalesce(d.name, '') as device, '' as decided, '' as result, v.id as visit_id, coalesce(v.status, '') as visit_status,
       r.revoked_at
from checkins c
join venues w on w.tenant_id = $1 and w.id = c.venue_id
left join devices d on d.tenant_id = $1 and d.id = c.device_id
left join visits v on v.tenant_id = $1 and v.checkin_id = c.id
left join checkin_revocations r on r.tenant_id = $1 and r.checkin_id = c.id
where c.tenant_id = $1 and c.id = any($2)
"""
SCANS = """
select s.checkin_id, s.id as scan_id, s.venue_id, w.name as venue, s.claimed_at as at, s.received_at, 'pass' as method,
       d.name as device, s.decided, s.result, v.id as visit_id, coalesce(v.status, '') as visit_status, r.revoked_at
from door_scans s
join venues w on w.tenant_id = $1 and w.id = s.venue_id
join devices d on d.tenant_id = $1 and d.id = s.device_id
left join visits v on v.tenant_id = $1 and v.checkin_id = s.checkin_id
left join checkin_revocations r on r.tenant_id = $1 and r.checkin_id = s.checkin_id
where s.tenant_id = $1 and s.id = any($2)
"""
DONE = """
select s.step, s.reason, s.found, coalesce(u.name, '') as done_by, s.done_at
from checkin_flag_steps s
left join users u on u.id = s.done_by
where s.tenant_id = $1 and s.flag_id = $2
order by s.done_at, s.step
"""


async def read_flag(ctx: Ctx, *, flag_id: UUID, permission: Permission = FLAGS_READ) -> Flag:
    """A flag at a venue for which the actor holds the permission."""
    ctx.require(permission)
    flag = await ctx.db.one(Flag, ONE, ctx.tenant_id, flag_id)
    ctx.require(permission, flag.venue_id)
    return flag


async def flags_of_checkin(ctx: Ctx, *, checkin_id: UUID) -> list[Flag]:
    """What was found about a check-in and not dismissed, for who may see flags; nothing for others."""
    found = await ctx.db.rows(Flag, OF_CHECKIN, ctx.tenant_id, checkin_id) if ctx.allows(FLAGS_READ) else []
    return [flag for flag in found if ctx.allows(FLAGS_READ, flag.venue_id)]


async def read_case(ctx: Ctx, *, flag_id: UUID) -> FlagCase:
    """A flag with its evidence and the steps that were taken."""
    flag = await read_flag(ctx, flag_id=flag_id)
    about = await ctx.db.fetchrow(ABOUT, ctx.tenant_id, flag_id)
    assert about is not None
    sightings = await _sightings(ctx, flag, about["earlier_checkin_id"])
    return FlagCase(
        flag=flag,
        venue=about["venue"],
        patron=about["patron"],
        patron_status=about["patron_status"],
        sightings=sightings,
        kmh=None if not flag.kilometres or not flag.seconds_apart else flag.kilometres / (flag.seconds_apart / 3600),
        steps=await ctx.db.rows(StepDone, DONE, ctx.tenant_id, flag_id),
    )


async def _sightings(ctx: Ctx, flag: Flag, earlier: UUID | None) -> list[Sighting]:
    """Both sides where there are two; a finding about a scan alone is set beside the check-in that came before it."""
    scans = [one for one in (flag.scan_id, flag.other_scan_id) if one]
    checkins: list[UUID] = [one for one in (flag.checkin_id, flag.other_checkin_id) if one]
    found = await ctx.db.rows(Sighting, SCANS, ctx.tenant_id, scans) if scans else []
    seen = {one.checkin_id for one in found}
    if len(scans) == 1 and not checkins and earlier is not None:
        checkins = [earlier]
    wanted = [one for one in checkins if one not in seen]
    if wanted:
        found += await ctx.db.rows(Sighting, CHECKINS, ctx.tenant_id, wanted)
    return sorted(found, key=_when)


def _when(sighting: Sighting) -> tuple[datetime, bytes]:
    return sighting.at, msgspec.json.encode(sighting.scan_id or sighting.checkin_id)
