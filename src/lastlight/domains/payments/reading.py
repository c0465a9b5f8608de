"""What the screens and the API show of one payment, one event, one checkout."""

from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.payments.model import PaymentId
from lastlight.domains.payments.queries import disputes_of, find_payment, read_payment, refunds_of, steps_of
from lastlight.domains.payments.schemas import Checkout, Movement, PaymentOut, ProviderEvent
from lastlight.domains.payments.secrets import open_client_secret
from lastlight.kernel.errors import NotFound
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx

MOVEMENTS = """
select id, kind, amount, fee, net, currency, created_at, available_on, available from provider_movements
where tenant_id = $1 and payment_id = $2 order by created_at, id limit 500
"""
EVENT = """
select id, event_id, kind, api_version, object_id, payment_id, source, state, attempts, error, happened_at, received_at, handled_at, version,
       body
from provider_events where tenant_id = $1 and id = $2
"""
CLIENT = "select secret from payment_secrets where tenant_id = $1 and payment_id = $2"


async def read_whole(ctx: Ctx, *, payment_id: PaymentId) -> PaymentOut:
    """A payment with all that became of it. Raises NotFound."""
    payment = await find_payment(ctx, payment_id=payment_id)
    return PaymentOut(
        payment=payment,
        refundable=payment.refundable,
        steps=await steps_of(ctx, payment_id=payment_id),
        refunds=await refunds_of(ctx, payment_id=payment_id),
        disputes=await disputes_of(ctx, payment_id=payment_id),
        movements=await ctx.db.rows(Movement, MOVEMENTS, ctx.tenant_id, payment_id),
    )


async def read_checkout(ctx: Ctx, *, payment_id: PaymentId) -> Checkout:
    """What the payer's own page needs to pay. Raises NotFound for the payment of anybody else."""
    payment = await read_payment(ctx, payment_id=payment_id)
    if payment.patron_id is None or payment.patron_id != ctx.actor.patron_id:
        raise NotFound
    sealed = await ctx.db.fetchval(CLIENT, ctx.tenant_id, payment_id)
    with_key = processor.configuration_of(ctx.services)
    return Checkout(
        payment_id=payment.id,
        status=payment.status,
        amount=payment.amount,
        currency=payment.currency,
        failure=payment.failure,
        publishable_key=with_key.publishable_key,
        script=with_key.fields_script,
        client_secret=open_client_secret(ctx.services, ctx.tenant_id, payment_id, bytes(sealed)) if sealed else None,
    )


async def read_event(ctx: Ctx, *, provider_event_id: UUID) -> ProviderEvent:
    """An event of the inbox with what it said. Raises NotFound."""
    row = await ctx.db.fetchrow(EVENT, ctx.tenant_id, provider_event_id)
    if row is None:
        raise NotFound
    told: dict[str, Any] = {name: row[name] for name in row.keys() if name != "body"}  # noqa: SIM118 - a record is no mapping
    return ProviderEvent(**told, said=_without_secrets(msgspec.json.decode(bytes(row["body"]))))


def _without_secrets(said: Any) -> Any:
    """What the provider said, without what would let a reader pay."""
    if isinstance(said, dict):
        return {name: _without_secrets(value) for name, value in said.items() if name != "client_secret"}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
    if isinstance(said, list):
        return [_without_secrets(value) for value in said]  # pyright: ignore[reportUnknownVariableType] - JSON
    return said
