"""Guards of the product that more than one suite switches off for its negative controls, in a process of their own."""

from typing import Any

from lastlight.runtime.http import idempotency


def forget_answers() -> None:
    """Switch off what remembers the answers under their keys."""

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    idempotency.keep = idempotency.claim = nothing
