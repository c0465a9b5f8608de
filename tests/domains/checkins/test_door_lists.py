"""Lists of check-ins and visits: every filter against a plain count, whose rows one reads, exports, and the guest's own screens."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from lastlight.domains.checkins import seed_history
from lastlight.domains.checkins.listings import CHECKINS, CREW_CHECKINS, LISTINGS, OWN_VISITS, VISITS
from lastlight.kernel.ids import PatronId
from lastlight.modules import MODULES
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.exports.cells import cells_of
from lastlight.runtime.jobs.worker import run_jobs
from lastlight.runtime.settings import Settings
from tests.support.people import People, Tenant, people

Condition = Callable[[Any], bool]


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """Two businesses with a past of some nights; both know the guest Pat."""
    async with people(database_settings, MODULES) as found:
        for tenant in (found.bar, found.club):
            await give_past(found, tenant)
        yield found


@pytest.fixture
async def worker(world: People) -> AsyncGenerator[None]:
    """A worker beside the application."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_jobs(world.services, stop, stale=timedelta(seconds=5)))
    yield
    stop.set()
    await task


async def give_past(world: People, tenant: Tenant) -> None:
    rows = await world.sql(
        """with crowd as (insert into users (email, name)
                          select gen_random_uuid() || '@example.test', case n % 3 when 0 then 'Zinhle ' else 'Kagiso ' end || n
                          from generate_series(1, 40) n returning id, name)
           insert into patrons (tenant_id, user_id, name) select $1, id, name from crowd returning id""",
        tenant.id,
    )
    known = await world.sql(
        "select id from patrons where tenant_id = $1 and user_id = $2", tenant.id, tenant.users["patron"]
    )
    patrons = [PatronId(row["id"]) for row in (*known, *rows)]
    async with system_ctx(world.services, tenant.id) as ctx:
        pat = [PatronId(known[0]["id"])]
        await seed_history(ctx, seed="s", venue_ids=tenant.venues, patron_ids=patrons, nights=6, away=pat)


async def every(world: People, tenant: Tenant) -> list[Any]:
    return await world.sql(
        """select v.*, c.method, c.arrived_at, c.proof_key_id, p.name as patron from visits v
           join checkins c on c.tenant_id = v.tenant_id and c.id = v.checkin_id
           join patrons p on p.tenant_id = v.tenant_id and p.id = v.patron_id where v.tenant_id = $1""",
        tenant.id,
    )


async def ids(world: People, path: str, who: dict[str, str], field: str = "id") -> list[str]:
    """A field of every row of a list, page by page."""
    found: list[str] = []
    after = ""
    while True:
        page = await world.call("GET", f"{path}{'&' if '?' in path else '?'}limit=200&after={after}", who)
        found += [row[field] for row in page["items"]]
        if page["next"] is None:
            return found
        after = quote(page["next"])


async def pats(world: People) -> PatronId:
    """The guest of the bar who signs in."""
    statement = "select id from patrons where tenant_id = $1 and user_id = $2"
    return PatronId((await world.sql(statement, world.bar.id, world.bar.users["patron"]))[0]["id"])


def moment(at: datetime) -> str:
    return quote(at.isoformat())


async def test_each_filter_of_visits_is_a_plain_condition(world: People) -> None:
    manager, rows = await world.bearer(world.bar.email("manager")), await every(world, world.bar)
    main, evening = world.bar.venues[0], datetime.now(UTC) - timedelta(days=3)
    guest = rows[0]["patron_id"]
    wanted: dict[str, Condition] = {
        "": lambda _: True,
        f"venue_id={main}": lambda row: row["venue_id"] == main,
        f"patron_id={guest}": lambda row: row["patron_id"] == guest,
        "status=open": lambda row: row["status"] == "open",
        "status=voided&status=timed_out": lambda row: row["status"] in {"voided", "timed_out"},
        "closed_by=staff": lambda row: row["closed_by"] == "staff",
        "method=poster": lambda row: row["method"] == "poster",
        f"opened_at_from={moment(evening)}": lambda row: row["opened_at"] >= evening,
        f"opened_at_to={moment(evening)}": lambda row: row["opened_at"] < evening,
        f"closed_at_from={moment(evening)}": lambda row: row["closed_at"] is not None and row["closed_at"] >= evening,
        "duration_seconds_from=9000": lambda row: (row["duration_seconds"] or 0) >= 9000,
        "q=zinhle": lambda row: "Zinhle" in row["patron"],
        f"status=closed&venue_id={main}&q=kag": lambda row: (
            row["status"] == "closed" and row["venue_id"] == main and "Kag" in row["patron"]
        ),
    }
    assert len(rows) > 250, "more than a page"
    for query, matches in wanted.items():
        found = await ids(world, f"/api/visits?{query}", manager)
        assert len(set(found)) == len(found)
        assert set(found) == {str(row["id"]) for row in rows if matches(row)}, query
        assert found, query


