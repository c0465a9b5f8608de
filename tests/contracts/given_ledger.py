"""Examples of the books: what the crew reads of a business lies in that business."""

from tests.contracts.example import example
from tests.support.calls import Given
from tests.support.ledger_things import ledger_account, transaction
from tests.support.world import Somebody, World


@example("tenant_ledger_account_page")
async def an_account(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": world.a.id, "account_id": await ledger_account(world, world.somebody["A.owner"])})


@example("reopen_ledger_account", "account_reopening_submit")
async def a_closed_account(world: World, who: Somebody) -> Given:
    made = await ledger_account(world, who)
    owner = world.somebody["B.owner" if who.home is world.b else "A.owner"]
    await world.make("POST", f"/api/ledger/accounts/{made}/closure", owner)
    return Given(path={"account_id": made})


@example("tenant_ledger_transaction_page")
async def a_transaction(world: World, who: Somebody) -> Given:
    made = await transaction(world, world.somebody["A.owner"])
    return Given(path={"tenant_id": world.a.id, "transaction_id": made})
