"""Whether this process lives, and whether it can serve."""

import asyncio
import time
from typing import Any

_PATIENCE_SECONDS = 2.0


def health() -> dict[str, str]:
    """The process lives: it says so, and asks nobody else."""
    return {"status": "ok"}


async def ready(pools: Any, *, newest: int) -> tuple[bool, dict[str, Any]]:
    """Whether every pool reaches the database in time and it has the migrations up to `newest`, or why not.

    A database that is ahead of this process is fine: during an update the old release still serves.
    """
    names = ("app", "system", "platform")
    answers = await asyncio.gather(*(_probe(getattr(pools, name)) for name in names))
    migrations = await _migrated(pools.system, newest)
    ok = all(answer["ok"] for answer in (*answers, migrations))
    database = dict(zip(names, answers, strict=True))
    return ok, {"status": "ready" if ok else "not ready", "database": database, "migrations": migrations}


async def _migrated(pool: Any, newest: int) -> dict[str, Any]:
    answer, found = await _asked(pool, "select coalesce(max(number), 0) from schema_migrations")
    if answer["ok"] and found < newest:
        return {"ok": False, "reason": f"the database stands at migration {found}, this release needs {newest}"}
    return {"ok": True, "at": found} if answer["ok"] else answer


async def _probe(pool: Any) -> dict[str, Any]:
    answer, _ = await _asked(pool, "select 1")
    return answer


async def _asked(pool: Any, sql: str) -> tuple[dict[str, Any], Any]:
    """What the database said in time, with how long it took, or why it did not."""
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            found = await pool.fetchval(sql)
    except TimeoutError:
        return {"ok": False, "reason": f"no answer in {_PATIENCE_SECONDS:g} seconds"}, None
    except Exception as error:  # noqa: BLE001 - whatever keeps the database away, we are not ready
        return {"ok": False, "reason": type(error).__name__}, None
    return {"ok": True, "ms": round((time.perf_counter() - began) * 1000, 1)}, found
