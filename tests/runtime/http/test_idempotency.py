"""Idempotency keys: one effect however often a request comes, whoever races, whatever went wrong."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.bells import COUNTS, GATE, hang
from tests.support.people import People
from tests.support.sockets import until

pytestmark = pytest.mark.database
PATH = "/api/bells"


async def cast(world: People, who: dict[str, str], key: str | None, **data: Any) -> httpx.Response:
    headers = who | ({} if key is None else {"Idempotency-Key": key})
    return await world.client.post(PATH, headers=headers, json=data)


async def bells(world: People, name: str) -> int:
    rows = await world.sql("select count(*) as n from bells where name = $1", name)
    return rows[0]["n"]


async def kept(world: People, key: str) -> list[Any]:
    return await world.sql("select * from idempotency_keys where key = $1", key)


def slug(answer: httpx.Response) -> str:
    return answer.json()["type"].rsplit("/", 1)[-1]


@pytest.fixture
def name() -> str:
    return f"bell {uuid4()}"


async def test_the_same_key_and_body_replay_the_first_answer(world: People, owner: dict[str, str], name: str) -> None:
    key = str(uuid4())
    first = await cast(world, owner, key, name=name)
    second = await cast(world, owner, key, name=name)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    for header in ("etag", "location", "content-type"):
        assert second.headers[header] == first.headers[header]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert (await bells(world, name), COUNTS[name]) == (1, 1)
    rung = await world.sql("select count(*) as n from outbox where entity_id = $1", first.json()["id"])
    assert rung[0]["n"] == 1


async def test_another_body_query_or_operation_is_refused(world: People, owner: dict[str, str], name: str) -> None:
    key = str(uuid4())
    first = (await cast(world, owner, key, name=name)).json()
    other = await cast(world, owner, key, name=f"{name} 2")
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")
    ring = await world.client.post(f"{PATH}/{first['id']}/ring", headers=owner | {"Idempotency-Key": key})
    assert (ring.status_code, slug(ring)) == (422, "idempotency-key-reused")
    assert await bells(world, f"{name} 2") == 0


async def test_an_operation_that_needs_a_key_says_so(world: People, owner: dict[str, str], name: str) -> None:
    missing = await cast(world, owner, None, name=name)
    assert (missing.status_code, slug(missing)) == (400, "idempotency-key-required")
    headers = [(name.encode(), value.encode()) for name, value in owner.items()]
    for key in (b"", b" ", b"x" * 256, b"a b", "schlüssel".encode("latin-1")):
        odd = await world.client.post(PATH, headers=[*headers, (b"Idempotency-Key", key)], json={"name": name})
        assert (odd.status_code, slug(odd)) == (400, "malformed"), key
    assert await bells(world, name) == 0


async def test_a_quoted_key_is_the_same_key(world: People, owner: dict[str, str], name: str) -> None:
    key = str(uuid4())
    first = await cast(world, owner, key, name=name)
    quoted = await cast(world, owner, f'"{key}"', name=name)
    assert quoted.json() == first.json()


async def test_every_other_write_honours_a_key(world: People, owner: dict[str, str], name: str) -> None:
    bell = await hang(world, name)
    before = COUNTS.get("rung", 0)
    key = {"Idempotency-Key": str(uuid4())}
    answers = [await world.client.post(f"{PATH}/{bell}/ring", headers=owner | key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert COUNTS["rung"] == before + 1
    await world.client.post(f"{PATH}/{bell}/ring", headers=owner)
    await world.client.post(f"{PATH}/{bell}/ring", headers=owner)
    assert COUNTS["rung"] == before + 3


async def test_the_second_of_two_racing_requests_waits_its_turn(world: People, owner: dict[str, str]) -> None:
    name, key = f"slow {uuid4()}", str(uuid4())
    GATE.clear()
    first = asyncio.create_task(cast(world, owner, key, name=name))
    await until(lambda: bool(COUNTS.get(name)))
    second = await cast(world, owner, key, name=name)
    assert (second.status_code, slug(second)) == (409, "idempotency-key-in-flight")
    assert second.headers["retry-after"] == "1"
    GATE.set()
    assert (await first).status_code == 201
    third = await cast(world, owner, key, name=name)
    assert third.content == (await first).content
    assert (await bells(world, name), COUNTS[name]) == (1, 1)


async def test_many_at_once_have_one_effect(world: People, owner: dict[str, str], name: str) -> None:
    key = str(uuid4())
    answers = await asyncio.gather(*(cast(world, owner, key, name=name) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {slug(answer) for answer in answers if answer.status_code == 409} <= {"idempotency-key-in-flight"}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert (await bells(world, name), COUNTS[name]) == (1, 1)


@pytest.mark.parametrize(("prefix", "status"), [("broken", 500), ("refused", 422)])
async def test_what_failed_is_not_kept(world: People, owner: dict[str, str], prefix: str, status: int) -> None:
    name, key = f"{prefix} {uuid4()}", str(uuid4())
    for attempt in (1, 2):
        answer = await cast(world, owner, key, name=name)
        assert answer.status_code == status
        assert COUNTS[name] == attempt, "it runs again: nothing of the first time stands"
    assert (await bells(world, name), await kept(world, key)) == (0, [])
    after = await cast(world, owner, key, name=f"mended {uuid4()}")
    assert after.status_code == 201, "the key is free for the request that works"


async def test_a_conflict_is_not_kept(world: People, owner: dict[str, str], name: str) -> None:
    key = str(uuid4())
    await cast(world, owner, str(uuid4()), name=name)
    taken = await cast(world, owner, key, name=name)
    assert (taken.status_code, slug(taken)) == (409, "bell-name-taken")
    await world.sql("delete from bells where name = $1", name)
    assert (await cast(world, owner, key, name=name)).status_code == 201


async def test_keys_belong_to_who_sends_them(world: People, owner: dict[str, str], name: str) -> None:
    key = str(uuid4())
    club = await world.bearer(world.club.email("owner"))
    mine, theirs = await cast(world, owner, key, name=name), await cast(world, club, key, name=name)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]
    colleague = await world.bearer(world.bar.email("vendor_admin"))
    own = await cast(world, colleague, key, name=f"{name} of a colleague")
    assert own.status_code == 201
    assert len(await kept(world, key)) == 3


async def test_a_replay_asks_for_the_permission_again(world: People, name: str) -> None:
    club = world.club
    who, key = await world.bearer(club.email("vendor_admin")), str(uuid4())
    assert (await cast(world, who, key, name=name)).status_code == 201
    take = "update roles set permissions = array_remove(permissions, 'bells.ring') where tenant_id = $1 and key = 'vendor_admin'"
    await world.sql(take, club.id)
    await world.sql("update sessions set version = version + 1 where tenant_id = $1", club.id)
    assert (await cast(world, who, key, name=name)).status_code == 403


async def test_secrets_are_not_written_down_with_the_answer(world: People, owner: dict[str, str], name: str) -> None:
    key = str(uuid4())
    await cast(world, owner, key, name=name)
    (row,) = await kept(world, key)
    assert "set-cookie" not in {header.lower() for header in row["headers"]}
    assert len(row["request_hash"]) == 32, "of what was sent only a digest is kept"
