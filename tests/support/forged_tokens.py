"""Access and cookie tokens that somebody might make: another header, another key, other claims, in every way that worked elsewhere."""

import base64
import hmac
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import OKPKey, RSAKey

from lastlight.runtime.auth import tokens
from lastlight.runtime.auth.tokens import SessionKind, TokenType
from lastlight.runtime.secrets import Secrets

KIDS = (
    "deadbeef",
    "",
    "../../dev/null",
    "../../../../proc/sys/kernel/randomize_va_space",
    "' or 1=1 --",
    "x' union select 'secret' --",
    "|cat /etc/passwd",
    "\x00",
    ["00000000"],
    {"kid": "00000000"},
    0,
    None,
)
ALGORITHMS = (
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    "HS256",
    "RS256",
    "ES256",
    "EdDSA",
    "Ed448",
    "ed25519",
    None,
    ["Ed25519"],
)
EXTRAS: tuple[dict[str, Any], ...] = (
    {"jku": "https://evil.example/keys"},
    {"x5u": "https://evil.example/cert"},
    {"x5c": ["MIIB"]},
    {"crit": ["exp"]},
    {"crit": ["b64"], "b64": False},
    {"b64": False},
    {"zip": "DEF"},
    {"cty": "JWT"},
    {"typ": "JWT"},
    {"typ": "AT+JWT"},
    {"typ": "application/at+jwt"},
    {"typ": None},
    {"iat": 1},
)
WRONG_CLAIMS: tuple[dict[str, Any], ...] = (
    {"iss": "https://evil.example"},
    {"iss": None},
    {"iss": ["https://lastlight.dev"]},
    {"iss": "https://lastlight.dev/"},
    {"aud": "elsewhere"},
    {"aud": ["lastlight"]},
    {"aud": "Lastlight"},
    {"exp": "1900000000"},
    {"exp": 1_900_000_000.5},
    {"exp": 2**63},
    {"exp": -1},
    {"exp": None},
    {"exp": [1_900_000_000]},
    {"exp": True},
    {"iat": "1"},
    {"iat": -(2**70)},
    {"nbf": 4_000_000_000},
    {"nbf": "soon"},
    {"sid": "1 or 1=1"},
    {"sid": None},
    {"sid": {"$ne": None}},
    {"sub": "admin"},
    {"sub": None},
    {"tid": "platform"},
    {"tid": 0},
    {"kind": "system"},
    {"kind": "CREW"},
    {"kind": ["crew"]},
    {"jti": "x"},
    {"scope": "*"},
    {"admin": True},
)


def encoded(value: object) -> str:
    """A segment: bytes as they are, anything else as JSON."""
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(segment: str) -> dict[str, Any]:
    """The JSON of a segment."""
    return json.loads(base64.urlsafe_b64decode(segment + "=="))


