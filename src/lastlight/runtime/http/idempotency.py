"""Idempotency keys: one effect however often a request is sent. The record is written in the effect's own transaction.

Shape after the IETF draft "The Idempotency-Key HTTP Header Field": 409 while the first is in flight, 422 on another body.
"""

import hashlib
import re
from dataclasses import dataclass

from lastlight.kernel.errors import KeyInFlight, KeyReused, Malformed
from lastlight.runtime.context import Ctx, KeptAnswer, TakenKey

KEY_FORM = re.compile(r"^[\x21-\x7e]{1,255}$")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given the first time."""

    status: int
    body: bytes
    headers: dict[str, str]


def read_key(raw: str) -> str:
    """The key of a header, quoted or not; Malformed when it is empty, too long or not printable ASCII."""
    key = raw.strip().strip('"')
    if not KEY_FORM.match(key):
        raise Malformed("An Idempotency-Key is 1 to 255 printable ASCII characters, such as a UUID.")
    return key


def request_hash(method: str, path: str, query: str, body: bytes) -> bytes:
    """What makes two requests the same."""
    head = f"{method}\n{path}\n{query}\n".encode()
    return hashlib.sha256(head + body).digest()


async def claim(ctx: Ctx, *, key: str, operation: str, digest: bytes) -> Kept | None:
    """The answer that the key already has, or None: it is then this transaction's, which took it when it began.

    Raises KeyInFlight while another transaction holds it, KeyReused when it belongs to another request.
    """
    taken = _taken(ctx, key)
    if taken.operation is None:
        if not taken.free:
            raise KeyInFlight(headers={"Retry-After": "1"})
        return None
    if taken.operation != operation or taken.request_hash != digest:
        raise KeyReused
    return Kept(taken.status, taken.body, taken.headers)


async def keep(ctx: Ctx, *, key: str, operation: str, digest: bytes, answer: Kept) -> None:
    """Keep the answer under its key; it is written with the outbox, in the effect's transaction."""
    principal = _taken(ctx, key).principal
    ctx.answered = KeptAnswer(principal, key, operation, digest, answer.status, answer.body, answer.headers)


def _taken(ctx: Ctx, key: str) -> TakenKey:
    assert ctx.taken is not None, "the transaction was begun without a key"
    assert ctx.taken.key == key, "the transaction was begun with another key"
    return ctx.taken
