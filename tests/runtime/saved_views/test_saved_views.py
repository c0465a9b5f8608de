"""Saved views: kept under a name, replaced, removed, and nobody else's."""

from uuid import uuid4

import pytest

from lastlight.runtime.saved_views.actions import MOST_VIEWS
from tests.support.people import People

pytestmark = pytest.mark.database

VIEWS = "/api/saved-views"


async def _keep(world: People, who: dict[str, str], name: str, query: str = "", *, status: int = 201) -> dict[str, str]:
    return await world.call("POST", VIEWS, who, json={"listing": "visits", "name": name, "query": query}, status=status)


async def _names(world: People, who: dict[str, str]) -> list[str]:
    found = await world.call("GET", f"{VIEWS}?listing=visits", who)
    return [view["name"] for view in found["items"]]


async def test_a_view_is_kept_replaced_and_removed(world: People) -> None:
    who = await world.bearer("manager@bar.example")
    first = await _keep(world, who, " Who   is in ", "sort=-opened_at&status=open&after=abc&limit=10")
    assert (first["name"], first["query"]) == ("Who is in", "sort=-opened_at&status=open")
    second = await _keep(world, who, "Who is in", "status=closed")
    assert (second["id"], second["query"]) == (first["id"], "status=closed")
    assert await _names(world, who) == ["Who is in"]
    assert [row["entity_id"] for row in await world.events("saved_view.kept")][-2:] == [first["id"]] * 2
    await world.call("DELETE", f"{VIEWS}/{first['id']}", who, status=204)
    await world.call("DELETE", f"{VIEWS}/{first['id']}", who, status=404)
    assert await _names(world, who) == []


async def test_a_view_is_its_makers_alone(world: People) -> None:
    manager = await world.bearer("manager@bar.example")
    kept = await _keep(world, manager, "Mine", "status=open")
    for other in ("owner@bar.example", "manager@club.example", "super_admin@crew.example"):
        who = await world.bearer(other)
        found = await world.call("GET", f"{VIEWS}?listing=visits", who)
        assert found["items"] == []
        refused = await world.call("DELETE", f"{VIEWS}/{kept['id']}", who, status=404)
        absent = await world.call("DELETE", f"{VIEWS}/{uuid4()}", who, status=404)
        assert refused["detail"] == absent["detail"]
    assert await _names(world, manager) == ["Mine"]
    await world.call("DELETE", f"{VIEWS}/{kept['id']}", manager, status=204)


async def test_what_does_not_fit_is_refused(world: People) -> None:
    who = await world.bearer("vendor_admin@bar.example")
    unknown = await world.call("POST", VIEWS, who, json={"listing": "nothing", "name": "x"}, status=404)
    assert unknown["type"].endswith("not-found")
    wrong = await _keep(world, who, "x", "colour=red", status=422)
    assert "colour" in str(wrong)
    await _keep(world, who, "   ", status=422)
    patron = await world.bearer("patron@bar.example")
    await _keep(world, patron, "x", status=403)
    assert await _names(world, who) == []


async def test_there_is_room_for_so_many(world: People) -> None:
    who = await world.bearer("staff@bar.example")
    for number in range(MOST_VIEWS):
        await _keep(world, who, f"View {number:02}")
    refused = await _keep(world, who, "One more", status=409)
    assert refused["type"].endswith("too-many-views")
    await _keep(world, who, "View 07", "status=open")
    assert len(await _names(world, who)) == MOST_VIEWS
