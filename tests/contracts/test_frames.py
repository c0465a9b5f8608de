"""A page's frame: it says where the tenant's stream stood before the page read anything, so that no event falls between the two."""

import re
from typing import Any

import pytest

from tests.support.world import World

pytestmark = pytest.mark.contract
HEAD = "select coalesce(max(seq), 0) from tenant_sequences where tenant_id = $1"


async def test_what_happens_while_a_page_is_drawn_is_newer_than_the_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await world.sign_in(world.somebody["A.owner"], cookie=True)
    await world.relay()
    before = await world.value(HEAD, world.a.id)
    drawn = world.people.services.render

    async def slowly(*args: Any) -> str:
        await world.make(
            "POST", "/api/roles", world.somebody["A.owner"], json={"name": world.unique("Role"), "permissions": []}
        )
        await world.relay()
        return await drawn(*args)

    monkeypatch.setattr(world.people.services, "render", slowly)
    answer = await world.people.client.get("/owner/roles", headers=owner.headers)
    assert answer.status_code == 200, answer.text
    found = re.search(r'data-live-after="(\d+)"', answer.text)
    assert found is not None
    assert int(found[1]) == before
    assert await world.value(HEAD, world.a.id) > before
