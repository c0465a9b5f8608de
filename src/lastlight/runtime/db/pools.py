"""Connection pools, one for each database role that the platform's processes sign in as."""

import time
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg
import msgspec

from lastlight.runtime import clock
from lastlight.runtime.db.bounded import BoundedPool, watch_socket
from lastlight.runtime.settings import Settings

PoolName = Literal["app", "system", "platform"]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


@dataclass(slots=True)
class Pools:
    """The pools of one process. Every setting is transaction-local, so nothing is reset between uses."""

    app: BoundedPool
    system: BoundedPool
    platform: BoundedPool
    migrated: int = 0
    """The newest migration that the database was seen to have."""

    def by_name(self, name: PoolName) -> BoundedPool:
        """The pool of a role."""
        return getattr(self, name)

    async def close(self) -> None:
        """Close what is idle, wait for the rest."""
        for pool in (self.app, self.system, self.platform):
            await pool.close()


async def open_pools(settings: Settings) -> Pools:
    """Open the three pools; the app's is the largest, the others serve sign-in, jobs and the crew."""
    size = settings.db_pool_size
    return Pools(
        app=await open_pool(settings, "app", size),
        system=await open_pool(settings, "system", max(3, size // 2)),
        platform=await open_pool(settings, "platform", max(2, size // 4)),
    )


CONNECT_SECONDS = 5.0
OVER_SECONDS = 0.5
"""How much longer than the server's own limit the driver waits for an answer, before it takes the server to be gone."""


async def open_pool(settings: Settings, role: PoolName, size: int) -> BoundedPool:
    """A pool of one role: JSON as Python values, UTC, bounded statements and transactions."""
    pool = BoundedPool(
        settings.dsn(role),
        min_size=1,
        max_size=size,
        max_queries=50_000,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        init=prepare_connection,
        reset=_keep,
        statement_cache_size=1024 if settings.prepared_statements else 0,
        max_inactive_connection_lifetime=300,
        timeout=CONNECT_SECONDS,
        command_timeout=settings.statement_timeout_ms / 1000 + OVER_SECONDS,
        server_settings={
            "application_name": f"lastlight-{role}",
            "statement_timeout": str(settings.statement_timeout_ms),
            "transaction_timeout": str(settings.transaction_timeout_ms),
            "idle_in_transaction_session_timeout": str(settings.transaction_timeout_ms),
            "timezone": "UTC",
            "tcp_keepalives_idle": "5",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "3",
        },
    )
    await pool
    return pool


async def prepare_connection(connection: Any) -> None:
    """Teach a new connection our types: jsonb as Python values by msgspec; and to notice when the database is gone."""
    watch_socket(connection)
    asked = time.monotonic()
    clock.note(await connection.fetchval("select clock_timestamp()"), asked=asked)
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_encode_json, decoder=_decoder.decode, format="text"
        )


def _encode_json(value: Any) -> str:
    return _encoder.encode(value).decode()


async def _keep(_connection: Any) -> None:
    """Nothing to reset: `set local` ends with its transaction (tests/database proves that nothing leaks)."""
