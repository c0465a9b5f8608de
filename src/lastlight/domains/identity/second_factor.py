"""One's own second factor: an authenticator app, recovery codes for when it is lost, and whether this session has shown it."""

import secrets as random
from datetime import datetime
from typing import Annotated

import msgspec

from lastlight.domains.identity.accounts import Verdict, check_own_password, require_own_password
from lastlight.domains.identity.factor_errors import SecondFactorActive, SecondFactorNeeded, SecondFactorWrong
from lastlight.domains.identity.passkey_check import show_passkey
from lastlight.domains.identity.passkey_schemas import ProofIn
from lastlight.domains.identity.schemas import Password
from lastlight.domains.identity.second_factor_check import (
    PURPOSE,
    SecondFactorChanged,
    SecondFactorShown,
    count_attempt,
    factors_of,
    recovery_digest,
    show_second_factor,
    spend_step,
)
from lastlight.domains.identity.session_ends import SESSIONS_CHANNEL, bump_sessions
from lastlight.domains.identity.totp import base32, new_secret, provisioning_uri
from lastlight.kernel.errors import NotFound, NotSignedIn
from lastlight.kernel.ids import PLATFORM, UserId
from lastlight.runtime import limits
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


class RemovalIn(ProofIn, frozen=True, kw_only=True):
    """One's own password, and a code of the app, a recovery code or a passkey."""

    password: Password


class SecondFactorOut(msgspec.Struct, frozen=True, kw_only=True):
    """One's own second factor."""

    since: datetime | None
    """Since when an authenticator app is set up."""
    passkeys: int
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


async def prepare_password(services: Services, data: PasswordIn, actor: Actor) -> Verdict:
    """Compare the password, before the transaction."""
    return await check_own_password(services, actor, password=data.password)


async def prepare_removal(services: Services, data: RemovalIn, actor: Actor) -> Verdict:
    """Count the code and compare the password, before the transaction."""
    await count_attempt(services, user_id=actor.user_id, code=data.code)
    return await check_own_password(services, actor, password=data.password)


async def prepare_code(services: Services, data: ProofIn, actor: Actor) -> None:
    """Count the code, before the transaction."""
    await count_attempt(services, user_id=actor.user_id, code=data.code)


async def read_second_factor(ctx: Ctx) -> SecondFactorOut:
    """Whether a second factor is set up, shown and required."""
    home = PLATFORM if ctx.actor.kind == "crew" else ctx.actor.tenant_id
    return await ctx.db.one(
        SecondFactorOut,
        """select (select confirmed_at from authenticators where user_id = $1) as since,
                  (select count(*) from passkeys where user_id = $1) as passkeys,
                  (select count(*) from recovery_codes where user_id = $1 and used_at is null) as recovery_codes_left,
                  (select second_factor_at is not null from sessions where id = $2) as shown,
                  exists (select from memberships m join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
                          where m.tenant_id = $3 and m.user_id = $1 and m.status = 'active' and r.second_factor) as required""",
        own_user(ctx),
        ctx.actor.session_id,
        home,
    )


async def require_shown(ctx: Ctx) -> None:
    """Who has a second factor changes it only in a session that has shown it; SecondFactorNeeded otherwise."""
    state = await read_second_factor(ctx)
    if (state.since is not None or state.passkeys) and not state.shown:
        raise SecondFactorNeeded("Show your second factor in this session first.")


async def prove(ctx: Ctx, *, data: ProofIn) -> None:
    """Show one's second factor in this session. Raises NotFound, SecondFactorNeeded, SecondFactorWrong, PasskeyRefused."""
    user_id = await _show(ctx, data)
    limits.forgive(ctx)
    await mark_shown(ctx)
    ctx.emit(SecondFactorShown(user_id=user_id), entity=("user", user_id))


async def _show(ctx: Ctx, data: ProofIn) -> UserId:
    """Check the code or the passkey of the signed-in person: whose it is."""
    user_id = own_user(ctx)
    if data.passkey is not None:
        await show_passkey(ctx, shown=data.passkey, user_id=user_id)
    elif not await show_second_factor(ctx, user_id=user_id, code=data.code):
        raise NotFound("No second factor is set up.")
    return user_id


async def mark_shown(ctx: Ctx) -> None:
    """Note that this session has shown the second factor; what its roles give opens with the next request."""
    await ctx.db.execute(
        "update sessions set second_factor_at = now(), version = version + 1 where id = $1", ctx.actor.session_id
    )
    await ctx.db.execute("select pg_notify($1, $2)", SESSIONS_CHANNEL, f"user:{ctx.actor.user_id}")


