"""Coming in: with a password, a password and a second factor, or a passkey alone. Each way ends in the same session."""

from uuid import UUID

import msgspec

from lastlight.domains.identity.accounts import Person, Verdict, check_credentials, person_behind_password
from lastlight.domains.identity.contexts import As, choose_place
from lastlight.domains.identity.errors import WrongCredentials
from lastlight.domains.identity.factor_errors import PasskeyRefused, SecondFactorNeeded, SignInLate
from lastlight.domains.identity.passkey_check import request_of, show_passkey
from lastlight.domains.identity.passkey_schemas import PasskeyShown, PasskeySignInIn, RequestOut, SecondStepIn
from lastlight.domains.identity.schemas import LoginIn
from lastlight.domains.identity.second_factor_check import count_attempt, factors_of, show_second_factor
from lastlight.domains.identity.session_ends import close, hold_sign_ins
from lastlight.domains.identity.sessions import Channel, Session, open_session
from lastlight.domains.identity.tickets import Ticket, holder_of, is_current, password_mark, read_ticket, write_ticket
from lastlight.kernel.emails import plain_email
from lastlight.kernel.errors import NotSignedIn
from lastlight.runtime import limits
from lastlight.runtime.auth.errors import AccountSuspended
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.services import Services


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody wants to come in, and how."""

    channel: Channel
    tenant: str | None = None
    as_: As | None = None
    label: str = ""


async def prepare_login(services: Services, data: LoginIn, _actor: Actor) -> Verdict:
    """The slow part of a sign-in, before its transaction; a code that comes with the right password is counted."""
    verdict = await check_credentials(services, email=data.email, password=data.password)
    if verdict.right:
        await count_attempt(services, user_id=verdict.user_id, code=data.code)
    return verdict


async def prepare_second_step(services: Services, data: SecondStepIn, _actor: Actor) -> None:
    """Count the code, before the transaction."""
    await count_attempt(services, user_id=holder_of(services, data.ticket), code=data.code)


async def sign_in(ctx: Ctx, *, email: str, verdict: Verdict, wish: Wish, code: str = "") -> Session:
    """Open a session for checked credentials. A browser has one session: the one it came with ends.

    Raises WrongCredentials, SecondFactorNeeded (with a ticket for the second step), SecondFactorWrong, account-suspended, NoPlace,
    or tenant-pending, -suspended or -closed.
    """
    person = await person_behind_password(ctx, verdict=verdict)
    if person is None:
        ctx.record(
            "session.refused",
            entity=("user", verdict.user_id or ""),
            reason="wrong credentials",
            after={"email": plain_email(email)},
        )
        raise WrongCredentials
    _refuse_suspended(person)
    factors = await factors_of(ctx, user_id=person.id)
    if factors.held and not code.strip():
        raise SecondFactorNeeded(extra={"ticket": _ticket(ctx, person, wish), "methods": factors.methods})
    factored = await show_second_factor(ctx, user_id=person.id, code=code)
    if verdict.rehashed:
        await ctx.db.execute("update users set password_hash = $2 where id = $1", person.id, verdict.rehashed)
    return await _enter(ctx, person, wish, factored=factored)


async def second_step(ctx: Ctx, *, data: SecondStepIn, channel: Channel) -> Session:
    """Finish a sign-in whose password was right, with a code or a passkey. Raises as sign_in, SignInLate, PasskeyRefused."""
    ticket = read_ticket(ctx, text=data.ticket)
    person = await _person(ctx, ticket.user_id)
    if person is None or not is_current(ticket, person.password_hash):
        raise SignInLate
    _refuse_suspended(person)
    if data.passkey is not None:
        await show_passkey(ctx, shown=data.passkey, user_id=person.id)
    elif not await show_second_factor(ctx, user_id=person.id, code=data.code):
        raise SignInLate("Your second factor was removed meanwhile. Sign in again with your password.")
    wish = Wish(channel=channel, tenant=ticket.tenant, as_=ticket.as_, label=ticket.label)
    return await _enter(ctx, person, wish, factored=True)


async def sign_in_by_passkey(ctx: Ctx, *, shown: PasskeyShown, wish: Wish) -> Session:
    """Open a session by a passkey alone, which has verified its owner: it stands for password and second factor.

    Raises PasskeyRefused, PasskeysUnavailable, account-suspended, NoPlace, or tenant-pending, -suspended or -closed.
    """
    person = await _person(ctx, await show_passkey(ctx, shown=shown, user_id=None))
    if person is None:
        raise PasskeyRefused
    _refuse_suspended(person)
    return await _enter(ctx, person, wish, factored=True)


async def enter_accepted(ctx: Ctx, *, tenant: str) -> Session:
    """Open a browser's session for who has just accepted an invitation and chosen the password of the account; the caller knows so."""
    user_id = ctx.actor.user_id
    person = await _person(ctx, user_id) if user_id else None
    if person is None:
        raise NotSignedIn
    return await _enter(ctx, person, Wish(channel="cookie", tenant=tenant, as_="member"), factored=False)


async def ask_for_passkey(ctx: Ctx, *, ticket: str) -> RequestOut:
    """Ask the browser for a passkey: with a ticket one of that account's, else whichever it holds for this place."""
    return await request_of(ctx, user_id=read_ticket(ctx, text=ticket).user_id if ticket else None)


def wish_of(data: LoginIn | PasskeySignInIn, channel: Channel) -> Wish:
    """What a sign-in says of where to go."""
    return Wish(channel=channel, tenant=data.tenant, as_=data.as_, label=data.label)


def _ticket(ctx: Ctx, person: Person, wish: Wish) -> str:
    ticket = Ticket(
        user_id=person.id,
        mark=password_mark(person.password_hash),
        tenant=wish.tenant,
        as_=wish.as_,
        label=wish.label,
    )
    return write_ticket(ctx, ticket=ticket)


async def _person(ctx: Ctx, user_id: UUID) -> Person | None:
    await hold_sign_ins(ctx, user_id=user_id)
    return await ctx.db.row(
        Person,
        """select id, name, email, status, status_until, password_hash,
                  status in ('suspended', 'banned') and (status_until is null or status_until > now()) as suspended
           from users where id = $1 and status <> 'closed'""",
        user_id,
    )


def _refuse_suspended(person: Person) -> None:
    if person.suspended:
        raise AccountSuspended(extra={"until": person.status_until.isoformat() if person.status_until else None})


async def _enter(ctx: Ctx, person: Person, wish: Wish, *, factored: bool) -> Session:
    limits.forgive(ctx)
    place = await choose_place(ctx, user_id=person.id, name=person.name, tenant=wish.tenant, as_=wish.as_)
    if wish.channel == "cookie" and ctx.actor.channel == "cookie" and ctx.actor.session_id is not None:
        await close(ctx, session_id=ctx.actor.session_id)
    session = await open_session(
        ctx,
        user_id=person.id,
        name=person.name,
        email=person.email,
        place=place,
        channel=wish.channel,
        label=wish.label,
    )
    if factored:
        await ctx.db.execute("update sessions set second_factor_at = now() where id = $1", session.id)
    return session
