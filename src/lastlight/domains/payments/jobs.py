"""What comes to payments by the clock: looks at those that nobody told us of, the sweep for lost webhooks, what was left lying."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from lastlight.domains.payments.actions import void_payment
from lastlight.domains.payments.errors import PaymentNotOpen
from lastlight.domains.payments.inbox import known_events, take_event, take_in
from lastlight.domains.payments.looking import look_soon
from lastlight.domains.payments.model import Hint, PaymentId
from lastlight.kernel.ids import TenantId
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import JobRun, job
from lastlight.runtime.jobs.enqueue import Wanted, enqueue_all, poke_after_commit

BATCH = 200
SWEPT_HOURS = 3
"""Each sweep goes over what the ones before have seen, so that what came late is found."""
KEPT_DAYS = 30
"""So long the provider keeps its events."""
ABANDONED_HOURS = 24
# A payment is looked at a minute after it was begun or last looked at, and ever less often as it grows old. Once it is paid, it is
# looked at for what follows: a movement whose money is to be available by now (a settled one has such too: of its refunds and
# disputes), a refund on its way, a dispute that is open. Each part begins at an index that holds nothing but what is unfinished.
DUE = """
select p.tenant_id, p.id, p.checked_at from payments p
where p.status in ('open', 'action', 'processing', 'authorised') and p.intent_id is not null
  and p.checked_at < now() - greatest(interval '1 minute', least(interval '6 hours', (now() - p.created_at) / 10))
union
select p.tenant_id, p.id, p.checked_at from provider_movements m
join payments p on p.tenant_id = m.tenant_id and p.id = m.payment_id
where not m.available and m.available_on < now()
  and p.status in ('captured', 'settled') and p.intent_id is not null and p.checked_at < now() - interval '10 minutes'
union
select p.tenant_id, p.id, p.checked_at from refunds r
join payments p on p.tenant_id = r.tenant_id and p.id = r.payment_id
where r.status in ('created', 'pending') and p.intent_id is not null and p.checked_at < now() - interval '1 hour'
union
select p.tenant_id, p.id, p.checked_at from disputes d
join payments p on p.tenant_id = d.tenant_id and p.id = d.payment_id
where d.ended_at is null and p.intent_id is not null and p.checked_at < now() - interval '1 hour'
"""
# every tenant: those in which something is due
TENANTS_DUE = f"select distinct due.tenant_id from ({DUE}) as due limit 1000"  # noqa: S608 - our own words
PAYMENTS_DUE = f"""
select due.id from ({DUE}) as due where due.tenant_id = $1 order by due.checked_at, due.id limit $2
"""  # noqa: S608 - our own words
# every tenant: those in which something was left lying
TENANTS_LEFT = """
select distinct tenant_id from payments where status in ('created', 'open', 'action') and created_at < now() - $1::interval limit 1000
"""
PAYMENTS_LEFT = """
select id from payments where tenant_id = $1 and status in ('created', 'open', 'action') and created_at < now() - $2::interval
order by created_at, id limit $3
"""


async def tenants_due(ctx: Ctx) -> Sequence[TenantId]:
    """The businesses with a payment that is to be looked at."""
    return [TenantId(row["tenant_id"]) for row in await ctx.db.fetch(TENANTS_DUE)]


async def tenants_left(ctx: Ctx) -> Sequence[TenantId]:
    """The businesses in which somebody began to pay and went away."""
    return [TenantId(row["tenant_id"]) for row in await ctx.db.fetch(TENANTS_LEFT, timedelta(hours=ABANDONED_HOURS))]


@job("payments.poll", schedule="* * * * *", each=tenants_due)
async def poll(ctx: Ctx) -> int:
    """Look at payments that are under way, for which no webhook has come; how many there were."""
    rows = await ctx.db.fetch(PAYMENTS_DUE, ctx.tenant_id, BATCH)
    for row in rows:
        await look_soon(ctx, payment_id=PaymentId(row["id"]), hint=Hint("poll"))
    return len(rows)


@job("payments.abandon", schedule="7 * * * *", each=tenants_left)
async def abandon(ctx: Ctx) -> int:
    """Void what was begun a day ago and never paid; how many there were."""
    rows = await ctx.db.fetch(PAYMENTS_LEFT, ctx.tenant_id, timedelta(hours=ABANDONED_HOURS), BATCH)
    left = 0
    for row in rows:
        with contextlib.suppress(PaymentNotOpen):  # paid, or given up, in this very moment
            await void_payment(ctx, payment_id=row["id"], hint=Hint("poll", "left for a day"))
            left += 1
    return left


@job("payments.sweep", schedule="*/10 * * * *", each="platform", timeout=300.0)
async def sweep(job: JobRun) -> int:
    """Ask the card provider for its newest events, and take in those that no webhook brought; how many were lost."""
    return await sweep_events(job, span=timedelta(hours=SWEPT_HOURS))


@job("payments.sweep_all", schedule="23 4 * * *", each="platform", timeout=3000.0)
async def sweep_all(job: JobRun) -> int:
    """Ask the card provider for all events that it still keeps, and take in those that no webhook brought."""
    return await sweep_events(job, span=timedelta(days=KEPT_DAYS))


async def sweep_events(job: JobRun, *, span: timedelta) -> int:
    """Take in the provider's events of the last `span` that are not in the inbox; how many there were."""
    async with job.transaction(role="system") as ctx:
        since = int((ctx.now - span).timestamp())
    lost = seen = 0
    gathered: list[processor.Event] = []
    async for event in processor.list_events(job.services, created=processor.Created(since=since)):
        gathered.append(event)
        if len(gathered) == BATCH:
            lost += await _take_all(job, gathered)
            seen += len(gathered)
            gathered = []
            await job.progress(seen, note=f"{lost} were lost")
    return lost + await _take_all(job, gathered)


async def _take_all(job: JobRun, events: Sequence[processor.Event]) -> int:
    async with system_ctx(job.services, role="system") as ctx:
        taken, known = 0, await known_events(ctx, events=events)
        for event in (one for one in events if (one.account, one.id) not in known):
            taken += await take_and_queue(ctx, event=event, body=msgspec.json.encode(event), swept=True)
    return taken


async def take_and_queue(ctx: Ctx, *, event: processor.Event, body: bytes, swept: bool) -> bool:
    """Keep an event, and have it worked off in its own business; whether it was new and something is to be done."""
    kept = await take_in(ctx, event=event, body=body, source="sweep" if swept else "webhook")
    if kept is None:
        return False
    tenant_id, row_id = kept
    wanted = Wanted(tenant_id, take_event, str(row_id), {"provider_event_id": str(row_id)})
    await enqueue_all(ctx.services, ctx.db.connection, [wanted])
    poke_after_commit(ctx)
    return True


JOBS = (poll, abandon, sweep, sweep_all, take_event)
