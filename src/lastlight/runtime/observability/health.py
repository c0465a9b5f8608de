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

    A database that is ahead of this process is fine: during an update the old release still serves. So is a pool that is in use
    to its last connection, as long as the database answers it: who is busy is not sent away from the others' queue.
    """
    names = ("app", "system", "platform")
    probes = (_probe(getattr(pools, name)) for name in names)
    *answers, migrations = await asyncio.gather(*probes, _migrated(pools, newest))
    ok = migrations["ok"] and all(answer["ok"] for answer in answers)
    database = dict(zip(names, answers, strict=True))
    return ok, {"status": "ready" if ok else "not ready", "database": database, "migrations": migrations}


async def _migrated(pools: Any, newest: int) -> dict[str, Any]:
    if pools.migrated >= newest:  # it never goes back
        return {"ok": True, "at": pools.migrated}
    answer, found = await _asked(pools.system, "select coalesce(max(number), 0) from schema_migrations")
    if not answer["ok"]:
        return answer
    pools.migrated = found
    if found < newest:
        return {"ok": False, "reason": f"the database stands at migration {found}, this release needs {newest}"}
    return {"ok": True, "at": found}


async def _probe(pool: Any) -> dict[str, Any]:
    if pool.live:
        return {"ok": True, "busy": True}
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
