"""Payments, disputes and events of the card provider, made by the actions of their domain from what a provider would say."""

import time
from typing import Any
from uuid import UUID, uuid4

import msgspec

from lastlight.domains.payments.actions import begin_payment
from lastlight.domains.payments.inbox import take_in
from lastlight.domains.payments.looking import Seen, follow
from lastlight.domains.payments.model import Hint, Payment
from lastlight.domains.payments.purposes import Purpose
from lastlight.domains.payments.queries import disputes_of, lock_payment, read_payment
from lastlight.domains.payments.secrets import seal_client_secret
from lastlight.domains.payments.stages import KEPT_FOR_PAYER
from lastlight.kernel.ids import PLATFORM, PatronId, TenantId, VenueId
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services
from tests.support.paying import TRIAL
from tests.support.things import THINGS
from tests.support.world import Somebody, World

OPENED = "update payments set status = 'open', intent_id = $3, checked_at = now() where tenant_id = $1 and id = $2"
KEPT_EVENT = """insert into provider_events (tenant_id, id, endpoint, event_id, kind, api_version, object_id, source, state, error, body, happened_at,
                                       received_at, handled_at)
          values ($1, $2, 'platform', $3, $4, $5, 'pi_1', 'webhook', $6, case when $6 = 'failed' then 'No such payment' else '' end, '{}', now(), now(),
                  now())"""


def movement(
    amount: int, *, kind: str = "charge", fee: int = 0, available: bool = False, currency: str = "EUR"
) -> processor.BalanceTransaction:
    """A balance transaction."""
    now = int(time.time())
    return processor.BalanceTransaction(
        id=f"txn_{uuid4().hex}",
        type=kind,
        reporting_category=kind,
        amount=amount,
        fee=fee,
        net=amount - fee,
        currency=currency,
        status="available" if available else "pending",
        available_on=now + 172_800,
        created=now,
        source="",
        description="",
    )


def intent_of(payment: Payment, *, status: str = "succeeded", moved: Any = None) -> processor.PaymentIntent:
    """The intent of a payment, as the provider would hold it."""
    paid = status == "succeeded"
    charge = processor.Charge(
        id=f"ch_{payment.id.hex}",
        status="succeeded",
        paid=True,
        captured=paid,
        amount=payment.amount,
        amount_captured=payment.amount if paid else 0,
        amount_refunded=0,
        currency=payment.currency,
        refunded=False,
        disputed=False,
        failure_code="",
        failure_message="",
        payment_intent=payment.intent_id or "",
        card=processor.Card(brand="visa", last4="4242"),
        balance_transaction=moved,
        created=int(time.time()),
    )
    return processor.PaymentIntent(
        id=payment.intent_id or "",
        status=status,
        amount=payment.amount,
        amount_capturable=0 if paid else payment.amount,
        amount_received=payment.amount if paid else 0,
        currency=payment.currency,
        capture_method="automatic",
        description="",
        customer="",
        next_action_url="",
        latest_charge=charge,
        last_payment_error=None,
        metadata={"payment_id": str(payment.id)},
        created=int(time.time()),
        canceled_at=None,
        cancellation_reason="",
    )


def dispute_of(payment: Payment) -> processor.Dispute:
    """A dispute about all of a payment, with what it holds back."""
    return processor.Dispute(
        id=f"dp_{uuid4().hex}",
        status="needs_response",
        amount=payment.captured,
        currency=payment.currency,
        charge=payment.charge_id or "",
        payment_intent=payment.intent_id or "",
        reason="fraudulent",
        balance_transactions=(movement(-payment.captured, kind="adjustment", fee=1_500, currency=payment.currency),),
        due_by=int(time.time()) + 604_800,
        has_evidence=False,
        submission_count=0,
        is_charge_refundable=False,
        metadata={},
        created=int(time.time()),
    )


async def opened(
    services: Services,
    tenant_id: TenantId,
    *,
    patron_id: PatronId | None = None,
    venue_id: VenueId | None = None,
    purpose: Purpose = TRIAL,
    currency: str = "EUR",
) -> UUID:
    """A payment that waits for a card."""
    async with system_ctx(services, tenant_id) as ctx:
        payment = await begin_payment(
            ctx, purpose=purpose, amount=10_000, currency=currency, patron_id=patron_id, venue_id=venue_id
        )
        await ctx.db.execute(OPENED, tenant_id, payment.id, f"pi_{payment.id.hex}")
        sealed = seal_client_secret(services, tenant_id, payment.id, "pi_secret")
        await ctx.db.execute(KEPT_FOR_PAYER, tenant_id, payment.id, patron_id, sealed)
    return payment.id


