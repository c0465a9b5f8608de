"""Access and cookie tokens: Ed25519 JWTs whose header is one of two constants, read strictly and remembered briefly.

A token names its session and nothing that may change; what its owner may do is read from the database.
"""

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from lastlight.kernel.base64url import decode_base64url, encode_base64url
from lastlight.kernel.ids import SessionId, TenantId, UserId, uuid7
from lastlight.runtime import clock
from lastlight.runtime.auth.errors import TokenExpired, TokenInvalid
from lastlight.runtime.secrets import Secrets

TokenType = Literal["at+jwt", "session+jwt"]
SessionKind = Literal["member", "patron", "crew", "guest"]

ACCESS: TokenType = "at+jwt"
COOKIE: TokenType = "session+jwt"
ALGORITHM = "Ed25519"
ISSUER = "https://lastlight.dev"
AUDIENCE = "lastlight"
COOKIE_SECONDS = 7 * 24 * 3600
"""The longest life of any token."""
LONGEST = 2048
REMEMBERED = 8192
CLOCK_SKEW_SECONDS = 5


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token says: who (`sub`), which session (`sid`), which tenant (`tid`), as what, and for how long (Unix seconds)."""

    iss: str
    aud: str
    sub: UserId
    sid: SessionId
    tid: TenantId | None
    kind: SessionKind
    iat: int
    exp: int
    jti: UUID


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """The signing key of one deployment, and the only header segments that are read, each with its key."""

    key: OKPKey
    kid: str
    readers: dict[str, tuple[TokenType, OKPKey]]
    seen: "OrderedDict[tuple[TokenType, bytes], Claims]"


@lru_cache(maxsize=8)
def token_keys(secrets: Secrets) -> TokenKeys:
    """The keys of this deployment, derived from its secret keys: the same in every process, earlier ones still read."""
    key, kid = secrets.signing_key("tokens"), secrets.key_id()
    readers: dict[str, tuple[TokenType, OKPKey]] = {}
    for known, public in secrets.verifying_keys("tokens").items():
        for kind in (ACCESS, COOKIE):
            readers[encode_base64url(_header_json(kind, known))] = (kind, OKPKey.import_key(_jwk(public)))
    signing = OKPKey.import_key({**_jwk(key.public_key()), "d": encode_base64url(key.private_bytes_raw())})
    return TokenKeys(key=signing, kid=kid, readers=readers, seen=OrderedDict())


def _jwk(public: Ed25519PublicKey) -> dict[str, str | list[str]]:
    return {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(public.public_bytes_raw())}


def issue(
    keys: TokenKeys,
    kind: TokenType,
    *,
    user_id: UUID,
    session_id: UUID,
    tenant_id: UUID | None,
    session_kind: SessionKind,
    seconds: int,
    now: float | None = None,
) -> str:
    """A signed token that lives for `seconds`."""
    issued = int(clock.now() if now is None else now)
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(session_id),
        "tid": None if tenant_id is None else str(tenant_id),
        "kind": session_kind,
        "iat": issued,
        "exp": issued + seconds,
        "jti": str(uuid7()),
    }
    return jwt.encode(_header(kind, keys.kid), claims, keys.key, algorithms=[ALGORITHM], default_type=None)


def read(keys: TokenKeys, token: str, kind: TokenType, *, now: float | None = None) -> Claims:
    """The claims of a token of ours of this type; TokenInvalid when it is anything else, TokenExpired when its time is over."""
    if len(token) > LONGEST or not token.isascii():
        raise TokenInvalid
    at = clock.now() if now is None else now
    place = (kind, sha256(token.encode()).digest())
    claims = keys.seen.get(place)
    if claims is None:
        claims = _verified(keys, token, kind)
        keys.seen[place] = claims
        while len(keys.seen) > REMEMBERED:
            keys.seen.popitem(last=False)
    else:
        keys.seen.move_to_end(place)
    if claims.exp <= at:
        raise TokenExpired
    if claims.iat > at + CLOCK_SKEW_SECONDS:
        raise TokenInvalid
    return claims


def _verified(keys: TokenKeys, token: str, kind: TokenType) -> Claims:
    """Check a token from its first byte: the header must be exactly ours, so alg, kid, jku, jwk, crit or b64 cannot be chosen."""
    segments = token.split(".")
    known, key = keys.readers.get(segments[0], (None, keys.key))
    if known != kind or len(segments) != 3 or not all(map(_canonical, segments)):
        raise TokenInvalid
    try:
        jwt.decode(token, key, algorithms=[ALGORITHM])
        payload = decode_base64url(segments[1]) or b""
        claims = msgspec.json.decode(payload, type=Claims)
    except (JoseError, ValueError, msgspec.DecodeError) as error:
        raise TokenInvalid from error
    if msgspec.json.encode(claims) != payload:  # a claim twice, or written in another way than ours
        raise TokenInvalid
    if claims.iss != ISSUER or claims.aud != AUDIENCE or not 0 < claims.exp - claims.iat <= COOKIE_SECONDS:
        raise TokenInvalid
    return claims


def _header(kind: TokenType, kid: str) -> dict[str, str]:
    return {"typ": kind, "alg": ALGORITHM, "kid": kid}


def _header_json(kind: TokenType, kid: str) -> bytes:
    return msgspec.json.encode(_header(kind, kid))


def _canonical(segment: str) -> bool:
    """Whether a segment is base64url in its only spelling: spare bits zero, no padding, no foreign characters."""
    return decode_base64url(segment) is not None
