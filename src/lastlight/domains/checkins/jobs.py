"""Scheduled work of the door."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from lastlight.domains.checkins.detection import judge_doors, judge_travel
from lastlight.domains.checkins.visits import time_out_visits
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

BATCH = 1000
DUE_TENANTS = """
select t.id from tenants t
where t.status in ('active', 'suspended')
  and exists (select from visits v where v.tenant_id = t.id and v.status = 'open' and v.times_out_at <= now())
"""


async def due_tenants(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants that have a visit whose time is over."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(DUE_TENANTS)]


@job("checkins.time_out_visits", schedule="* * * * *", each=due_tenants)
async def time_out_due_visits(ctx: Ctx) -> int:
    """Close the visits that nobody closed within the venue's time; what one run leaves, the next minute's takes."""
    return await time_out_visits(ctx, limit=BATCH)


@job("checkins.judge_arrival")
async def judge_arrival(ctx: Ctx, event_id: str, seq: int, data: dict[str, Any]) -> int:
    """Flag an arrival that nobody could have travelled to in time."""
    return await judge_travel(ctx, checkin_id=UUID(data["checkin_id"]))


@job("checkins.judge_scan")
async def judge_scan(ctx: Ctx, event_id: str, seq: int, data: dict[str, Any]) -> int:
    """Flag a pass that two scanners saw within so short a time that one of them saw a copy."""
    return await judge_doors(ctx, scan_id=UUID(data["scan_id"]))
