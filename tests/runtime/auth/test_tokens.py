"""U1: a token is taken only if every byte of it is as we made it."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from lastlight.runtime.auth import tokens
from lastlight.runtime.auth.errors import TokenExpired, TokenInvalid
from lastlight.runtime.secrets import Secrets

SECRETS = Secrets("a secret key of some length, for tests")
KEYS = tokens.token_keys(SECRETS)
NOW = 1_800_000_000.0


def issued(kind: tokens.TokenType = tokens.ACCESS, seconds: int = 900) -> str:
    return tokens.issue(
        KEYS,
        kind,
        user_id=uuid4(),
        session_id=uuid4(),
        tenant_id=uuid4(),
        session_kind="member",
        seconds=seconds,
        now=NOW,
    )


TOKEN = issued()
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(segment: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(segment + "=="))


def signed(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Signed with our own key, so that only the header or the claims are at fault."""
    message = f"{encoded(header)}.{encoded(claims)}".encode()
    return f"{message.decode()}.{encoded(SECRETS.signing_key('tokens').sign(message))}"


def header(**changes: object) -> dict[str, Any]:
    return {**decoded(HEADER), **changes}


def claims(**changes: object) -> dict[str, Any]:
    return {**decoded(PAYLOAD), **changes}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in claims().items() if key != name}


OTHER = Ed25519PrivateKey.generate()
PUBLIC = SECRETS.signing_key("tokens").public_key().public_bytes_raw()
OTHER_JWK = OKPKey.import_key(
    {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": encoded(OTHER.public_key().public_bytes_raw()),
        "d": encoded(OTHER.private_bytes_raw()),
    }
)


def by_other_key(head: dict[str, Any]) -> str:
    message = f"{encoded(head)}.{PAYLOAD}".encode()
    return f"{message.decode()}.{encoded(OTHER.sign(message))}"


def symmetric(secret: bytes) -> str:
    return jwt.encode(header(alg="HS256"), claims(), OctKey.import_key(secret), algorithms=["HS256"])


CORPUS: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "dots": lambda: "..",
    "one segment": lambda: PAYLOAD,
    "four segments": lambda: TOKEN + "." + SIGNATURE,
    "no signature": lambda: f"{HEADER}.{PAYLOAD}.",
    "alg none, no signature": lambda: f"{encoded(header(alg='none'))}.{PAYLOAD}.",
    "alg None": lambda: f"{encoded(header(alg='None'))}.{PAYLOAD}.{SIGNATURE}",
    "alg null": lambda: signed(header(alg=None), claims()),
    "alg missing": lambda: signed({k: v for k, v in header().items() if k != "alg"}, claims()),
    "HS256 over the public key": lambda: symmetric(PUBLIC),
    "HS256 over the public key in hex": lambda: symmetric(PUBLIC.hex().encode()),
    "RS256": lambda: jwt.encode(header(alg="RS256"), claims(), RSAKey.generate_key(2048), algorithms=["RS256"]),
    "ours, named EdDSA": lambda: signed(header(alg="EdDSA"), claims()),
    "another key": lambda: by_other_key(header()),
    "another key with its jwk": lambda: by_other_key(header(jwk=OTHER_JWK.as_dict(private=False))),
    "another key with jku": lambda: by_other_key(header(jku="https://evil.example/keys")),
    "ours with jku": lambda: signed(header(jku="https://evil.example/keys"), claims()),
    "ours with x5u": lambda: signed(header(x5u="https://evil.example/cert"), claims()),
    "ours with jwk": lambda: signed(header(jwk=OTHER_JWK.as_dict(private=False)), claims()),
    "another kid": lambda: signed(header(kid="deadbeef"), claims()),
    "kid of a path": lambda: signed(header(kid="../../dev/null"), claims()),
    "no kid": lambda: signed({k: v for k, v in header().items() if k != "kid"}, claims()),
    "crit": lambda: signed(header(crit=["exp"]), claims()),
    "crit b64": lambda: signed(header(crit=["b64"], b64=False), claims()),
    "typ JWT": lambda: signed(header(typ="JWT"), claims()),
    "no typ": lambda: signed({k: v for k, v in header().items() if k != "typ"}, claims()),
    "typ in capitals": lambda: signed(header(typ="AT+JWT"), claims()),
    "a cookie's token": lambda: issued(tokens.COOKIE),
    "header in another order": lambda: signed(dict(reversed(header().items())), claims()),
    "another issuer": lambda: signed(header(), claims(iss="https://evil.example")),
    "no issuer": lambda: signed(header(), without("iss")),
    "another audience": lambda: signed(header(), claims(aud="elsewhere")),
    "audience in a list": lambda: signed(header(), claims(aud=["lastlight"])),
    "no audience": lambda: signed(header(), without("aud")),
    "no expiry": lambda: signed(header(), without("exp")),
    "expiry as text": lambda: signed(header(), claims(exp="1900000000")),
    "expiry as a fraction": lambda: signed(header(), claims(exp=1900000000.5)),
    "expiry before issue": lambda: signed(header(), claims(exp=int(NOW) - 1)),
    "issued in the future": lambda: signed(header(), claims(iat=int(NOW) + 60)),
    "no session": lambda: signed(header(), without("sid")),
    "session of another shape": lambda: signed(header(), claims(sid="1 or 1=1")),
    "no subject": lambda: signed(header(), without("sub")),
    "an unknown kind": lambda: signed(header(), claims(kind="system")),
    "a claim too many": lambda: signed(header(), claims(scope="*")),
    "claims that are a list": lambda: f"{HEADER}.{encoded([])}.{SIGNATURE}",
    "payload of another token": lambda: f"{HEADER}.{issued().split('.')[1]}.{SIGNATURE}",
    "signature of another token": lambda: f"{HEADER}.{PAYLOAD}.{issued().split('.')[2]}",
    "padded": lambda: TOKEN + "==",
    "a newline after": lambda: TOKEN + "\n",
    "standard base64": lambda: f"{HEADER}.{PAYLOAD}.{SIGNATURE.replace('-', '+').replace('_', '/')}+",
    "enormous": lambda: f"{HEADER}.{'A' * 100_000}.{SIGNATURE}",
    "not ASCII": lambda: TOKEN[:-1] + "é",
}


