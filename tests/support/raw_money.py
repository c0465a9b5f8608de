"""Attacks on the books by raw SQL, as the roles of the platform's own processes: what the database has to refuse by itself.

Most are generated from the catalogue: every column of every table whose rows are never edited, and every way to be rid of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from lastlight.domains import ledger
from lastlight.kernel.ids import uuid7
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services
from tests.support.books import TILL
from tests.support.door import House
from tests.support.purses import Purse, new_purse

ROLES = ("app", "system", "platform")
LEDGER = ("ledger_accounts", "ledger_postings", "ledger_holds", "ledger_rollups", "ledger_seals")
"""Written by their functions alone."""
NEVER_EDITED = (*LEDGER, "credit_entries", "credit_uses", "payment_steps")
NEVER_DELETED = (*NEVER_EDITED, "credit_accounts", "credit_lots", "payments", "refunds", "disputes", "adjustments")
COLUMNS = """
select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum
"""
POST = "select ll.ledger_post($1, $2, $3, $4, $5, $6, $7, $8, null, null, null)"


@dataclass(frozen=True, slots=True)
class Attack:
    """One statement, and the rule that has to refuse it, where one by name does."""

    name: str
    sql: str
    args: tuple[Any, ...] = ()
    rule: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Guests with credits in two currencies, of which some were spent, refunded, frozen; and another business."""

    house: House
    purse: Purse
    dollars: Purse
    other: Purse

    @property
    def services(self) -> Services:
        """What the business runs on."""
        return self.house.services


async def scene(house: House, elsewhere: House) -> Scene:
    """A row in every table of money."""
    purse = await new_purse(house, 1_000, 500, 400)
    await purse.reverse(await purse.spend(300), 100)
    await purse.release(purse.payments[1], 200)
    await purse.freeze(await purse.dispute(purse.payments[2], 400))
    made = Scene(house, purse, await new_purse(house, 700, currency="USD"), await new_purse(elsewhere, 600))
    step = "insert into payment_steps (tenant_id, payment_id, step, source) values ($1, $2, 'captured', 'poll')"
    await house.sql(step, house.tenant_id, purse.payments[0])
    asked = """insert into adjustments (tenant_id, id, subject, patron_id, amount, currency, reason, status, needs_approval, requested_by)
               values ($1, $2, 'credits', $3, 5, 'ZAR', 'A mistake', 'waiting', true, $4)"""
    await house.sql(asked, house.tenant_id, uuid4(), purse.guest.patron_id, purse.guest.user_id)
    async with system_ctx(house.services, house.tenant_id, role="system") as ctx:
        await ctx.db.fetchval("select ll.ledger_roll_up()")
        await ctx.db.fetchval("select ll.ledger_seal()")
    return made


async def edits(scene: Scene) -> list[Attack]:
    """Every column of what is never edited, every row of what is never deleted, whole tables, and rows of one's own."""
    found = [Attack(f"delete {table}", f"delete from {table}") for table in NEVER_DELETED]
    found += [Attack(f"truncate {table}", f"truncate {table} cascade") for table in NEVER_DELETED]
    for table in NEVER_EDITED:
        names = [row["attname"] for row in await scene.house.sql(COLUMNS, table)]
        found += [Attack(f"edit {table}.{name}", f"update {table} set {name} = {name}") for name in names]
    for table in LEDGER:
        found.append(Attack(f"write {table}", f"insert into {table} select * from {table} limit 1"))
    return found


