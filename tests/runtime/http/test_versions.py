"""Optimistic locking: a change names the version that it changes, and of two at once one holds."""

import asyncio
from uuid import UUID, uuid4

import httpx
import pytest

from tests.support.bells import hang
from tests.support.people import People

pytestmark = pytest.mark.database


async def rename(world: People, who: dict[str, str], bell: UUID, version: str | None, name: str = "") -> httpx.Response:
    headers = who | ({} if version is None else {"If-Match": version})
    return await world.client.put(f"/api/bells/{bell}", headers=headers, json={"name": name or f"new {uuid4()}"})


async def version_of(world: People, bell: UUID) -> int:
    return (await world.sql("select version from bells where id = $1", bell))[0]["version"]


async def test_a_read_gives_the_version_that_a_change_names(world: People, owner: dict[str, str]) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    read = await world.client.get(f"/api/bells/{bell}", headers=owner)
    assert read.headers["etag"] == '"1"'
    assert read.json()["version"] == 1
    changed = await rename(world, owner, bell, read.headers["etag"])
    assert (changed.status_code, changed.headers["etag"], changed.json()["version"]) == (200, '"2"', 2)


@pytest.mark.parametrize("version", ['"0"', '"2"', '"9"', "999999999999999999"])
async def test_another_version_is_stale(world: People, owner: dict[str, str], version: str) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    answer = await rename(world, owner, bell, version)
    assert answer.status_code == 412
    assert answer.json()["type"].endswith("/stale")
    assert await version_of(world, bell) == 1


async def test_no_version_is_asked_for(world: People, owner: dict[str, str]) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    for version in (None, ""):
        answer = await rename(world, owner, bell, version)
        assert answer.status_code == 428
        assert answer.json()["type"].endswith("/version-required")
    assert await version_of(world, bell) == 1


@pytest.mark.parametrize(
    "version", ["*", "abc", '"1", "2"', '"-1"', "1.0", "9" * 19, "\u0661".encode().decode("latin-1")]
)
async def test_what_is_no_version_is_malformed(world: People, owner: dict[str, str], version: str) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    headers = [(name.encode(), value.encode()) for name, value in owner.items()]
    answer = await world.client.put(
        f"/api/bells/{bell}", headers=[*headers, (b"If-Match", version.encode("latin-1"))], json={"name": "x"}
    )
    assert answer.status_code == 400
    assert await version_of(world, bell) == 1


@pytest.mark.parametrize("version", ["1", '"1"', 'W/"1"', '  "1"  '])
async def test_a_version_may_be_quoted_or_weak(world: People, owner: dict[str, str], version: str) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    assert (await rename(world, owner, bell, version)).status_code == 200


async def test_of_many_changes_at_once_one_holds(world: People, owner: dict[str, str]) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    names = [f"new {uuid4()}" for _ in range(6)]
    answers = await asyncio.gather(*(rename(world, owner, bell, '"1"', name) for name in names))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]
    winner = next(answer.json()["name"] for answer in answers if answer.status_code == 200)
    assert (await world.client.get(f"/api/bells/{bell}", headers=owner)).json()["name"] == winner
    assert await version_of(world, bell) == 2


async def test_anothers_bell_is_not_found_whatever_its_version(world: People) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    foreign = await world.bearer(world.club.email("owner"))
    for version in ('"1"', '"7"'):
        answer = await rename(world, foreign, bell, version)
        absent = await rename(world, foreign, uuid4(), version)
        assert (answer.status_code, absent.status_code) == (404, 404)
        assert answer.json() | {"instance": ""} == absent.json() | {"instance": ""}
    assert await version_of(world, bell) == 1
