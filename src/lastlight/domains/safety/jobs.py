"""What safety does by itself: it watches, tells again what nobody answered, and follows the door."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.safety.alerts import escalate_alerts
from lastlight.domains.safety.checks import follow_answer, miss_checks
from lastlight.domains.safety.escalation_mail import mail_alert, mail_sos
from lastlight.domains.safety.help_calls import HELP_JOBS, raise_missed_help
from lastlight.domains.safety.retention import forget_old_lines
from lastlight.domains.safety.sos import escalate_calls, read_sos
from lastlight.domains.safety.watch import judge_arrival, judge_departure, report_facts, watch_stays
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

BATCH = 200
# every tenant: the schedule asks which of them have something due
DUE_TENANTS = """
select t.id from tenants t
where t.status in ('active', 'suspended')
  and (exists (select from safety_alerts a where a.tenant_id = t.id and a.escalates_at <= now())
       or exists (select from sos_calls s where s.tenant_id = t.id and s.escalates_at <= now())
       or exists (select from help_calls h
                  where h.tenant_id = t.id and h.raised_at is null and h.ended_at is null
                    and h.received_at < now() - interval '20 seconds')
       or exists (select from safety_checks c
                  where c.tenant_id = t.id and c.answer is null and c.missed_at is null and c.expires_at <= now())
       or exists (select from visits v
                  join safety_thresholds h on h.tenant_id = v.tenant_id and h.venue_id = v.venue_id
                  where v.tenant_id = t.id and v.status = 'open'
                    and v.opened_at <= now() - make_interval(mins => h.minutes_inside)))
"""


async def due_tenants(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants in which something about safety is due."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(DUE_TENANTS)]


@job("safety.watch", schedule="* * * * *", each=due_tenants)
async def watch(ctx: Ctx) -> int:
    """Tell again what nobody answered, close unanswered checks, and find those who are in for too long."""
    return await run_watch(ctx)


async def run_watch(ctx: Ctx) -> int:
    """One round of the watch; how much it found."""
    missed_help = await raise_missed_help(ctx, limit=BATCH)
    calls = missed_help + await escalate_calls(ctx, limit=BATCH)
    alerts = await escalate_alerts(ctx, limit=BATCH)
    missed = await miss_checks(ctx, limit=BATCH)
    return calls + alerts + missed + await watch_stays(ctx, limit=BATCH)


@job("safety.escalate_sos")
async def escalate_sos(ctx: Ctx) -> int:
    """Tell again the SOS calls that nobody has answered, at the second at which they are due."""
    return await escalate_calls(ctx, limit=BATCH)


@job("safety.time_sos")
async def time_sos(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Queue the escalation of an SOS call for the moment that it is due; a schedule of minutes is too slow for it."""
    call = await read_sos(ctx, sos_id=UUID(data["sos_id"]))
    if call.escalates_at is not None:
        await ctx.enqueue(escalate_sos, run_at=call.escalates_at, key=f"sos/{call.id}/{call.escalation}")


@job("safety.judge_arrival")
async def judge_opened_visit(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Look at who came, and at how full the venue is."""
    await judge_arrival(
        ctx, visit_id=UUID(data["visit_id"]), venue_id=UUID(data["venue_id"]), patron_id=UUID(data["patron_id"])
    )


@job("safety.judge_departure")
async def judge_closed_visit(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Clear what a visit's end settles, and look at how full the venue is."""
    await judge_departure(ctx, visit_id=UUID(data["visit_id"]), venue_id=UUID(data["venue_id"]))


@job("safety.follow_answer")
async def follow_check(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Raise an alert for a guest who asks for help, or does not answer."""
    await follow_answer(ctx, check_id=UUID(data["check_id"]), answer=data["answer"])


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a source tells of a visit."""

    visit_id: UUID
    source: str
    source_id: UUID
    drinks: int = 0
    spend_minor: int = 0


@job("safety.take_facts")
async def take_facts(ctx: Ctx, facts: Facts) -> None:
    """Take the facts of a visit from a transaction that may not read thresholds, such as a guest's own order."""
    await report_facts(ctx, **msgspec.structs.asdict(facts))


JOBS = (
    watch,
    escalate_sos,
    time_sos,
    judge_opened_visit,
    judge_closed_visit,
    follow_check,
    *HELP_JOBS,
    take_facts,
    mail_sos,
    mail_alert,
    forget_old_lines,
)
