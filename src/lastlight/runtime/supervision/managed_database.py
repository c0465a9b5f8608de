"""Whether the server at LASTLIGHT_DATABASE_URL can carry the platform; each refusal is one sentence."""

import os
import socket
from urllib.parse import urlsplit

import asyncpg

from lastlight.runtime.startup import StartError

LEAST_VERSION = 18
_CONNECT_SECONDS = 10


async def check_managed_database(url: str) -> None:
    """Raise StartError unless `url` leads to a PostgreSQL 18 whose account may create roles and schemas."""
    parts = urlsplit(url)
    place = f"{parts.hostname or 'the server'}:{parts.port or 5432}"
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        raise StartError(
            f"LASTLIGHT_DATABASE_URL: {place} refuses the user {parts.username!r} or its password."
        ) from None
    except asyncpg.InvalidCatalogNameError:
        raise StartError(
            f"LASTLIGHT_DATABASE_URL: {place} has no database {parts.path.strip('/')!r}: create it first."
        ) from None
    except socket.gaierror:
        raise StartError(f"LASTLIGHT_DATABASE_URL: the host {parts.hostname!r} is not known.") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise StartError(f"LASTLIGHT_DATABASE_URL: {place} does not answer as PostgreSQL does ({reason}).") from None
    except TimeoutError:
        raise StartError(
            f"LASTLIGHT_DATABASE_URL: {place} gave no answer in {_CONNECT_SECONDS} seconds; is the address right?"
        ) from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StartError(f"LASTLIGHT_DATABASE_URL: nothing usable answers at {place} ({reason}).") from None
    try:
        await _check_rights(connection)
    finally:
        await connection.close()


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
