"""A tenant's audit chain, and every way to falsify it that a superuser has: each tried inside a transaction that is undone."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from lastlight.kernel.ids import TenantId
from lastlight.runtime.audit.chain import Header, digest_of, hash_of
from lastlight.runtime.audit.checkpoints import sign_due
from lastlight.runtime.audit.verify import verify_tenant
from lastlight.runtime.audit.witness import keep_heads, witness_folder
from lastlight.runtime.services import Services
from tests.support.streams import move_all, new_tenant, ring

SAYS_NOTHING = {("audit_checkpoints", "at"), ("tenant_sequences", "dropped_to")}
"""Columns beside the chain: when a signature was made, and how far the stream's copies were dropped."""
COLUMNS = """
select c.relname::text as table_name, a.attname::text as name, format_type(a.atttypid, null) as type, a.attnotnull as required
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.oid = any (array['audit_entries', 'audit_checkpoints', 'tenant_sequences']::regclass[]) order by 1, a.attnum
"""
ENTRY = "tenant_id, seq, id, at, name, entity, entity_id, venue_id, actor_kind, actor_id, origin, salt, payload, digest, hash"
MOVE_UP = (
    "update audit_entries set seq = seq + 100000 where tenant_id = $1 and seq > $2",
    "update audit_entries set seq = seq - 99999 where tenant_id = $1 and seq > 100000",
)
HEAD = """
update tenant_sequences s set seq = $2, hash = coalesce((select hash from audit_entries where tenant_id = $1 and seq = $2), decode(repeat('00', 32), 'hex'))
where s.tenant_id = $1
"""


@dataclass(slots=True)
class Chain:
    """A chain with its checkpoints, and the superuser's connection."""

    services: Services
    admin: Any
    tenant: TenantId
    length: int
    signed: list[int]
    witness: Path | None
    """Where the newest signed head is kept outside of the database."""

    @property
    def places(self) -> dict[str, int]:
        """Entries that stand for the rest: at the ends, at a checkpoint and around it, and behind the last one."""
        return {
            "first": 1,
            "second": 2,
            "before a checkpoint": self.signed[0] - 1,
            "a checkpoint": self.signed[0],
            "after a checkpoint": self.signed[0] + 1,
            "the last checkpoint": self.signed[-1],
            "last but one": self.length - 1,
            "last": self.length,
        }

    async def findings(self, tenant: UUID | None = None) -> list[str]:
        """What `verify audit` says of the chain as it stands in the transaction, or of another tenant's."""
        async with self.admin.transaction():
            secrets, of = self.services.secrets, tenant or self.tenant
            return (await verify_tenant(self.admin, secrets, of, witness=self.witness)).findings

    @asynccontextmanager
    async def undone(self) -> AsyncGenerator[None]:
        """Whatever is done inside, by a superuser past every trigger, is undone."""
        transaction = self.admin.transaction()
        await transaction.start()
        await self.admin.execute("set local session_replication_role = replica")
        try:
            yield
        finally:
            await transaction.rollback()


@asynccontextmanager
async def built_chain(services: Services, *, length: int = 24, every: int = 7) -> AsyncGenerator[Chain]:
    """A chain of so many entries, signed every so often; some entries are behind the last signature."""
    tenant = await new_tenant(services)
    mover: Any = await asyncpg.connect(services.settings.dsn("system"))
    admin: Any = await asyncpg.connect(services.settings.admin_dsn())
    signed: list[int] = []
    try:
        for begin in range(0, length, every):
            numbers = list(range(begin, min(begin + every, length)))
            await ring(services, tenant, *numbers, venue_id=uuid4())
            await move_all(services, mover, len(numbers))
            if begin + every < length:
                heads = await sign_due(mover, services.secrets, every_entries=1, every_seconds=0)
                folder = await witness_folder(mover, services.settings.var_dir)
                assert await keep_heads(mover, folder, heads) == 0
                signed.append(begin + every)
        yield Chain(services, admin, tenant, length, signed, await witness_folder(mover, services.settings.var_dir))
    finally:
        await mover.close()
        await admin.close()


# --- one column of one row --------------------------------------------------------------------------------------------


def _other(kind: str, value: Any, dice: random.Random) -> Any:
    """Another value of a type, as little different as can be."""
    if kind == "uuid":
        return uuid4() if value is None or dice.random() < 0.5 else UUID(int=value.int ^ 1 << dice.randrange(64))
    if kind == "bigint":
        return value + dice.choice((1, -1, 1000))
    if kind == "bytea":
        raw = bytearray(value or b"\0" * 16)
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        return bytes(raw) if dice.random() < 0.8 else bytes(raw[:-1])
    if kind.startswith("timestamp"):
        return value + timedelta(microseconds=dice.choice((1, -1, 1_000_000)))
    assert kind == "text", f"how a value of type {kind} is forged is said here"
    text = value or ""
    place = dice.randrange(len(text) + 1)
    return dice.choice((text[:place] + "x" + text[place:], text[:-1] + "\u00e9", text.swapcase() + "'"))


