"""The second factor: RFC 6238 to the letter, each code counts once, recovery codes, and roles that require one."""

import asyncio
import base64
import json
import secrets
import time
from typing import Any
from uuid import uuid4

import pytest

from lastlight.domains import tenancy
from lastlight.domains.identity.jobs import mail_change_of_sign_in
from lastlight.domains.identity.totp import SECONDS, base32, code_of, matching_step, provisioning_uri, step_of
from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.runtime.db.uow import system_ctx
from tests.support.people import PASSWORD, Newcomer, People, visitor

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
    """What the app shows; `off` steps later. Who has used the present one uses the next: the one before may be over at once."""
    raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return code_of(raw, int(time.time() // SECONDS) + off)


async def enrolled(world: People, somebody: Newcomer) -> tuple[str, list[str], dict[str, str]]:
    """The secret, the recovery codes and the session of somebody who has just set up their app."""
    here = await world.bearer(somebody.email)
    made = await world.call("POST", "/api/me/second-factor", here, status=201, json={"password": PASSWORD})
    done = await world.call("POST", "/api/me/second-factor/confirmation", here, json={"code": app_code(made["secret"])})
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
    code = app_code(secret, 1)
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


async def heard(world: People, somebody: Newcomer) -> list[str]:
    """The subjects of the e-mails that follow from what was emitted about somebody, in its order."""
    pairs = {(one.event.event_name, one.job.name) for one in world.services.registry.reactions}
    rows = await world.sql(
        "select name, data from outbox where data->>'user_id' = $1 order by position", str(somebody.user_id)
    )
    for row in rows:
        if (row["name"], mail_change_of_sign_in.name) in pairs:
            data = row["data"] if isinstance(row["data"], dict) else json.loads(row["data"])
            # each in a transaction of its own, as a worker does it: what is written in one has one time, and no order
            async with system_ctx(world.services, PLATFORM, role="system") as ctx:
                await mail_change_of_sign_in.fn(ctx, event_id=uuid4(), seq=1, data=data)
    return [row["subject"] for row in await world.mails(somebody.email)]


async def test_each_change_of_a_way_in_is_told_by_e_mail(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    secret, codes, here = await enrolled(world, somebody)
    assert await login(world, somebody, code=codes[0]) == 200
    renewed = await world.call("POST", "/api/me/second-factor/recovery-codes", here, json={"code": codes[1]})
    body = {"password": PASSWORD, "code": renewed["recovery_codes"][0]}
    await world.call("POST", "/api/me/second-factor/removal", here, status=204, json=body)
    change = {"current_password": PASSWORD, "new_password": "another long password"}
    await world.call("POST", "/api/auth/password/change", await world.bearer(somebody.email), status=204, json=change)
    assert await heard(world, somebody) == [
        "An authenticator app was set up",
        "A recovery code was used",
        "A recovery code was used",
        "Your recovery codes were replaced",
        "A recovery code was used",
        "Your authenticator app was switched off",
        "Your password was changed",
    ]
    [said] = await world.sql(
        "select body_text from outgoing_mail where recipient = $1 and subject = 'Your password was changed'",
        somebody.email,
    )
    assert "/forgot" in said["body_text"]
    assert secret not in said["body_text"]


async def test_codes_are_counted_by_account_whatever_the_address_and_one_that_counts_is_given_back(
    world: People,
) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    secret, codes, here = await enrolled(world, somebody)
    for code in (app_code(secret, 1), *codes[:8]):
        assert await login(world, somebody, code=code) == 200
    tried: list[int] = []
    for number in range(14):
        async with visitor(world.app, address=f"198.51.100.{number + 1}") as elsewhere:
            body = {"email": somebody.email, "password": PASSWORD, "code": f"{number:06d}"}
            tried.append((await elsewhere.post("/api/auth/login", json=body)).status_code)
    assert (tried[0], tried[-1]) == (401, 429)
    assert await login(world, somebody, code=codes[9]) == 429
    path = "/api/me/second-factor/removal"
    await world.refused("too-many-requests", "POST", path, here, json={"password": PASSWORD, "code": codes[9]})
    bystander = await world.newcomer(world.bar, role="staff")
    assert await login(world, bystander) == 200


async def test_wrong_codes_with_the_right_password_are_not_forgiven(world: People) -> None:
    """Removing the factor with a stolen session and password does not let anybody try every code."""
    somebody = await world.newcomer(world.bar, role="staff")
    _, _, here = await enrolled(world, somebody)
    answers = [
        (
            await world.client.post(
                "/api/me/second-factor/removal",
                headers=here,
                json={"password": PASSWORD, "code": f"{number:06d}"},
            )
        ).status_code
        for number in range(14)
    ]
    assert (answers[0], answers[-1]) == (401, 429)


async def role_of(world: People, who: dict[str, str], key: str) -> dict[str, Any]:
    roles = (await world.call("GET", "/api/roles", who))["items"]
    return next(role for role in roles if role["key"] == key)


async def require(world: People, who: dict[str, str], role: dict[str, Any], required: bool = True) -> Any:
    path, match = f"/api/roles/{role['id']}/second-factor", {"If-Match": f'"{role["version"]}"'}
    return await world.client.put(path, headers={**who, **match}, json={"required": required})


async def own_business(world: People) -> tuple[TenantId, str]:
    slug = f"t-{secrets.token_hex(4)}"
    async with system_ctx(world.services, PLATFORM, role="system") as ctx:
        return await tenancy.seed_tenant(ctx, seed="factor", slug=slug, name=slug), slug


async def test_an_owner_requires_it_of_roles_once_they_have_shown_their_own(world: People) -> None:
    place, slug = await own_business(world)
    boss, hand = await world.newcomer(place, role="owner"), await world.newcomer(place, role="staff")
    here = await world.bearer(boss.email)
    for key in ("staff", "owner"):
        refused = await require(world, here, await role_of(world, here, key))
        assert refused.json()["type"].endswith("/second-factor-first"), refused.text
    working = await world.bearer(hand.email)
    await world.call("GET", "/api/visits", working)
    _, codes, here = await enrolled(world, boss)
    staff = await role_of(world, here, "staff")
    assert (await require(world, here, staff)).json()["second_factor"]
    assert (await require(world, here, staff)).status_code == 412
    await world.refused("second-factor-due", "GET", "/api/visits", working)
    assert (await world.call("GET", "/api/me", working))["permissions"] == {}
    assert (await require(world, here, await role_of(world, here, "owner"))).status_code == 200
    await world.call("GET", "/api/roles", here)
    second = await world.newcomer(place, role="owner")
    new = await world.bearer(second.email)
    await world.refused("second-factor-due", "GET", "/api/roles", new)
    await enrolled(world, second)
    elsewhere = await world.bearer(boss.email, code=codes[0])
    await world.call("GET", "/api/roles", elsewhere)
    switched = await world.call("POST", "/api/auth/switch", elsewhere, json={"tenant": slug})
    await world.call("GET", "/api/roles", {"Authorization": f"Bearer {switched['access_token']}"})
    assert (await require(world, here, await role_of(world, here, "staff"), required=False)).status_code == 200
    await world.call("GET", "/api/visits", working)


async def test_nobody_requires_it_of_a_role_that_holds_more_than_theirs(world: People) -> None:
    place, _ = await own_business(world)
    boss = await world.newcomer(place, role="owner")
    _, _, here = await enrolled(world, boss)
    made = await world.call(
        "POST", "/api/roles", here, status=201, json={"name": "Keeper", "permissions": ["roles.manage", "roles.read"]}
    )
    keeper = await world.newcomer(place, role=made["key"])
    _, _, there = await enrolled(world, keeper)
    owner = await role_of(world, there, "owner")
    assert (await require(world, there, owner)).json()["type"].endswith("/grants-too-much")
    assert (await require(world, there, made)).json()["second_factor"]


async def test_crew_keeps_what_it_has_shown_inside_a_business(world: People) -> None:
    somebody = await world.newcomer(PLATFORM, role="super_admin")
    _, _, here = await enrolled(world, somebody)
    inside = await world.call(
        "POST", f"/api/admin/tenants/{world.club.id}/scope", here, status=201, json={"reason": "looking at the door"}
    )
    headers = {"Authorization": f"Bearer {inside['access_token']}"}
    assert (await world.call("GET", "/api/me/second-factor", headers))["shown"]
