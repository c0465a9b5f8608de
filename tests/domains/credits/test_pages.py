"""Guests' credits on the consoles: the lists and their filters, one guest's, one entry, a refund and a spend given back in their dialogs."""

import re
from collections.abc import AsyncGenerator, Generator
from uuid import UUID, uuid4

import pytest

from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.credits.spending import spend
from lastlight.kernel.ids import PatronId
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.console_calls import get, post, went
from tests.support.credit_things import bought, credit_spend
from tests.support.payment_things import captured, disputed
from tests.support.things import THINGS
from tests.support.world import Somebody, World, opened_world

pytestmark = pytest.mark.database


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
def manager(world: World) -> Somebody:
    return world.somebody["A.manager"]


async def guest(world: World, who: Somebody) -> PatronId:
    return await THINGS["patron_id"](world, who)


async def balance(world: World, patron_id: UUID) -> int:
    return await world.value("select balance from credit_accounts where patron_id = $1", patron_id)


@pytest.mark.parametrize("console", ["manage", "owner"])
async def test_balances_are_filtered_by_venue_currency_and_what_is_frozen(world: World, console: str) -> None:
    owner, tenant, services = world.somebody["A.owner"], world.a, world.people.services
    rand = await guest(world, owner)
    await bought(world, owner, patron_id=rand)
    async with system_ctx(services, tenant.id) as ctx:
        await spend(ctx, patron_id=rand, amount=100, currency="ZAR", venue_id=tenant.venues[1], description="A game")
    calm, frozen = await guest(world, owner), await guest(world, owner)
    await captured(services, tenant.id, patron_id=calm, venue_id=tenant.venues[0], purpose=FUNDING)
    await disputed(services, tenant.id, patron_id=frozen, venue_id=tenant.venues[0], purpose=FUNDING)
    shown = {
        "": {rand, calm, frozen},
        "?currency=ZAR": {rand},
        "?currency=EUR": {calm, frozen},
        "?in_dispute=true": {frozen},
        "?in_dispute=false": {rand, calm},
        f"?venue_id={tenant.venues[1]}": {rand},
    }
    for query, expected in shown.items():
        text = await get(world, f"/{console}/credits{query}", owner)
        links = {one for one in (rand, calm, frozen) if f'href="/{console}/credits/{one}"' in text}
        assert links == expected, query
    page = await get(world, f"/{console}/credits/{frozen}", owner)
    assert "Frozen by a dispute" in page
    assert "/refund" not in page, "what is in dispute does not go back"


async def test_what_guests_have_together_is_told_to_those_who_read_the_books(world: World, manager: Somebody) -> None:
    owner = world.somebody["A.owner"]
    await bought(world, owner, patron_id=await guest(world, owner))
    text = await get(world, "/owner/credits", owner)
    block = text[text.index('id="credit-sums"') : text.index('id="credit_balances"')]
    held = "select currency, sum(balance)::bigint as sum from credit_accounts where tenant_id = $1 group by 1 having sum(balance) > 0"
    rows = await world.sql(held, world.a.id)
    figures = [re.sub(r"\D", "", one) for one in re.findall(r'<div class="v">(.*?)</div>', block)]
    assert sorted(figures) == sorted(str(row["sum"]) for row in rows)
    assert "credit-sums" not in await get(world, "/manage/credits", manager)


async def test_a_guest_without_credits_and_one_of_another_business(world: World, manager: Somebody) -> None:
    nobody = await guest(world, manager)
    text = await get(world, f"/manage/credits/{nobody}", manager)
    assert "This guest never had any." in text
    assert "/adjustment" in text
    theirs = await guest(world, world.somebody["B.owner"])
    for path in (f"/manage/credits/{theirs}", f"/manage/credits/{theirs}/refund", f"/manage/credits/{uuid4()}"):
        assert (await world.send("GET", path, manager)).status_code == 404, path


async def test_entries_are_found_by_guest_and_venue_and_link_to_what_they_are_about(
    world: World, manager: Somebody
) -> None:
    spent = await credit_spend(world, manager)
    row = (await world.sql("select patron_id, venue_id from credit_entries where id = $1", spent))[0]
    for query in (f"?patron_id={row['patron_id']}", f"?venue_id={row['venue_id']}", "?kind=spent"):
        assert f'href="/manage/credits/entries/{spent}"' in await get(world, f"/manage/credits/entries{query}", manager)
    elsewhere = await get(world, f"/manage/credits/entries?venue_id={world.a.venues[1]}", manager)
    assert str(spent) not in elsewhere
    text = await get(world, f"/manage/credits/entries/{spent}", manager)
    assert f"/manage/credits/{row['patron_id']}" in text
    assert "/owner/ledger/" not in text, "a manager does not read the ledger"
    seen = await get(world, f"/owner/credits/entries/{spent}", world.somebody["A.owner"])
    assert f"/owner/ledger/transactions/{spent}" in seen
    assert "/owner/payments/" in seen, "the lot leads to the payment that funded it"


