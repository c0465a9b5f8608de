"""How the card provider's events come in, and whether it answers: what the crew looks at when payments stand still."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from lastlight.kernel.ids import TenantId
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.services import Services

# every tenant: figures of each inbox, and of the platform's own, which keeps what is about none of ours
INFLOW = """
select t.id, t.name, t.kind = 'platform' as nobodys, c.hour, c.day, c.lost, w.waiting, w.oldest_waiting, f.failed, h.held, l.last_received
from tenants t
cross join lateral (
    select count(*) filter (where received_at > now() - interval '1 hour') as hour, count(*) as day, count(*) filter (where source = 'sweep') as lost
    from (select received_at, source from provider_events
          where tenant_id = t.id and received_at > now() - interval '1 day' order by received_at desc limit 10000) newest) c
cross join lateral (
    select count(*) as waiting, min(received_at) as oldest_waiting
    from (select received_at from provider_events
          where tenant_id = t.id and state = 'waiting' order by received_at limit 1000) oldest) w
cross join lateral (
    select count(*) as failed
    from (select from provider_events where tenant_id = t.id and state = 'failed' order by received_at desc limit 1000) newest) f
cross join lateral (
    select count(*) as held
    from (select from provider_events where tenant_id = t.id and state = 'held' order by received_at desc limit 1000) newest) h
left join lateral (select received_at as last_received from provider_events
                   where tenant_id = t.id and source = 'webhook' order by received_at desc, id desc limit 1) l on true
where l.last_received is not null or c.day > 0 or w.waiting > 0 or f.failed > 0
order by f.failed desc, w.oldest_waiting, l.last_received desc nulls last, t.id
limit 500
"""
# every tenant: what failed or is held, the newest of each business
FAILED = """
select e.id, e.tenant_id, t.name as tenant, e.kind, e.state, e.attempts, e.error, e.received_at, e.payment_id
from tenants t
cross join lateral (
    (select * from provider_events where tenant_id = t.id and state = 'failed' order by received_at desc, id desc limit 20)
    union all
    (select * from provider_events where tenant_id = t.id and state = 'held' order by received_at desc, id desc limit 20)
) e
order by e.received_at desc, e.id desc
limit 50
"""
SUMMED = ("hour", "day", "lost", "waiting", "failed", "held")
PATIENCE_SECONDS = 2.0
KEPT_SECONDS = 15.0
_MEMORY = "payments.provider_answer"


class Inflow(msgspec.Struct, frozen=True, kw_only=True):
    """The inbox of one business in figures: counted up to 10,000 of a day, and up to 1,000 in a state."""

    id: TenantId
    name: str
    nobodys: bool
    """It is the platform's, which keeps what is about no payment of ours."""
    hour: int
    day: int
    lost: int
    """Brought by the sweep within a day, because no webhook had."""
    waiting: int
    oldest_waiting: datetime | None
    failed: int
    held: int
    last_received: datetime | None


class FailedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that could not be worked off, or is of a version that we do not know."""

    id: UUID
    tenant_id: TenantId
    tenant: str
    kind: str
    state: str
    attempts: int
    error: str
    received_at: datetime
    payment_id: UUID | None


class ProviderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the card provider answers, and which it is."""

    answers: bool
    provider: str
    live: bool
    milliseconds: int | None
    reason: str = ""


async def read_inflow(ctx: Ctx) -> list[Inflow]:
    """Every inbox in figures, those with trouble first, for a caller who reads as the platform or the system."""
    return await ctx.db.rows(Inflow, INFLOW)


async def read_failed(ctx: Ctx) -> list[FailedEvent]:
    """What failed or is held in all businesses, newest first, for a caller who reads as the platform."""
    return await ctx.db.rows(FailedEvent, FAILED)


def sum_up(inflow: Sequence[Inflow]) -> dict[str, Any]:
    """All inboxes together."""
    sums: dict[str, Any] = {name: sum(getattr(one, name) for one in inflow) for name in SUMMED}
    sums["oldest_waiting"] = min((one.oldest_waiting for one in inflow if one.oldest_waiting), default=None)
    sums["last_received"] = max((one.last_received for one in inflow if one.last_received), default=None)
    return sums


async def provider_answer(services: Services) -> ProviderAnswer:
    """Ask the card provider for our balance, and wait two seconds at most; asked again after a quarter of a minute."""
    kept: tuple[float, ProviderAnswer] | None = services.memory.get(_MEMORY)
    if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    found = await _asked(services)
    services.memory[_MEMORY] = (time.monotonic(), found)
    return found


async def _asked(services: Services) -> ProviderAnswer:
    with_key, reason, began = processor.configuration_of(services), "", time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await processor.retrieve_balance(services)
    except TimeoutError:
        reason = f"no answer in {PATIENCE_SECONDS:g} seconds"
    except processor.ProcessorError as error:
        reason = error.message
    return ProviderAnswer(
        answers=not reason,
        provider="sandbox" if with_key.sandbox else urlsplit(with_key.api_base).hostname or with_key.api_base,
        live=with_key.live,
        milliseconds=None if reason else round((time.monotonic() - began) * 1000),
        reason=reason,
    )
