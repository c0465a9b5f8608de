"""Verifying the books: whole books hold, and each kind of tampering is named."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from lastlight.domains.ledger import AccountId, Leg, hold, reverse
from lastlight.domains.ledger.chart import BANK
from lastlight.domains.ledger.posting import TransactionId
from lastlight.domains.ledger.verify import run, verify_all
from lastlight.kernel.ids import uuid7
from lastlight.runtime.settings import Settings
from tests.support.books import Books, new_hold, opened_books


@pytest.fixture
async def kept(fresh_database: Settings) -> AsyncGenerator[tuple[Books, list[AccountId]]]:
    """Books with something of everything in them, sealed."""
    async with opened_books(fresh_database) as books:
        a, b, bank = await books.credits(500), await books.credits(), await books.open(BANK)
        sold = TransactionId(uuid7())
        await books.move((bank, a, 40), (a, b, 30), key=sold)
        await books.move((b, a, 5))
        async with books.ctx() as ctx:
            until = datetime.now(UTC) + timedelta(hours=1)
            await hold(ctx, hold_id=new_hold(), leg=Leg(a, b, 7), expires_at=until, kind="tab")
            await reverse(ctx, posted_as=TransactionId(uuid7()), of=sold, amounts=[10, 10])
        await books.seal()
        await books.move((bank, b, 2))
        await books.seal()
        assert await books.as_system("select ll.ledger_seal()") is None
        yield books, [a, b, bank]


async def findings(books: Books) -> list[str]:
    return [finding async for found in verify_all(books.services.settings) for finding in found.findings]


async def test_whole_books_hold(kept: tuple[Books, list[AccountId]], capsys: pytest.CaptureFixture[str]) -> None:
    books, _ = kept
    assert await findings(books) == []
    assert await run(books.services.settings) == 0
    assert "holds" in capsys.readouterr().out


TAMPERED = {
    "an amount": (
        "update ledger_postings set amount = amount + 1 where leg = 1 and reverses is null",
        ["had", "debits", "seal"],
    ),
    "a remark": ("update ledger_postings set meta = '{\"a\": \"b\"}' where kind = 'reversal'", ["seal"]),
    "a posting that is gone": (
        "delete from ledger_postings where leg = 1 and reverses is null",
        ["counts it as", "debits", "seal", "does not stand"],
    ),
    "the newest posting": ("delete from ledger_postings where amount = 2", ["debits", "seal"]),
    "a balance": ("update ledger_accounts set cr = cr + 1 where code = 'credits'", ["debits"]),
    "a pending sum": ("update ledger_accounts set dr_pending = 0", ["pending"]),
    "a hold": ("update ledger_holds set captured = 3", ["is captured", "pending"]),
    "a reversal": (
        "update ledger_postings set amount = 41 where reverses is not null and reverses_leg = 0",
        ["taken back"],
    ),
    "a sum": ("update ledger_rollups set dr = dr + 1", ["sum of account"]),
    "a seal": ("update ledger_seals set hash = sha256(hash) where block = 1", ["block 1:", "block 2:"]),
    "a seal that is gone": ("delete from ledger_seals where block = 1", ["seal"]),
    "a currency": (
        "update ledger_postings set currency = 'EUR' where reverses is null and leg = 1",
        ["another currency"],
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_was_changed_by_hand_is_named(kept: tuple[Books, list[AccountId]], what: str) -> None:
    """By one who may do everything: triggers and policies off."""
    books, _ = kept
    sql, said = TAMPERED[what]
    connection: Any = await asyncpg.connect(books.services.settings.admin_dsn())
    try:
        await connection.execute("set session_replication_role = replica")
        assert await connection.execute(sql) not in {"UPDATE 0", "DELETE 0"}
    finally:
        await connection.close()
    found = await findings(books)
    assert [word for word in said if not any(word in finding for finding in found)] == []
    assert await run(books.services.settings) == 1
