"""People who work at a house: accounts with a role and a membership, and their transactions."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from lastlight.kernel.ids import UserId, VenueId, uuid7
from lastlight.runtime.context import Actor, Ctx, Grants
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from tests.support.door import House


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who works at a house, with the permissions that their transactions have."""

    house: House
    user_id: UserId
    name: str
    grants: dict[str, frozenset[VenueId] | None]

    @asynccontextmanager
    async def act(self) -> AsyncGenerator[Ctx]:
        """A transaction of theirs."""
        actor = Actor(kind="member", user_id=self.user_id, tenant_id=self.house.tenant_id, grants=Grants(self.grants))
        async with unit_of_work(self.house.services, WorkScope(actor=actor, tenant_id=self.house.tenant_id)) as ctx:
            yield ctx


async def add_worker(
    house: House, *permissions: Any, venues: list[UUID] | None = None, name: str = "Thabo Nkosi"
) -> Worker:
    """A new member of the house, for all venues or some."""
    user_id, role_id = UserId(uuid7()), uuid7()
    email = f"{uuid4().hex}@example.test"
    await house.sql("insert into users (id, email, name) values ($1, $2, $3)", user_id, email, name)
    await house.sql(
        "insert into roles (tenant_id, id, key, name) values ($1, $2, $3, $3)",
        house.tenant_id,
        role_id,
        f"r{uuid4().hex}",
    )
    await house.sql(
        "insert into memberships (tenant_id, user_id, role_id, venue_ids) values ($1, $2, $3, $4)",
        house.tenant_id,
        user_id,
        role_id,
        venues,
    )
    only = None if venues is None else frozenset(VenueId(venue) for venue in venues)
    return Worker(house, user_id, name, {str(permission): only for permission in permissions})


async def told(house: House, entity_id: UUID) -> list[str]:
    """The names of the events that a thing has in the outbox, oldest first."""
    rows = await house.sql("select name from outbox where entity_id = $1 order by position", str(entity_id))
    return [row["name"] for row in rows]
