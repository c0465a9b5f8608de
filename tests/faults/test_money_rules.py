"""M3: currencies mixed, entries unbalanced, edited, deleted, cut off, accounts below their floor: refused by the database, by raw SQL too.

The rules of single accounts and postings stand in tests/domains/ledger/test_rules.py; here every role of the platform's processes tries
what none of them may, on every column, and afterwards the books are what they were.
"""

from collections.abc import AsyncGenerator

import pytest

from lastlight.domains.adjustments.module import MODULE as ADJUSTMENTS
from lastlight.runtime.settings import Settings
from tests.support.door import new_house
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.purses import findings, opened_purses
from tests.support.raw_money import ROLES, Scene, breaches, edits, postings, refusal, scene, without_guards

pytestmark = pytest.mark.database

SUMS = "select count(*) as rows, sum(amount) as amount, sum(hashtextextended(p::text, 0)::numeric) as mark from ledger_postings p"


@pytest.fixture
async def books(database_settings: Settings) -> AsyncGenerator[Scene]:
    """Books of a business, with rows in every table of money."""
    async with opened_purses(database_settings, ADJUSTMENTS) as house:
        yield await scene(house, await new_house(house.services))


async def let_through(run: FaultRun, books: Scene) -> list[str]:
    """Every attack by every role: those that are not refused, or by another rule than theirs."""
    found, tried = list[str](), 0
    named = breaches()
    for role in ROLES:
        for attack in (*await edits(books), *await postings(books), *named):
            said = await refusal(books.services, books, attack, role=role)
            tried += 1
            if said is None:
                found.append(f"{attack.name} by {role}")
            elif role == "app" and attack.rule not in {"", said}:
                found.append(f"{attack.name} by {role} is refused by {said} instead of {attack.rule}")
    run.report(attacks=tried, roles=len(ROLES), let_through=len(found))
    return found


@pytest.mark.fault("M3")
async def test_no_role_writes_past_the_rules_of_money(run: FaultRun, books: Scene) -> None:
    before = await books.house.sql(SUMS)
    standing = await books.purse.standing()
    assert await let_through(run, books) == []
    assert await books.house.sql(SUMS) == before
    assert await books.purse.standing() == standing == (1_500, 400)
    assert await findings(books.house) == []


@pytest.mark.control("M3")
async def test_without_the_guards_all_of_it_goes_through(run: FaultRun, books: Scene) -> None:
    attacks = [*await edits(books), *breaches()]
    attacks = [
        attack for attack in attacks if not attack.name.startswith("write ")
    ]  # a copied row meets its key as well
    through = [attack for attack in attacks if await without_guards(books, attack)]
    run.report(attacks=len(attacks), let_through=len(through))
    must_fail(through)
    assert [attack.name for attack in attacks if attack not in through] == []
