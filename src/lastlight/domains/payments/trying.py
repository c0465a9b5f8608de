"""Payments that a program makes by itself with the cards for trying out, at the sandbox: for the demonstration."""

from uuid import UUID, uuid4

import structlog

from lastlight.domains.payments.actions import begin_payment
from lastlight.domains.payments.looking import look_at
from lastlight.domains.payments.model import Hint, Payment, PaymentId
from lastlight.domains.payments.purposes import Purpose
from lastlight.domains.payments.queries import read_payment
from lastlight.domains.payments.stages import OPEN
from lastlight.kernel.ids import PatronId, TenantId, VenueId
from lastlight.runtime import processor
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services
from lastlight.runtime.staged import carry_out

log = structlog.get_logger(__name__)
STAGED = "select id from staged_actions where tenant_id = $1 and kind = 'payments.open' and key = $2"


async def can_try(services: Services) -> bool:
    """Whether there is a sandbox that answers: no card for trying out is ever used elsewhere."""
    if not processor.configuration_of(services).sandbox:
        return False
    try:
        await processor.retrieve_balance(services)
    except processor.ProcessorError as error:
        log.info("the sandbox does not answer: the demonstration has no card payments", reason=str(error))
        return False
    return True


async def try_payment(
    services: Services,
    tenant_id: TenantId,
    *,
    purpose: Purpose,
    amount: int,
    currency: str,
    patron_id: PatronId,
    venue_id: VenueId,
    card: str,
) -> Payment:
    """A payment as a guest makes it who types this card for trying out, such as pm_card_visa; as it stands then."""
    async with system_ctx(services, tenant_id) as ctx:
        begun = await begin_payment(
            ctx,
            purpose=purpose,
            amount=amount,
            currency=currency,
            patron_id=patron_id,
            venue_id=venue_id,
            description=purpose.label,
        )
        staged_id: UUID = await ctx.db.fetchval(STAGED, tenant_id, f"payment:{begun.id}")
    await carry_out(services, OPEN, tenant_id=tenant_id, staged_id=staged_id)
    intent_id = (await _read(services, tenant_id, begun.id)).intent_id
    assert intent_id is not None, "it was opened"
    try:
        await processor.confirm_intent(
            services, intent_id, key=str(uuid4()), payment_method=card, return_url=services.settings.base_url
        )
    except processor.Declined as error:
        log.debug("the card was declined, as it is meant to be", card=card, reason=str(error))
    await look_at(services, tenant_id, payment_id=begun.id, hint=Hint("poll"))
    return await _read(services, tenant_id, begun.id)


async def _read(services: Services, tenant_id: TenantId, payment_id: PaymentId) -> Payment:
    async with system_ctx(services, tenant_id) as ctx:
        return await read_payment(ctx, payment_id=payment_id)