@pytest.mark.parametrize("name", CORPUS)
def test_every_mutation_is_refused(name: str) -> None:
    token = CORPUS[name]()
    assert token != TOKEN
    with pytest.raises(TokenInvalid):
        tokens.read(KEYS, token, tokens.ACCESS, now=NOW)


def test_the_token_itself_is_taken_and_says_what_was_put_in() -> None:
    read = tokens.read(KEYS, TOKEN, tokens.ACCESS, now=NOW)
    assert (read.iss, read.aud, read.kind, read.exp - read.iat) == ("https://lastlight.dev", "lastlight", "member", 900)
    with pytest.raises(TokenInvalid):
        tokens.read(KEYS, TOKEN, tokens.COOKIE, now=NOW)


def every_flip() -> Iterator[str]:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, letter in enumerate(TOKEN):
        for other in (
            (alphabet[(alphabet.index(letter) + 1) % 64], alphabet[alphabet.index(letter) ^ 1])
            if letter != "."
            else "A"
        ):
            yield TOKEN[:place] + other + TOKEN[place + 1 :]


def test_no_single_character_may_differ_not_even_the_spare_bits_of_the_last() -> None:
    for token in every_flip():
        with pytest.raises(TokenInvalid):
            tokens.read(KEYS, token, tokens.ACCESS, now=NOW)


@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(KEYS, text, tokens.ACCESS, now=NOW)


def test_expiry_is_checked_each_time_though_the_signature_is_remembered() -> None:
    token = issued(seconds=10)
    assert tokens.read(KEYS, token, tokens.ACCESS, now=NOW + 9.9).exp == int(NOW) + 10
    with pytest.raises(TokenExpired):
        tokens.read(KEYS, token, tokens.ACCESS, now=NOW + 10)


def test_what_is_remembered_is_bounded_and_refusals_are_not_remembered() -> None:
    keys = tokens.token_keys(Secrets("another secret key, also for tests only"))
    with pytest.raises(TokenInvalid):
        tokens.read(keys, TOKEN, tokens.ACCESS, now=NOW)
    assert not keys.seen
    for place in range(20):
        keys.seen[(tokens.ACCESS, b"%d" % place)] = tokens.read(KEYS, TOKEN, tokens.ACCESS, now=NOW)
    assert len(KEYS.seen) <= tokens.REMEMBERED


def test_an_earlier_secret_key_is_read_and_a_stranger_s_is_not() -> None:
    rotated = tokens.token_keys(
        Secrets("the secret key after a rotation, longer", ["a secret key of some length, for tests"])
    )
    assert tokens.read(rotated, TOKEN, tokens.ACCESS, now=NOW).kind == "member"
    with pytest.raises(TokenInvalid):
        tokens.read(
            tokens.token_keys(Secrets("the secret key of somebody else, longer")), TOKEN, tokens.ACCESS, now=NOW
        )
