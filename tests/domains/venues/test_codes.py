"""The text of a code: what is signed is read back, and nothing else is."""

import base64
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastlight.domains.venues.codes import (
    CodeKind,
    CodeUnreadableError,
    code_text,
    code_url,
    poster_code,
    read_code,
    refresh_at,
    screen_code,
)

KEY = bytes(range(32))
VENUE = uuid4()
NOW = datetime(2026, 11, 21, 21, 30, 7, tzinfo=UTC)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(
    key=st.binary(min_size=32, max_size=32),
    venue=st.uuids(),
    number=st.integers(1, 65_535),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - made aware below
    poster=st.booleans(),
)
def test_a_code_reads_back_and_is_signed(key: bytes, venue: UUID, number: int, at: datetime, poster: bool) -> None:
    at = at.replace(tzinfo=UTC)
    made = (
        poster_code(key, venue_id=venue, key_number=number)
        if poster
        else screen_code(key, venue_id=venue, key_number=number, at=at)
    )
    for text in (code_text(made), code_url(made, "https://door.example/"), f"  {code_text(made)}\n"):
        assert read_code(text) == made
    assert len(code_text(made)) == 64
    assert made.is_signed_by(key)
    assert not made.is_signed_by(bytes(byte ^ 1 for byte in key))


def test_50_000_mutated_codes_are_all_refused() -> None:
    """Every change of a genuine text is unreadable or unsigned, wherever it falls."""
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)  # noqa: S311 - chooses tests, keeps no secret
    genuine = code_text(screen_code(KEY, venue_id=VENUE, key_number=1, at=NOW))
    accepted = [text for text in (_mutated(genuine, chance) for _ in range(50_000)) if _is_accepted(text)]
    assert accepted == [], f"seed {seed}"
    assert _is_accepted(genuine), "the control: the genuine code is accepted"


def _mutated(text: str, chance: random.Random) -> str:
    """Another text: characters changed, swapped, dropped or added."""
    while True:
        letters = list(text)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            place = chance.randrange(len(letters))
            match chance.randrange(4):
                case 0:
                    letters[place] = chance.choice(ALPHABET)
                case 1:
                    other = chance.randrange(len(letters))
                    letters[place], letters[other] = letters[other], letters[place]
                case 2:
                    letters[place] = chance.choice("+/=\x00é ")
                case _:
                    letters.insert(place, letters.pop(chance.randrange(len(letters))))
        changed = "".join(letters)
        if changed.strip() != text:
            return changed


def _is_accepted(text: str) -> bool:
    try:
        return read_code(text).is_signed_by(KEY)
    except CodeUnreadableError:
        return False


def test_every_single_bit_counts() -> None:
    raw = bytearray(base64.urlsafe_b64decode(code_text(screen_code(KEY, venue_id=VENUE, key_number=7, at=NOW))))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not _is_accepted(base64.urlsafe_b64encode(flipped).decode()), f"bit {bit}"


@pytest.mark.parametrize(
    "text", ["", "/c/", "x", "https://door.example/c/", "A" * 63, "A" * 65, "é" * 64, "https://a/c/b/c/d"]
)
def test_what_is_no_code_is_unreadable(text: str) -> None:
    with pytest.raises(CodeUnreadableError):
        read_code(text)


def test_a_screen_rotates_every_20_seconds_and_lives_60() -> None:
    codes = [screen_code(KEY, venue_id=VENUE, key_number=1, at=NOW + timedelta(seconds=s)) for s in range(120)]
    assert len({code_text(code) for code in codes}) == 7
    for second, code in enumerate(codes):
        at = NOW + timedelta(seconds=second)
        assert code.expires_at is not None
        assert code.issued_at is not None
        assert code.issued_at <= at < refresh_at(at) <= code.issued_at + timedelta(seconds=20)
        assert timedelta(seconds=40) < code.expires_at - at <= timedelta(seconds=60)


def test_a_poster_never_expires_and_reprints_the_same() -> None:
    first, second = (poster_code(KEY, venue_id=VENUE, key_number=3) for _ in range(2))
    assert first == second
    assert (first.kind, first.expires_at) == (CodeKind.POSTER, None)


def test_codes_of_two_keys_share_no_nonce() -> None:
    ours = screen_code(KEY, venue_id=VENUE, key_number=1, at=NOW)
    theirs = screen_code(bytes(32), venue_id=VENUE, key_number=2, at=NOW)
    assert ours.nonce != theirs.nonce
