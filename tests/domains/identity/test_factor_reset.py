"""A second factor that is reset for somebody: by whom, for whom, with what record; and nobody reaches those who hold more."""

import asyncio
from typing import Any

import pytest

from lastlight.kernel.ids import PLATFORM
from tests.domains.identity.test_second_factor import enrolled, login
from tests.support.people import Newcomer, People

WHY = {"reason": "lost the phone, saw the identity card"}
TABLES = ("authenticators", "recovery_codes", "passkeys", "sessions")


def at(somebody: Newcomer) -> str:
    return f"/api/members/{somebody.member_id}/second-factor/reset"


def of(somebody: Newcomer) -> str:
    return f"/api/admin/users/{somebody.user_id}/second-factor/reset"


async def test_a_manager_resets_that_of_staff_and_they_are_told(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff", venue_ids=[world.bar.venues[0]])
    _, _, here = await enrolled(world, somebody)
    assert await login(world, somebody) == 401
    manager = await world.bearer(world.bar.email("manager"))
    done = await world.call("POST", at(somebody), manager, json=WHY)
    assert done["sessions_ended"] == 1
    assert (await world.client.get("/api/me", headers=here)).status_code == 401
    assert await login(world, somebody) == 200
    mail = (await world.mails(somebody.email))[-1]
    assert mail["subject"] == "Your second factor was reset"
    assert "Manager of the bar has reset" in mail["body_text"]
    said = [e for e in await world.events("member.second_factor_reset") if e["entity_id"] == str(somebody.member_id)]
    assert [WHY["reason"] in e["audit"] for e in said] == [True]
    await world.refused("no-second-factor", "POST", at(somebody), manager, json=WHY)


async def refused_and_nothing_changed(world: People, problem: str, path: str, who: str, **more: Any) -> None:
    bearer = await world.bearer(who)
    before = await world.rows(*TABLES)
    await world.refused(problem, "POST", path, bearer, json=WHY, **more)
    assert await world.rows(*TABLES) == before


async def test_nobody_resets_that_of_somebody_who_holds_more(world: People) -> None:
    owner = await world.newcomer(world.bar, role="owner")
    wide = await world.newcomer(world.bar, role="staff")
    away = await world.newcomer(world.bar, role="staff", venue_ids=[world.bar.venues[1]])
    for somebody in (owner, wide, away):
        await enrolled(world, somebody)
    await refused_and_nothing_changed(world, "grants-too-much", at(owner), world.bar.email("manager"))
    await refused_and_nothing_changed(world, "grants-too-much", at(wide), world.bar.email("vendor_admin"))
    await refused_and_nothing_changed(world, "not-found", at(away), world.bar.email("vendor_admin"))
    await refused_and_nothing_changed(world, "not-permitted", at(away), world.bar.email("staff"))
    await refused_and_nothing_changed(world, "not-found", at(away), world.club.email("owner"))
    await refused_and_nothing_changed(world, "not-permitted", of(away), world.bar.email("owner"))
    top = await world.newcomer(PLATFORM, role="super_admin")
    await enrolled(world, top)
    await refused_and_nothing_changed(world, "grants-too-much", of(top), "ops@crew.example")
    await refused_and_nothing_changed(world, "not-permitted", of(owner), "moderator@crew.example")


async def test_who_works_elsewhere_is_the_platform_s_to_help(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    role = (await world.sql("select id from roles where tenant_id = $1 and key = 'owner'", world.club.id))[0]["id"]
    await world.sql(
        "insert into memberships (tenant_id, user_id, role_id) values ($1, $2, $3)",
        world.club.id,
        somebody.user_id,
        role,
    )
    await enrolled(world, somebody)
    await refused_and_nothing_changed(world, "works-elsewhere", at(somebody), world.bar.email("owner"))
    await world.call("POST", of(somebody), await world.bearer("ops@crew.example"), json=WHY)
    told = await world.sql(
        "select tenant_id from outbox where name = 'member.second_factor_reset' and data->>'user_id' = $1",
        str(somebody.user_id),
    )
    assert {row["tenant_id"] for row in told} == {world.bar.id, world.club.id}
    assert "ops of Last Light has reset" in (await world.mails(somebody.email))[-1]["body_text"]


async def test_one_s_own_is_not_reset_so_that_an_open_session_takes_nothing(world: People) -> None:
    owner = await world.newcomer(world.bar, role="owner")
    _, _, here = await enrolled(world, owner)
    await world.refused("own-second-factor", "POST", at(owner), here, json=WHY)


@pytest.mark.parametrize("reason", ["", "   ", "x y"])
async def test_a_reason_is_given(world: People, reason: str) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    owner = await world.bearer(world.bar.email("owner"))
    refused = await world.refused("invalid", "POST", at(somebody), owner, json={"reason": reason})
    assert list(refused["fields"]) == ["reason"]


async def test_two_who_reset_at_once_do_it_once(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    await enrolled(world, somebody)
    owner = await world.bearer(world.bar.email("owner"))
    answers = await asyncio.gather(*(world.client.post(at(somebody), headers=owner, json=WHY) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
