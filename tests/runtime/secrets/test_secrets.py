"""Derived keys, sealing, signed links and rotation."""

from datetime import UTC, datetime, timedelta

import pytest

from lastlight.runtime.secrets import SealBrokenError, Secrets

OLD = "the first secret key of this platform"
NEW = "the second secret key of this platform"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_opens_what_it_sealed_in_its_own_place_only() -> None:
    secrets = Secrets(NEW)
    sealed = secrets.encrypt("venue-key", b"quiet", aad=b"row 1")
    assert b"quiet" not in sealed
    assert sealed != secrets.encrypt("venue-key", b"quiet", aad=b"row 1")
    assert secrets.decrypt("venue-key", sealed, aad=b"row 1") == b"quiet"
    for purpose, aad in (("venue-key", b"row 2"), ("totp", b"row 1")):
        with pytest.raises(SealBrokenError):
            secrets.decrypt(purpose, sealed, aad=aad)


def test_every_flipped_bit_is_refused() -> None:
    secrets = Secrets(NEW)
    sealed = secrets.encrypt("venue-key", b"quiet")
    for index in range(len(sealed) * 8):
        damaged = bytearray(sealed)
        damaged[index // 8] ^= 1 << index % 8
        with pytest.raises(SealBrokenError):
            secrets.decrypt("venue-key", bytes(damaged))
    for length in range(len(sealed)):
        with pytest.raises(SealBrokenError):
            secrets.decrypt("venue-key", sealed[:length])


def test_rotation_opens_the_old_and_seals_with_the_new() -> None:
    sealed, signature = Secrets(OLD).encrypt("venue-key", b"quiet"), Secrets(OLD).sign("cursor", b"m")
    rotated = Secrets(NEW, previous=[OLD])
    assert rotated.decrypt("venue-key", sealed) == b"quiet"
    assert rotated.verify("cursor", b"m", signature)
    assert rotated.stale(sealed)
    assert not rotated.stale(rotated.encrypt("venue-key", b"quiet"))
    with pytest.raises(SealBrokenError, match="LASTLIGHT_SECRET_KEYS"):
        Secrets(NEW).decrypt("venue-key", sealed)
    assert not Secrets(NEW).verify("cursor", b"m", signature)


def test_keys_of_two_purposes_differ_and_repeat() -> None:
    secrets, again = Secrets(NEW), Secrets(NEW)
    assert secrets.derive("a") == again.derive("a") != secrets.derive("b")
    assert len(secrets.derive("a", 64)) == 64
    signed = secrets.signing_key("tokens").sign(b"m")
    secrets.verifying_keys("tokens")[again.key_id()].verify(signed, b"m")
    assert list(Secrets(NEW, [OLD]).verifying_keys("tokens")) == [Secrets(NEW).key_id(), Secrets(OLD).key_id()]


def test_a_link_holds_until_its_second_and_for_its_purpose() -> None:
    secrets = Secrets(NEW)
    link = secrets.make_link("file", b"id", expires_at=NOW)
    assert secrets.read_link("file", link, now=NOW - timedelta(seconds=1)) == b"id"
    assert secrets.read_link("file", link, now=NOW) is None
    assert secrets.read_link("export", link, now=NOW - timedelta(seconds=1)) is None
    for position in range(len(link)):
        other = link[:position] + ("A" if link[position] != "A" else "B") + link[position + 1 :]
        assert secrets.read_link("file", other, now=NOW - timedelta(seconds=1)) is None
    for text in ("", "=", "a", "é", "A" * 60, "A" * 10_000):
        assert secrets.read_link("file", text, now=NOW) is None
