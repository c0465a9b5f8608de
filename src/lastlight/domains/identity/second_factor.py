"""Setting up a second factor: an authenticator app, with recovery codes for when it is lost."""

import secrets as random
from datetime import datetime
from typing import Annotated

import msgspec

from lastlight.domains.identity.accounts import Verdict, check_own_password, require_own_password
from lastlight.domains.identity.errors import SecondFactorActive, SecondFactorWrong
from lastlight.domains.identity.schemas import Password
from lastlight.domains.identity.second_factor_check import (
    PURPOSE,
    SecondFactorChanged,
    recovery_digest,
    show_second_factor,
    spend_step,
)
from lastlight.domains.identity.sessions import bump_sessions
from lastlight.domains.identity.totp import base32, new_secret, provisioning_uri
from lastlight.kernel.errors import NotFound, NotSignedIn
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.http import Input
from lastlight.runtime.services import Services

CODES = 10
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class PasswordIn(Input, frozen=True, kw_only=True):
    """One's own password."""

    password: Password


class CodeIn(Input, frozen=True, kw_only=True):
    """A code of the authenticator app."""

    code: Code


class RemovalIn(Input, frozen=True, kw_only=True):
    """One's own password, and a code of the app or a recovery code."""

    password: Password
    code: Code


class SecondFactorOut(msgspec.Struct, frozen=True, kw_only=True):
    """One's own second factor."""

    since: datetime | None
    recovery_codes_left: int
    shown: bool
    """In this session."""
    required: bool
    """By a role that one holds here: it gives nothing until the factor is shown."""


class SetUpOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the authenticator app takes: the secret, and the address that goes into a QR code."""

    secret: str
    uri: str


class RecoveryOut(msgspec.Struct, frozen=True, kw_only=True):
    """Codes that each let one in once. They are shown this one time."""

    recovery_codes: list[str]


async def prepare_password(services: Services, data: PasswordIn | RemovalIn, actor: Actor) -> Verdict:
    """Compare the password, before the transaction."""
    return await check_own_password(services, actor, password=data.password)


async def read_second_factor(ctx: Ctx) -> SecondFactorOut:
    """Whether a second factor is set up, shown and required."""
    return await ctx.db.one(
        SecondFactorOut,
        """select (select confirmed_at from authenticators where user_id = $1) as since,
                  (select count(*) from recovery_codes where user_id = $1 and used_at is null) as recovery_codes_left,
                  (select second_factor_at is not null from sessions where id = $2) as shown,
                  exists (select from memberships m join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
                          where m.tenant_id = $3 and m.user_id = $1 and m.status = 'active' and r.second_factor) as required""",
        _own(ctx),
        ctx.actor.session_id,
        ctx.actor.tenant_id,
    )


async def set_up(ctx: Ctx, *, verdict: Verdict) -> SetUpOut:
    """A new secret for an authenticator app; it counts once a code confirms it. Raises Invalid, SecondFactorActive."""
    user_id = await require_own_password(ctx, verdict=verdict, field="password")
    secret = new_secret()
    kept = await ctx.db.execute(
        """insert into authenticators (user_id, secret) values ($1, $2)
           on conflict (user_id) do update set secret = excluded.secret, last_step = 0, created_at = now()
           where authenticators.confirmed_at is null""",
        user_id,
        ctx.services.secrets.encrypt(PURPOSE, secret, user_id.bytes),
    )
    if not kept:
        raise SecondFactorActive
    ctx.emit(SecondFactorChanged(user_id=user_id, what="begun"), entity=("user", user_id))
    return SetUpOut(secret=base32(secret), uri=provisioning_uri(secret, account=ctx.actor.email, issuer="Last Light"))


async def confirm(ctx: Ctx, *, code: str) -> RecoveryOut:
    """Switch the second factor on with a code of the app. Raises NotFound, SecondFactorActive, SecondFactorWrong."""
    user_id = _own(ctx)
    row = await ctx.db.fetchrow(
        "select secret, last_step, confirmed_at from authenticators where user_id = $1 for update", user_id
    )
    if row is None:
        raise NotFound("Begin with POST /api/me/second-factor.")
    if row["confirmed_at"] is not None:
        raise SecondFactorActive
    if not await spend_step(ctx, user_id=user_id, row=row, code=code):
        raise SecondFactorWrong
    await ctx.db.execute("update authenticators set confirmed_at = now() where user_id = $1", user_id)
    await ctx.db.execute("update sessions set second_factor_at = now() where id = $1", ctx.actor.session_id)
    return await _renew(ctx, user_id, "set up")


async def renew_recovery_codes(ctx: Ctx, *, code: str) -> RecoveryOut:
    """Replace the recovery codes. Raises NotFound, SecondFactorWrong."""
    user_id = _own(ctx)
    if not await show_second_factor(ctx, user_id=user_id, code=code):
        raise NotFound("No second factor is set up.")
    return await _renew(ctx, user_id, "recovery codes renewed")


async def remove(ctx: Ctx, *, verdict: Verdict, code: str) -> None:
    """Remove the second factor. Raises Invalid, NotFound, SecondFactorWrong."""
    user_id = await require_own_password(ctx, verdict=verdict, field="password")
    if not await show_second_factor(ctx, user_id=user_id, code=code):
        raise NotFound("No second factor is set up.")
    await ctx.db.execute("delete from authenticators where user_id = $1", user_id)
    await ctx.db.execute("delete from recovery_codes where user_id = $1", user_id)
    await ctx.db.execute("update sessions set second_factor_at = null where user_id = $1", user_id)
    await bump_sessions(ctx, user_id=user_id)
    ctx.emit(SecondFactorChanged(user_id=user_id, what="removed"), entity=("user", user_id))


async def _renew(ctx: Ctx, user_id: UserId, what: str) -> RecoveryOut:
    codes = ["-".join("".join(random.choice(LETTERS) for _ in range(5)) for _ in range(2)) for _ in range(CODES)]
    await ctx.db.execute("delete from recovery_codes where user_id = $1", user_id)
    await ctx.db.executemany(
        "insert into recovery_codes (user_id, hash) values ($1, $2)",
        [(user_id, recovery_digest(user_id, code)) for code in codes],
    )
    await bump_sessions(ctx, user_id=user_id)
    ctx.emit(SecondFactorChanged(user_id=user_id, what=what), entity=("user", user_id))
    return RecoveryOut(recovery_codes=codes)


def _own(ctx: Ctx) -> UserId:
    if ctx.actor.user_id is None:
        raise NotSignedIn
    return ctx.actor.user_id
