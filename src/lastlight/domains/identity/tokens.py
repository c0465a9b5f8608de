"""One-time tokens and refresh tokens: random, kept only as a digest."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity.errors import LinkInvalid
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx

Purpose = Literal["verify_email", "reset_password", "invitation"]

LIVES: dict[Purpose, timedelta] = {
    "verify_email": timedelta(days=3),
    "reset_password": timedelta(hours=1),
    "invitation": timedelta(days=7),
}

PAUSE = timedelta(minutes=1)
"""Between two e-mails of a kind that anybody may ask for."""


class OneTime(msgspec.Struct, frozen=True):
    """A one-time token as it was found: whose it is and what it is for."""

    user_id: UserId
    purpose: Purpose
    data: dict[str, Any]


def new_token(prefix: str) -> str:
    """A random token of 256 bits; its prefix lets scanners of leaked secrets recognise it."""
    return prefix + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


async def issue_one_time(ctx: Ctx, *, user_id: UUID, purpose: Purpose, data: dict[str, Any] | None = None) -> str:
    """A new one-time token; earlier ones of the same purpose stop working.

    Only those to set a password stay: anybody may ask for one, and would otherwise keep its owner's from ever working. Whichever is
    used ends the others.
    """
    token = new_token("llo_")
    if purpose != "reset_password":
        await ctx.db.execute(
            "update one_time_tokens set used_at = now() where user_id = $1 and purpose = $2 and used_at is null",
            user_id,
            purpose,
        )
    await ctx.db.execute(
        "insert into one_time_tokens (hash, user_id, purpose, data, expires_at) values ($1, $2, $3, $4, now() + $5)",
        digest(token),
        user_id,
        purpose,
        data or {},
        LIVES[purpose],
    )
    return token


async def sent_lately(ctx: Ctx, *, user_id: UUID, purpose: Purpose) -> bool:
    """Whether a token that still works was sent within the last minute, so that nobody's mailbox can be flooded."""
    return await ctx.db.fetchval(
        """select exists (select from one_time_tokens where user_id = $1 and purpose = $2 and used_at is null
                          and created_at > now() - $3::interval)""",
        user_id,
        purpose,
        PAUSE,
    )


async def spend_one_time(ctx: Ctx, *, token: str, purposes: list[Purpose]) -> OneTime:
    """Use up a one-time token. Of two who try at once, one gets it; LinkInvalid for the other and for any that is no good."""
    found = await ctx.db.row(
        OneTime,
        """update one_time_tokens set used_at = now()
           where hash = $1 and purpose = any($2) and used_at is null and expires_at > now()
           returning user_id, purpose, data""",
        digest(token),
        purposes,
    )
    if found is None:
        raise LinkInvalid
    return found


async def retire_one_time(ctx: Ctx, *, user_id: UUID) -> None:
    """Make every open one-time token of a user useless."""
    await ctx.db.execute("update one_time_tokens set used_at = now() where user_id = $1 and used_at is null", user_id)


async def drop_spent(ctx: Ctx) -> int:
    """Delete tokens that can do nothing any more: one-time tokens a week after their time, refresh tokens a day after,
    challenges of passkeys at once."""
    links = await ctx.db.execute("delete from one_time_tokens where expires_at < now() - interval '7 days'")
    links += await ctx.db.execute("delete from passkey_challenges where expires_at < now()")
    return links + await ctx.db.execute("delete from refresh_tokens where expires_at < now() - interval '1 day'")
