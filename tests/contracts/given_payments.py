"""Examples of the operations of payments."""

import hashlib
import hmac
import time
from uuid import uuid4

import msgspec

from lastlight.runtime import processor
from tests.contracts.example import REASON, example
from tests.support.calls import Given
from tests.support.payment_things import authorised_payment, brought, open_payment, provider_event
from tests.support.world import Somebody, World


@example("refund_payment")
async def refund_payment(world: World, who: Somebody) -> Given:
    return Given(data={"amount": 2_500, **REASON})


@example("payment_refund_submit")
async def refund_form(world: World, who: Somebody) -> Given:
    return Given(data={"amount": "25.00", **REASON, "left": 10_000})


@example("payment_capture_submit")
async def capture_form(world: World, who: Somebody) -> Given:
    return Given(path={"payment_id": await authorised_payment(world, who)}, data={"amount": "40"})


@example("dispute_evidence_submit")
async def evidence_form(world: World, who: Somebody) -> Given:
    return Given(data={"evidence": "They checked in at nine and ordered twice."})


@example("crew_provider_event_page", "crew_event_replay_dialog", "crew_event_replay_submit")
async def event_of_a_business(world: World, who: Somebody) -> Given:
    tenant_id = world.a.id
    return Given(
        path={"tenant_id": tenant_id, "provider_event_id": await brought(world.people.services, tenant_id)},
    )


@example("void_payment", "payment_void_submit")
async def void_payment(world: World, who: Somebody) -> Given:
    return Given(path={"payment_id": await open_payment(world, who)})


@example("capture_payment")
async def capture_payment(world: World, who: Somebody) -> Given:
    return Given(path={"payment_id": await authorised_payment(world, who)}, data={"amount": 4_000})


@example("answer_dispute")
async def answer_dispute(world: World, who: Somebody) -> Given:
    return Given(data={"evidence": "They checked in at nine and ordered twice."})


@example("replay_provider_event")
async def replay_provider_event(world: World, who: Somebody) -> Given:
    return Given(path={"provider_event_id": await provider_event(world, who)})


@example("take_webhook")
async def take_webhook(world: World, who: Somebody) -> Given:
    event = {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "type": "balance.available",
        "created": int(time.time()),
        "api_version": processor.API_VERSION,
        "livemode": False,
        "data": {"object": {"object": "balance"}},
    }
    body = msgspec.json.encode(event)
    moment = int(time.time())
    secret = processor.configuration_of(world.people.services).webhook_secrets[0]
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return Given(content=body, headers={"Stripe-Signature": f"t={moment},v1={digest}"})
