"""Entering a transaction: its session is compared, its clock read and its request's key taken, all in one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lastlight.runtime.context import Actor, TakenKey

NOW = "select now() as at"
ENTER = "select ll.enter($1, $2) as at"
ENTER_WITH_KEY = """
select at, free, operation, request_hash, status, body, headers from ll.enter_with_key($1, $2, $3, $4, $5)
"""


@dataclass(slots=True, frozen=True)
class Entry:
    """The database's clock at the start of the transaction, and what stands under the request's key, where it has one."""

    at: datetime
    taken: TakenKey | None = None


async def enter(connection: Any, *, actor: Actor, tenant_id: UUID, key: str, seconds: float) -> Entry:
    """Enter a transaction that has begun; the database refuses a session that ended (LL001), changed (LL002) or only looks (LL003)."""
    if key:
        return await _with_key(connection, actor, tenant_id, key, seconds)
    if actor.session_id is None:
        return Entry(await connection.fetchval(NOW, timeout=seconds))
    return Entry(await connection.fetchval(ENTER, actor.session_id, actor.version, timeout=seconds))


async def _with_key(connection: Any, actor: Actor, tenant_id: UUID, key: str, seconds: float) -> Entry:
    principal = f"user:{actor.user_id}" if actor.user_id is not None else f"address:{actor.ip}"
    row = await connection.fetchrow(
        ENTER_WITH_KEY, actor.session_id, actor.version, tenant_id, principal, key, timeout=seconds
    )
    at, *found = row
    return Entry(at, TakenKey(principal, key, *found))
