"""A posting is traced to what it came from, and a payment's steps to what they booked: both ways, for who may see."""

from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import msgspec
import pytest

from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.ledger import transaction_id
from lastlight.kernel.ids import PatronId
from lastlight.runtime.settings import Settings
from tests.support.console_calls import get
from tests.support.credit_things import credit_spend
from tests.support.payment_things import captured, disputed
from tests.support.things import THINGS
from tests.support.world import Somebody, World, opened_world

pytestmark = pytest.mark.database
STEPS = "select step, details from payment_steps where payment_id = $1 order by id"


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    async with opened_world(database_settings) as found:
        yield found


@pytest.fixture
def owner(world: World) -> Somebody:
    return world.somebody["A.owner"]


async def transactions_of(world: World, payment_id: UUID) -> dict[str, list[str]]:
    rows = await world.sql(STEPS, payment_id)
    return {row["step"]: msgspec.json.decode(row["details"]).get("transactions", []) for row in rows}


async def bought(world: World, owner: Somebody, *, dispute: bool = False) -> tuple[PatronId, UUID]:
    patron_id, services = await THINGS["patron_id"](world, owner), world.people.services
    whose = {"patron_id": patron_id, "venue_id": world.a.venues[0], "purpose": FUNDING}
    if not dispute:
        return patron_id, await captured(services, world.a.id, **whose)
    dispute_id = await disputed(services, world.a.id, **whose)
    return patron_id, await world.value("select payment_id from disputes where id = $1", dispute_id)


async def test_a_charge_leads_to_its_payment_and_to_the_entry_that_it_brought(world: World, owner: Somebody) -> None:
    patron_id, payment_id = await bought(world, owner)
    [posted] = (await transactions_of(world, payment_id))["captured"]
    entry = await world.value("select id from credit_entries where patron_id = $1", patron_id)
    payment = await get(world, f"/owner/payments/{payment_id}", owner)
    assert payment.count(f'href="/owner/ledger/transactions/{posted}"') == 2, "the step, and the movement"
    transaction = await get(world, f"/owner/ledger/transactions/{posted}", owner)
    assert f'href="/owner/payments/{payment_id}"' in transaction
    assert f'href="/owner/credits/entries/{entry}"' in transaction
    assert f'href="/owner/payments/{payment_id}"' in await get(world, f"/owner/credits/entries/{entry}", owner)
    assert "/owner/ledger/" not in await get(world, f"/owner/payments/{payment_id}", world.somebody["A.manager"])


async def test_a_refund_leads_to_what_it_took_and_back(world: World, owner: Somebody) -> None:
    patron_id, payment_id = await bought(world, owner)
    data = {"amount": "25", "reason": "asked", "left": "10000"}
    assert (await world.send("POST", f"/owner/payments/{payment_id}/refund", owner, data=data)).status_code < 400
    noted = await transactions_of(world, payment_id)
    entry = await world.value("select id from credit_entries where patron_id = $1 and kind = 'refunded'", patron_id)
    assert noted["refund-begun"] == [str(entry)], "and not the charge again"
    text = await get(world, f"/owner/ledger/transactions/{entry}", owner)
    assert f'href="/owner/credits/entries/{entry}"' in text


async def test_a_dispute_leads_to_its_row_on_the_payment(world: World, owner: Somebody) -> None:
    _, payment_id = await bought(world, owner, dispute=True)
    noted = await transactions_of(world, payment_id)
    [posted] = noted["dispute-needs_response"]
    assert posted not in noted["captured"]
    dispute_id = await world.value("select id from disputes where payment_id = $1", payment_id)
    text = await get(world, f"/owner/ledger/transactions/{posted}", owner)
    assert f'href="/owner/payments/{payment_id}#row-{dispute_id}"' in text
    assert f'id="row-{dispute_id}"' in await get(world, f"/owner/payments/{payment_id}", owner)


async def test_an_adjustment_and_a_spend_are_traced(world: World, owner: Somebody) -> None:
    patron_id = await THINGS["patron_id"](world, owner)
    body = {"patron_id": str(patron_id), "amount": 500, "currency": "ZAR", "reason": "A puck was missing"}
    headers = {"Idempotency-Key": str(uuid4())}
    made = (await world.make("POST", "/api/credits/adjustments", owner, json=body, headers=headers))["id"]
    entry = await world.value("select id from credit_entries where source_id = $1", UUID(made))
    text = await get(world, f"/owner/ledger/transactions/{entry}", owner)
    for link in (f"/owner/adjustments/{made}", f"/owner/credits/entries/{entry}"):
        assert f'href="{link}"' in text, link
    spent = await credit_spend(world, owner)
    assert f'href="/owner/credits/entries/{spent}"' in await get(world, f"/owner/ledger/transactions/{spent}", owner)


async def test_the_crew_reads_the_source_without_links_to_pages_of_owners(world: World, owner: Somebody) -> None:
    _, payment_id = await bought(world, owner)
    movement = await world.value("select id from provider_movements where payment_id = $1", payment_id)
    posted = transaction_id(world.a.id, f"provider:{movement}")
    crew = world.somebody["crew.finance"]
    text = await get(world, f"/platform/tenants/{world.a.id}/ledger/transactions/{posted}", crew)
    assert "Card payment" in text
    assert "/owner/payments/" not in text