@dataclass
class Workshop:
    """Makes genuine tokens at a moment with a deployment's keys, and everything that must not pass for one."""

    secrets: Secrets
    now: float

    @property
    def keys(self) -> tokens.TokenKeys:
        """The deployment's keys."""
        return tokens.token_keys(self.secrets)

    def issued(
        self,
        kind: TokenType = tokens.ACCESS,
        seconds: int = 900,
        *,
        session_kind: SessionKind = "member",
        now: float | None = None,
        keys: tokens.TokenKeys | None = None,
    ) -> str:
        """A token as sign-in issues it."""
        return tokens.issue(
            keys or self.keys,
            kind,
            user_id=uuid4(),
            session_id=uuid4(),
            tenant_id=None if session_kind == "guest" else uuid4(),
            session_kind=session_kind,
            seconds=seconds,
            now=self.now if now is None else now,
        )

    def signed(self, header: Any, claims: Any) -> str:
        """Signed with the deployment's own key, so that only the header or the claims are at fault."""
        return _with_key(self.secrets.signing_key("tokens"), header, claims)

    @cached_property
    def stranger(self) -> Ed25519PrivateKey:
        """Somebody else's key."""
        return Ed25519PrivateKey.generate()

    def crafted(self, token: str, kind: TokenType = tokens.ACCESS) -> dict[str, str]:
        """By name, every attack on a token of that type that needs more than changing letters."""
        head, payload, signature = token.split(".")
        header, claims = decoded(head), decoded(payload)
        other: TokenType = tokens.COOKIE if kind == tokens.ACCESS else tokens.ACCESS
        return {
            **self._headers(token, header, claims),
            **self._keys(header, claims),
            **self._claims(header, claims),
            "another type of ours": self.issued(other),
            "payload of another token": f"{head}.{self.issued(kind).split('.')[1]}.{signature}",
            "signature of another token": f"{head}.{payload}.{self.issued(kind).split('.')[2]}",
            "nested": self.signed(header, token),
            "nested in a claim": self.signed(header, {**claims, "jwt": token}),
            "nested whole": f"{head}.{encoded(token.encode())}.{signature}",
            "over": self.issued(kind, now=self.now - 901) if kind == tokens.ACCESS else self.issued(kind, now=1.0),
            "not yet": self.issued(kind, now=self.now + 60),
            "one segment": payload,
            "four segments": f"{token}.{signature}",
            "five segments": f"{head}.{payload}..{payload}.{signature}",
            "no signature": f"{head}.{payload}.",
            "no payload": f"{head}..{signature}",
            "JSON serialisation": json.dumps({"protected": head, "payload": payload, "signature": signature}),
            "detached": f"{head}..{self.signed(header, claims).split('.')[2]}",
            "enormous": f"{head}.{'A' * 100_000}.{signature}",
        }

    def _headers(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> dict[str, str]:
        _, payload, signature = token.split(".")
        found: dict[str, str] = {}
        for alg in ALGORITHMS:
            changed = encoded({**header, "alg": alg})
            found[f"alg {alg!r}, ours"] = self.signed({**header, "alg": alg}, claims)
            found[f"alg {alg!r}, no signature"] = f"{changed}.{payload}."
            found[f"alg {alg!r}, its signature"] = f"{changed}.{payload}.{signature}"
        for kid in KIDS:
            found[f"kid {kid!r}"] = self.signed({**header, "kid": kid}, claims)
        for extra in EXTRAS:
            found[f"header {extra}"] = self.signed({**header, **extra}, claims)
        for name in header:
            found[f"header without {name}"] = self.signed({k: v for k, v in header.items() if k != name}, claims)
        found["header in another order"] = self.signed(dict(reversed(header.items())), claims)
        found["header with blanks"] = self.signed(json.dumps(header).encode(), claims)
        twice = json.dumps(header, separators=(",", ":")).replace("{", '{"alg":"none",', 1)
        found["header with alg twice"] = self.signed(twice.encode(), claims)
        found["header that is a list"] = self.signed([header], claims)
        return found

    def _keys(self, header: dict[str, Any], claims: dict[str, Any]) -> dict[str, str]:
        own = self.secrets.signing_key("tokens").public_key()
        spki = own.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = own.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        jwk = _public_jwk(self.stranger)
        rsa = RSAKey.generate_key(2048)
        found = {
            "another key": _with_key(self.stranger, header, claims),
            "another key with its jwk": _with_key(self.stranger, {**header, "jwk": jwk}, claims),
            "another key with jku": _with_key(self.stranger, {**header, "jku": "https://evil.example/keys"}, claims),
            "another purpose's key": _with_key(self.secrets.signing_key("guest-pass"), header, claims),
            "another environment": self.issued(keys=tokens.token_keys(Secrets("the key of staging, of some length"))),
            "RS256": jwt.encode({**header, "alg": "RS256"}, claims, rsa, algorithms=["RS256"]),
        }
        secrets = {
            "raw": own.public_bytes_raw(),
            "hex": own.public_bytes_raw().hex().encode(),
            "SPKI": spki,
            "PEM": pem,
        }
        secrets |= {
            "base64url": encoded(own.public_bytes_raw()).encode(),
            "a zero byte": b"\x00",
            "the kid": self.keys.kid.encode(),
        }
        for name, secret in secrets.items():
            message = f"{encoded({**header, 'alg': 'HS256'})}.{encoded(claims)}"
            found[f"HS256 over {name}"] = f"{message}.{encoded(hmac.digest(secret, message.encode(), 'sha256'))}"
        return found

    def _claims(self, header: dict[str, Any], claims: dict[str, Any]) -> dict[str, str]:
        text = json.dumps(claims, separators=(",", ":"))
        found = {f"claims {wrong}": self.signed(header, {**claims, **wrong}) for wrong in WRONG_CLAIMS}
        for name, value in claims.items():
            found[f"claims without {name}"] = self.signed(header, {k: v for k, v in claims.items() if k != name})
            doubled = text.replace("{", f'{{"{name}":{json.dumps(value)},', 1)
            found[f"{name} twice"] = self.signed(header, doubled.encode())
        changed = {
            "in capitals": text.replace(claims["sub"], claims["sub"].upper()),
            "without dashes": text.replace(claims["sub"], claims["sub"].replace("-", "")),
            "with blanks": json.dumps(claims),
            "with an exponent": text.replace(str(claims["exp"]), "19e8"),
            "escaped": text.replace("lastlight", "\\u006castlight"),
            "cut": text[:-1],
            "followed by more": f"{text}{text}",
            "behind a BOM": f"\ufeff{text}",
            "a list": f"[{text}]",
            "nothing": "",
            "null": "null",
        }
        found |= {f"claims {name}": self.signed(header, made.encode()) for name, made in changed.items()}
        found["claims in UTF-16"] = self.signed(header, text.encode("utf-16"))
        for what, wrong in {
            "before issue": {"exp": claims["iat"]},
            "in the future": {"iat": int(self.now) + 60},
        }.items():
            found[f"claims {what}"] = self.signed(header, {**claims, **wrong})
        return found


def _with_key(key: Ed25519PrivateKey, header: Any, claims: Any) -> str:
    message = f"{encoded(header)}.{encoded(claims)}"
    return f"{message}.{encoded(key.sign(message.encode()))}"


def _public_jwk(key: Ed25519PrivateKey) -> dict[str, Any]:
    public: dict[str, str | list[str]] = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": encoded(key.public_key().public_bytes_raw()),
    }
    return dict(OKPKey.import_key(public).as_dict(private=False))
