"""The drill of a copied pass: found at two scanners, looked at, and dealt with step by step; nothing of it is kept."""

from typing import Any
from uuid import UUID

from lastlight.domains.checkins.by_hand import override
from lastlight.domains.checkins.cases import read_case
from lastlight.domains.checkins.detection import judge_doors
from lastlight.domains.checkins.events import FraudReported
from lastlight.domains.checkins.flag_schemas import FlagCase, StepIn
from lastlight.domains.checkins.flags import resolve_flag
from lastlight.domains.checkins.playbook import take_step
from lastlight.domains.checkins.scan_schemas import OverrideIn, ResolutionIn
from lastlight.domains.devices import DeviceIn, add_device
from lastlight.kernel.ids import PatronId, VenueId, uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.drills import Drilling, drill

SCENE = """
select v.id as venue_id, p.id as patron_id
from venues v, patrons p
where v.tenant_id = $1 and p.tenant_id = $1 and v.status <> 'archived' and p.status = 'active'
  and not exists (select from visits o where o.tenant_id = $1 and o.patron_id = p.id and o.status = 'open')
order by v.created_at, p.created_at, p.id limit 1
"""
# the guest's pass at the first scanner, which lets the guest in, and a copy of it at the second one, 20 seconds later
SCANS = """
insert into door_scans (tenant_id, id, device_id, sequence, venue_id, patron_id, code_hash, step, decided, claimed_at, result,
                        refusal, checkin_id)
values ($1, $2, $4, 1, $6, $7, '\\x01', 1, 'server', now() - interval '30 seconds', 'admitted', '', $8),
       ($1, $3, $5, 1, $6, $7, '\\x02', 3, 'server', now() - interval '10 seconds', 'refused', 'visit-open', null)
"""
FLAGS = "select id, kind from checkin_flags where tenant_id = $1 and scan_id = $2"
KEY = "select max(number) from venue_keys where tenant_id = $1 and venue_id = $2"


@drill("fraudulent-check-ins", runbook="fraudulent-check-ins.md")
async def fraudulent_check_ins(drilling: Drilling) -> None:
    """A copied pass shows up at a second scanner: it is flagged, judged, and every step of the playbook is taken."""
    async with drilling.rehearsal() as ctx:
        with drilling.step("A guest is let in, and a copy of the pass is shown to another scanner"):
            scene = await ctx.db.fetchrow(SCENE, ctx.tenant_id)
            drilling.prove(scene is not None, "This business has no venue, or no guest who is not inside.")
            copy_id = await _play(ctx, scene)
        with drilling.step("The copy is flagged, once however often it is judged"):
            for _ in range(2):
                await judge_doors(ctx, scan_id=copy_id)
            flags = await ctx.db.fetch(FLAGS, ctx.tenant_id, copy_id)
            kinds = [row["kind"] for row in flags]
            drilling.prove(
                kinds == ["cloned_code"], f"Found {kinds or 'nothing'}; is the search switched off in the settings?"
            )
        with drilling.step("Its evidence stands side by side"):
            case = await read_case(ctx, flag_id=flags[0]["id"])
            drilling.prove(len(case.sightings) == 2, f"{len(case.sightings)} of 2 sides are shown.")
            drilling.note(f"{case.flag.seconds_apart} seconds apart.")
        await _deal(ctx, drilling, case)


async def _play(ctx: Ctx, scene: Any) -> UUID:
    venue_id, patron_id = VenueId(scene["venue_id"]), PatronId(scene["patron_id"])
    done = await override(ctx, data=OverrideIn(venue_id=venue_id, patron_id=patron_id, reason="drill"))
    doors = [
        (await add_device(ctx, data=DeviceIn(venue_id=venue_id, name=f"Drill {uuid7()}"))).device.id for _ in range(2)
    ]
    scan_id, copy_id = uuid7(), uuid7()
    await ctx.db.execute(SCANS, ctx.tenant_id, scan_id, copy_id, *doors, venue_id, patron_id, done.checkin.id)
    return copy_id


async def _deal(ctx: Ctx, drilling: Drilling, case: FlagCase) -> None:
    flag_id, venue_id = case.flag.id, case.flag.venue_id
    with drilling.step("It is confirmed, with a reason"):
        await resolve_flag(ctx, flag_id=flag_id, data=ResolutionIn(status="confirmed", reason="drill"))
    with drilling.step("The venue's codes are renewed"):
        before = await ctx.db.fetchval(KEY, ctx.tenant_id, venue_id)
        await take_step(ctx, flag_id=flag_id, data=StepIn(step="renew_codes", reason="drill"))
        drilling.prove(await ctx.db.fetchval(KEY, ctx.tenant_id, venue_id) == before + 1, "The old key still signs.")
    with drilling.step("The check-in is taken back, and its visit voided"):
        case = await take_step(ctx, flag_id=flag_id, data=StepIn(step="revoke_checkins", reason="drill"))
        fates = [one.visit_status for one in case.sightings if one.checkin_id]
        drilling.prove(fates == ["voided"], f"The visit is {fates}.")
    with drilling.step("Whoever keeps the money is told"):
        await take_step(ctx, flag_id=flag_id, data=StepIn(step="tell_finance", reason="drill"))
        told = [event.after["told"] for event in ctx.pending if event.name == FraudReported.event_name]
        drilling.prove(len(told) == 1 and len(told[0]) > 0, "Nobody was told.")
        drilling.note(f"{len(told[0])} would get a mail.")
    with drilling.step("The guest is barred"):
        case = await take_step(ctx, flag_id=flag_id, data=StepIn(step="bar_guest", standing="banned", reason="drill"))
        drilling.prove(case.patron_status == "banned", f"The guest is {case.patron_status}.")
        drilling.prove(len(case.steps) == 4, "Not every step is on record.")