def breaches() -> list[Attack]:
    """What may be written, against its rules: each names the one that refuses it."""
    spoilt = (
        ("credit_lots", "frozen = -1", "credit_lots_frozen_within"),
        ("credit_lots", "remaining = amount + 1", "credit_lots_remaining_within"),
        ("credit_lots", "frozen = remaining + 1", "credit_lots_frozen_within"),
        ("credit_lots", "amount = 0, remaining = 0, frozen = 0", "credit_lots_amount_positive"),
        ("credit_lots", "payment_id = null", "credit_lots_purchase_paid"),
        ("credit_accounts", "balance = -1", "credit_accounts_frozen_within"),
        ("credit_accounts", "frozen = balance + 1", "credit_accounts_frozen_within"),
        ("credit_accounts", "entries = -1", "credit_accounts_entries_count"),
        ("payments", "captured = amount + 1", "payments_captured_within"),
        ("payments", "captured = 0", "payments_captured_whole"),
        ("payments", "refunded = captured + 1", "payments_back_within"),
        ("payments", "refunding = captured, refunded = 1", "payments_back_within"),
        ("payments", "refunding = -1", "payments_back_within"),
        ("payments", "disputed = -1", "payments_disputed_counts"),
        ("payments", "currency = 'zar'", "payments_currency_shape"),
        ("adjustments", "status = 'booked', booked_at = now(), decided_by = requested_by, decided_at = now()", "adjustments_two_people"),
        ("adjustments", "booked_at = now()", "adjustments_booked_whole"),
    )  # fmt: skip
    found = [
        Attack(f"{table}: {change}", f"update {table} set {change} where tenant_id = ll.tenant_id()", (), rule, table)
        for table, change, rule in spoilt
    ]
    copied = "insert into credit_entries (tenant_id, id, patron_id, currency, number, kind, amount, balance, froze, frozen, reverses)"
    of = "from credit_entries where tenant_id = ll.tenant_id() limit 1"
    for values, rule in (
        ("number, 'adjusted', 5, balance, 0, 0, null", "credit_entries_numbered"),
        ("number + 90, 'spent', 5, balance, 0, 0, null", "credit_entries_signed"),
        ("number + 90, 'spent', -5, -5, 0, 0, null", "credit_entries_within"),
        ("number + 90, 'spend-reversed', 5, balance, 0, 0, null", "credit_entries_reversal_whole"),
        ("0, 'adjusted', 5, balance, 0, 0, null", "credit_entries_number_counts"),
    ):
        sql = f"{copied} select tenant_id, uuidv7(), patron_id, currency, {values} {of}"
        found.append(Attack(f"credit_entries: {values}", sql, (), rule, "credit_entries"))
    return found


async def postings(scene: Scene) -> list[Attack]:
    """Calls of the ledger's own function that are no transaction."""
    tenant = scene.house.tenant_id
    rand, dollar, other = scene.purse.account, scene.dollars.account, scene.other.account
    async with scene.house.system() as ctx:
        clearing = await ledger.open_account(ctx, kind=ledger.ORDER_CLEARING, currency="ZAR")
    deferred_abroad = ledger.account_id(tenant, ledger.ORDER_CLEARING, "USD")
    strict = ledger.account_id(tenant, TILL, "ZAR")

    def call(name: str, src: Sequence[UUID], dst: Sequence[UUID], amounts: Sequence[int], **more: Any) -> Attack:
        kind, meta = more.get("kind", "trial"), more.get("meta", {})
        return Attack(name, POST, (uuid7(), uuid4(), kind, [*src], [*dst], [*amounts], None, meta))

    return [
        call("currencies mixed", [rand], [dollar], [1]),
        call("currencies mixed in the second leg", [rand, rand], [clearing, dollar], [1, 1]),
        call("below the floor", [rand], [clearing], [10**6]),
        call("what is frozen", [rand], [clearing], [1_101]),
        call("below the floor in the last leg", [rand, rand], [clearing, clearing], [1, 10**6]),
        call("another business's account", [other], [clearing], [1]),
        call("into another business's account", [rand], [other], [1]),
        call("an account that is not open", [rand], [deferred_abroad], [1]),
        call("an account that never was", [strict], [clearing], [1]),
        call("nothing", [rand], [clearing], [0]),
        call("less than nothing", [clearing], [rand], [-5]),
        call("to itself", [rand], [rand], [1]),
        call("no leg", [], [], []),
        call("a leg with one end", [rand, rand], [clearing], [1, 1]),
        call("a leg without an amount", [rand, rand], [clearing, clearing], [1]),
        call("a kind of another shape", [rand], [clearing], [1], kind="Sale"),
        call("too much for any account", [clearing], [rand], [2**63 - 1]),
    ]


async def refusal(services: Services, scene: Scene, attack: Attack, *, role: Any) -> str | None:
    """How the database refuses an attack by a role: the rule's name, or the error's; None where it lets it through."""
    try:
        async with system_ctx(services, scene.house.tenant_id, role=role) as ctx:
            await ctx.db.connection.execute(attack.sql, *attack.args)
    except asyncpg.PostgresError as error:
        return getattr(error, "constraint_name", None) or type(error).__name__
    return None


async def without_guards(scene: Scene, attack: Attack) -> bool:
    """Whether an attack goes through by the administrator, with triggers off and its rule dropped; nothing is kept."""
    connection: Any = await asyncpg.connect(scene.services.settings.admin_dsn())
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(f"set local app.tenant_id = '{scene.house.tenant_id}'")
        if attack.rule:
            await connection.execute(f"alter table {attack.table} drop constraint {attack.rule}")
        await connection.execute(attack.sql, *attack.args)
    except asyncpg.PostgresError:
        return False
    else:
        return True
    finally:
        await transaction.rollback()
        await connection.close()
