"""Passwords: the hash, the policy, and that a missing account costs as much as a wrong password."""

import asyncio

import pytest

from lastlight.kernel.errors import Invalid
from lastlight.runtime.auth.passwords import check_policy, hash_password, needs_rehash, verify_password
from tests.support.hashing import Counted, counted


async def test_a_hash_is_argon2id_with_our_parameters_and_salted() -> None:
    one, two = await hash_password("correct horse"), await hash_password("correct horse")
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != two
    assert await verify_password(one, "correct horse")
    assert not await verify_password(one, "Correct horse")
    assert not needs_rehash(one)


@pytest.mark.parametrize(
    "stored", ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$broken", "$2b$12$abcdefghijklmnopqrstuv"]
)
async def test_a_stored_hash_that_is_none_is_never_right(stored: str) -> None:
    assert not await verify_password(stored, stored)
    assert not await verify_password(stored, "")


@pytest.mark.parametrize("stored", [None, "of today"])
async def test_no_account_is_never_right_whatever_the_password_and_costs_a_whole_comparison(stored: str | None) -> None:
    kept = await hash_password("correct horse") if stored else None
    with counted() as seen:
        assert not await verify_password(kept, "nobody has this password")
    assert seen == Counted(compared=1)


async def test_what_waits_for_a_thread_leaves_the_loop_free() -> None:
    """Hashes run in a few threads: while many wait, the loop goes on turning."""
    turns = 0
    hashing = asyncio.gather(*(hash_password("correct horse") for _ in range(8)))
    while not hashing.done():
        turns += 1
        await asyncio.sleep(0)
    assert len(set(await hashing)) == 8
    assert turns > 8


def test_other_parameters_ask_for_a_new_hash() -> None:
    assert needs_rehash(
        "$argon2id$v=19$m=8192,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Yl0F0vWcLwTgSgZpkcIzR0p0Xq3mGQ0gWvIu0g0cPjA"
    )
    assert needs_rehash("no hash at all")


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("short", "10 characters"),
        ("x" * 201, "200"),
        ("Password123", "guess"),
        ("1234567890", "guess"),
        ("aaaaaaaaaaaa", "guess"),
        ("somebody@bar.example", "e-mail"),
        ("SOMEBODY@BAR.EXAMPLE", "e-mail"),
    ],
)
def test_the_policy_says_what_to_do(password: str, word: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_policy(password, email="somebody@bar.example", field="new_password")
    assert word in refused.value.fields["new_password"]


@pytest.mark.parametrize("password", ["a fine long night", "Tr0ub4dor&3x", "пароль для ночи", "🍸🎉🎶🕺💃🌙✨🥂🍹🎧"])
def test_good_passwords_pass(password: str) -> None:
    check_policy(password, email="somebody@bar.example")
