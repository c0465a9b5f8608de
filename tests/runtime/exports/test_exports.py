"""Exports from the request to the file: whose rows they hold, who gets them, how they end."""

import asyncio
import csv
import errno
import io
import json
import threading
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from openpyxl import load_workbook

from lastlight.runtime.exports import make
from lastlight.runtime.exports.formats import OPENERS, Csv
from lastlight.runtime.exports.make import drafts_folder
from lastlight.runtime.jobs import Retry
from lastlight.runtime.jobs.worker import run_jobs
from tests.support.people import People, Tenant
from tests.support.postgres import run_apart

pytestmark = pytest.mark.database
VENUES = {"listing": "venues", "format": "csv", "query": {"sort": "name"}}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def ask(world: People, who: dict[str, str], *, status: int = 202, **asked: Any) -> Any:
    return await world.call("POST", "/api/exports", who, status=status, headers=key(), json=VENUES | asked)


async def ended(world: People, who: dict[str, str], export_id: str) -> Any:
    for _ in range(600):
        found = await world.call("GET", f"/api/exports/{export_id}", who)
        if found["state"] not in {"queued", "running"}:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("the export did not end")


async def made(world: People, who: dict[str, str], **asked: Any) -> tuple[Any, bytes]:
    """An export that is done, and its content, downloaded by its link without any credentials."""
    found = await ended(world, who, (await ask(world, who, **asked))["id"])
    assert found["state"] == "done", found
    answer = await world.client.get(found["url"].replace(world.services.settings.base_url, ""))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-disposition"].endswith(f"{found['name']}")
    return found, answer.content


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


async def file_of(world: People, found: Any) -> Any:
    rows = await world.sql(
        "select f.* from jobs j join files f on f.id = (j.result->>'file_id')::uuid where j.id = $1", found["id"]
    )
    return rows[0]


async def names(world: People, tenant: Tenant) -> list[str]:
    rows = await world.sql("select name from venues where tenant_id = $1 order by name", tenant.id)
    return [row["name"] for row in rows]


async def test_holds_the_rows_of_the_tenant_in_the_order_asked(worker: People) -> None:
    manager = await worker.bearer(worker.bar.email("manager"))
    found, content = await made(worker, manager)
    expected = await names(worker, worker.bar)
    assert [row["name"] for row in rows_of(content)] == expected
    assert {name: found[name] for name in ("listing", "format", "rows_done", "rows_total", "error")} == {
        "listing": "venues",
        "format": "csv",
        "rows_done": len(expected),
        "rows_total": len(expected),
        "error": "",
    }
    assert found["size"] == len(content)
    _, turned = await made(worker, manager, query={"sort": "-name", "limit": 1, "after": "x", "count": True})
    assert [row["name"] for row in rows_of(turned)] == expected[::-1], "paging is no matter of an export"


async def test_every_format_holds_the_same(worker: People) -> None:
    owner = await worker.bearer(worker.bar.email("owner"))
    page = await worker.call("GET", "/api/venues?sort=name", owner)
    _, as_json = await made(worker, owner, format="json")
    assert json.loads(as_json) == page["items"]
    _, as_csv = await made(worker, owner)
    _, as_parquet = await made(worker, owner, format="parquet")
    _, as_sheet = await made(worker, owner, format="xlsx")
    table: Any = import_module("pyarrow.parquet").read_table(io.BytesIO(as_parquet))
    book: Any = load_workbook(io.BytesIO(as_sheet))
    sheet = list(book.active.iter_rows(values_only=True))
    assert list(rows_of(as_csv)[0]) == table.column_names
    assert len(sheet[0]) == len(table.column_names)
    at = table.column_names.index("name")
    assert [row[at] for row in sheet[1:]] == table["name"].to_pylist() == [row["name"] for row in page["items"]]


async def test_whoever_sees_some_venues_exports_those(worker: People) -> None:
    limited = await worker.bearer(worker.bar.email("vendor_admin"))
    _, content = await made(worker, limited)
    assert [row["id"] for row in rows_of(content)] == [str(worker.bar.venues[0])]


