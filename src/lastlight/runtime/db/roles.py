"""The database's roles: who owns, who migrates, and whom the platform's processes sign in as. None is a superuser or bypasses RLS."""

import asyncio
import random
from typing import Any

import asyncpg

from lastlight.runtime.settings import DATABASE_ROLES, Settings

OWNER = "lastlight_owner"
LOOKING = {
    "default_transaction_read_only": "on",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "5s",
}
"""How whoever looks in begins, so that a forgotten transaction or an endless query keeps nobody waiting."""
MOST_LOOKERS = 20
TRIES = 20
"""How often roles are renewed that another database's process renews at the same moment (PostgreSQL: tuple concurrently updated)."""


async def ensure_roles(admin: Any, settings: Settings) -> None:
    """Create the roles that are missing and set their passwords; `admin` may create roles and owns the database.

    Several processes may call it at once: a lock lets one go first. The lock is of one database and the roles are the whole server's,
    so another database's may come in between: then all is done once more, for nothing of it counts twice.
    """
    await admin.execute("select pg_advisory_lock(hashtext('lastlight roles'))")
    try:
        for _ in range(TRIES - 1):
            try:
                return await _renew(admin, settings)
            except (asyncpg.InternalServerError, asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError):
                await asyncio.sleep(random.uniform(0.02, 0.2))  # noqa: S311 - no secret
        return await _renew(admin, settings)
    finally:
        await admin.execute("select pg_advisory_unlock(hashtext('lastlight roles'))")


async def _renew(admin: Any, settings: Settings) -> None:
    await _create(admin, OWNER, "nologin")
    for role in DATABASE_ROLES:
        name = f"lastlight_{role}"
        await _create(admin, name, "login")
        await _set_password(admin, name, settings.role_password(role))
    await _bound_lookers(admin)
    await _grant(admin)


async def _create(admin: Any, name: str, login: str) -> None:
    if not await admin.fetchval("select exists (select from pg_roles where rolname = $1)", name):
        await admin.execute(f"create role {name} {login} nosuperuser nobypassrls nocreatedb nocreaterole noinherit")
        await admin.execute(f"alter role {name} set timezone to 'UTC'")


async def _set_password(admin: Any, name: str, password: str) -> None:
    literal: str = await admin.fetchval("select quote_literal($1::text)", password)
    await admin.execute(f"alter role {name} password {literal}")


async def _bound_lookers(admin: Any) -> None:
    await admin.execute(f"alter role lastlight_looker connection limit {MOST_LOOKERS}")
    for name, value in LOOKING.items():
        await admin.execute(f"alter role lastlight_looker set {name} to '{value}'")


async def _grant(admin: Any) -> None:
    database: str = await admin.fetchval("select quote_ident(current_database())")
    await admin.execute(f"grant {OWNER} to lastlight_migrator with inherit false, set true")
    await admin.execute(f"grant connect, create on database {database} to {OWNER}")
    await admin.execute(f"revoke all on database {database} from public")
    for role in DATABASE_ROLES:
        await admin.execute(f"grant connect on database {database} to lastlight_{role}")
    await admin.execute(f"grant create, usage on schema public to {OWNER}")
    await admin.execute("revoke create on schema public from public")
