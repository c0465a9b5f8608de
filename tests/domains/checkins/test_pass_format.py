"""The pass on its own: which moments it lives in, and that a door's code reads and judges it as the server does."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from lastlight.domains.checkins.errors import CheckinRefused, CodeExpired, CodeForged, CodeMalformed
from lastlight.domains.checkins.passes import (
    STEP_SECONDS,
    GuestPass,
    ShownPass,
    pass_text,
    read_shown,
    require_alive,
    require_genuine,
    short_name,
    step_at,
    step_message,
)
from lastlight.kernel.base64url import encode_base64url
from tests.support.phones import Phone
from tests.support.postgres import REPOSITORY

TONIGHT = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
PLATFORM_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY_ID = "00c0ffee"
KEYS = {KEY_ID: PLATFORM_KEY.public_key()}
moments = st.floats(min_value=60, max_value=13 * 3600).map(lambda seconds: TONIGHT + timedelta(seconds=seconds))


def guest_pass(phone: Phone, **fields: Any) -> GuestPass:
    key = phone.private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    given: dict[str, Any] = {
        "tenant_id": uuid4(),
        "patron_id": uuid4(),
        "key_id": phone.key_id,
        "phone_key": key,
        "starts": int(TONIGHT.timestamp()),
        "expires": int((TONIGHT + timedelta(hours=14)).timestamp()),
        "age": 25,
        "name": "Zinhle D.",
    }
    return GuestPass(**given | fields)


def show(phone: Phone, text: str, step: int) -> str:
    return f"LL1.{text}.{step}.{phone.sign(step_message(text, step))}"


PHONE = Phone()
TEXT = pass_text(guest_pass(PHONE), key=PLATFORM_KEY, key_id=KEY_ID)


def lives(shown: ShownPass, at: datetime) -> bool:
    try:
        require_alive(shown, at=at)
    except CodeExpired:
        return False
    return True


def at_step(step: int) -> ShownPass:
    return read_shown(f"LL1.{TEXT}.{step}.x")


@given(moments, st.floats(min_value=0, max_value=7200))
def test_a_picture_dies_within_thirty_seconds_whenever_it_is_taken(taken: datetime, later: float) -> None:
    shown = at_step(step_at(taken))
    assert lives(shown, taken)
    if later >= 3 * STEP_SECONDS - STEP_SECONDS:
        assert not lives(shown, taken + timedelta(seconds=later + 1))
    assert not lives(shown, taken + timedelta(seconds=30 + later))


@given(moments, st.floats(min_value=-9.9, max_value=9.9))
def test_clocks_may_differ_by_a_step(at: datetime, off: float) -> None:
    assert lives(at_step(step_at(at + timedelta(seconds=off))), at)


@given(moments, st.integers(min_value=-100_000, max_value=100_000))
def test_a_step_lives_from_ten_seconds_before_it_begins_until_ten_after_it_ends(at: datetime, apart: int) -> None:
    step = step_at(at) + apart
    begins = step * STEP_SECONDS
    assert lives(at_step(step), at) == (begins - 10 <= at.timestamp() < begins + 20)


@given(st.integers(min_value=-100_000, max_value=100_000))
def test_a_pass_lives_for_its_night_only(seconds: int) -> None:
    at = TONIGHT + timedelta(seconds=seconds)
    assert lives(at_step(step_at(at)), at) == (-300 <= seconds < 14 * 3600)


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(CodeMalformed):
        read_shown(text)


@given(st.text(max_size=200))
def test_a_name_always_fits(name: str) -> None:
    hint = short_name(name)
    assert len(hint.encode()) <= 24
    text = pass_text(guest_pass(PHONE, name=hint), key=PLATFORM_KEY, key_id=KEY_ID)
    assert read_shown(f"LL1.{text}.1.x").guest.name == hint


def test_names_are_short() -> None:
    assert [short_name(name) for name in ("Zinhle Dube", "Cher", " Ana  de la Cruz ", "")] == [
        "Zinhle D.",
        "Cher",
        "Ana C.",
        "",
    ]


def bent(text: str, at: int) -> str:
    """Another letter at a place."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def verdict(code: str, at: datetime) -> dict[str, Any] | None:
    """What the server makes of it, in the door's words."""
    try:
        shown = read_shown(code)
    except CheckinRefused:
        return None
    try:
        require_genuine(shown, keys=KEYS)
        genuine = True
    except CodeForged:
        genuine = False
    guest = shown.guest
    facts = {"tenant": str(guest.tenant_id), "patron": str(guest.patron_id), "key": str(guest.key_id)}
    return facts | {"age": guest.age or None, "name": guest.name, "genuine": genuine, "alive": lives(shown, at)}


