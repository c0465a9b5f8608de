"""The inbox of the card provider's events: one durable row for each, whoever brings it and however often; then a job that looks.

An event is believed when its signature holds, and is a hint all the same: its object is fetched before anything is done. It belongs to
the business whose payment it is about; what is about none of ours stays with the platform, and is ignored.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec

from lastlight.domains.payments.errors import EventHandled, SignatureWrong
from lastlight.domains.payments.events import ProviderEventFailed, ProviderEventReplayed
from lastlight.domains.payments.journal import moment
from lastlight.domains.payments.looking import look_at
from lastlight.domains.payments.model import Hint
from lastlight.kernel.errors import NotFound, Problem
from lastlight.kernel.ids import PLATFORM, TenantId, uuid7, uuid_of
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import JobRun, Retry, job
from lastlight.runtime.jobs.run import GiveUpError, RetryLaterError, sentence

ENDPOINT = "platform"
TURNS = "payments.turns"
PATIENCE = 80.0
"""Seconds for a turn and its look; less than the job's own, so that an attempt that took too long is written down."""
ABOUT = frozenset({"payment_intent", "charge", "refund", "dispute"})
# every tenant: an event names its payment, and the payment its business
OWNER = """
select tenant_id, id from payments
where id = $1::uuid or intent_id = any($2::text[]) or charge_id = any($2::text[])
order by id limit 1
"""
# every tenant: as above, for many at once; what is about none of ours stands with the platform
KNOWN = """
select g.account, g.event_id from unnest($3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[])
    as g (account, event_id, payment_id, object_id, intent_id, charge_id)
left join lateral (
    select p.tenant_id from payments p
    where p.id = g.payment_id or p.intent_id in (g.object_id, g.intent_id, g.charge_id)
       or p.charge_id in (g.object_id, g.intent_id, g.charge_id)
    order by p.id limit 1
) owner on true
cross join lateral (
    select 1 from provider_events e
    where e.tenant_id = coalesce(owner.tenant_id, $1) and e.endpoint = $2 and e.account = g.account and e.event_id = g.event_id
    limit 1
) kept
"""
KEEP = """
insert into provider_events (tenant_id, id, endpoint, account, event_id, kind, api_version, object_id, payment_id, source, state, body,
                             happened_at, handled_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, case when $11 <> 'waiting' then now() end)
on conflict do nothing
"""
EVENT = """
select id, kind, api_version, event_id, payment_id, state, attempts from provider_events where tenant_id = $1 and id = $2
"""
HANDLED = """
update provider_events set state = $3, error = $4, attempts = $5, handled_at = case when $3 <> 'waiting' then now() end
where tenant_id = $1 and id = $2
"""
# What came before a look began is told by it, too.
COVERED = """
update provider_events set state = 'done', error = '', attempts = attempts + 1, handled_at = now()
where tenant_id = $1 and id in (
    select id from provider_events
    where tenant_id = $1 and payment_id = $2 and state = 'waiting' and attempts = 0 and received_at <= $3
    for no key update skip locked)
"""


class Kept(msgspec.Struct, frozen=True):
    """A row of the inbox, as its job needs it."""

    id: UUID
    kind: str
    api_version: str
    event_id: str
    payment_id: UUID | None
    state: str
    attempts: int


class _Named(msgspec.Struct, frozen=True):
    """What an event's object says of the payment that it is about."""

    payment_id: UUID | None
    provider_ids: list[str]


@job("payments.take_event", retry=Retry(attempts=12, backoff=2.0, most=1800.0), timeout=90.0)
async def take_event(job: JobRun, provider_event_id: UUID) -> None:
    """Follow what an event of the card provider hints at, and with it whatever else came about the same payment until then."""
    kept, _ = await _waiting(job, provider_event_id)
    if kept is None or kept.payment_id is None:
        return
    try:
        async with asyncio.timeout(PATIENCE), _one_at_a_time(job, kept.payment_id):
            await _take(job, provider_event_id, payment_id=kept.payment_id)
    except Exception as error:
        if not job.finished:
            await _failed(job, kept, error)
        raise


async def _take(job: JobRun, provider_event_id: UUID, *, payment_id: UUID) -> None:
    kept, at = await _waiting(job, provider_event_id)
    if kept is None:
        return  # a look has told what this one hints at, while it waited for its turn
    hint = Hint("webhook", kept.event_id)
    if not await look_at(job.services, job.tenant_id, payment_id=payment_id, hint=hint):
        raise RetryLaterError("The payment is not open at the card provider yet.", seconds=1.0)
    async with job.finish() as ctx:
        await ctx.db.execute(HANDLED, ctx.tenant_id, kept.id, "done", "", kept.attempts + 1)
        await ctx.db.execute(COVERED, ctx.tenant_id, payment_id, at)


async def _waiting(job: JobRun, provider_event_id: UUID) -> tuple[Kept | None, datetime]:
    """An event that is still to be worked off, and the moment of this look."""
    async with job.transaction() as ctx:
        kept = await ctx.db.row(Kept, EVENT, ctx.tenant_id, provider_event_id)
        return (kept if kept is not None and kept.state == "waiting" else None), ctx.now


