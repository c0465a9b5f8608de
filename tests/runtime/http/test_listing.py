"""Lists: keyset pages that neither repeat nor leave out, filters, sorts, searches, and what tampering gets."""

import base64
import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Actor, Grants
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from lastlight.runtime.http.listing import COUNT_CAP
from tests.support.bells import BELLS, hang
from tests.support.people import People

pytestmark = pytest.mark.database
WEIGHTS = [5, None, 3, 5, None, 1, 5, 2, 3, None]


HUNG = """
insert into bells (tenant_id, id, venue_id, name, tone, weight, price, loud)
select $1::uuid, given.id, $2::uuid, 'bell ' || place - 1, (array['c', 'g'])[1 + (place - 1) % 2], weight, 10 * ((place - 1) % 3), place < 5
from unnest($3::uuid[], $4::integer[]) with ordinality as given (id, weight, place)
union all select $5::uuid, gen_random_uuid(), $6::uuid, 'bell of the club', 'c', 0, 0, false
"""


@pytest.fixture(autouse=True)
async def bells(world: People) -> list[UUID]:
    """Ten bells of the bar with ties and nulls, and one of the club."""
    made = [uuid7() for _ in WEIGHTS]
    bar, club = world.bar, world.club
    await world.sql("delete from bells")
    await world.sql(HUNG, bar.id, bar.venues[0], made, WEIGHTS, club.id, club.venues[0])
    return made


async def read(world: People, who: dict[str, str], status: int = 200, **query: Any) -> Any:
    return await world.call("GET", f"/api/bells?{urlencode(query, doseq=True)}", who, status=status)


async def walk(world: People, who: dict[str, str], **query: Any) -> list[Any]:
    """Every row, page by page."""
    found: list[Any] = []
    after = ""
    for _ in range(50):
        page = await read(world, who, **query, **({"after": after} if after else {}))
        found += page["items"]
        after = page["next"]
        if not after:
            return found
        assert len(page["items"]) == query["limit"]
    raise AssertionError("the list does not end")


def names(rows: list[Any]) -> list[str]:
    return [row["name"] for row in rows]


@pytest.mark.parametrize("limit", [1, 3, 5, 10, 11])
@pytest.mark.parametrize("sort", [prefix + column.name for column in BELLS.columns if column.sort for prefix in "-+"])
async def test_pages_hold_every_row_once_in_order(world: People, owner: dict[str, str], sort: str, limit: int) -> None:
    rows = await walk(world, owner, sort=sort.lstrip("+"), limit=limit)
    whole = (await read(world, owner, sort=sort.lstrip("+"), limit=200))["items"]
    assert rows == whole
    assert sorted(names(rows)) == [f"bell {n}" for n in range(10)]
    field = sort.lstrip("+-")
    values = [row[field] if row[field] is not None else 2**31 for row in rows]
    assert values == sorted(values, reverse=sort.startswith("-"))


async def test_ties_are_broken_by_the_key_both_ways(world: People, owner: dict[str, str]) -> None:
    up = await walk(world, owner, sort="weight", limit=2)
    down = await walk(world, owner, sort="-weight", limit=2)
    assert names(up) == names(down)[::-1]


async def test_rows_that_come_and_go_between_pages_neither_repeat_nor_hide_others(
    world: People, owner: dict[str, str], bells: list[UUID]
) -> None:
    first = await read(world, owner, sort="name", limit=4)
    assert names(first["items"]) == ["bell 0", "bell 1", "bell 2", "bell 3"]
    await hang(world, "bell 00 before")
    await hang(world, "bell 5a after")
    await world.sql("delete from bells where id = any($1::uuid[])", [bells[3], bells[6]])
    second = await read(world, owner, sort="name", limit=4, after=first["next"])
    assert names(second["items"]) == ["bell 4", "bell 5", "bell 5a after", "bell 7"]
    third = await read(world, owner, sort="name", limit=4, after=second["next"])
    assert (names(third["items"]), third["next"]) == (["bell 8", "bell 9"], None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"tone": "g"}, [1, 3, 5, 7, 9]),
        ({"tone": ["c", "g"]}, list(range(10))),
        ({"name": "bell 4"}, [4]),
        ({"weight_from": 2, "weight_to": 5}, [2, 7, 8]),
        ({"loud": "true"}, [0, 1, 2, 3]),
        ({"loud": "false", "tone": "c"}, [4, 6, 8]),
        ({"q": "LL 7"}, [7]),
        ({"q": "%"}, []),
        ({"q": "_"}, []),
        ({"q": "\\"}, []),
        ({"q": "   "}, list(range(10))),
        ({"q": "'; drop table bells; --"}, []),
        ({"cast_at_to": "2000-01-01T00:00:00Z"}, []),
        ({"cast_at_from": "2000-01-01T00:00:00+02:00"}, list(range(10))),
        ({"tone": ""}, list(range(10))),
        ({"weight_from": ""}, list(range(10))),
    ],
)
async def test_filters_and_search(
    world: People, owner: dict[str, str], query: dict[str, Any], expected: list[int]
) -> None:
    page = await read(world, owner, count="true", **query)
    assert names(page["items"]) == [f"bell {n}" for n in expected]
    assert page["total"] == len(expected)


