"""Showing one's second factor: a code of the authenticator app, or a recovery code. Each counts once."""

from typing import Any, ClassVar
from uuid import UUID

import msgspec

from lastlight.domains.identity.factor_errors import SecondFactorNeeded, SecondFactorWrong
from lastlight.domains.identity.tokens import digest
from lastlight.domains.identity.totp import matching_step
from lastlight.kernel.events import Event
from lastlight.runtime import limits
from lastlight.runtime.context import Ctx
from lastlight.runtime.keys.sealed import Sealed
from lastlight.runtime.services import Services

PURPOSE = "second factor"


class SecondFactorChanged(Event, frozen=True, kw_only=True):
    """Somebody set up or removed a second factor, used a recovery code, or made new ones."""

    event_name: ClassVar[str] = "user.second_factor_changed"
    user_id: UUID
    what: str


class SecondFactorShown(Event, frozen=True, kw_only=True):
    """Somebody showed their second factor in a session that had not shown it."""

    event_name: ClassVar[str] = "user.second_factor_shown"
    user_id: UUID


class Factors(msgspec.Struct, frozen=True):
    """What somebody can show besides their password."""

    app: bool
    passkeys: int
    recovery_codes: int

    @property
    def held(self) -> bool:
        """Whether sign-in asks for one of them; recovery codes alone are none."""
        return self.app or self.passkeys > 0

    @property
    def methods(self) -> str:
        """The ways that are open, as one text."""
        ways = (("app", self.app), ("passkey", self.passkeys > 0), ("recovery", self.recovery_codes > 0))
        return " ".join(way for way, there in ways if there)


async def factors_of(ctx: Ctx, *, user_id: UUID) -> Factors:
    """The second factors of an account."""
    return await ctx.db.one(
        Factors,
        """select exists (select from authenticators where user_id = $1 and confirmed_at is not null) as app,
                  (select count(*) from passkeys where user_id = $1) as passkeys,
                  (select count(*) from recovery_codes where user_id = $1 and used_at is null) as recovery_codes""",
        user_id,
    )


async def count_attempt(services: Services, *, user_id: UUID | None, code: str) -> None:
    """Count a code before it is looked at, whatever address it comes from; one that counts is given back. Raises TooManyRequests.

    Only who knows the password, or holds a session, gets here: so nobody locks another out.
    """
    if user_id is not None and code.strip():
        await limits.charge(services, policy=limits.factor_policy(), key=str(user_id))


async def show_second_factor(ctx: Ctx, *, user_id: UUID, code: str) -> bool:
    """Check the code of somebody who has a second factor; False for who has none. Raises SecondFactorNeeded, SecondFactorWrong."""
    row = await ctx.db.fetchrow(
        "select secret, last_step from authenticators where user_id = $1 and confirmed_at is not null for update",
        user_id,
    )
    if row is None and not (await factors_of(ctx, user_id=user_id)).held:
        return False
    if not code.strip():
        raise SecondFactorNeeded
    spent = row is not None and await spend_step(ctx, user_id=user_id, row=row, code=code)
    if not spent and not await _spend_recovery(ctx, user_id, code):
        ctx.record("user.second_factor_refused", entity=("user", user_id), reason="wrong code")
        raise SecondFactorWrong(fields={"code": SecondFactorWrong.default_detail})
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


async def forget_factors(ctx: Ctx, *, user_id: UUID) -> None:
    """Remove what a stranger may have set up on an account whose address its owner proves only now."""
    await ctx.db.execute("delete from passkeys where user_id = $1", user_id)
    await ctx.db.execute("delete from authenticators where user_id = $1", user_id)
    await ctx.db.execute("delete from recovery_codes where user_id = $1", user_id)


def recovery_digest(user_id: UUID, code: str) -> bytes:
    """What the database keeps of a recovery code, however it is typed."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return digest(f"{user_id.hex}:{plain}")


def _place(user_id: UUID) -> bytes:
    """Binds a sealed secret to its owner, so that it opens nowhere else."""
    return user_id.bytes


SEALED = Sealed(
    table="authenticators",
    column="secret",
    label="Authenticator apps",
    purpose=PURPOSE,
    key=("user_id",),
    place=_place,
)
