"""Whether the server at LASTLIGHT_DATABASE_URL can carry the platform; each refusal is one sentence."""

import os
import socket
from urllib.parse import urlsplit

import asyncpg

from lastlight.runtime.db.lost import LOST
from lastlight.runtime.startup import StartError

LEAST_VERSION = 18
_CONNECT_SECONDS = 10
NOT_THERE = (ConnectionRefusedError, socket.gaierror, asyncpg.InvalidCatalogNameError)


async def check_managed_database(url: str) -> None:
    """Raise StartError unless `url` leads to a PostgreSQL 18 whose account may create roles and schemas."""
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    except LOST as error:
        raise StartError(f"LASTLIGHT_DATABASE_URL: {_why(url, error)}.") from None
    try:
        await _check_rights(connection)
    finally:
        await connection.close()


def why_unreachable(url: str, error: Exception) -> str | None:
    """One sentence for an error with which a role of ours met the server at `url`; None when it is about something else."""
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return (
            "The database does not let our roles in: run `lastlight migrate` with the LASTLIGHT_SECRET_KEY "
            "(or the var folder) of this process."
        )
    if isinstance(error, NOT_THERE):
        return f"LASTLIGHT_DATABASE_URL: {_why(url, error)}."
    return None


def _why(url: str, error: Exception) -> str:
    parts = urlsplit(url)
    place = f"{parts.hostname or 'the server'}:{parts.port or 5432}"
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return f"{place} refuses the user {parts.username!r} or its password"
        case asyncpg.InvalidCatalogNameError():
            return f"{place} has no database {parts.path.strip('/')!r}: create it first"
        case socket.gaierror():
            return f"the host {parts.hostname!r} is not known"
        case TimeoutError():
            return f"{place} gave no answer in {_CONNECT_SECONDS} seconds: look at the address"
        case OSError():
            reason = os.strerror(error.errno) if error.errno else str(error)
            return f"nothing usable answers at {place} ({reason})"
        case _:
            reason = str(error).splitlines()[0].rstrip(".")
            return f"{place} does not answer as PostgreSQL does ({reason})"


async def _check_rights(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    facts = await connection.fetchrow(
        """
        select current_setting('server_version_num')::int / 10000 as version,
               r.rolname as account,
               r.rolsuper or r.rolcreaterole as may_create_roles,
               r.rolsuper or has_database_privilege(current_database(), 'create') as may_create_schemas,
               current_database() as database
          from pg_roles r
         where r.rolname = current_user
        """
    )
    assert facts is not None
    if facts["version"] < LEAST_VERSION:
        raise StartError(
            f"LASTLIGHT_DATABASE_URL: the server is PostgreSQL {facts['version']}; Last Light needs {LEAST_VERSION} or newer."
        )
    if not facts["may_create_roles"]:
        raise StartError(
            f"LASTLIGHT_DATABASE_URL: the account {facts['account']!r} may not create roles: "
            f'run `alter role "{facts["account"]}" createrole` as an administrator, or use another account.'
        )
    if not facts["may_create_schemas"]:
        raise StartError(
            f"LASTLIGHT_DATABASE_URL: the account {facts['account']!r} may not create schemas in {facts['database']!r}: "
            "make it the owner of that database."
        )
