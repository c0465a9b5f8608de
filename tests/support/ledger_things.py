"""Things of the books that paths name, added to THINGS when this is imported: a guest's account and a transaction."""

from typing import Any
from uuid import UUID

from lastlight.domains.ledger import BANK, CREDITS, open_account, post
from lastlight.kernel.ids import PatronId, TenantId, uuid7
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services
from tests.support.books import moving
from tests.support.things import THINGS, patron
from tests.support.world import Somebody, World


async def ledger_account(world: World, who: Somebody) -> Any:
    """A guest's credits, on which nothing stands."""
    owner = PatronId(UUID(str(await patron(world, who))))
    async with system_ctx(world.people.services, _tenant(world, who)) as ctx:
        return await open_account(ctx, kind=CREDITS, currency="ZAR", patron_id=owner)


async def transaction(world: World, who: Somebody) -> Any:
    """Credits that somebody has bought."""
    owner = PatronId(UUID(str(await patron(world, who))))
    return await bought_credits(world.people.services, _tenant(world, who), owner)


async def bought_credits(services: Services, tenant_id: TenantId, patron_id: PatronId, amount: int = 5_000) -> UUID:
    """A transaction by which a guest has bought credits."""
    key = uuid7()
    async with system_ctx(services, tenant_id) as ctx:
        bank = await open_account(ctx, kind=BANK, currency="ZAR")
        theirs = await open_account(ctx, kind=CREDITS, currency="ZAR", patron_id=patron_id)
        await post(ctx, transaction=moving((bank, theirs, amount), key=key, kind="credits-bought"))
    return key


def _tenant(world: World, who: Somebody) -> TenantId:
    return (who.home or world.a).id


THINGS.update(account_id=ledger_account, transaction_id=transaction)