async def authorised(services: Services, tenant_id: TenantId) -> UUID:
    """A payment that a bank has authorised."""
    payment_id = await opened(services, tenant_id)
    async with system_ctx(services, tenant_id) as ctx:
        payment = await lock_payment(ctx, payment_id=payment_id)
        seen = Seen(at=ctx.now, intent=intent_of(payment, status="requires_capture"))
        await follow(ctx, payment=payment, seen=seen, hint=Hint("poll"))
    return payment_id


async def captured(services: Services, tenant_id: TenantId, **whose: Any) -> UUID:
    """A payment that is paid."""
    payment_id = await opened(services, tenant_id, **whose)
    async with system_ctx(services, tenant_id) as ctx:
        await _capture(ctx, payment_id)
    return payment_id


async def disputed(services: Services, tenant_id: TenantId, **whose: Any) -> UUID:
    """A dispute that waits for an answer."""
    payment_id = await captured(services, tenant_id, **whose)
    async with system_ctx(services, tenant_id) as ctx:
        payment = await lock_payment(ctx, payment_id=payment_id)
        seen = Seen(at=ctx.now, intent=intent_of(payment), disputes=[dispute_of(payment)])
        await follow(ctx, payment=payment, seen=seen, hint=Hint("poll"))
        return (await disputes_of(ctx, payment_id=payment_id))[0].id


async def kept_event(
    world: World, tenant_id: UUID, *, state: str = "done", kind: str = "payment_intent.succeeded"
) -> UUID:
    """An event of the provider as the inbox keeps it, about no payment."""
    row_id = uuid4()
    await world.sql(KEPT_EVENT, tenant_id, row_id, f"evt_{row_id.hex}", kind, processor.API_VERSION, state)
    return row_id


async def brought(services: Services, tenant_id: TenantId, *, state: str = "done", **whose: Any) -> UUID:
    """An event of the provider about a payment, which was worked off."""
    payment_id = await captured(services, tenant_id, **whose)
    async with system_ctx(services, tenant_id) as ctx:
        payment = await read_payment(ctx, payment_id=payment_id)
    event = processor.Event(
        id=f"evt_{uuid4().hex}",
        type="payment_intent.succeeded",
        created=int(time.time()),
        account="",
        api_version=processor.API_VERSION,
        livemode=False,
        object_id=payment.intent_id or "",
        object_type="payment_intent",
        data={"id": payment.intent_id, "object": "payment_intent", "metadata": {"payment_id": str(payment_id)}},
    )
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        kept = await take_in(
            ctx, event=event, body=msgspec.json.encode({"data": {"object": event.data}}), source="webhook"
        )
    assert kept is not None
    async with system_ctx(services, tenant_id) as ctx:
        sql = "update provider_events set state = $3, attempts = 1, handled_at = now() where tenant_id = $1 and id = $2"
        await ctx.db.execute(sql, tenant_id, kept[1], state)
    return kept[1]


async def _capture(ctx: Ctx, payment_id: UUID) -> Payment:
    payment = await lock_payment(ctx, payment_id=payment_id)
    moved = movement(payment.amount, fee=320, currency=payment.currency)
    seen = Seen(at=ctx.now, intent=intent_of(payment, moved=moved), moved=[moved])
    await follow(ctx, payment=payment, seen=seen, hint=Hint("poll"))
    return await read_payment(ctx, payment_id=payment_id)


def _home(world: World, who: Somebody) -> TenantId:
    return (who.home or world.a).id


async def payment(world: World, who: Somebody) -> Any:
    """A payment that is paid; of the guest who asks, one that waits for a card."""
    services, tenant_id = world.people.services, _home(world, who)
    if who.kind != "patron":
        return await captured(services, tenant_id)
    mine = "select id from patrons where tenant_id = $1 and user_id = $2"
    return await opened(services, tenant_id, patron_id=await world.value(mine, tenant_id, who.user_id))


async def open_payment(world: World, who: Somebody) -> Any:
    """A payment that waits for a card."""
    return await opened(world.people.services, _home(world, who))


async def authorised_payment(world: World, who: Somebody) -> Any:
    """A payment that a bank has authorised."""
    return await authorised(world.people.services, _home(world, who))


async def dispute(world: World, who: Somebody) -> Any:
    """A dispute that waits for an answer."""
    return await disputed(world.people.services, _home(world, who))


async def provider_event(world: World, who: Somebody) -> Any:
    """An event of the provider that was worked off."""
    return await brought(world.people.services, _home(world, who))


THINGS.update({"payment_id": payment, "dispute_id": dispute, "provider_event_id": provider_event})
