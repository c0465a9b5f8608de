"""Checking passkeys (WebAuthn): challenges that count once, bound to the platform's public address, and counters that only grow."""

import ipaddress
import secrets as random
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from lastlight.domains.identity.factor_errors import PasskeyNotKept, PasskeyRefused, PasskeysUnavailable
from lastlight.domains.identity.passkey_schemas import KnownKey, PasskeyMade, PasskeyShown, RequestOut
from lastlight.kernel.base64url import decode_base64url, encode_base64url
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.settings import Settings

Purpose = Literal["register", "sign_in", "confirm"]
T = TypeVar("T")
LIFE = timedelta(minutes=5)
CHALLENGE_BYTES = 32


class RelyingParty(msgspec.Struct, frozen=True):
    """Who asks for a passkey: browsers bind each one to this id and sign the origin of the page."""

    id: str
    origin: str


class _Kept(msgspec.Struct, frozen=True):
    """A passkey as it is checked, held until the end of the transaction."""

    id: UUID
    user_id: UserId
    public_key: bytes
    sign_count: int


class _ClientData(msgspec.Struct):
    """The one part of what the browser signs that finds the challenge; the library judges all of it."""

    challenge: str


def relying_party(settings: Settings) -> RelyingParty:
    """From the public address, never from the request. This machine's own address stands for localhost; PasskeysUnavailable."""
    parts = urlsplit(settings.base_url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    if _is_loopback(host):
        return RelyingParty("localhost", f"{parts.scheme}://localhost{port}")
    if parts.scheme != "https" or _is_address(host):
        raise PasskeysUnavailable
    return RelyingParty(host, f"https://{host}{port}")


def passkey_origin(ctx: Ctx) -> str:
    """The address at which passkeys work; empty where they do not."""
    try:
        return relying_party(ctx.services.settings).origin
    except PasskeysUnavailable:
        return ""


def read_shown(text: str) -> PasskeyShown:
    """What a page's form holds of a passkey that was shown; PasskeyRefused."""
    try:
        return msgspec.json.decode(text, type=PasskeyShown)
    except msgspec.MsgspecError as error:
        raise PasskeyRefused from error


def read_made(text: str) -> PasskeyMade:
    """What a page's form holds of a passkey that was made; PasskeyNotKept."""
    try:
        return msgspec.json.decode(text, type=PasskeyMade)
    except msgspec.MsgspecError as error:
        raise PasskeyNotKept from error


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


async def new_challenge(ctx: Ctx, *, purpose: Purpose, user_id: UUID | None) -> str:
    """What a passkey is to sign, once, within five minutes; old ones go as new ones come."""
    await ctx.db.execute(
        """delete from passkey_challenges where challenge = any(array(
             select challenge from passkey_challenges where expires_at < now() order by expires_at limit 20))"""
    )
    challenge = random.token_bytes(CHALLENGE_BYTES)
    await ctx.db.execute(
        "insert into passkey_challenges (challenge, user_id, purpose, expires_at) values ($1, $2, $3, now() + $4)",
        challenge,
        user_id,
        purpose,
        LIFE,
    )
    return encode_base64url(challenge)


async def request_of(ctx: Ctx, *, user_id: UUID | None) -> RequestOut:
    """Ask for a passkey: of somebody who has shown their password, or of anybody, whom the passkey itself then names."""
    party = relying_party(ctx.services.settings)
    return RequestOut(
        challenge=await new_challenge(ctx, purpose="confirm" if user_id else "sign_in", user_id=user_id),
        rp_id=party.id,
        allow=await known_keys(ctx, user_id=user_id) if user_id else [],
        user_verification="preferred" if user_id else "required",
    )


async def known_keys(ctx: Ctx, *, user_id: UUID) -> list[KnownKey]:
    """The credentials of an account."""
    rows = await ctx.db.fetch(
        "select credential_id, transports from passkeys where user_id = $1 order by created_at, id", user_id
    )
    return [KnownKey(id=encode_base64url(row["credential_id"]), transports=row["transports"]) for row in rows]


async def show_passkey(ctx: Ctx, *, shown: PasskeyShown, user_id: UserId | None) -> UserId:
    """Check a passkey: as the second factor of `user_id`, or, with None, as a sign-in of its own, which needs its owner verified.

    Whose it was. The challenge is spent either way. Raises PasskeyRefused, PasskeysUnavailable.
    """
    challenge = await _spend_challenge(ctx, shown.client_data, "confirm" if user_id else "sign_in", user_id)
    kept = await ctx.db.row(
        _Kept,
        "select id, user_id, public_key, sign_count from passkeys where credential_id = $1 for update",
        decode_base64url(shown.id) or b"",
    )
    if challenge is None or kept is None:
        raise _refused(ctx, user_id or (kept and kept.user_id), "unknown passkey" if challenge else "spent challenge")
    if (user_id is not None and kept.user_id != user_id) or (
        shown.user_handle and decode_base64url(shown.user_handle) != kept.user_id.bytes
    ):
        raise _refused(ctx, user_id or kept.user_id, "another account's passkey")
    try:
        verified = checked(lambda: _verify(ctx, shown, kept, challenge, alone=user_id is None))
    except _WrongError as error:
        raise _refused(ctx, kept.user_id, str(error)) from error
    await ctx.db.execute(
        "update passkeys set sign_count = $2, backed_up = $3, last_used_at = now() where id = $1",
        kept.id,
        verified.new_sign_count,
        verified.credential_backed_up,
    )
    return kept.user_id


async def verify_new(ctx: Ctx, *, made: PasskeyMade, user_id: UUID) -> VerifiedRegistration:
    """Check a passkey that was just made; its challenge is spent either way. Raises PasskeyNotKept, PasskeysUnavailable."""
    challenge = await _spend_challenge(ctx, made.client_data, "register", user_id)
    if challenge is None:
        raise _not_kept(ctx, user_id, "spent challenge")
    party = relying_party(ctx.services.settings)
    try:
        verified = checked(
            lambda: verify_registration_response(
                credential=RegistrationCredential(
                    id=made.id,
                    raw_id=as_bytes(made.id),
                    response=AuthenticatorAttestationResponse(as_bytes(made.client_data), as_bytes(made.attestation)),
                ),
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
            )
        )
    except _WrongError as error:
        raise _not_kept(ctx, user_id, str(error)) from error
    if verified.credential_id != decode_base64url(made.id):
        raise _not_kept(ctx, user_id, "another credential than it says")
    return verified


def _verify(ctx: Ctx, shown: PasskeyShown, kept: _Kept, challenge: bytes, *, alone: bool) -> VerifiedAuthentication:
    party = relying_party(ctx.services.settings)
    response = AuthenticatorAssertionResponse(
        as_bytes(shown.client_data), as_bytes(shown.authenticator_data), as_bytes(shown.signature)
    )
    return verify_authentication_response(
        credential=AuthenticationCredential(id=shown.id, raw_id=as_bytes(shown.id), response=response),
        expected_challenge=challenge,
        expected_rp_id=party.id,
        expected_origin=party.origin,
        credential_public_key=kept.public_key,
        credential_current_sign_count=kept.sign_count,
        require_user_verification=alone,
    )


class _WrongError(Exception):
    """What the library found wrong."""


def checked(check: Callable[[], T]) -> T:
    """Run a check of the library over what strangers sent; whatever breaks on it is a refusal."""
    try:
        return check()
    except (WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise _WrongError(str(error)[:300]) from error


async def _spend_challenge(ctx: Ctx, client_data: str, purpose: Purpose, user_id: UUID | None) -> bytes | None:
    try:
        challenge = as_bytes(msgspec.json.decode(as_bytes(client_data), type=_ClientData).challenge)
    except (msgspec.MsgspecError, ValueError):
        return None
    return await ctx.db.fetchval(
        """delete from passkey_challenges
           where challenge = $1 and purpose = $2 and user_id is not distinct from $3 and expires_at > now()
           returning challenge""",
        challenge,
        purpose,
        user_id,
    )


def _refused(ctx: Ctx, user_id: UUID | None, why: str) -> PasskeyRefused:
    ctx.record("user.second_factor_refused", entity=("user", user_id or ""), reason=f"passkey: {why}")
    return PasskeyRefused()


def _not_kept(ctx: Ctx, user_id: UUID, why: str) -> PasskeyNotKept:
    ctx.record("user.second_factor_refused", entity=("user", user_id), reason=f"new passkey: {why}")
    return PasskeyNotKept()


def as_bytes(text: str) -> bytes:
    """Base64url without padding, as WebAuthn writes bytes; ValueError."""
    raw = decode_base64url(text)
    if raw is None:
        raise ValueError("this is no base64url")
    return raw
