"""One's own passkeys: made, named, listed and removed. Who has one is asked for a second factor at sign-in."""

from typing import ClassVar, get_args
from uuid import UUID

from webauthn.registration.generate_registration_options import default_supported_pub_key_algs

from lastlight.domains.identity.accounts import Verdict, check_own_password, require_own_password
from lastlight.domains.identity.factor_errors import PasskeysFull
from lastlight.domains.identity.passkey_check import known_keys, new_challenge, relying_party, verify_new
from lastlight.domains.identity.passkey_schemas import (
    CreationOut,
    PasskeyIn,
    PasskeyKeptOut,
    PasskeyOut,
    PasskeyRemovalIn,
    Transport,
)
from lastlight.domains.identity.second_factor import (
    PasswordIn,
    first_recovery_codes,
    mark_shown,
    own_user,
    require_shown,
    settle_removal,
)
from lastlight.domains.identity.second_factor_check import SecondFactorChanged, factors_of
from lastlight.kernel.base64url import encode_base64url
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.events import Event
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.services import Services

MOST = 20
NAME = "Last Light"
TRANSPORTS = get_args(Transport)
COLUMNS = "id, label, backed_up, created_at, last_used_at"


class PasskeyRenamed(Event, frozen=True, kw_only=True):
    """Somebody gave a passkey of theirs another name."""

    event_name: ClassVar[str] = "user.passkey_renamed"
    user_id: UUID
    passkey_id: UUID


async def prepare_begin(services: Services, data: PasswordIn | PasskeyRemovalIn, actor: Actor) -> Verdict:
    """Compare the password, before the transaction."""
    return await check_own_password(services, actor, password=data.password)


async def begin(ctx: Ctx, *, verdict: Verdict) -> CreationOut:
    """Ask the browser for a new passkey. Raises Invalid, SecondFactorNeeded, PasskeysFull, PasskeysUnavailable."""
    party = relying_party(ctx.services.settings)
    user_id = await require_own_password(ctx, verdict=verdict, field="password")
    await require_shown(ctx)
    existing = await known_keys(ctx, user_id=user_id)
    if len(existing) >= MOST:
        raise PasskeysFull
    return CreationOut(
        challenge=await new_challenge(ctx, purpose="register", user_id=user_id),
        rp_id=party.id,
        rp_name=NAME,
        user_id=encode_base64url(user_id.bytes),
        user_name=ctx.actor.email,
        user_display_name=ctx.actor.name,
        algorithms=[int(algorithm) for algorithm in default_supported_pub_key_algs],
        exclude=existing,
    )


async def keep(ctx: Ctx, *, data: PasskeyIn) -> PasskeyKeptOut:
    """Keep the passkey that the browser made. Raises Invalid, PasskeyNotKept, PasskeyKnown, PasskeysFull."""
    user_id = own_user(ctx)
    label = plain_label(data.label)
    await ctx.db.execute("select 1 from users where id = $1 for update", user_id)
    verified = await verify_new(ctx, made=data.passkey, user_id=user_id)
    if (await factors_of(ctx, user_id=user_id)).passkeys >= MOST:
        raise PasskeysFull
    passkey = await ctx.db.one(
        PasskeyOut,
        f"""insert into passkeys (user_id, credential_id, public_key, sign_count, label, transports, backed_up)
            values ($1, $2, $3, $4, $5, $6, $7) returning {COLUMNS}""",  # noqa: S608 - a constant
        user_id,
        verified.credential_id,
        verified.credential_public_key,
        verified.sign_count,
        label,
        [transport for transport in data.passkey.transports if transport in TRANSPORTS],
        verified.credential_backed_up,
    )
    ctx.emit(
        SecondFactorChanged(user_id=user_id, what="passkey added"), entity=("user", user_id), after={"passkey": label}
    )
    codes = await first_recovery_codes(ctx)
    await mark_shown(ctx)
    return PasskeyKeptOut(passkey=passkey, recovery_codes=codes)


async def list_passkeys(ctx: Ctx) -> list[PasskeyOut]:
    """One's own passkeys, the oldest first."""
    return await ctx.db.rows(
        PasskeyOut,
        f"select {COLUMNS} from passkeys where user_id = $1 order by created_at, id",  # noqa: S608 - a constant
        own_user(ctx),
    )


async def rename(ctx: Ctx, *, passkey_id: UUID, label: str) -> PasskeyOut:
    """Give one of one's own passkeys another name; NotFound when it is not one's own."""
    user_id = own_user(ctx)
    wanted = plain_label(label)
    before = await ctx.db.fetchval(
        "select label from passkeys where id = $1 and user_id = $2 for update", passkey_id, user_id
    )
    if before is None:
        raise NotFound
    passkey = await ctx.db.one(
        PasskeyOut,
        f"update passkeys set label = $3 where id = $1 and user_id = $2 returning {COLUMNS}",  # noqa: S608 - a constant
        passkey_id,
        user_id,
        wanted,
    )
    ctx.emit(
        PasskeyRenamed(user_id=user_id, passkey_id=passkey_id),
        entity=("user", user_id),
        before={"passkey": before},
        after={"passkey": wanted},
    )
    return passkey


async def remove(ctx: Ctx, *, passkey_id: UUID, verdict: Verdict) -> None:
    """Remove one of one's own passkeys, from the next sign-in on. Raises Invalid, NotFound, SecondFactorNeeded."""
    user_id = await require_own_password(ctx, verdict=verdict, field="password")
    await require_shown(ctx)
    label = await ctx.db.fetchval(
        "delete from passkeys where id = $1 and user_id = $2 returning label", passkey_id, user_id
    )
    if label is None:
        raise NotFound
    ctx.emit(
        SecondFactorChanged(user_id=user_id, what="passkey removed"),
        entity=("user", user_id),
        before={"passkey": label},
    )
    await settle_removal(ctx, user_id=user_id)


def plain_label(label: str) -> str:
    """A passkey's name without surplus spaces; Invalid when nothing is left."""
    plain = " ".join(label.split())[:80]
    if not plain:
        raise Invalid(fields={"label": "Give the passkey a name, such as “my phone”."})
    return plain
