"""Disputes: looked at, answered with evidence, given in to."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, cast

from lastlight.runtime.processor.client import ask
from lastlight.runtime.processor.lists import Created, every
from lastlight.runtime.processor.objects import Dispute
from lastlight.runtime.processor.readings import dispute_of
from lastlight.runtime.services import Services

if TYPE_CHECKING:
    from stripe.params import DisputeListParams, DisputeUpdateParams
    from stripe.params._dispute_update_params import DisputeUpdateParamsEvidence


async def retrieve_dispute(services: Services, dispute_id: str) -> Dispute:
    """A dispute as it is now."""
    return dispute_of(await ask(services, lambda v1: v1.disputes.retrieve_async(dispute_id)))


async def list_disputes(
    services: Services, *, created: Created | None = None, charge_id: str = "", intent_id: str = ""
) -> AsyncIterator[Dispute]:
    """Disputes, the newest first, over all pages."""
    params: DisputeListParams = {}
    if created and (bounds := created.bounds()):
        params["created"] = bounds
    if charge_id:
        params["charge"] = charge_id
    if intent_id:
        params["payment_intent"] = intent_id
    async for found in every(lambda after: ask(services, lambda v1: v1.disputes.list_async({**params, **after}))):
        yield dispute_of(found)


async def update_dispute(
    services: Services, dispute_id: str, *, key: str, evidence: Mapping[str, str], submit: bool
) -> Dispute:
    """Put evidence down, by the processor's own names for it (`uncategorized_text`, …); `submit` sends it to the bank, for good."""
    params: DisputeUpdateParams = {"submit": submit}
    if evidence:
        params["evidence"] = cast("DisputeUpdateParamsEvidence", dict(evidence))
    return dispute_of(
        await ask(services, lambda v1: v1.disputes.update_async(dispute_id, params, {"idempotency_key": key}))
    )


async def close_dispute(services: Services, dispute_id: str, *, key: str) -> Dispute:
    """Give in: the dispute is lost."""
    return dispute_of(await ask(services, lambda v1: v1.disputes.close_async(dispute_id, {}, {"idempotency_key": key})))