async def test_each_filter_of_check_ins_is_a_plain_condition(world: People) -> None:
    manager, rows = await world.bearer(world.bar.email("manager")), await every(world, world.bar)
    roof, evening = world.bar.venues[1], datetime.now(UTC) - timedelta(days=3)
    wanted: dict[str, Condition] = {
        "": lambda _: True,
        f"venue_id={roof}": lambda row: row["venue_id"] == roof,
        "method=screen": lambda row: row["method"] == "screen",
        f"arrived_at_from={moment(evening)}": lambda row: row["arrived_at"] >= evening,
        "proven=false": lambda row: row["proof_key_id"] is None,
        "proven=true": lambda row: row["proof_key_id"] is not None,
    }
    for query, matches in wanted.items():
        found = await ids(world, f"/api/checkins?{query}", manager)
        assert set(found) == {str(row["checkin_id"]) for row in rows if matches(row)}, query


@pytest.mark.parametrize("sort", ["opened_at", "closed_at", "duration_seconds", "patron", "status"])
async def test_a_list_can_be_turned_around(world: People, sort: str) -> None:
    manager = await world.bearer(world.bar.email("manager"))
    up = await ids(world, f"/api/visits?sort={sort}", manager)
    down = await ids(world, f"/api/visits?sort=-{sort}", manager)
    assert up == down[::-1]
    assert len(up) == len(await every(world, world.bar))


async def test_by_stay_who_is_in_the_longest_comes_first(world: People) -> None:
    manager = await world.bearer(world.bar.email("manager"))
    inside = [row for row in await every(world, world.bar) if row["status"] == "open"]
    opened = {str(row["id"]): row["opened_at"].replace(microsecond=0) for row in inside}
    assert len(set(opened.values())) > 1, "a stay is in whole seconds"
    found = await ids(world, "/api/visits?sort=-duration_seconds", manager)
    times = [opened[visit_id] for visit_id in found[: len(inside)]]
    assert times == sorted(times)


async def test_whoever_minds_some_venues_reads_those(world: People) -> None:
    vendor, rows = await world.bearer(world.bar.email("vendor_admin")), await every(world, world.bar)
    mine = world.bar.venues[0]
    expected = {str(row["id"]) for row in rows if row["venue_id"] == mine}
    assert 0 < len(expected) < len(rows)
    assert set(await ids(world, "/api/visits", vendor)) == expected
    assert await ids(world, f"/api/visits?venue_id={world.bar.venues[1]}", vendor) == []
    theirs = await world.bearer(world.club.email("manager"))
    assert not set(await ids(world, "/api/visits", theirs)) & {str(row["id"]) for row in rows}
    assert await ids(world, f"/api/visits?venue_id={mine}", theirs) == []


async def test_the_crew_reads_every_business_and_tells_them_apart(world: People) -> None:
    ops = await world.bearer("ops@crew.example")
    bar, club = await every(world, world.bar), await every(world, world.club)
    found = await ids(world, "/api/admin/checkins", ops)
    assert set(found) == {str(row["checkin_id"]) for row in (*bar, *club)}
    one = await ids(world, f"/api/admin/checkins?tenant_id={world.club.id}", ops)
    assert set(one) == {str(row["checkin_id"]) for row in club}
    page = await world.call("GET", f"/api/admin/checkins?limit=1&tenant_id={world.club.id}", ops)
    assert page["items"][0]["tenant"] == "The club"
    venues = await ids(world, "/api/admin/venues", ops)
    assert set(venues) == {str(each) for each in (*world.bar.venues, *world.club.venues)}


async def test_a_guest_reads_their_own(world: People) -> None:
    pat, rows = await world.bearer(world.bar.email("patron"), tenant=world.bar.slug), await every(world, world.bar)
    guest = await pats(world)
    mine = {str(row["id"]) for row in rows if row["patron_id"] == guest}
    assert mine
    assert set(await ids(world, "/api/patron/visits", pat)) == mine
    for path in ("/api/visits", "/api/checkins", "/api/tonight"):
        await world.call("GET", path, pat, status=403)


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_every_field_of_a_row_is_a_column_with_a_name_for_people(listing: Any) -> None:
    names = [column.name for column in listing.columns]
    assert len(set(names)) == len(names)
    assert set(listing.row.__struct_fields__) == set(names)
    assert all(column.label and column.label[0].isupper() for column in listing.columns)
    assert {column.name for column in listing.columns if column.shown}


