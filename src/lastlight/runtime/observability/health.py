"""Whether this process lives, and whether it can serve."""

import asyncio
import time
from typing import Any

_PATIENCE_SECONDS = 2.0


def health() -> dict[str, str]:
    """The process lives: it says so, and asks nobody else."""
    return {"status": "ok"}


async def ready(pools: Any) -> tuple[bool, dict[str, Any]]:
    """Whether every pool reaches the database in time, with what each took or why it did not."""
    names = ("app", "system", "platform")
    answers = await asyncio.gather(*(_probe(getattr(pools, name)) for name in names))
    ok = all(answer["ok"] for answer in answers)
    return ok, {"status": "ready" if ok else "not ready", "database": dict(zip(names, answers, strict=True))}


async def _probe(pool: Any) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await pool.fetchval("select 1")
    except TimeoutError:
        return {"ok": False, "reason": f"no answer in {_PATIENCE_SECONDS:g} seconds"}
    except Exception as error:  # noqa: BLE001 - whatever keeps the database away, we are not ready
        return {"ok": False, "reason": type(error).__name__}
    return {"ok": True, "ms": round((time.perf_counter() - began) * 1000, 1)}