async def test_nothing_of_another_tenant_is_exported_or_told(worker: People) -> None:
    bar, club = [await worker.bearer(tenant.email("owner")) for tenant in (worker.bar, worker.club)]
    found, content = await made(worker, bar)
    assert not set(await names(worker, worker.club)) & {row["name"] for row in rows_of(content)}
    for who in (club, await worker.bearer(worker.bar.email("manager"))):
        await worker.call("GET", f"/api/exports/{found['id']}", who, status=404)
        await worker.call("DELETE", f"/api/exports/{found['id']}", who, status=404)
        listed = await worker.call("GET", "/api/exports", who)
        assert found["id"] not in {row["id"] for row in listed["items"]}
    assert (await worker.call("GET", f"/api/exports/{found['id']}", bar))["state"] == "done"


async def test_the_crew_exports_across_tenants(worker: People) -> None:
    ops = await worker.bearer("ops@crew.example")
    _, content = await made(worker, ops, listing="crew_venues", query={})
    mine = {*(await names(worker, worker.bar)), *(await names(worker, worker.club))}
    assert mine <= {row["name"] for row in rows_of(content)}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"listing": "secrets"}, "listing"),
        ({"format": "exe"}, "format"),
        ({"query": {"nonsense": "1"}}, "query.nonsense"),
        ({"query": {"sort": "secret"}}, "query.sort"),
        ({"query": {"status": ["nonsense"]}}, "query.status[0]"),
    ],
)
async def test_what_the_list_does_not_know_is_refused_with_its_path(
    world: People, asked: dict[str, Any], field: str
) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    before = await world.sql("select count(*) as n from jobs")
    problem = await ask(world, owner, status=422, **asked)
    assert list(problem["fields"]) == [field]
    assert await world.sql("select count(*) as n from jobs") == before


async def test_needs_the_permission_to_export_and_to_read_the_list(world: People) -> None:
    for who, listing in (("staff", "venues"), ("patron", "own_visits"), ("manager", "audit"), ("owner", "tenants")):
        before = await world.sql("select count(*) as n from jobs")
        problem = await ask(world, await world.bearer(world.bar.email(who)), listing=listing, query={}, status=403)
        assert problem["type"].endswith("/not-permitted")
        assert await world.sql("select count(*) as n from jobs") == before