@asynccontextmanager
async def _one_at_a_time(job: JobRun, payment_id: UUID) -> AsyncGenerator[None]:
    """Events of one payment come in a handful at once: in this process one of them looks, and the others find it done."""
    turns: WeakValueDictionary[UUID, asyncio.Lock] = job.services.memory.setdefault(TURNS, WeakValueDictionary())
    turn = turns.get(payment_id) or asyncio.Lock()
    turns[payment_id] = turn
    async with turn:
        yield


async def take_in(
    ctx: Ctx, *, event: processor.Event, body: bytes, source: Literal["webhook", "sweep"]
) -> tuple[TenantId, UUID] | None:
    """Keep an event that was verified, or fetched; whose it is and its row, where there is something to be done.

    Needs a transaction of the system, which sees every business. None: it was kept before, or is nothing that we act on.
    """
    named = _named(event)
    found = await ctx.db.fetchrow(OWNER, named.payment_id, named.provider_ids)
    tenant_id, payment_id = (TenantId(found["tenant_id"]), found["id"]) if found else (PLATFORM, None)
    state = _state(event, payment_id)
    row_id = uuid7()
    said = (ENDPOINT, event.account, event.id, event.type, event.api_version, event.object_id)
    kept = await ctx.db.execute(KEEP, tenant_id, row_id, *said, payment_id, source, state, body, moment(event.created))
    return (tenant_id, row_id) if kept and state == "waiting" else None


async def known_events(ctx: Ctx, *, events: Sequence[processor.Event]) -> set[tuple[str, str]]:
    """The accounts and ids of those of these events that were kept before; a sweep mostly meets such. Needs a transaction of the system."""
    named = [_named(event) for event in events]
    texts = [[*one.provider_ids, "", "", ""][:3] for one in named]
    found = await ctx.db.fetch(
        KNOWN,
        PLATFORM,
        ENDPOINT,
        [event.account for event in events],
        [event.id for event in events],
        [one.payment_id for one in named],
        *([one[place] or None for one in texts] for place in range(3)),
    )
    return {(row["account"], row["event_id"]) for row in found}


def verified(ctx: Ctx, *, body: bytes, signature: str) -> processor.Event:
    """The event of a webhook whose signature and time hold. Raises SignatureWrong."""
    secrets = processor.configuration_of(ctx.services).webhook_secrets
    try:
        return processor.verified_event(body, signature, now=ctx.now.timestamp(), secrets=secrets)
    except processor.SignatureRefused as error:
        raise SignatureWrong(error.message) from None


async def replay_event(ctx: Ctx, *, provider_event_id: UUID) -> Kept:
    """Have an event worked off again, whatever became of it. Raises NotFound, or EventHandled while it waits."""
    if ctx.tenant_id == PLATFORM:
        raise NotFound  # what it keeps is about none of ours
    kept = await ctx.db.row(Kept, EVENT + " for update", ctx.tenant_id, provider_event_id)
    if kept is None or kept.payment_id is None:
        raise NotFound
    if kept.state == "waiting" and kept.attempts == 0:
        raise EventHandled
    await ctx.db.execute(HANDLED, ctx.tenant_id, kept.id, "waiting", "", kept.attempts)
    ctx.emit(
        ProviderEventReplayed(provider_event_id=kept.id, kind=kept.kind),
        entity=("provider_event", kept.id),
        before={"state": kept.state},
        after={"state": "waiting"},
    )
    await ctx.enqueue(take_event, key=str(kept.id), sooner=True, provider_event_id=kept.id)
    return msgspec.structs.replace(kept, state="waiting")


async def mark_failed(ctx: Ctx, *, kept: Kept, error: Exception, ended: bool) -> None:
    """Write down an attempt that did not work; where it was the last, the event has failed, which somebody is told."""
    state = "failed" if ended else "waiting"
    await ctx.db.execute(HANDLED, ctx.tenant_id, kept.id, state, sentence(error)[:1000], kept.attempts + 1)
    if ended:
        told = ProviderEventFailed(provider_event_id=kept.id, kind=kept.kind, attempts=kept.attempts + 1)
        ctx.emit(told, entity=("provider_event", kept.id), reason=sentence(error)[:500])


def _state(event: processor.Event, payment_id: UUID | None) -> str:
    if payment_id is None or event.object_type not in ABOUT:
        return "ignored"
    return "waiting" if event.api_version == processor.API_VERSION else "held"


def _named(event: processor.Event) -> _Named:
    """Our id in the metadata, and the provider's ids of the intent and the charge."""
    metadata: dict[str, str] = event.data.get("metadata") or {}
    texts = (event.object_id, event.data.get("payment_intent"), event.data.get("charge"))
    return _Named(uuid_of(metadata.get("payment_id", "")), [text for text in texts if isinstance(text, str) and text])


async def _failed(run: JobRun, kept: Kept, error: Exception) -> None:
    """Count the attempt; after the last one the event has failed."""
    lost = isinstance(error, GiveUpError) or (isinstance(error, Problem) and error.status < 500)
    ended = lost or run.claimed.attempts >= run.claimed.max_attempts
    async with run.transaction() as ctx:
        await mark_failed(ctx, kept=kept, error=error, ended=ended)