async def set_up(ctx: Ctx, *, verdict: Verdict) -> SetUpOut:
    """A new secret for an authenticator app; it counts once a code confirms it. Raises Invalid, SecondFactorActive."""
    user_id = await require_own_password(ctx, verdict=verdict, field="password")
    await require_shown(ctx)
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
    """Switch the app on with a code of it; the codes for when it is lost, unless one has some.

    Raises NotFound, SecondFactorActive, SecondFactorNeeded, SecondFactorWrong.
    """
    user_id = own_user(ctx)
    row = await ctx.db.fetchrow(
        "select secret, last_step, confirmed_at from authenticators where user_id = $1 for update", user_id
    )
    if row is None:
        raise NotFound("Begin with POST /api/me/second-factor.")
    if row["confirmed_at"] is not None:
        raise SecondFactorActive
    await require_shown(ctx)
    if not await spend_step(ctx, user_id=user_id, row=row, code=code):
        raise SecondFactorWrong(fields={"code": SecondFactorWrong.default_detail})
    await ctx.db.execute("update authenticators set confirmed_at = now() where user_id = $1", user_id)
    ctx.emit(SecondFactorChanged(user_id=user_id, what="set up"), entity=("user", user_id))
    codes = await first_recovery_codes(ctx)
    await mark_shown(ctx)
    return RecoveryOut(recovery_codes=codes)


async def first_recovery_codes(ctx: Ctx) -> list[str]:
    """The recovery codes that come with somebody's first factor; none while some are left."""
    user_id = own_user(ctx)
    await ctx.db.execute("select 1 from users where id = $1 for update", user_id)
    if (await factors_of(ctx, user_id=user_id)).recovery_codes:
        return []
    return await _new_codes(ctx, user_id)


async def renew_recovery_codes(ctx: Ctx, *, data: ProofIn) -> RecoveryOut:
    """Replace the recovery codes. Raises NotFound, SecondFactorNeeded, SecondFactorWrong, PasskeyRefused."""
    user_id = await _show(ctx, data)
    limits.forgive(ctx)
    ctx.emit(SecondFactorChanged(user_id=user_id, what="recovery codes renewed"), entity=("user", user_id))
    return RecoveryOut(recovery_codes=await _new_codes(ctx, user_id))


async def remove(ctx: Ctx, *, verdict: Verdict, data: ProofIn) -> None:
    """Remove the authenticator app. Raises Invalid, NotFound, SecondFactorNeeded, SecondFactorWrong, PasskeyRefused.

    The factor comes first: a wrong code stays counted, also with the right password.
    """
    user_id = await _show(ctx, data)
    await require_own_password(ctx, verdict=verdict, field="password")
    if not await ctx.db.execute("delete from authenticators where user_id = $1 and confirmed_at is not null", user_id):
        raise NotFound("No authenticator app is set up.")
    ctx.emit(SecondFactorChanged(user_id=user_id, what="removed"), entity=("user", user_id))
    await settle_removal(ctx, user_id=user_id)


async def settle_removal(ctx: Ctx, *, user_id: UserId) -> None:
    """After a factor went: with the last one go the recovery codes, and no session has shown anything any more."""
    if not (await factors_of(ctx, user_id=user_id)).held:
        await ctx.db.execute("delete from recovery_codes where user_id = $1", user_id)
        await ctx.db.execute(
            """with theirs as (select id from sessions where user_id = $1 order by id for no key update)
               update sessions s set second_factor_at = null from theirs where s.id = theirs.id""",
            user_id,
        )
    await bump_sessions(ctx, user_id=user_id)


async def _new_codes(ctx: Ctx, user_id: UserId) -> list[str]:
    codes = ["-".join("".join(random.choice(LETTERS) for _ in range(5)) for _ in range(2)) for _ in range(CODES)]
    await ctx.db.execute("delete from recovery_codes where user_id = $1", user_id)
    await ctx.db.executemany(
        "insert into recovery_codes (user_id, hash) values ($1, $2)",
        [(user_id, recovery_digest(user_id, code)) for code in codes],
    )
    return codes


def own_user(ctx: Ctx) -> UserId:
    """The signed-in person; NotSignedIn when nobody is."""
    if ctx.actor.user_id is None:
        raise NotSignedIn
    return ctx.actor.user_id
