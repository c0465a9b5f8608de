"""U1: a token is taken only if every byte of it is as we made it."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.runtime.auth import tokens
from lastlight.runtime.auth.errors import TokenExpired, TokenInvalid
from lastlight.runtime.secrets import Secrets
from tests.support.forged_tokens import Workshop

SECRETS = Secrets("a secret key of some length, for tests")
KEYS = tokens.token_keys(SECRETS)
NOW = 1_800_000_000.0
SHOP = Workshop(SECRETS, NOW)
TOKEN = SHOP.issued()
CORPUS = SHOP.crafted(TOKEN) | {
    "nothing": "",
    "dots": "..",
    "padded": TOKEN + "==",
    "a newline after": TOKEN + "\n",
    "standard base64": TOKEN.replace("-", "+").replace("_", "/") + "+",
    "not ASCII": TOKEN[:-1] + "é",
}


@pytest.mark.parametrize("name", CORPUS)
def test_every_mutation_is_refused(name: str) -> None:
    token = CORPUS[name]
    assert token != TOKEN
    with pytest.raises(TokenExpired if name == "over" else TokenInvalid):
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
    token = SHOP.issued(seconds=10)
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
