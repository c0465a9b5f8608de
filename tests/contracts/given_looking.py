"""Examples of looks (previews, the crew in somebody's place) and of people admin's pages."""

import dataclasses
from typing import Any

from tests.contracts.example import REASON, example
from tests.support.calls import Given
from tests.support.things import builtin_role
from tests.support.world import Somebody, World


async def own_role(world: World, who: Somebody) -> Any:
    """A built-in role of where somebody is."""
    return await builtin_role(world, who, "staff" if who.home else "finance")


@example("preview_role")
async def preview_role(world: World, who: Somebody) -> Given:
    return Given(data={"role_id": str(await own_role(world, who))})


@example("preview_submit", "preview_dialog")
async def preview_submit(world: World, who: Somebody) -> Given:
    return Given(path={"role_id": await own_role(world, who)})


@example("impersonate", "impersonation_submit", "impersonation_dialog")
async def impersonate(world: World, who: Somebody) -> Given:
    place = {"tenant": world.a.slug, "as_": "patron"}
    return Given(data={**place, "minutes": 15, **REASON}, query=place)


@example("end_looking")
async def end_looking(world: World, who: Somebody) -> Given:
    owner = await world.newcomer(world.somebody["A.owner"])
    body = {"role_id": str(await builtin_role(world, owner, "staff"))}
    look = await world.make("POST", "/api/preview", owner, json=body)
    headers = {"Authorization": f"Bearer {look['access_token']}"}
    return Given(who=dataclasses.replace(owner, name="a look", user_id=None, headers=headers))


@example("looking_end")
async def looking_end(world: World, who: Somebody) -> Given:
    owner = await world.sign_in(await world.newcomer(world.somebody["A.owner"]), cookie=True)
    role = await builtin_role(world, owner, "staff")
    answer = await world.send("POST", f"/owner/roles/{role}/preview", owner)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in answer.cookies.jar)
    return Given(who=dataclasses.replace(owner, name="a look", user_id=None, headers={"Cookie": cookies}))


@example("guest_standing_submit", "account_standing_submit")
async def standing_submit(world: World, who: Somebody) -> Given:
    return Given(data={"to": "suspended", "days": "7", **REASON})


@example("verification_submit")
async def verification_submit(world: World, who: Somebody) -> Given:
    return Given(data={"verified": True, **REASON})


@example("rotation_submit")
async def rotation_submit(world: World, who: Somebody) -> Given:
    return Given(data={"what": "reseal"})