async def test_an_export_asked_twice_with_one_key_is_made_once(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    first, second = [
        await world.call("POST", "/api/exports", owner | {"Idempotency-Key": "once"}, status=202, json=VENUES)
        for _ in range(2)
    ]
    assert first["id"] == second["id"]
    await world.call("POST", "/api/exports", owner, status=400, json=VENUES)
    await world.call("DELETE", f"/api/exports/{first['id']}", owner, status=204)
    assert (await world.call("GET", f"/api/exports/{first['id']}", owner))["state"] == "cancelled"


async def test_rights_are_looked_at_again_when_the_file_is_made(world: People) -> None:
    club = world.club
    manager = await world.bearer(club.email("manager"))
    asked = await ask(world, manager)
    await world.sql(
        "update memberships set status = 'suspended' where tenant_id = $1 and user_id = $2",
        club.id,
        club.users["manager"],
    )
    await _work(world)
    rows = await world.sql("select state, error, result from jobs where id = $1", asked["id"])
    assert rows[0]["state"] == "failed"
    assert rows[0]["result"] is None
    await world.sql("update memberships set status = 'active' where tenant_id = $1", club.id)


async def test_a_session_that_ended_gets_no_file(world: People) -> None:
    owner = await world.bearer(world.club.email("owner"))
    asked = await ask(world, owner)
    await world.call("POST", "/api/auth/logout", owner, status=204)
    await _work(world)
    rows = await world.sql("select state, error from jobs where id = $1", asked["id"])
    assert (rows[0]["state"], rows[0]["error"]) == ("failed", "Sign in again.")


async def test_venues_lost_meanwhile_close_the_file(worker: People) -> None:
    club = worker.club
    owner = await worker.bearer(club.email("owner"))
    found, _ = await made(worker, owner)
    limit = "update memberships set venue_ids = $3 where tenant_id = $1 and user_id = $2"
    bump = "update sessions set version = version + 1 where tenant_id = $1"
    await worker.sql(limit, club.id, club.users["owner"], [club.venues[0]])
    await worker.sql(bump, club.id)
    shown = await worker.call("GET", f"/api/exports/{found['id']}", owner)
    assert shown["url"] is None
    assert "no longer reaches" in shown["error"]
    await worker.sql(limit, club.id, club.users["owner"], None)
    await worker.sql(bump, club.id)
    assert (await worker.call("GET", f"/api/exports/{found['id']}", owner))["url"]


async def test_a_finished_export_is_an_event_and_its_file_expires(worker: People) -> None:
    owner = await worker.bearer(worker.bar.email("owner"))
    await worker.call("PUT", "/api/settings/exports.keep_hours", owner | {"If-Match": '"0"'}, json={"value": 3})
    found, _ = await made(worker, owner)
    events = [e for e in await worker.events("export.finished") if e["entity_id"] == found["id"]]
    data, audit = json.loads(events[0]["data"]), json.loads(events[0]["audit"])
    assert data["asked_by"] == str(worker.bar.users["owner"])
    assert audit["after"]["rows"] == found["rows_done"]
    file = await file_of(worker, found)
    assert (file["expires_at"] - file["created_at"]).total_seconds() == pytest.approx(3 * 3600, abs=60)
    path = found["url"].replace(worker.services.settings.base_url, "")
    await worker.sql("update files set expires_at = now() - interval '1 second' where id = $1", file["id"])
    assert (await worker.client.get(path)).status_code == 404
    gone = await worker.call("GET", f"/api/exports/{found['id']}", owner)
    assert (gone["state"], gone["url"], gone["expires_at"]) == ("expired", None, None)


async def test_a_file_can_be_taken_away(worker: People) -> None:
    owner = await worker.bearer(worker.bar.email("owner"))
    found, _ = await made(worker, owner)
    await worker.call("DELETE", f"/api/exports/{found['id']}", owner, status=204)
    assert (await worker.client.get(found["url"].replace(worker.services.settings.base_url, ""))).status_code == 404
    assert (await worker.call("GET", f"/api/exports/{found['id']}", owner))["state"] == "expired"


async def test_files_of_exports_are_no_uploads(worker: People) -> None:
    owner = await worker.bearer(worker.bar.email("owner"))
    found, _ = await made(worker, owner)
    file = await file_of(worker, found)
    await worker.call("GET", f"/api/files/{file['id']}", owner, status=404)


async def test_all_of_a_file_is_of_one_moment(worker: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is written, in batches of one row, rows that it has not reached are changed, added and taken away."""
    owner = await worker.bearer(worker.bar.email("owner"))
    before = await names(worker, worker.bar)
    monkeypatch.setattr(make, "BATCH", 1)
    begun: list[int] = []

    class Slow(Csv):
        def write(self, items: Any) -> None:
            if not begun:
                begun.append(1)
                run_apart(_meddle(worker))
            super().write(items)

    monkeypatch.setitem(OPENERS, "csv", Slow)
    found, content = await made(worker, owner)
    await worker.sql("delete from venues where tenant_id = $1 and slug = 'zz-new'", worker.bar.id)
    await worker.sql(
        "update venues set name = substr(name, 5) where tenant_id = $1 and name like 'new %'", worker.bar.id
    )
    assert begun == [1]
    assert [row["name"] for row in rows_of(content)] == before
    assert found["rows_done"] == len(before)


async def _meddle(world: People) -> None:
    await world.sql("update venues set name = 'new ' || name where tenant_id = $1", world.bar.id)
    await world.sql(
        "insert into venues (tenant_id, id, slug, name, time_zone, currency) values ($1, $2, 'zz-new', 'zz', 'UTC', 'ZAR')",
        world.bar.id,
        uuid4(),
    )


async def test_an_export_that_is_being_made_can_be_cancelled(worker: People, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = await worker.bearer(worker.bar.email("owner"))
    files = await worker.sql("select count(*) as n from files")
    reached, go_on = threading.Event(), threading.Event()

    class Waiting(Csv):
        def write(self, items: Any) -> None:
            reached.set()
            go_on.wait(30)
            super().write(items)

    monkeypatch.setitem(OPENERS, "csv", Waiting)
    asked = await ask(worker, owner)
    assert await asyncio.to_thread(reached.wait, 30)
    assert (await worker.call("GET", f"/api/exports/{asked['id']}", owner))["state"] == "running"
    await worker.call("DELETE", f"/api/exports/{asked['id']}", owner, status=204)
    go_on.set()
    found = await ended(worker, owner, asked["id"])
    assert (found["state"], found["url"]) == ("cancelled", None)
    assert await worker.sql("select count(*) as n from files") == files
    assert list(drafts_folder(worker.services).iterdir()) == [], "no draft is left behind"


async def test_a_disk_that_is_full_is_tried_again(worker: People, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = await worker.bearer(worker.bar.email("owner"))

    def at_once(retry: Retry, attempt: int) -> timedelta:
        return timedelta(milliseconds=20)

    monkeypatch.setattr(Retry, "wait", at_once)
    full = [1, 1]

    class Full(Csv):
        def write(self, items: Any) -> None:
            if full:
                full.pop()
                raise OSError(errno.ENOSPC, "no space left on device")
            super().write(items)

    monkeypatch.setitem(OPENERS, "csv", Full)
    found, _ = await made(worker, owner)
    job = await worker.sql("select attempts from jobs where id = $1", found["id"])
    assert (found["state"], job[0]["attempts"]) == ("done", 3)


async def test_crew_inside_a_business_export_what_is_the_businesss(worker: People) -> None:
    crew = await worker.bearer("super_admin@crew.example")
    scope = await worker.call(
        "POST", f"/api/admin/tenants/{worker.club.id}/scope", crew, json={"reason": "They asked for help."}, status=201
    )
    inside = {"Authorization": f"Bearer {scope['access_token']}"}
    found, content = await made(worker, inside)
    assert [row["name"] for row in rows_of(content)] == await names(worker, worker.club)
    rows = await worker.sql("select tenant_id from jobs where id = $1", found["id"])
    assert rows[0]["tenant_id"] == worker.club.id
    await worker.call("GET", f"/api/exports/{found['id']}", crew, status=404)


async def test_ones_own_exports_on_a_page(worker: People) -> None:
    owner = await worker.bearer(worker.club.email("owner"))
    found, content = await made(worker, owner)
    page = await worker.client.get("/account/exports", headers=owner)
    assert page.status_code == 200
    assert f"/account/exports/{found['id']}/file" in page.text
    file = await worker.client.get(f"/account/exports/{found['id']}/file", headers=owner)
    assert file.status_code == 303
    assert (await worker.client.get(file.headers["location"])).content == content
    foreign = await worker.bearer(worker.bar.email("owner"))
    assert (await worker.client.get(f"/account/exports/{found['id']}/file", headers=foreign)).status_code == 404
    assert (await worker.client.post(f"/account/exports/{found['id']}/remove", headers=foreign)).status_code == 404
    removed = await worker.client.post(f"/account/exports/{found['id']}/remove", headers=owner)
    assert (removed.status_code, removed.headers["location"]) == (303, "/account/exports")
    gone = await worker.client.get(f"/account/exports/{found['id']}/file", headers=owner)
    assert gone.headers["location"] == "/account/exports"
    assert (await worker.client.get(file.headers["location"])).status_code == 404


async def _work(world: People) -> None:
    """Let a worker run until nothing waits."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_jobs(world.services, stop, stale=timedelta(seconds=5)))
    for _ in range(400):
        if not await world.sql("select from jobs where state in ('queued', 'running') and kind = 'exports.make'"):
            break
        await asyncio.sleep(0.05)
    stop.set()
    await task
