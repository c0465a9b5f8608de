"""Accounts: registering, comparing, setting and changing passwords. Signing in is in `entrance`."""

from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.identity.addresses import mark_verified
from lastlight.domains.identity.contexts import join_as_patron
from lastlight.domains.identity.errors import LinkInvalid
from lastlight.domains.identity.events import UserPasswordChanged, UserRegistered
from lastlight.domains.identity.jobs import (
    mail_address_in_use,
    mail_forgotten_password,
    mail_new_address,
    mail_verification,
)
from lastlight.domains.identity.names import clean_email, clean_name
from lastlight.domains.identity.schemas import ChangeEmailIn, ChangePasswordIn, RegisterIn, ResetIn
from lastlight.domains.identity.second_factor_check import forget_factors
from lastlight.domains.identity.session_ends import hold_sign_ins, revoke_all
from lastlight.domains.identity.tokens import digest, retire_one_time, spend_one_time
from lastlight.kernel.emails import plain_email
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import UserId
from lastlight.runtime import limits
from lastlight.runtime.auth.passwords import check_policy, hash_password, needs_rehash, verify_password
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.services import Services


class Verdict(msgspec.Struct, frozen=True):
    """What a check of credentials found. `user_id` is set for a known address, `right` when the password was its own."""

    user_id: UserId | None
    right: bool
    password_hash: str | None = None
    rehashed: str | None = None


class Person(msgspec.Struct, frozen=True):
    """A user as sign-in needs them."""

    id: UserId
    name: str
    email: str
    status: str
    status_until: Any
    suspended: bool
    password_hash: str | None


async def check_credentials(services: Services, *, email: str, password: str) -> Verdict:
    """Compare a password with the account's, outside any transaction; an unknown address takes the same time."""
    row = await services.pools.system.fetchrow(
        "select id, password_hash from users where email = $1 and status <> 'closed'", plain_email(email)
    )
    return await _compare(row, password)


async def check_own_password(services: Services, actor: Actor, *, password: str) -> Verdict:
    """Compare a password with the signed-in person's own, outside any transaction."""
    row = await services.pools.system.fetchrow(
        "select id, password_hash from users where id = $1 and status <> 'closed'", actor.user_id
    )
    return await _compare(row, password)


async def _compare(row: Any, password: str) -> Verdict:
    stored = row["password_hash"] if row else None
    right = await verify_password(stored, password)
    rehashed = await hash_password(password) if right and stored and needs_rehash(stored) else None
    return Verdict(UserId(row["id"]) if row else None, right, stored, rehashed)


async def person_behind_password(ctx: Ctx, *, verdict: Verdict, alone: bool = False) -> Person | None:
    """The user whose password it was, unless it was changed since it was compared."""
    if verdict.user_id is None or not verdict.right:
        return None
    await hold_sign_ins(ctx, user_id=verdict.user_id, alone=alone)
    return await ctx.db.row(
        Person,
        """select id, name, email, status, status_until, password_hash,
                  status in ('suspended', 'banned') and (status_until is null or status_until > now()) as suspended
           from users where id = $1 and password_hash = $2 and status <> 'closed'""",
        verdict.user_id,
        verdict.password_hash,
    )


async def prepare_register(_services: Services, data: RegisterIn, _actor: Actor) -> str:
    """Check the new password and hash it, before the transaction and whether or not the address is known."""
    email = clean_email(data.email)
    clean_name(data.name)
    check_policy(data.password, email=email)
    return await hash_password(data.password)


async def register(ctx: Ctx, *, email: str, name: str, password_hash: str, tenant: str | None = None) -> UserId | None:
    """Create an account, joining a business as its guest; None when the address has one, whose mailbox is told instead.

    Raises Invalid at `tenant` when no business of that name takes guests.
    """
    if tenant:
        await _require_open(ctx, tenant)
    user_id = await open_account(ctx, email=email, name=name, password_hash=password_hash)
    if user_id is None:
        await ctx.enqueue(mail_address_in_use, email=email)
        return None
    if tenant:
        await join_as_patron(ctx, user_id=user_id, name=name, slug=tenant.strip().lower())
    return user_id


async def open_account(ctx: Ctx, *, email: str, name: str, password_hash: str) -> UserId | None:
    """Create an account and send the link that proves its address; None when the address is taken."""
    user_id = await create_user(ctx, email=email, name=name, password_hash=password_hash)
    if user_id is not None:
        await ctx.enqueue(mail_verification, user_id=user_id)
    return user_id


