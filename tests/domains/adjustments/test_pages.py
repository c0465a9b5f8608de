"""Adjustments on the consoles: asked for in a dialog that says when it waits, decided by another, shown with both entries; who is told."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from lastlight.domains.adjustments.notices import push_requested
from lastlight.domains.adjustments.queries import count_waiting
from lastlight.domains.adjustments.settings import LEDGER_LIMIT
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.console_calls import get, post, went
from tests.support.things import THINGS
from tests.support.world import Somebody, World, opened_world

pytestmark = pytest.mark.database
ENTRIES = "select e.kind, e.amount from credit_entries e where e.patron_id = $1 order by e.number"
MOVED = "select src, dst, amount from ledger_postings where tenant_id = $1 and kind = 'adjustment'"
SETTING = """insert into tenant_settings (tenant_id, key, value) values ($1, $2, $3)
             on conflict (tenant_id, key) do update set value = excluded.value"""


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    async with opened_world(database_settings) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_broke(world: World) -> Generator[None]:
    """After each test: no answer of 500."""
    yield
    found, world.errors = world.errors, []
    assert found == []


@pytest.fixture
def owner(world: World) -> Somebody:
    return world.somebody["A.owner"]


@pytest.fixture
def manager(world: World) -> Somebody:
    return world.somebody["A.manager"]


async def asked(world: World, who: Somebody, *, amount: str = "900", **more: str) -> tuple[UUID, UUID]:
    """A guest, and an adjustment of their credits that somebody asked for."""
    patron_id = await THINGS["patron_id"](world, who)
    data = {"direction": "more", "amount": amount, "currency": "ZAR", "reason": "A broken machine", **more}
    answer = await post(world, f"/manage/credits/{patron_id}/adjustment", who, **data)
    assert went(answer), answer.text
    made = await world.value("select id from adjustments where patron_id = $1", patron_id)
    return patron_id, made


async def entries(world: World, patron_id: UUID) -> list[tuple[str, int]]:
    return [tuple(row) for row in await world.sql(ENTRIES, patron_id)]


async def test_the_dialog_says_from_when_on_a_second_person_decides(world: World, manager: Somebody) -> None:
    patron_id = await THINGS["patron_id"](world, manager)
    path = f"/manage/credits/{patron_id}/adjustment"
    assert "Up to R\u00a0500,00 you do it alone." in await get(world, path, manager)
    for field, value, said in (
        ("amount", "", "Give an amount"),
        ("amount", "lots", "Type an amount in digits"),
        ("amount", "-5", "Give more than nothing"),
        ("currency", "XXX", "Choose one of"),
        ("reason", "  ", "Say why: it stays on record."),
        ("venue_id", "here", "Choose one of the list."),
    ):
        data = {"direction": "more", "amount": "5", "currency": "ZAR", "reason": "why"} | {field: value}
        refused = await post(world, path, manager, **data)
        assert (refused.status_code, said in refused.text) == (422, True), (said, refused.text)
    assert await entries(world, patron_id) == []
    short = await post(world, path, manager, direction="fewer", amount="5", currency="ZAR", reason="why")
    assert (short.status_code, "not enough credits" in short.text) == (409, True)


async def test_up_to_the_limit_it_is_booked_and_a_form_that_is_sent_twice_counts_once(
    world: World, manager: Somebody, owner: Somebody
) -> None:
    once = str(uuid4())
    patron_id, made = await asked(world, manager, amount="500", once=once)
    data = {"direction": "more", "amount": "500", "currency": "ZAR", "reason": "A broken machine", "once": once}
    path = f"/manage/credits/{patron_id}/adjustment"
    answers = await asyncio.gather(*(post(world, path, manager, **data) for _ in range(4)))
    assert all(went(answer) for answer in answers)
    assert await entries(world, patron_id) == [("adjusted", 50_000)]
    other = await post(world, path, manager, **(data | {"amount": "400"}))
    assert (other.status_code, "sent already" in other.text) == (409, True)
    assert went(await post(world, path, owner, **data)), "the same key of another person is another request"
    assert await entries(world, patron_id) == [("adjusted", 50_000), ("adjusted", 50_000)]
    text = await get(world, f"/owner/adjustments/{made}", owner)
    entry = await world.value("select id from credit_entries where source_id = $1", made)
    for link in (
        f"/owner/credits/{patron_id}",
        f"/owner/credits/entries/{entry}",
        f"/owner/ledger/transactions/{entry}",
    ):
        assert f'href="{link}"' in text, link


async def test_above_the_limit_whoever_asked_is_told_why_they_do_not_decide(
    world: World, manager: Somebody, owner: Somebody
) -> None:
    patron_id, made = await asked(world, manager)
    here = f"/manage/adjustments/{made}"
    text = await get(world, here, manager)
    assert "You asked for this: another person decides." in text
    assert f"{here}/approval" not in text
    assert f"{here}/withdrawal" in text
    assert "A broken machine" in await get(world, f"/manage/credits/{patron_id}/adjustments", manager)
    assert (await post(world, f"{here}/approval", manager)).status_code == 403
    there = f"/owner/adjustments/{made}"
    seen = await get(world, there, owner)
    assert (f"{there}/approval" in seen, f"{there}/withdrawal" in seen) == (True, False)
    assert "Balance after" in seen
    assert "Balance after" not in text, "a manager does not read the ledger"
    assert f'{there}"' in await get(world, "/owner/adjustments?status=waiting", owner)
    assert await entries(world, patron_id) == []
    assert went(await post(world, f"{there}/approval", owner, reason="Seen"))
    assert await entries(world, patron_id) == [("adjusted", 90_000)]
    again = await post(world, f"{there}/approval", owner)
    assert again.status_code == 409
    assert f"{there}/approval" not in await get(world, there, owner)


async def test_the_owner_does_not_approve_what_they_asked_for(world: World, owner: Somebody) -> None:
    patron_id, made = await asked(world, owner)
    text = await get(world, f"/owner/adjustments/{made}", owner)
    assert "You asked for this: another person decides." in text
    refused = await post(world, f"/owner/adjustments/{made}/approval", owner)
    assert (refused.status_code, "Another person has to decide this" in refused.text) == (409, True)
    assert await entries(world, patron_id) == []
    assert went(await post(world, f"/owner/adjustments/{made}/withdrawal", owner))
    assert await world.value("select status from adjustments where id = $1", made) == "withdrawn"


async def test_a_decline_says_why(world: World, manager: Somebody, owner: Somebody) -> None:
    patron_id, made = await asked(world, manager)
    path = f"/owner/adjustments/{made}/decline"
    silent = await post(world, path, owner, reason=" ")
    assert (silent.status_code, "Say why: whoever asked reads it." in silent.text) == (422, True)
    assert went(await post(world, path, owner, reason="It was in order"))
    text = await get(world, f"/manage/adjustments/{made}", manager)
    assert "It was in order" in text
    assert "Nothing was moved" in text
    assert await entries(world, patron_id) == []


async def test_the_books_are_shown_before_anything_is_posted(world: World, owner: Somebody) -> None:
    path = "/owner/ledger/adjustments/new"
    asked_for = {"source": "losses", "destination": "bank", "amount": "145", "currency": "ZAR"}
    query = "&".join(f"{name}={value}" for name, value in asked_for.items())
    text = await get(world, f"{path}?{query}", owner)
    for words in ("What would be posted", "It waits for a second person", "Ask for it", "Losses", "Bank"):
        assert words in text, words
    for wrong, said in (
        ({"destination": "losses"}, "Choose another account"),
        ({"source": "credits"}, "Choose one of"),
        ({"amount": "0"}, "Give more than nothing"),
        ({"amount": "1.234"}, "ZAR has 2 decimals."),
        ({"currency": "XXX"}, "Choose one of"),
    ):
        bad = asked_for | wrong
        shown = await get(world, f"{path}?" + "&".join(f"{name}={value}" for name, value in bad.items()), owner)
        assert (said in shown, "What would be posted" in shown) == (True, False), said
        refused = await post(world, path, owner, **bad, reason="why")
        assert (refused.status_code, said in refused.text) == (422, True), said
    assert (await post(world, path, owner, **asked_for, reason=" ")).status_code == 422
    assert await world.sql(MOVED, world.a.id) == []
    assert await world.value("select count(*) from adjustments where subject = 'ledger'") == 0


async def test_the_books_are_adjusted_by_two_people_or_alone_up_to_the_limit(world: World, owner: Somebody) -> None:
    path, once = "/owner/ledger/adjustments/new", str(uuid4())
    data = {
        "source": "losses",
        "destination": "bank",
        "amount": "145",
        "currency": "ZAR",
        "reason": "why",
        "once": once,
    }
    assert went(await post(world, path, owner, **data))
    assert went(await post(world, path, owner, **data))
    assert await world.sql(MOVED, world.a.id) == []
    rows = await world.sql("select id, status from adjustments where subject = 'ledger'")
    assert [row["status"] for row in rows] == ["waiting"]
    await world.sql(SETTING, world.a.id, LEDGER_LIMIT.key, "200")
    text = await get(world, f"{path}?source=losses&destination=bank&amount=145&currency=ZAR", owner)
    assert ("It is posted at once." in text, "Post it" in text) == (True, True)
    assert went(await post(world, path, owner, **(data | {"once": str(uuid4())})))
    assert [row["amount"] for row in await world.sql(MOVED, world.a.id)] == [14_500]
    await world.sql("delete from tenant_settings where tenant_id = $1 and key = $2", world.a.id, LEDGER_LIMIT.key)


async def test_an_adjustment_of_the_books_is_dated_on_the_clock_of_the_business(world: World, owner: Somebody) -> None:
    path = "/owner/ledger/adjustments/new"
    await world.sql("update tenants set created_at = now() - interval '400 days' where id = $1", world.a.id)
    zone = ZoneInfo(await world.value("select time_zone from tenants where id = $1", world.a.id))
    at = (datetime.now(zone) - timedelta(days=3)).replace(second=0, microsecond=0)
    data = {"source": "losses", "destination": "bank", "amount": "7", "currency": "ZAR", "reason": "dated"}
    for wrong, said in (
        ("2199-01-01T10:00", "This is in the future"),
        ("2001-01-01T10:00", "The books begin on"),
        ("yesterday", "Give a date and a time"),
    ):
        query = "&".join(f"{name}={value}" for name, value in data.items() if name != "reason")
        shown = await get(world, f"{path}?{query}&effective_at={wrong}", owner)
        assert (said in shown, "What would be posted" in shown) == (True, False), said
        refused = await post(world, path, owner, **data, effective_at=wrong)
        assert (refused.status_code, said in refused.text) == (422, True), said
    told = f"{at:%Y-%m-%dT%H:%M}"
    assert f'value="{told}"' in await get(world, f"{path}?{query}&effective_at={told}", owner)
    assert went(await post(world, path, owner, **data, effective_at=told, once=str(uuid4())))
    [row] = await world.sql("select id, effective_at from adjustments where reason = 'dated'")
    assert row["effective_at"] == at
    made = f"/owner/adjustments/{row['id']}"
    for shown in (await get(world, made, owner), await get(world, "/manage/adjustments", owner)):
        assert "Counts for" in shown
        assert at.astimezone(UTC).isoformat()[:16] in shown


@pytest.mark.parametrize(
    ("role", "sees", "asks", "decides", "books"),
    [
        ("A.owner", True, True, True, True),
        ("A.manager", True, True, False, False),
        ("A.staff", False, False, False, False),
        ("B.owner", True, False, False, True),
    ],
)
async def test_each_sees_and_does_what_they_may(
    world: World, role: str, *, sees: bool, asks: bool, decides: bool, books: bool
) -> None:
    who = world.somebody[role]
    patron_id, made = await asked(world, world.somebody["A.manager"])
    assert (await world.send("GET", "/manage/adjustments", who)).status_code == (200 if sees else 403)
    new = await world.send("GET", "/owner/ledger/adjustments/new", who)
    assert new.status_code == (200 if books else 403)
    before = await world.value("select count(*) from adjustments where patron_id = $1", patron_id)
    data = {"direction": "more", "amount": "5", "currency": "ZAR", "reason": "why"}
    assert went(await post(world, f"/manage/credits/{patron_id}/adjustment", who, **data)) is asks
    after = await world.value("select count(*) from adjustments where patron_id = $1", patron_id)
    assert after - before == int(asks)
    assert went(await post(world, f"/owner/adjustments/{made}/approval", who)) is decides
    assert await world.value("select status from adjustments where id = $1", made) == (
        "booked" if decides else "waiting"
    )


async def test_who_may_approve_is_told_and_whoever_asked_is_not(
    world: World, manager: Somebody, owner: Somebody
) -> None:
    services, tenant = world.people.services, world.a

    async def told(made: UUID) -> set[str] | None:
        async with system_ctx(services, tenant.id) as ctx:
            await push_requested.fn(ctx, event_id=uuid4(), seq=1, data={"adjustment_id": str(made)})
            found = await ctx.db.fetch(
                "select args from jobs where tenant_id = $1 and kind = 'push.spread' and created_at = now()", tenant.id
            )
        return set(found[0]["args"]["people"]) if found else None

    _, theirs = await asked(world, manager)
    people = await told(theirs)
    assert people is not None
    assert str(owner.user_id) in people
    assert str(manager.user_id) not in people
    _, own = await asked(world, owner)
    assert str(owner.user_id) not in (await told(own) or set())
    async with system_ctx(services, tenant.id) as ctx:
        assert await count_waiting(ctx) >= 2
    assert went(await post(world, f"/owner/adjustments/{theirs}/decline", owner, reason="No"))
    assert await told(theirs) is None, "it waits no more"
