"""The second factor: RFC 6238 to the letter, each code counts once, recovery codes, and roles that require one."""

import asyncio
import base64
import time
from typing import Any

import pytest

from lastlight.domains.identity.totp import SECONDS, base32, code_of, matching_step, provisioning_uri, step_of
from tests.support.people import PASSWORD, Newcomer, People

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert code_of(RFC_SECRET, step_of(at), digits=8) == code


@pytest.mark.parametrize(("off", "found"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_off_by_half_a_minute(off: int, found: bool) -> None:
    code = code_of(RFC_SECRET, step_of(3_000_000) + off)
    assert (matching_step(RFC_SECRET, code, at=3_000_000, after=0) is not None) == found


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345"])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert matching_step(RFC_SECRET, code, at=3_000_000, after=0) is None


def test_a_spent_step_and_those_before_it_are_over() -> None:
    step = step_of(3_000_000)
    assert matching_step(RFC_SECRET, code_of(RFC_SECRET, step), at=3_000_000, after=step) is None
    assert matching_step(RFC_SECRET, code_of(RFC_SECRET, step + 1), at=3_000_000, after=step) == step + 1


def test_an_app_reads_the_address() -> None:
    uri = provisioning_uri(RFC_SECRET, account="a b@c.example", issuer="Last Light")
    assert uri.startswith(
        f"otpauth://totp/Last%20Light:a%20b%40c.example?secret={base32(RFC_SECRET)}&issuer=Last%20Light"
    )


def app_code(secret: str, off: int = 0) -> str:
    raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return code_of(raw, int(time.time() // SECONDS) + off)


async def enrolled(world: People, somebody: Newcomer) -> tuple[str, list[str], dict[str, str]]:
    """The secret, the recovery codes and the session of somebody who has just set up their app."""
    here = await world.bearer(somebody.email)
    made = await world.call("POST", "/api/me/second-factor", here, status=201, json={"password": PASSWORD})
    done = await world.call(
        "POST", "/api/me/second-factor/confirmation", here, json={"code": app_code(made["secret"], -1)}
    )
    return made["secret"], done["recovery_codes"], here


async def login(world: People, somebody: Newcomer, **more: Any) -> int:
    body = {"email": somebody.email, "password": PASSWORD, **more}
    return (await world.client.post("/api/auth/login", json=body)).status_code


async def test_nobody_signs_in_without_it_and_a_code_counts_once(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    secret, codes, here = await enrolled(world, somebody)
    assert len(set(codes)) == 10
    kept = await world.sql("select secret from authenticators where user_id = $1", somebody.user_id)
    assert base64.b32decode(secret + "=" * (-len(secret) % 8)) not in kept[0]["secret"]
    body = {"email": somebody.email, "password": PASSWORD}
    await world.refused("second-factor-needed", "POST", "/api/auth/login", json=body)
    await world.refused("second-factor-wrong", "POST", "/api/auth/login", json={**body, "code": "000000x"})
    code = app_code(secret)
    answers = await asyncio.gather(*(login(world, somebody, code=code) for _ in range(3)))
    assert sorted(answers) == [200, 401, 401]
    state = await world.call("GET", "/api/me/second-factor", here)
    assert (state["recovery_codes_left"], state["shown"], state["required"]) == (10, True, False)


async def test_a_recovery_code_lets_in_once_and_a_stranger_s_not_at_all(world: People) -> None:
    one, other = await world.newcomer(world.bar, role="staff"), await world.newcomer(world.bar, role="staff")
    _, codes, _ = await enrolled(world, one)
    _, others, _ = await enrolled(world, other)
    assert await login(world, one, code=others[0]) == 401
    assert await login(world, one, code=codes[0].upper().replace("-", " ")) == 200
    assert await login(world, one, code=codes[0]) == 401


async def test_a_role_that_requires_it_gives_nothing_before_it_is_shown(world: People) -> None:
    somebody = await world.newcomer(world.club, role="staff")
    here = await world.bearer(somebody.email)
    await world.call("GET", "/api/visits", here)
    await world.sql("update roles set second_factor = true where tenant_id = $1 and key = 'staff'", world.club.id)
    await world.sql("update sessions set version = version + 1 where user_id = $1", somebody.user_id)
    try:
        await world.refused("second-factor-due", "GET", "/api/visits", here)
        assert (await world.call("GET", "/api/me/second-factor", here))["required"]
        _, _, here = await enrolled(world, somebody)
        await world.call("GET", "/api/visits", here)
    finally:
        await world.sql("update roles set second_factor = false where tenant_id = $1", world.club.id)


async def test_it_is_removed_with_password_and_code_only(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    _, codes, here = await enrolled(world, somebody)
    path = "/api/me/second-factor/removal"
    await world.refused("invalid", "POST", path, here, json={"password": "not my password", "code": codes[0]})
    await world.refused("second-factor-wrong", "POST", path, here, json={"password": PASSWORD, "code": "123"})
    again = {"password": PASSWORD}
    await world.refused("second-factor-active", "POST", "/api/me/second-factor", here, json=again)
    await world.call("POST", path, here, status=204, json={"password": PASSWORD, "code": codes[1]})
    assert await login(world, somebody) == 200
