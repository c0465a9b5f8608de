"""`lastlight verify credits` finds what somebody changed behind the platform's back, and nothing where nobody did."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest

from lastlight.domains.credits.verify import run
from lastlight.runtime.settings import Settings
from tests.support.door import House
from tests.support.purses import Purse, findings, new_purse, opened_purses

MEDDLING = {
    "its lots hold": "update credit_accounts set balance = balance + 5 where id = $1",
    "the ledger holds": "update ledger_accounts set cr = cr + 5 where id = $1",
    "the ledger sets": "update ledger_holds set captured = captured + 5 where src = $1",
    "its entries say": "update credit_lots set remaining = remaining - 5 where patron_id = (select patron_id from credit_accounts where id = $1) and remaining > 100",
    "its lots say": "update credit_uses u set amount = u.amount - 5 from credit_entries e where e.id = u.entry_id and e.kind = 'spent' and e.patron_id = (select patron_id from credit_accounts where id = $1)",
    "counted": "update credit_entries set balance = balance + 5 where kind = 'spent' and patron_id = (select patron_id from credit_accounts where id = $1)",
    "there are": "update credit_accounts set entries = entries + 1 where id = $1",
    "did not move": "update ledger_postings set amount = amount + 5 where src = $1",
    "was given back": "update credit_entries set amount = amount + 5000 where kind = 'spend-reversed' and patron_id = (select patron_id from credit_accounts where id = $1)",
    "brought": "update payments set amount = amount + 5, captured = captured + 5 where patron_id = (select patron_id from credit_accounts where id = $1)",
}
"""What is said, and what somebody did to make it so."""


@pytest.fixture
async def apart(database_settings: Settings) -> AsyncGenerator[House]:
    """A business of its own, whose books nobody else's test reads."""
    async with opened_purses(database_settings) as opened:
        yield opened


async def lived(house: House) -> Purse:
    purse = await new_purse(house, 1_000, 500)
    entry = await purse.spend(300)
    await purse.reverse(entry, 100)
    await purse.freeze(await purse.dispute(purse.payments[0], 400))
    return purse


@pytest.mark.parametrize("said", MEDDLING)
async def test_it_finds_what_was_changed_behind_its_back(apart: House, said: str) -> None:
    purse = await lived(apart)
    assert await findings(apart) == []
    connection = await asyncpg.connect(apart.services.settings.admin_dsn())
    try:
        await connection.execute(
            "set session_replication_role = replica"
        )  # no trigger, no foreign key stands in the way
        await connection.execute(MEDDLING[said], purse.account)
    finally:
        await connection.close()
    assert any(said in finding for finding in await findings(apart))


async def test_the_command_tells_how_many_there_are(apart: House, capsys: pytest.CaptureFixture[str]) -> None:
    await lived(apart)
    await run(apart.services.settings)
    lines = [line for line in capsys.readouterr().out.splitlines() if str(apart.tenant_id) in line]
    [slug] = [row["slug"] for row in await apart.sql("select slug from tenants where id = $1", apart.tenant_id)]
    assert lines == [f"tenant {slug} ({apart.tenant_id}): holds, guests' accounts: 1, lots: 2, entries: 5"]
