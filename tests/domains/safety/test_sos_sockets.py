"""Who hears an SOS call on a socket: everybody who works at its venue, and nobody else."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest

from lastlight.domains.identity.presets import MANAGER, STAFF
from lastlight.domains.safety import broadcasts, sos
from lastlight.domains.safety.module import MODULE as SAFETY
from lastlight.domains.safety.schemas import BroadcastIn, SosIn
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Actor, Grants
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from lastlight.runtime.settings import Settings
from tests.support.door import MODULES, new_house
from tests.support.services import opened_services
from tests.support.sockets import connected, serving, sign_in, sign_in_crew, until
from tests.support.streams import relaying

ALL: Any = dict.fromkeys(("safety.read", "safety.respond", "safety.broadcast", "venues.read"))


@pytest.fixture
async def running(database_settings: Settings) -> AsyncGenerator[Any]:
    async with opened_services(database_settings, (*MODULES, SAFETY)) as services, relaying(services):
        yield services


async def test_an_sos_and_a_broadcast_are_heard_by_the_venue_alone(running: Any) -> None:
    house, other = await new_house(running), await new_house(running)
    roof = await house.add_venue()
    here, there = [house.venue.id], [roof.id]
    staff = sorted(STAFF)
    hear = {
        "staff of the venue": await sign_in(running, house.tenant_id, staff, venue_ids=here),
        "manager of the venue": await sign_in(running, house.tenant_id, sorted(MANAGER), venue_ids=here),
        "owner of all venues": await sign_in(running, house.tenant_id, sorted(MANAGER)),
    }
    deaf = {
        "staff of another venue": await sign_in(running, house.tenant_id, staff, venue_ids=there),
        "a member without the permission": await sign_in(running, house.tenant_id, ["visits.read"]),
        "a guest": await sign_in(running, house.tenant_id, patron=True),
        "staff of another business": await sign_in(running, other.tenant_id, staff),
        "the crew at home": await sign_in_crew(running, staff),
    }
    async with serving(running) as site, AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(connected(site, person.token(running)))
            for name, person in (hear | deaf).items()
        }
        actor = Actor(kind="member", user_id=UserId(uuid4()), tenant_id=house.tenant_id, grants=Grants(ALL))
        async with unit_of_work(running, WorkScope(actor=actor, tenant_id=house.tenant_id)) as ctx:
            call = await sos.press_sos(ctx, data=SosIn(venue_id=house.venue.id, place="Bar 2", note="Between us"))
        async with unit_of_work(running, WorkScope(actor=actor, tenant_id=house.tenant_id)) as ctx:
            await broadcasts.send_broadcast(ctx, data=BroadcastIn(venue_id=house.venue.id, text="Between us"))
        for name in hear:
            await until(lambda name=name: bool(clients[name].said("broadcast.sent")))
            [said] = clients[name].said("sos.raised")
            assert said["data"]["sos_id"] == str(call.id)
            assert "Between us" not in str(clients[name].heard), "signals only: words are read by who may"
        # A word that all of these may hear has passed by now, so that silence is no mere lateness.
        for name in deaf:
            heard = {event for _, event in clients[name].events()}
            assert not heard & {"sos.raised", "broadcast.sent", "incident.opened"}, name