async def test_a_refund_says_what_can_go_back_and_goes_once(world: World, manager: Somebody) -> None:
    patron_id = await guest(world, manager)
    first = await bought(world, manager, patron_id=patron_id)
    await bought(world, manager, patron_id=patron_id)
    path = f"/manage/credits/{patron_id}/refund"
    text = await get(world, path, manager)
    for choice in (f'value="{first}:ZAR:20000"', 'value=":ZAR:40000"'):
        assert choice in text
    chosen = f"{first}:ZAR:20000"
    for of, amount, reason, said in (
        ("", "1", "asked", "Choose what goes back."),
        (chosen, "200.01", "asked", "Give more than nothing, and at most R\u00a0200,00."),
        (chosen, "many", "asked", "Type an amount in digits"),
        (chosen, "1", " ", "Say why the money goes back."),
    ):
        refused = await post(world, path, manager, of=of, amount=amount, reason=reason)
        assert (refused.status_code, said in refused.text) == (422, True), (said, refused.text)
    assert await balance(world, patron_id) == 40_000
    assert went(await post(world, path, manager, of=chosen, amount="50", reason="asked"))
    again = await post(world, path, manager, of=chosen, amount="50", reason="asked")
    assert (again.status_code, "changed in the meantime" in again.text) == (409, True)
    assert await balance(world, patron_id) == 35_000
    assert went(await post(world, path, manager, of=":ZAR:35000", amount="210", reason="asked"))
    sql = "select payment_id = $2 as first, amount from refunds where patron_id = $1 order by created_at, id"
    rows = await world.sql(sql, patron_id, first)
    assert [tuple(row) for row in rows] == [(True, 5_000), (False, 20_000), (True, 1_000)]


async def test_a_refund_in_thousandths_says_what_stays_and_takes_no_other_amounts(
    world: World, manager: Somebody
) -> None:
    patron_id = await guest(world, manager)
    paid = await bought(world, manager, patron_id=patron_id, currency="KWD", amount=10_000)
    async with system_ctx(world.people.services, world.a.id) as ctx:
        await spend(ctx, patron_id=patron_id, amount=1_234, currency="KWD", venue_id=None, description="Drinks")
    path, chosen = f"/manage/credits/{patron_id}/refund", f"{paid}:KWD:8760"
    text = await get(world, path, manager)
    assert f'value="{chosen}"' in text
    assert "0,006" in text[: text.index("more is unspent")].rsplit("<p", 1)[1]
    odd = await post(world, path, manager, of=chosen, amount="1.234", reason="asked")
    assert (odd.status_code, "Cards take multiples of KWD\u00a00,010" in odd.text) == (422, True)
    assert await world.value("select balance from credit_accounts where patron_id = $1", patron_id) == 8_766
    assert went(await post(world, path, manager, of=chosen, amount="8.76", reason="asked"))
    assert await world.value("select balance from credit_accounts where patron_id = $1", patron_id) == 6
    assert "/refund" not in await get(world, f"/manage/credits/{patron_id}", manager)


async def test_another_guests_purchase_is_not_refunded_here(world: World, manager: Somebody) -> None:
    mine, theirs = await guest(world, manager), await guest(world, manager)
    await bought(world, manager, patron_id=mine)
    paid = await bought(world, manager, patron_id=theirs)
    answer = await post(
        world, f"/manage/credits/{mine}/refund", manager, of=f"{paid}:ZAR:20000", amount="10", reason="asked"
    )
    assert answer.status_code == 404
    assert await balance(world, theirs) == 20_000


async def test_a_spend_is_given_back_in_parts_each_once(world: World, manager: Somebody) -> None:
    spent = await credit_spend(world, manager)
    patron_id = await world.value("select patron_id from credit_entries where id = $1", spent)
    path, page = f"/manage/credits/entries/{spent}/reversal", f"/manage/credits/entries/{spent}"
    assert 'value="5,00"' in await get(world, path, manager)
    for amount, reason, said in (
        ("5.01", "cold", "Give more than nothing, and at most R\u00a05,00."),
        ("2", "", "Say why it is given back."),
    ):
        refused = await post(world, path, manager, amount=amount, reason=reason, left="500")
        assert (refused.status_code, said in refused.text) == (422, True), said
    assert went(await post(world, path, manager, amount="2", reason="cold", left="500"))
    again = await post(world, path, manager, amount="2", reason="cold", left="500")
    assert (again.status_code, "given back in the meantime" in again.text) == (409, True)
    assert await balance(world, patron_id) == 19_700
    text = await get(world, page, manager)
    assert "is not given back" in text
    assert went(await post(world, path, manager, amount="3", reason="cold", left="300"))
    whole = await get(world, page, manager)
    assert "All of it was given back." in whole
    assert "/reversal" not in whole


@pytest.mark.parametrize(
    ("role", "sees", "refunds"), [("A.owner", True, True), ("A.manager", True, True), ("A.staff", False, False)]
)
async def test_each_sees_and_does_what_they_may(world: World, role: str, *, sees: bool, refunds: bool) -> None:
    who, owner = world.somebody[role], world.somebody["A.owner"]
    patron_id = await guest(world, owner)
    paid = await bought(world, owner, patron_id=patron_id)
    for path in ("/manage/credits", "/manage/credits/entries", f"/manage/credits/{patron_id}", "/owner/credits"):
        assert (await world.send("GET", path, who)).status_code == (200 if sees else 403), path
    data = {"of": f"{paid}:ZAR:20000", "amount": "10", "reason": "asked"}
    assert went(await post(world, f"/manage/credits/{patron_id}/refund", who, **data)) is refunds
    assert await balance(world, patron_id) == (19_000 if refunds else 20_000)


async def test_who_works_at_one_venue_gives_back_what_was_spent_there_only(world: World) -> None:
    owner, local = world.somebody["A.owner"], world.somebody["A.vendor_admin"]
    here, there = await credit_spend(world, owner), await credit_spend(world, owner, place=1)
    data = {"amount": "1", "reason": "cold", "left": "500"}
    answers = {
        spent: (await post(world, f"/manage/credits/entries/{spent}/reversal", local, **data)).status_code
        for spent in (here, there)
    }
    assert answers[there] in (403, 404)
    rows = await world.sql("select count(*) from credit_entries where reverses = $1", there)
    assert rows[0][0] == 0
    assert answers[here] < 400
