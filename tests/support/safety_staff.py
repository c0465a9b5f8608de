"""People of a venue who see to its safety, for tests of the domain."""

from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

from lastlight.domains.safety import sos
from lastlight.domains.safety.model import SosCall
from lastlight.domains.safety.schemas import SosIn
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Actor, Ctx, Grants
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from tests.support.door import House

ALL: Any = dict.fromkeys(
    ("safety.read", "safety.respond", "safety.manage", "safety.broadcast", "visits.read", "venues.read")
)


def somebody(house: House, user_id: UUID, name: str = "Sam", grants: Any = ALL) -> AbstractAsyncContextManager[Ctx]:
    """The unit of work of one who works here."""
    actor = Actor(kind="member", user_id=UserId(user_id), tenant_id=house.tenant_id, name=name, grants=Grants(grants))
    return unit_of_work(house.services, WorkScope(actor=actor, tenant_id=house.tenant_id))


async def told(house: House, name: str) -> int:
    """How many events of this name the business has emitted."""
    statement = "select count(*) as n from outbox where tenant_id = $1 and name = $2"
    return (await house.sql(statement, house.tenant_id, name))[0]["n"]


async def pressed(house: House, **fields: Any) -> SosCall:
    """An SOS from the bar."""
    async with house.as_member(ALL) as ctx:
        return await sos.press_sos(ctx, data=SosIn(venue_id=house.venue.id, place="Bar 2", **fields))
