"""Feature flags: whom a share falls on, and whose answer counts."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from lastlight.domains import flags
from lastlight.domains.flags.actions import (
    change_flag,
    clear_tenant_flag,
    create_flag,
    kill_flag,
    remove_flag,
    revive_flag,
    set_tenant_flag,
)
from lastlight.domains.flags.errors import FlagAlive, FlagKeyTaken, FlagKilled
from lastlight.domains.flags.model import falls_on, share_of
from lastlight.domains.flags.module import MODULE
from lastlight.domains.flags.queries import businesses_of, enabled_keys, read_flag
from lastlight.domains.flags.schemas import FlagChange, FlagIn, TenantFlagIn
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.kernel.ids import PLATFORM, TenantId, UserId
from lastlight.runtime.context import Actor
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from lastlight.runtime.tenant_settings import MODULE as SETTINGS
from tests.support.services import make_tenant, opened_services


@pytest.fixture(scope="module")
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    async with opened_services(database_settings, (SETTINGS, MODULE)) as opened:
        yield opened


async def a_tenant(services: Services) -> TenantId:
    return await make_tenant(services.settings, f"t{uuid4().hex[:12]}")


async def a_flag(services: Services, **fields: object) -> str:
    key = f"tests.f{uuid4().hex[:10]}"
    async with system_ctx(services, PLATFORM, role="platform") as ctx:
        given = {"key": key, "description": "For a test", "enabled": True} | fields
        await create_flag(ctx, data=FlagIn(**given))  # pyright: ignore[reportArgumentType] the fields come by name
    return key


async def is_on(services: Services, tenant_id: TenantId, key: str) -> bool:
    async with system_ctx(services, tenant_id) as ctx:
        on = await flags.enabled(ctx, key=key)
        assert (key in await enabled_keys(ctx)) == on
        return on


def test_a_share_is_steady_even_and_independent_between_flags() -> None:
    subjects = [str(n) for n in range(5000)]
    shares = [share_of("a", subject) for subject in subjects]
    assert min(shares) == 0
    assert max(shares) == 99
    for percentage in (10, 50, 90):
        on = {s for s in subjects if falls_on("a", subject=s, enabled=True, percentage=percentage)}
        assert abs(len(on) / 50 - percentage) < 3
        grown = {s for s in subjects if falls_on("a", subject=s, enabled=True, percentage=percentage + 5)}
        assert on < grown
    both = sum(share_of("a", s) < 50 and share_of("b", s) < 50 for s in subjects)
    assert abs(both / 50 - 25) < 3
    assert not any(falls_on("a", subject=s, enabled=True, percentage=0) for s in subjects)
    assert all(falls_on("a", subject=s, enabled=True, percentage=100) for s in subjects)
    assert [share_of("night", str(n)) for n in range(4)] == [share_of("night", str(n)) for n in range(4)]


async def test_a_flag_that_does_not_exist_or_is_off_is_off(services: Services) -> None:
    tenant = await a_tenant(services)
    assert not await is_on(services, tenant, "tests.nowhere")
    assert not await is_on(services, tenant, await a_flag(services, enabled=False))
    assert await is_on(services, tenant, await a_flag(services))


async def test_a_business_has_its_own_answer_until_it_is_cleared(services: Services) -> None:
    one, other, key = await a_tenant(services), await a_tenant(services), await a_flag(services)
    async with system_ctx(services, one, role="platform") as ctx:
        own = await set_tenant_flag(ctx, key=key, data=TenantFlagIn(enabled=False, reason="Not ready"), version=0)
    assert (own.enabled, own.platform_enabled, own.version) == (False, True, 1)
    assert not await is_on(services, one, key)
    assert await is_on(services, other, key)
    with pytest.raises(Stale):
        async with system_ctx(services, one, role="platform") as ctx:
            await set_tenant_flag(ctx, key=key, data=TenantFlagIn(enabled=True, reason="Ready"), version=0)
    async with system_ctx(services, one, role="platform") as ctx:
        with pytest.raises(Invalid):
            await set_tenant_flag(ctx, key=key, data=TenantFlagIn(enabled=True, reason=" "), version=1)
        await clear_tenant_flag(ctx, key=key, version=1)
        with pytest.raises(NotFound):
            await clear_tenant_flag(ctx, key=key, version=0)
    assert await is_on(services, one, key)


async def test_users_are_rolled_out_one_by_one(services: Services) -> None:
    tenant = await a_tenant(services)
    key = await a_flag(services, percentage=50, spread="user")
    found: dict[bool, set[bool]] = {True: set(), False: set()}
    for _ in range(16):
        user = UserId(uuid4())
        scope = WorkScope(actor=Actor(kind="member", user_id=user, tenant_id=tenant), tenant_id=tenant)
        async with unit_of_work(services, scope) as ctx:
            found[share_of(key, str(user)) < 50].add(await flags.enabled(ctx, key=key))
    assert found == {True: {True}, False: {False}}


async def test_a_flag_changes_by_version_and_is_removed_with_own_answers(services: Services) -> None:
    tenant, key = await a_tenant(services), await a_flag(services)
    with pytest.raises(FlagKeyTaken):
        async with system_ctx(services, PLATFORM, role="platform") as ctx:
            await create_flag(ctx, data=FlagIn(key=key, description="Again"))
    async with system_ctx(services, tenant, role="platform") as ctx:
        await set_tenant_flag(ctx, key=key, data=TenantFlagIn(enabled=True, reason="Pilot"), version=0)
    async with system_ctx(services, PLATFORM, role="platform") as ctx:
        after = await change_flag(ctx, key=key, data=FlagChange(enabled=False), version=1)
        assert (after.version, after.enabled) == (2, False)
        with pytest.raises(Stale):
            await change_flag(ctx, key=key, data=FlagChange(enabled=True), version=1)
    assert await is_on(services, tenant, key)
    async with system_ctx(services, PLATFORM, role="platform") as ctx:
        await remove_flag(ctx, key=key, version=2)
    assert not await is_on(services, tenant, key)


async def test_only_who_may_changes_flags(services: Services) -> None:
    key = await a_flag(services)
    scope = WorkScope(actor=Actor(kind="crew", user_id=UserId(uuid4())), tenant_id=PLATFORM, role="platform")
    with pytest.raises(NotPermitted):
        async with unit_of_work(services, scope) as ctx:
            await change_flag(ctx, key=key, data=FlagChange(enabled=False), version=1)


async def test_a_growing_share_takes_nobody_out_again(services: Services) -> None:
    """From nought to a hundred: who has it keeps it, in every step, and going back takes out exactly who came last."""
    tenants, key = [await a_tenant(services) for _ in range(12)], await a_flag(services, percentage=0)
    reached: list[set[TenantId]] = []
    for step, percentage in enumerate((0, 10, 35, 60, 85, 100, 60)):
        async with system_ctx(services, PLATFORM, role="platform") as ctx:
            version = (await read_flag(ctx, key=key)).version
            await change_flag(ctx, key=key, data=FlagChange(percentage=percentage), version=version)
        reached.append({tenant for tenant in tenants if await is_on(services, tenant, key)})
        assert step in {0, 6} or reached[-2] <= reached[-1]
    assert (reached[0], reached[5]) == (set(), set(tenants))
    assert reached[6] == reached[3]


async def test_a_killed_flag_is_off_for_everybody_and_comes_back_as_it_was(services: Services) -> None:
    pilot, other, key = await a_tenant(services), await a_tenant(services), await a_flag(services, enabled=False)
    async with system_ctx(services, pilot, role="platform") as ctx:
        await set_tenant_flag(ctx, key=key, data=TenantFlagIn(enabled=True, reason="Pilot"), version=0)
    assert (await is_on(services, pilot, key), await is_on(services, other, key)) == (True, False)
    async with system_ctx(services, PLATFORM, role="platform") as ctx:
        with pytest.raises(Invalid):
            await kill_flag(ctx, key=key, reason="  ", version=1)
        killed = await kill_flag(ctx, key=key, reason="It loses orders", version=1)
        assert (killed.killed_at is not None, killed.killed_reason) == (True, "It loses orders")
        with pytest.raises(FlagKilled):
            await kill_flag(ctx, key=key, reason="Again", version=killed.version)
        found = {one.tenant_id: one for one in await businesses_of(ctx, key=key)}
        assert (found[pilot].on, found[pilot].own) == (False, True)
    assert not await is_on(services, pilot, key)
    async with system_ctx(services, PLATFORM, role="platform") as ctx:
        with pytest.raises(Stale):
            await revive_flag(ctx, key=key, version=1)
        alive = await revive_flag(ctx, key=key, version=killed.version)
        with pytest.raises(FlagAlive):
            await revive_flag(ctx, key=key, version=alive.version)
    assert (await is_on(services, pilot, key), await is_on(services, other, key)) == (True, False)


async def test_the_businesses_of_a_flag_are_told_as_the_flag_answers_them(services: Services) -> None:
    """What the crew's page says of each business is what the business gets."""
    tenants = [await a_tenant(services) for _ in range(8)]
    key = await a_flag(services, percentage=50)
    async with system_ctx(services, PLATFORM, role="platform") as ctx:
        told = {one.tenant_id: one.on for one in await businesses_of(ctx, key=key)}
    for tenant in tenants:
        if tenant in told:
            assert told[tenant] == await is_on(services, tenant, key)
    assert set(told) & set(tenants)