def doors_verdicts(shown: list[tuple[str, datetime]]) -> list[dict[str, Any] | None]:
    """What the door's own code makes of them."""
    key = encode_base64url(PLATFORM_KEY.public_key().public_bytes_raw())
    asked = {
        "keys": [{"id": KEY_ID, "public_key": key}],
        "step_seconds": STEP_SECONDS,
        "shown": [{"code": code, "at": at.timestamp() * 1000} for code, at in shown],
    }
    done = subprocess.run(
        ["node", "tests/support/door_reader.mjs"],
        cwd=REPOSITORY,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_door_reads_and_judges_as_the_server_does() -> None:
    at = TONIGHT + timedelta(hours=1)
    step = step_at(at)
    good = show(PHONE, TEXT, step)
    signature = len(good) - 20
    shown: list[tuple[str, datetime]] = [(good, at), (f"  {good}\n", at)]
    for phone in (Phone(), Phone(), Phone(), Phone()):  # points with an even and an odd y
        given_name = f"Nomvula {phone.key_id.hex[0]}."
        text = pass_text(guest_pass(phone, name=given_name, age=0), key=PLATFORM_KEY, key_id=KEY_ID)
        shown += [(show(phone, text, step), at), (show(PHONE, text, step), at)]
    shown += [(show(PHONE, TEXT, step + apart), at) for apart in (-3, -2, -1, 1, 2)]
    shown += [(good, TONIGHT + timedelta(seconds=seconds)) for seconds in (-301, -299, 14 * 3600 - 1, 14 * 3600)]
    shown += [(bent(good, place), at) for place in (4, 5, 40, 100, 130, 140, 150, 200, 230, signature)]
    shown += [
        (text, at) for text in ("", "LL1", "LL1.a.b.c", "LL1..1.", f"{good}.x", good.replace("LL1", "LL2"), good[:-58])
    ]
    shown.append((good.replace(f".{step}.", f".0{step}."), at))
    stranger = pass_text(guest_pass(PHONE), key=Ed25519PrivateKey.generate(), key_id=KEY_ID)
    shown.append((show(PHONE, stranger, step), at))
    ours = [verdict(code, when) for code, when in shown]
    assert ours[0] is not None
    assert (ours[0]["genuine"], ours[0]["alive"]) == (True, True)
    assert sum(one is not None and one["genuine"] for one in ours) == 2 + 4 + 5 + 4
    assert doors_verdicts(shown) == ours


def test_neither_takes_a_pass_that_is_spelled_otherwise() -> None:
    at = TONIGHT + timedelta(hours=1)
    good = show(PHONE, TEXT, step_at(at))
    spare = good[:-1] + chr(ord(good[-1]) + 1)  # the same bytes with a spare bit set
    shown = [(text, at) for text in (good, spare, f"{good}=", good.replace(f".{TEXT}.", f".{TEXT}=."))]
    for verdicts in ([verdict(code, when) for code, when in shown], doors_verdicts(shown)):
        assert [one is not None and one["genuine"] for one in verdicts] == [True, False, False, False]