async def edit_one(chain: Chain, column: Any, seq: int, dice: random.Random) -> list[str] | None:
    """Change one column of one row; what was found, None where the table has no such row or nothing differs."""
    table, name = column["table_name"], column["name"]
    where = "tenant_id = $1" if table == "tenant_sequences" else f"tenant_id = $1 and seq = {seq}"
    before = await chain.admin.fetchrow(f"select {name} as value from {table} where {where}", chain.tenant)
    if before is None:
        return None
    empty = not column["required"] and before["value"] is not None and dice.random() < 0.3
    value = None if empty else _other(column["type"], before["value"], dice)
    async with chain.undone():
        try:
            await chain.admin.execute(f"update {table} set {name} = $2 where {where}", chain.tenant, value)
        except (asyncpg.UniqueViolationError, asyncpg.CheckViolationError):
            return None  # the table itself refuses it, even to a superuser
        moved_to = [value] if name == "tenant_id" else []
        return [finding for tenant in (chain.tenant, *moved_to) for finding in await chain.findings(tenant)]


# --- whole rows -------------------------------------------------------------------------------------------------------


async def delete_some(chain: Chain, first: int, last: int) -> list[str]:
    """Cut entries out of the middle, or off an end."""
    async with chain.undone():
        await chain.admin.execute(
            "delete from audit_entries where tenant_id = $1 and seq between $2 and $3", chain.tenant, first, last
        )
        return await chain.findings()


async def close_the_gap(chain: Chain, first: int, last: int) -> list[str]:
    """Cut entries out, number those behind anew and move the head along, as if they had never been."""
    gap = last - first + 1
    async with chain.undone():
        run = chain.admin.execute
        await run("delete from audit_entries where tenant_id = $1 and seq between $2 and $3", chain.tenant, first, last)
        for step in (100_000, -100_000 - gap):
            await run(
                "update audit_entries set seq = seq + $3 where tenant_id = $1 and seq > $2", chain.tenant, last, step
            )
        await run(
            "update events set seq = seq - $3 where tenant_id = $1 and seq > $2", chain.tenant, last + 100_000, gap
        )
        await run("delete from events where tenant_id = $1 and seq > $2", chain.tenant, chain.length - gap)
        await run(HEAD, chain.tenant, chain.length - gap)
        return await chain.findings()


async def swap(chain: Chain, one: int, other: int) -> list[str]:
    """Let two entries change places."""
    async with chain.undone():
        for number, to in ((one, 100_000), (other, one), (100_000, other)):
            await chain.admin.execute(
                "update audit_entries set seq = $3 where tenant_id = $1 and seq = $2", chain.tenant, number, to
            )
        return await chain.findings()


async def insert(chain: Chain, behind: int, *, like: int) -> list[str]:
    """Slip a copy of an entry in behind another, with a right number and, as far as one link goes, a right hash."""
    async with chain.undone():
        row = dict(
            await chain.admin.fetchrow(
                f"select {ENTRY} from audit_entries where tenant_id = $1 and seq = $2", chain.tenant, like
            )
        )
        previous = await chain.admin.fetchval(
            "select hash from audit_entries where tenant_id = $1 and seq = $2", chain.tenant, behind
        )
        for statement in MOVE_UP:
            await chain.admin.execute(statement, *((chain.tenant, behind) if "$2" in statement else (chain.tenant,)))
        row |= {"seq": behind + 1, "id": uuid4()}
        row["hash"] = hash_of(
            previous or bytes(32), Header(**{name: row[name] for name in Header.__struct_fields__}), row["digest"]
        )
        values = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await chain.admin.execute(f"insert into audit_entries ({', '.join(row)}) values ({values})", *row.values())
        await chain.admin.execute("update tenant_sequences set seq = seq + 1 where tenant_id = $1", chain.tenant)
        return await chain.findings()


async def rewrite(chain: Chain, seq: int, *, unsigned: bool = False) -> list[str]:
    """Change what an entry says and compute every digest and hash from there on anew, the head included.

    `unsigned` takes the checkpoints behind it away as well.
    """
    async with chain.undone():
        rows = await chain.admin.fetch(
            f"select {ENTRY} from audit_entries where tenant_id = $1 order by seq", chain.tenant
        )
        head = rows[seq - 2]["hash"] if seq > 1 else bytes(32)
        for row in rows[seq - 1 :]:
            payload = (
                row["payload"].replace('"after":{', '"after":{"forged":true,', 1)
                if row["seq"] == seq
                else row["payload"]
            )
            digest = digest_of(row["salt"], payload)
            head = hash_of(head, Header(**{name: row[name] for name in Header.__struct_fields__}), digest)
            sql = "update audit_entries set payload = $1, digest = $2, hash = $3 where tenant_id = $4 and seq = $5"
            await chain.admin.execute(sql, payload, digest, head, chain.tenant, row["seq"])
        await chain.admin.execute("update tenant_sequences set hash = $1 where tenant_id = $2", head, chain.tenant)
        if unsigned:
            await chain.admin.execute(
                "delete from audit_checkpoints where tenant_id = $1 and seq >= $2", chain.tenant, seq
            )
        return await chain.findings()


async def cut_tail(chain: Chain, last: int, *, unsigned: bool = False) -> list[str]:
    """Cut everything behind an entry off and look."""
    async with chain.undone():
        await cut_off(chain, last, unsigned=unsigned)
        return await chain.findings()


async def cut_off(chain: Chain, last: int, *, unsigned: bool) -> None:
    """Take everything behind an entry away: entries, published events, the head; `unsigned`: their checkpoints too."""
    for table in ("audit_entries", "events", *(["audit_checkpoints"] if unsigned else [])):
        await chain.admin.execute(f"delete from {table} where tenant_id = $1 and seq > $2", chain.tenant, last)
    await chain.admin.execute(HEAD, chain.tenant, last)
