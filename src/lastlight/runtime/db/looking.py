"""The connection of what reads a whole business in one snapshot: it changes nothing, and takes as long as that takes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from lastlight.runtime.settings import Settings

PATIENT = {
    "application_name": "lastlight-verify",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "work_mem": "64MB",
}
"""Who looks in by hand is cut off after a minute; a verification of many millions of rows is not."""


@asynccontextmanager
async def opened_verifier(settings: Settings) -> AsyncGenerator[Any]:
    """The looker's own connection, without its bounds of time."""
    connection: Any = await asyncpg.connect(settings.dsn("looker"), server_settings=PATIENT)
    try:
        yield connection
    finally:
        await connection.close()