async def create_user(ctx: Ctx, *, email: str, name: str, password_hash: str | None) -> UserId | None:
    """Insert an account; None when the address is taken."""
    user_id = await ctx.db.fetchval(
        "insert into users (email, name, password_hash) values ($1, $2, $3) on conflict (email) do nothing returning id",
        email,
        name,
        password_hash,
    )
    if user_id is None:
        return None
    ctx.emit(UserRegistered(user_id=user_id), entity=("user", user_id), after={"email": email, "name": name})
    return UserId(user_id)


async def _require_open(ctx: Ctx, slug: str) -> None:
    known = await ctx.db.fetchval(
        "select 1 from tenants where slug = $1 and status = 'active' and kind = 'business'", slug.strip().lower()
    )
    if not known:
        raise Invalid(fields={"tenant": "No business of this name takes guests; check the spelling."})


async def forgot_password(ctx: Ctx, *, email: str) -> None:
    """Send a reset link if there is such an account. The look-up is the job's, so neither answer nor time tells."""
    await ctx.enqueue(mail_forgotten_password, email=clean_email(email))


async def prepare_reset(services: Services, data: ResetIn, _actor: Actor) -> str:
    """Check the link and the new password, and hash it; nothing is spent yet."""
    email = await services.pools.system.fetchval(
        """select u.email from one_time_tokens t join users u on u.id = t.user_id
           where t.hash = $1 and t.purpose in ('reset_password', 'invitation') and t.used_at is null and t.expires_at > now()""",
        digest(data.token),
    )
    if email is None:
        raise LinkInvalid
    check_policy(data.password, email=email)
    return await hash_password(data.password)


async def reset_password(ctx: Ctx, *, token: str, password_hash: str) -> None:
    """Set a password by a link from an e-mail: proves the address, ends every session and retires every other link."""
    spent = await spend_one_time(ctx, token=token, purposes=["reset_password", "invitation"])
    await hold_sign_ins(ctx, user_id=spent.user_id, alone=True)
    await _set_password(ctx, user_id=spent.user_id, password_hash=password_hash, way=spent.purpose)
    await retire_one_time(ctx, user_id=spent.user_id)
    if not await ctx.db.fetchval("select email_verified_at is not null from users where id = $1", spent.user_id):
        await forget_factors(ctx, user_id=spent.user_id)
    await mark_verified(ctx, user_id=spent.user_id)
    await revoke_all(ctx, user_id=spent.user_id, why="password reset")
    limits.forgive(ctx)


async def prepare_change(services: Services, data: ChangePasswordIn, actor: Actor) -> tuple[Verdict, str]:
    """Compare the present password and hash the new one."""
    check_policy(data.new_password, email=actor.email, field="new_password")
    verdict = await check_own_password(services, actor, password=data.current_password)
    return verdict, await hash_password(data.new_password)


async def change_password(ctx: Ctx, *, verdict: Verdict, password_hash: str) -> None:
    """Change one's own password; every other session of one's own ends. Invalid when the present one is wrong."""
    user_id = await require_own_password(ctx, verdict=verdict, field="current_password")
    await _set_password(ctx, user_id=user_id, password_hash=password_hash, way="changed")
    await retire_one_time(ctx, user_id=user_id)
    await revoke_all(ctx, user_id=user_id, why="password changed", keep=ctx.actor.session_id)


async def require_own_password(ctx: Ctx, *, verdict: Verdict, field: str) -> UserId:
    """Whose password it was: the signed-in person's. Invalid at the field when it was not, or is no more."""
    person = await person_behind_password(ctx, verdict=verdict, alone=True)
    if person is None or person.id != ctx.actor.user_id:
        raise Invalid(fields={field: "This is not your password."})
    limits.forgive(ctx)
    return person.id


async def prepare_email_change(services: Services, data: ChangeEmailIn, actor: Actor) -> Verdict:
    """Check the new address and compare the password."""
    if clean_email(data.new_email, field="new_email") == actor.email:
        raise Invalid(fields={"new_email": "This is your address already."})
    return await check_own_password(services, actor, password=data.password)


async def ask_email_change(ctx: Ctx, *, email: str, verdict: Verdict) -> None:
    """Send a link to a new address of one's own; it takes effect once that mailbox's owner follows it. Invalid at a wrong password.

    Who else has that address is the job's to see, so neither answer nor time tells.
    """
    user_id = await require_own_password(ctx, verdict=verdict, field="password")
    await ctx.enqueue(mail_new_address, user_id=user_id, email=clean_email(email))


async def _set_password(ctx: Ctx, *, user_id: UUID, password_hash: str, way: str) -> None:
    await ctx.db.execute("update users set password_hash = $2 where id = $1", user_id, password_hash)
    ctx.emit(UserPasswordChanged(user_id=UserId(user_id), way=way), entity=("user", user_id))
