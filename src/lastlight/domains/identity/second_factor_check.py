"""Showing one's second factor: a code of the authenticator app, or a recovery code. Each counts once."""

from typing import Any, ClassVar
from uuid import UUID

from lastlight.domains.identity.errors import SecondFactorNeeded, SecondFactorWrong
from lastlight.domains.identity.tokens import digest
from lastlight.domains.identity.totp import matching_step
from lastlight.kernel.events import Event
from lastlight.runtime.context import Ctx

PURPOSE = "second factor"


class SecondFactorChanged(Event, frozen=True, kw_only=True):
    """Somebody set up or removed their second factor, used a recovery code, or made new ones."""

    event_name: ClassVar[str] = "user.second_factor_changed"
    user_id: UUID
    what: str


async def show_second_factor(ctx: Ctx, *, user_id: UUID, code: str) -> bool:
    """Check the code of somebody who has set one up; False for who has none. Raises SecondFactorNeeded, SecondFactorWrong."""
    row = await ctx.db.fetchrow(
        "select secret, last_step from authenticators where user_id = $1 and confirmed_at is not null for update",
        user_id,
    )
    if row is None:
        return False
    if not code.strip():
        raise SecondFactorNeeded
    if not await spend_step(ctx, user_id=user_id, row=row, code=code) and not await _spend_recovery(ctx, user_id, code):
        ctx.record("user.second_factor_refused", entity=("user", user_id), reason="wrong code")
        raise SecondFactorWrong
    return True


async def spend_step(ctx: Ctx, *, user_id: UUID, row: Any, code: str) -> bool:
    """Whether it is a code of the app that counts now; it, and every earlier one, is spent. The caller holds the row."""
    secret = ctx.services.secrets.decrypt(PURPOSE, row["secret"], user_id.bytes)
    step = matching_step(secret, code, at=ctx.now.timestamp(), after=row["last_step"])
    if step is None:
        return False
    await ctx.db.execute("update authenticators set last_step = $2 where user_id = $1", user_id, step)
    return True


async def _spend_recovery(ctx: Ctx, user_id: UUID, code: str) -> bool:
    spent = await ctx.db.execute(
        "update recovery_codes set used_at = now() where user_id = $1 and hash = $2 and used_at is null",
        user_id,
        recovery_digest(user_id, code),
    )
    if spent:
        ctx.emit(SecondFactorChanged(user_id=user_id, what="recovery code used"), entity=("user", user_id))
    return bool(spent)


def recovery_digest(user_id: UUID, code: str) -> bytes:
    """What the database keeps of a recovery code, however it is typed."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return digest(f"{user_id.hex}:{plain}")
