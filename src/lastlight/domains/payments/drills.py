"""The drill of webhooks that fail: what is forged is refused, what comes twice is kept once, what fails is told and replayed."""

import hashlib
import hmac
from uuid import UUID

import msgspec

from lastlight.domains.payments import inbox
from lastlight.domains.payments.errors import SignatureWrong
from lastlight.domains.payments.events import ProviderEventFailed, ProviderEventReplayed
from lastlight.kernel.errors import Conflict
from lastlight.kernel.ids import PLATFORM, uuid7
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.drills import Drilling, drill

# a payment of nobody's, which waits for a card; the rehearsal takes it back
PAYMENT = """
insert into payments (tenant_id, id, purpose, amount, currency, status, intent_id, checked_at)
values ($1, $2, 'drill', 1000, 'EUR', 'open', $3, now())
"""
STATE = "select state, attempts, error from provider_events where tenant_id = $1 and id = $2"
KEPT = "select count(*) from provider_events where tenant_id = $1 and event_id = $2"


@drill("webhook-failures", runbook="webhook-failures.md")
async def webhook_failures(drilling: Drilling) -> None:
    """A forged event is refused, one brought twice is kept once, and one that fails is marked, told and replayed."""
    payment_id = uuid7()
    body = _body(payment_id)
    async with drilling.rehearsal() as ctx:
        with drilling.step("An event with a wrong signature is refused"):
            _refused(ctx, drilling, body)
        with drilling.step("One that is signed well is believed"):
            event = inbox.verified(ctx, body=body, signature=_signature(ctx, body))
            drilling.note(f"{event.type}, version {event.api_version}.")
        with drilling.step("Brought twice, it is kept once, in the business whose payment it is about"):
            row_id = await _brought_twice(ctx, drilling, event, body, payment_id)
        with drilling.step("It fails to the end: it is marked, and those who replay are told"):
            await _fails(ctx, drilling, row_id)
        with drilling.step("It is replayed, and waits to be worked off again"):
            await _replayed(ctx, drilling, row_id)


def _body(payment_id: UUID) -> bytes:
    told = {"id": f"pi_{payment_id.hex}", "object": "payment_intent", "metadata": {"payment_id": str(payment_id)}}
    event = {
        "id": f"evt_{payment_id.hex}",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": 1_700_000_000,
        "api_version": processor.API_VERSION,
        "livemode": False,
        "data": {"object": told},
    }
    return msgspec.json.encode(event)


def _signature(ctx: Ctx, body: bytes, *, key: str = "") -> str:
    key = key or processor.configuration_of(ctx.services).webhook_secrets[0]
    moment = int(ctx.now.timestamp())
    digest = hmac.new(key.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def _refused(ctx: Ctx, drilling: Drilling, body: bytes) -> None:
    for signature in (_signature(ctx, body, key="of somebody else"), _signature(ctx, body + b" "), ""):
        try:
            inbox.verified(ctx, body=body, signature=signature)
        except SignatureWrong:
            continue
        drilling.prove(False, "A forged event was believed.")
    drilling.note("Three forgeries were refused.")


async def _brought_twice(ctx: Ctx, drilling: Drilling, event: processor.Event, body: bytes, payment_id: UUID) -> UUID:
    await ctx.db.execute(PAYMENT, ctx.tenant_id, payment_id, f"pi_{payment_id.hex}")
    first = await inbox.take_in(ctx, event=event, body=body, source="webhook")
    again = await inbox.take_in(ctx, event=event, body=body, source="sweep")
    drilling.prove(first is not None and first[0] == ctx.tenant_id, "It is not in the inbox of its business.")
    drilling.prove(again is None, "It was taken in a second time.")
    kept = await ctx.db.fetchval(KEPT, ctx.tenant_id, event.id)
    drilling.prove(kept == 1, f"It is kept {kept} times.")
    elsewhere = await ctx.db.fetchval(KEPT, PLATFORM, event.id)
    drilling.prove(elsewhere == 0, "It is with the platform, too.")
    assert first is not None
    return first[1]


async def _fails(ctx: Ctx, drilling: Drilling, row_id: UUID) -> None:
    kept = await ctx.db.one(inbox.Kept, inbox.EVENT, ctx.tenant_id, row_id)
    error = Conflict("The card provider holds another payment under this id.")
    await inbox.mark_failed(ctx, kept=kept, error=error, ended=True)
    row = await ctx.db.fetchrow(STATE, ctx.tenant_id, row_id)
    drilling.prove(row is not None and row["state"] == "failed" and bool(row["error"]), "It is not marked as failed.")
    told = [event for event in ctx.pending if event.name == ProviderEventFailed.event_name]
    drilling.prove(len(told) == 1, f"It was told {len(told)} times.")
    drilling.note(f"Its page says: {row['error'] if row else ''}")


async def _replayed(ctx: Ctx, drilling: Drilling, row_id: UUID) -> None:
    await inbox.replay_event(ctx, provider_event_id=row_id)
    row = await ctx.db.fetchrow(STATE, ctx.tenant_id, row_id)
    drilling.prove(row is not None and row["state"] == "waiting", "It does not wait to be worked off.")
    told = [event for event in ctx.pending if event.name == ProviderEventReplayed.event_name]
    drilling.prove(len(told) == 1, "That it was replayed is not on record.")
