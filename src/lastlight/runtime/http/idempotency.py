"""Idempotency keys: one effect however often a request is sent. The record is written in the effect's own transaction.

Shape after the IETF draft "The Idempotency-Key HTTP Header Field": 409 while the first is in flight, 422 on another body.
"""

import hashlib
import re
from dataclasses import dataclass

from lastlight.kernel.errors import KeyInFlight, KeyReused, Malformed
from lastlight.runtime.context import Ctx

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
    """Take the key for this transaction, or return the answer it already has.

    Raises KeyInFlight while another transaction holds it, KeyReused when it belongs to another request.
    """
    principal = _principal(ctx)
    locked = await ctx.db.fetchval(
        "select pg_try_advisory_xact_lock(hashtextextended($1, 11))", f"{ctx.tenant_id}/{principal}/{key}"
    )
    row = await ctx.db.fetchrow(
        """select operation, request_hash, status, body, headers from idempotency_keys
           where tenant_id = $1 and principal = $2 and key = $3""",
        ctx.tenant_id,
        principal,
        key,
    )
    if row is None:
        if not locked:
            raise KeyInFlight(headers={"Retry-After": "1"})
        return None
    if row["operation"] != operation or row["request_hash"] != digest:
        raise KeyReused
    return Kept(row["status"], row["body"], row["headers"])


async def keep(ctx: Ctx, *, key: str, operation: str, digest: bytes, answer: Kept) -> None:
    """Store the answer under its key, in the effect's transaction."""
    await ctx.db.execute(
        """insert into idempotency_keys (tenant_id, principal, key, operation, request_hash, status, body, headers, user_id)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        ctx.tenant_id,
        _principal(ctx),
        key,
        operation,
        digest,
        answer.status,
        answer.body,
        answer.headers,
        ctx.actor.user_id,
    )


def _principal(ctx: Ctx) -> str:
    if ctx.actor.user_id is not None:
        return f"user:{ctx.actor.user_id}"
    return f"address:{ctx.actor.ip}"