@pytest.mark.parametrize("listing", [VISITS, CHECKINS], ids=lambda listing: listing.name)
async def test_an_export_has_every_column_and_every_row(world: People, worker: None, listing: Any) -> None:
    manager = await world.bearer(world.bar.email("manager"))
    asked = {"listing": listing.name, "format": "csv", "query": {"venue_id": [str(world.bar.venues[1])]}}
    key = {"Idempotency-Key": str(uuid4())}
    done = await world.call("POST", "/api/exports", manager, status=202, json=asked, headers=key)
    for _ in range(600):
        done = await world.call("GET", f"/api/exports/{done['id']}", manager)
        if done["state"] not in {"queued", "running"}:
            break
        await asyncio.sleep(0.05)
    assert done["state"] == "done", done
    answer = await world.client.get(done["url"].replace(world.services.settings.base_url, ""))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    field = "id" if listing is VISITS else "checkin_id"
    expected = [row for row in await every(world, world.bar) if row["venue_id"] == world.bar.venues[1]]
    assert {row["id"] for row in rows} == {str(row[field]) for row in expected}
    assert len(rows) == len(expected) > 0
    assert list(rows[0]) == [cell.name for cell in cells_of(listing)]


async def test_the_guests_home_tells_what_the_app_shows(world: People) -> None:
    pat = await world.bearer(world.bar.email("patron"), tenant=world.bar.slug)
    home = await world.call("GET", "/api/patron/home", pat)
    assert (home["patron"]["id"], home["tenant"]["slug"], home["visit"]) == (str(await pats(world)), "bar", None)
    assert {venue["id"] for venue in home["venues"]} == {str(each) for each in world.bar.venues}
    assert all(venue["is_open"] and venue["opens_at"] is None for venue in home["venues"])
    assert home["activity"]


async def test_activity_pages_back_to_the_first_visit(world: People) -> None:
    pat = await world.bearer(world.bar.email("patron"), tenant=world.bar.slug)
    guest, expected = await pats(world), list[tuple[str, str]]()
    for row in await every(world, world.bar):
        if row["patron_id"] == guest and row["status"] != "voided":
            expected.append((str(row["id"]), "checked_in"))
            kind = "timed_out" if row["status"] == "timed_out" else "checked_out"
            expected += [(str(row["id"]), kind)] if row["closed_at"] else []
    found: list[dict[str, Any]] = []
    query = "limit=3"
    while True:
        page = await world.call("GET", f"/api/patron/activity?{query}", pat)
        found += page["items"]
        if page["next"] is None:
            break
        query = f"limit=3&before={quote(page['next'])}"
    assert sorted((line["visit_id"], line["kind"]) for line in found) == sorted(expected)
    assert [line["at"] for line in found] == sorted((line["at"] for line in found), reverse=True)


@pytest.mark.parametrize("limit", [2, 3, 4, 5])
async def test_lines_of_one_moment_are_not_lost_between_pages(world: People, limit: int) -> None:
    """Two visits that each end as the next begins: out and in at one moment, wherever the page breaks."""
    pat = await world.bearer(world.club.email("patron"), tenant=world.club.slug)
    await world.sql(
        """with own as (select v.id, row_number() over (order by v.opened_at) as place from visits v
                        join patrons p on p.tenant_id = v.tenant_id and p.id = v.patron_id
                        where v.tenant_id = $1 and p.user_id = $2)
           update visits v set status = 'closed', closed_by = 'guest', opened_at = timestamptz '2026-01-01' + own.place * interval '1 hour',
                  closed_at = timestamptz '2026-01-01' + (own.place + 1) * interval '1 hour'
           from own where own.id = v.id""",
        world.club.id,
        world.club.users["patron"],
    )
    whole = (await world.call("GET", "/api/patron/activity?limit=100", pat))["items"]
    assert len(whole) >= 4
    found: list[Any] = []
    before = ""
    for _ in range(len(whole)):
        page = await world.call("GET", f"/api/patron/activity?limit={limit}{before}", pat)
        found += page["items"]
        if page["next"] is None:
            break
        before = f"&before={quote(page['next'])}"
    assert found == whole


async def test_the_crews_list_is_no_tenants(world: People) -> None:
    assert CREW_CHECKINS.cross_tenant
    assert not VISITS.cross_tenant
    assert OWN_VISITS.own == "v.patron_id"
    owner = await world.bearer(world.bar.email("owner"))
    found = await ids(world, "/api/admin/checkins", owner)
    assert set(found) == {str(row["checkin_id"]) for row in await every(world, world.bar)}