async def test_totals_are_counted_when_asked_for_and_capped(world: People, owner: dict[str, str]) -> None:
    assert (await read(world, owner))["total"] is None
    assert (await read(world, owner, count="true", limit=1))["total"] == 10
    await world.sql(
        """insert into bells (tenant_id, id, venue_id, name) select $1, gen_random_uuid(), $2, 'many ' || n
           from generate_series(1, $3) n""",
        world.bar.id,
        world.bar.venues[0],
        COUNT_CAP + 50,
    )
    assert (await read(world, owner, count="true", limit=1))["total"] == COUNT_CAP + 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": -1}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"sort": "version"}, "sort"),
        ({"sort": "name;"}, "sort"),
        ({"tone": "h"}, "tone[0]"),
        ({"venue_id": "main"}, "venue_id[0]"),
        ({"weight_from": "heavy"}, "weight_from"),
        ({"cast_at_from": "yesterday"}, "cast_at_from"),
        ({"loud": "maybe"}, "loud"),
        ({"q": "x" * 201}, "q"),
        ({"colour": "red"}, "colour"),
        ({"weight": 3}, "weight"),
        ({"tenant_id": str(uuid4())}, "tenant_id"),
        ({"name": "a\x00b"}, "name"),
        ({"after": "x" * 1001}, "after"),
    ],
)
async def test_what_a_list_does_not_take_is_refused_by_name(
    world: People, owner: dict[str, str], query: dict[str, Any], field: str
) -> None:
    problem = await read(world, owner, 422, **query)
    assert list(problem["fields"]) == [field]
    assert problem["type"].endswith("/invalid")


@pytest.mark.parametrize("number", ["9" * 18, "9" * 40, "-" + "9" * 30])
async def test_numbers_beyond_any_column_are_no_server_error(world: People, owner: dict[str, str], number: str) -> None:
    answer = await world.client.get(f"/api/bells?weight_from={number}", headers=owner)
    assert answer.status_code in {200, 422}, answer.text


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "after",
    [
        "nonsense",
        "§",
        "AAAA",
        cursor("weight", "5", "not an id"),
        cursor("weight", "five", str(UUID(int=1))),
        cursor("weight", None, str(UUID(int=1))),
        cursor("weight", "5", "1"),
        cursor("weight", "5", "9" * 400),
        cursor("weight", "5'; drop table bells; --", str(UUID(int=1))),
        cursor("weight", "5\x00", str(UUID(int=1))),
        cursor("weight", "1e9999999", str(UUID(int=1))),
        cursor("weight", "5", "\u0660"),
        cursor("name", "bell 1", str(UUID(int=1))),
        cursor("nothing", "5", str(UUID(int=1))),
        cursor("weight", "5"),
        cursor("weight", {"a": 1}, str(UUID(int=1))),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 5000).decode()[:900],
    ],
)
async def test_a_cursor_that_was_tampered_with_is_refused(world: People, owner: dict[str, str], after: str) -> None:
    problem = await read(world, owner, 422, sort="weight", after=after)
    assert list(problem["fields"]) == ["after"]


async def test_a_cursor_shows_nothing_of_another_tenant(world: People, owner: dict[str, str]) -> None:
    foreign = await world.bearer(world.club.email("owner"))
    page = await read(world, owner, sort="name", limit=1)
    rows = (await read(world, foreign, sort="name", after=page["next"]))["items"]
    assert names(rows) == ["bell of the club"]


async def test_a_list_is_cut_to_the_readers_venues(world: People) -> None:
    await hang(world, "bell of the roof", venue=world.bar.venues[1])
    limited = await world.bearer(world.bar.email("vendor_admin"))
    assert "bell of the roof" not in names((await read(world, limited))["items"])
    asked = await read(world, limited, venue_id=str(world.bar.venues[1]))
    assert asked["items"] == []
    whole = await read(world, await world.bearer(world.bar.email("owner")), venue_id=str(world.bar.venues[1]))
    assert names(whole["items"]) == ["bell of the roof"]


async def test_the_number_of_statements_does_not_grow_with_the_rows(world: People) -> None:
    actor = Actor(kind="member", tenant_id=world.bar.id, grants=Grants({"bells.read": None}))
    counted: list[int] = []
    for limit in (1, 3):
        async with unit_of_work(world.services, WorkScope(actor=actor, tenant_id=world.bar.id)) as ctx:
            page = await BELLS.page(ctx, BELLS.parse(limit=limit))
            assert len(page.items) == limit
            counted.append(ctx.db.statements)
    assert counted == [1, 1]


async def test_streams_give_the_same_rows_in_batches(world: People) -> None:
    actor = Actor(kind="member", tenant_id=world.bar.id, grants=Grants({"bells.read": None}))
    scope = WorkScope(actor=actor, tenant_id=world.bar.id, snapshot=True)
    async with unit_of_work(world.services, scope) as ctx:
        query = BELLS.parse(sort="-weight")
        batches = [[row.name for row in rows] async for rows in BELLS.iterate(ctx, query, batch=4)]
        page = await BELLS.page(ctx, BELLS.parse(sort="-weight", limit=200))
        await hang(world, "bell meanwhile")
        again = await BELLS.page(ctx, BELLS.parse(sort="-weight", limit=200))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert [name for batch in batches for name in batch] == [row.name for row in page.items]
    assert again == page, "a snapshot does not see what came after it"
