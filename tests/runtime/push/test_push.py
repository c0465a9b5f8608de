"""Web Push against a push service that decrypts: who is told, what they read, what becomes of browsers that are gone."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.kernel.ids import PLATFORM, SessionId, TenantId, UserId, uuid7
from lastlight.kernel.money import Money
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import Retry
from lastlight.runtime.jobs.module import MODULE as JOBS
from lastlight.runtime.jobs.worker import run_jobs
from lastlight.runtime.push import Notice, NoticeKind, drop_of_session, notify
from lastlight.runtime.push.api import TRIAL, try_device
from lastlight.runtime.push.deliver import DELIVER, retry_after
from lastlight.runtime.push.keys import PushKeyCurrent, current_key, list_keys, replace_key, retire_key
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.push.module import keep_house
from lastlight.runtime.push.subscriptions import (
    MOST_DEVICES,
    SubscriptionIn,
    SubscriptionKeys,
    SubscriptionOut,
    add_subscription,
    own_subscriptions,
    remove_subscription,
)
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.runtime.jobs.test_jobs import eventually
from tests.support.push_service import Answer, Browser, Postman, as_bytes
from tests.support.services import administer, make_tenant, opened_services

pytestmark = pytest.mark.database
NEWS = NoticeKind(key="news", label="News", description="What is new.")


@dataclass
class Person:
    """Somebody who is signed in at a tenant."""

    services: Services
    tenant_id: TenantId
    user_id: UserId
    session_id: SessionId
    version: int

    @asynccontextmanager
    async def act(self, **more: Any) -> AsyncGenerator[Ctx]:
        """A transaction of theirs, as the edges open it."""
        who: dict[str, Any] = {
            "kind": "member",
            "user_id": self.user_id,
            "session_id": self.session_id,
            "version": self.version,
        }
        actor = Actor(tenant_id=self.tenant_id, **(who | more))
        # the version of a session is compared with BEGIN
        async with system_ctx(self.services, self.tenant_id, role="system", actor=actor) as ctx:
            yield ctx

    async def subscribe(self, browser: Browser) -> SubscriptionOut:
        """Be told through a browser."""
        async with self.act() as ctx:
            key = (await current_key(ctx)).public_key
            return await add_subscription(ctx, data=sent(browser, key))

    async def devices(self) -> list[SubscriptionOut]:
        async with self.act() as ctx:
            return await own_subscriptions(ctx)


def sent(browser: Browser, key: str) -> SubscriptionIn:
    body = browser.body(key)
    return SubscriptionIn(endpoint=body["endpoint"], keys=SubscriptionKeys(**body["keys"]), application_server_key=key)


@dataclass
class House:
    services: Services
    tenant_id: TenantId

    async def person(self, *, tenant_id: TenantId | None = None, notifications: str = "{}") -> Person:
        """A member with a session."""
        place, settings = tenant_id or self.tenant_id, self.services.settings
        user_id, role_id = UserId(uuid7()), uuid7()
        email = f"{uuid4().hex}@example.test"
        await administer(settings, "insert into users (id, email, name) values ($1, $2, 'Somebody')", user_id, email)
        await administer(
            settings,
            "insert into user_preferences (user_id, notifications) values ($1, $2::jsonb)",
            user_id,
            notifications,
        )
        key = f"r{uuid4().hex}"
        await administer(
            settings, "insert into roles (tenant_id, id, key, name) values ($1, $2, $3, $3)", place, role_id, key
        )
        await administer(
            settings,
            "insert into memberships (tenant_id, user_id, role_id) values ($1, $2, $3)",
            place,
            user_id,
            role_id,
        )
        rows = await administer(
            settings,
            """insert into sessions (user_id, tenant_id, kind, channel, label, expires_at)
               values ($1, $2, 'member', 'cookie', 'Firefox on Android', now() + interval '1 day') returning id, version""",
            user_id,
            place,
        )
        return Person(self.services, place, user_id, SessionId(rows[0]["id"]), rows[0]["version"])

    async def tell(self, *people: Person, key: str = "", **more: Any) -> None:
        """Tell people some news."""
        given: dict[str, Any] = {"kind": NEWS, "title": "Doors at {when}", "url": "/staff", "tag": "doors"} | more
        async with system_ctx(self.services, self.tenant_id) as ctx:
            await notify(ctx, people=[p.user_id for p in people], notice=Notice(**given), key=key or uuid4().hex)

    async def settled(self) -> list[Any]:
        """The messages, once no job is left."""

        async def look() -> Any:
            sql = "select 1 from jobs where tenant_id = $1 and state in ('queued', 'running')"
            return not await administer(self.services.settings, sql, self.tenant_id)

        await eventually(look)
        sql = "select state, calls, error, result from staged_actions where tenant_id = $1 order by created_at"
        return await administer(self.services.settings, sql, self.tenant_id)


@pytest.fixture
def service() -> Generator[Postman]:
    with Postman() as running:
        yield running


@pytest.fixture
async def house(database_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[House]:
    """A tenant, and a worker that may call this machine; it waits next to nothing between two attempts."""
    tenant_id = await make_tenant(database_settings, f"t-{uuid4().hex[:12]}")
    quick = dataclasses.replace(DELIVER.job, retry=Retry(attempts=4, backoff=0.05))
    module = dataclasses.replace(PUSH, jobs=[*(job for job in PUSH.jobs if job.name != quick.name), quick])
    monkeypatch.setattr(DELIVER, "job", quick)
    settings = dataclasses.replace(database_settings, private_calls=True)
    async with opened_services(settings, [JOBS, module]) as services:
        stop = asyncio.Event()
        task = asyncio.create_task(run_jobs(services, stop, stale=timedelta(seconds=6)))
        try:
            yield House(services, tenant_id)
        finally:
            stop.set()
            await task


async def test_people_are_told_on_every_device_of_theirs_and_nobody_else_is(house: House, service: Postman) -> None:
    told, not_told = await house.person(), await house.person()
    phone, tablet, strangers = (service.new_browser(name) for name in ("phone", "tablet", "strangers"))
    await told.subscribe(phone)
    await told.subscribe(tablet)
    await not_told.subscribe(strangers)
    when = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    await house.tell(
        told, title="Doors at {when}", body="{venue}", words={"venue": "Kōjō {x}"}, moments={"when": when},
        zone="Africa/Johannesburg", urgency="high", seconds=600, silent=True, tag="doors/1",
    )  # fmt: skip
    rows = await house.settled()
    assert [(row["state"], row["calls"]) for row in rows] == [("done", 1)] * 2
    assert service.refused == []
    assert service.said_to(strangers) == []
    [said] = service.said_to(phone)
    assert service.said_to(tablet) == [said]
    assert (said["title"].endswith("22:00"), said["body"], said["url"]) == (True, "Kōjō {x}", "/staff")
    assert (said["kind"], said["tag"], said["silent"], said["stays"]) == ("news", "doors/1", True, False)
    headers, claims = service.taken[0].headers, service.taken[0].claims
    assert headers["urgency"] == "high"
    assert 500 < int(headers["ttl"]) <= 600
    assert len(headers["topic"]) == 32
    assert claims["sub"] == "mailto:no-reply@lastlight.example"
    assert 0 < claims["exp"] - datetime.now(UTC).timestamp() <= 24 * 3600
    assert all(device.last_success_at is not None for device in await told.devices())


async def test_who_chose_no_language_reads_amounts_as_the_business_writes(house: House, service: Postman) -> None:
    person, browser = await house.person(), service.new_browser("one")
    await person.subscribe(browser)
    settings = house.services.settings
    await administer(settings, "delete from user_preferences where user_id = $1", person.user_id)
    await administer(settings, "update tenants set locale = 'en-US' where id = $1", house.tenant_id)
    await house.tell(person, title="{sum} waits", amounts={"sum": Money(124_050, "EUR")})
    await house.settled()
    assert service.said_to(browser)[0]["title"] == "€1,240.50 waits"


async def test_the_same_key_tells_a_device_once(house: House, service: Postman) -> None:
    person, browser = await house.person(), service.new_browser("one")
    await person.subscribe(browser)
    for _ in range(3):
        await house.tell(person, key="event-1", title="Doors")
    await house.settled()
    assert len(service.said_to(browser)) == 1


async def test_who_switched_a_kind_off_is_left_out(house: House, service: Postman) -> None:
    on, off = await house.person(notifications='{"news": true}'), await house.person(notifications='{"news": false}')
    ears, deaf = service.new_browser("on"), service.new_browser("off")
    await on.subscribe(ears)
    await off.subscribe(deaf)
    await house.tell(on, off, title="Doors")
    await house.settled()
    assert (len(service.said_to(ears)), service.said_to(deaf)) == (1, [])


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(house: House, service: Postman, status: int) -> None:
    person, browser = await house.person(), service.new_browser("gone", Answer(status))
    await person.subscribe(browser)
    await house.tell(person, title="Doors")
    [row] = await house.settled()
    assert (row["state"], service.said_to(browser), await person.devices()) == ("done", [], [])
    names = await administer(house.services.settings, "select name from outbox where tenant_id = $1", house.tenant_id)
    assert [r["name"] for r in names] == ["push.subscribed", "push.unsubscribed"]
    await house.tell(person, title="Doors")
    await house.settled()
    assert service.calls == ["/push/gone"]


async def test_a_service_that_is_down_is_asked_again_and_one_that_asks_for_time_gets_it(
    house: House, service: Postman
) -> None:
    person = await house.person()
    browser = service.new_browser("busy", Answer(503), Answer(429, {"Retry-After": "1"}))
    await person.subscribe(browser)
    began = datetime.now(UTC)
    await house.tell(person, title="Doors")
    [row] = await house.settled()
    assert (row["state"], row["calls"], len(service.said_to(browser))) == ("done", 3, 1)
    assert (datetime.now(UTC) - began).total_seconds() >= 1


async def test_a_refused_message_is_given_up_and_the_device_shows_why(house: House, service: Postman) -> None:
    person, browser = await house.person(), service.new_browser("strict", Answer(413))
    await person.subscribe(browser)
    await house.tell(person, title="Doors")
    [row] = await house.settled()
    assert (row["state"], row["calls"]) == ("failed", 1)
    [device] = await person.devices()
    assert (device.last_failure, device.last_success_at) == ("The push service answered 413.", None)


async def test_what_is_not_worth_telling_any_more_is_not_told(house: House, service: Postman) -> None:
    person, browser = await house.person(), service.new_browser("late", Answer(503, {"Retry-After": "60"}))
    await person.subscribe(browser)
    await house.tell(person, title="Doors", seconds=30)
    [row] = await house.settled()
    assert (row["state"], service.said_to(browser)) == ("failed", [])
    await house.tell(person, title="Doors", seconds=0)
    assert (await house.settled())[-1]["error"] == "It was not worth telling any more."


@pytest.mark.parametrize("how", ["signed out", "expired", "suspended", "left"])
async def test_nobody_is_told_after_their_session_or_their_work_has_ended(
    house: House, service: Postman, how: str
) -> None:
    person, browser = await house.person(), service.new_browser("former")
    await person.subscribe(browser)
    ways = {
        "signed out": "update sessions set revoked_at = now() where user_id = $1",
        "expired": "update sessions set expires_at = now() where user_id = $1",
        "suspended": "update users set status = 'suspended' where id = $1",
        "left": "update memberships set status = 'suspended' where user_id = $1",
    }
    await administer(house.services.settings, ways[how], person.user_id)
    await house.tell(person, title="Doors")
    assert (await house.settled(), service.calls) == ([], [])


async def test_a_browser_is_one_persons_at_a_time_also_across_businesses(house: House, service: Postman) -> None:
    elsewhere = await make_tenant(house.services.settings, f"t-{uuid4().hex[:12]}")
    first, second = await house.person(tenant_id=elsewhere), await house.person()
    browser = service.new_browser("shared")
    await first.subscribe(browser)
    again = await second.subscribe(browser)
    assert await first.devices() == []
    assert [device.id for device in await second.devices()] == [again.id]
    assert (await second.subscribe(browser)).id == again.id


async def test_the_end_of_a_session_takes_its_devices_along(house: House, service: Postman) -> None:
    person = await house.person()
    await person.subscribe(service.new_browser("a"))
    async with system_ctx(house.services, house.tenant_id, role="system") as ctx:
        await drop_of_session(ctx, session_id=person.session_id)
    assert await person.devices() == []


async def test_a_person_keeps_the_newest_devices(house: House, service: Postman) -> None:
    person = await house.person()
    made = [await person.subscribe(service.new_browser(str(n))) for n in range(MOST_DEVICES + 1)]
    assert {device.id for device in await person.devices()} == {device.id for device in made[1:]}


async def test_one_removes_and_tries_only_ones_own_devices(house: House, service: Postman) -> None:
    mine, theirs = await house.person(), await house.person()
    browser = service.new_browser("mine")
    device = await mine.subscribe(browser)
    async with theirs.act() as ctx:
        with pytest.raises(NotFound):
            await remove_subscription(ctx, subscription_id=device.id)
    async with theirs.act() as ctx:
        with pytest.raises(NotFound):
            await try_device(ctx, subscription_id=device.id)
    async with mine.act() as ctx:
        await try_device(ctx, subscription_id=device.id)
    await house.settled()
    assert [said["kind"] for said in service.said_to(browser)] == [TRIAL.key]
    async with mine.act() as ctx:
        await remove_subscription(ctx, subscription_id=device.id)
    assert await mine.devices() == []


async def test_another_key_leaves_no_gap(house: House, service: Postman) -> None:
    person, early, late = await house.person(), service.new_browser("early"), service.new_browser("late")
    await person.subscribe(early)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        before = await current_key(ctx)
        after = await replace_key(ctx)
    assert before.public_key != after.public_key
    await person.subscribe(late)
    assert {device.outdated for device in await person.devices()} == {True, False}
    await house.tell(person, title="Doors")
    await house.settled()
    assert service.refused == []
    assert {m.endpoint: m.key for m in service.taken} == {
        early.endpoint: before.public_key,
        late.endpoint: after.public_key,
    }


async def test_a_key_that_leaked_is_destroyed_and_only_its_own_devices_subscribe_anew(
    house: House, service: Postman
) -> None:
    person, early, late = await house.person(), service.new_browser("early"), service.new_browser("late")
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        leaked = await replace_key(ctx)
    await person.subscribe(early)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        with pytest.raises(PushKeyCurrent):
            await retire_key(ctx, key_id=leaked.id, reason="somebody has it")
        await replace_key(ctx)
    await person.subscribe(late)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        with pytest.raises(Invalid):
            await retire_key(ctx, key_id=leaked.id, reason=" ")
        assert (await retire_key(ctx, key_id=leaked.id, reason="somebody has it")).devices == 1
        assert leaked.id not in [key.id for key in await list_keys(ctx)]
        with pytest.raises(NotFound):
            await retire_key(ctx, key_id=leaked.id, reason="somebody has it")
    await house.tell(person, title="Doors")
    await house.settled()
    assert [m.endpoint for m in service.taken] == [late.endpoint]
    sql = "select 1 from push_subscriptions where tenant_id = $1 and key_id = $2"

    async def forgotten() -> Any:
        return not await administer(house.services.settings, sql, house.tenant_id, leaked.id)

    await eventually(forgotten)
    async with person.act() as ctx:
        with pytest.raises(Invalid) as refused:
            await add_subscription(ctx, data=sent(early, leaked.public_key))
    assert list(refused.value.fields) == ["application_server_key"]
    await person.subscribe(early)
    assert [device.outdated for device in await person.devices()] == [False, False]


async def test_two_who_ask_first_at_once_get_one_key(fresh_database: Settings) -> None:
    async with opened_services(fresh_database, [PUSH]) as services:

        async def ask() -> str:
            async with system_ctx(services, PLATFORM, role="system") as ctx:
                return (await current_key(ctx)).public_key

        assert len(set(await asyncio.gather(*(ask() for _ in range(4))))) == 1
        [row] = await administer(fresh_database, "select public_key, sealed from push_keys")
        assert as_bytes(row["public_key"])[:1] == b"\x04"
        assert len(row["sealed"]) > 100


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endpoint": "http://127.0.0.1/x"}, "endpoint"),
        ({"endpoint": "https://10.0.0.7/x"}, "endpoint"),
        ({"p256dh": "AAAA"}, "keys.p256dh"),
        ({"p256dh": "BA" + "A" * 85}, "keys.p256dh"),
        ({"auth": "AAAA"}, "keys.auth"),
        ({"key": "B" * 87}, "application_server_key"),
    ],
)
async def test_a_subscription_that_cannot_be_one_is_refused(
    database_settings: Settings, house: House, change: dict[str, str], field: str
) -> None:
    person = await house.person()
    async with opened_services(database_settings, [PUSH]) as strict:
        async with dataclasses.replace(person, services=strict).act() as ctx:
            key = (await current_key(ctx)).public_key
        body: dict[str, Any] = Browser("https://push.example.org/x").body(key)
        wanted = {"endpoint": body["endpoint"], "key": key, **body["keys"]} | change
        keys = SubscriptionKeys(p256dh=wanted["p256dh"], auth=wanted["auth"])
        data = SubscriptionIn(endpoint=wanted["endpoint"], keys=keys, application_server_key=wanted["key"])
        async with dataclasses.replace(person, services=strict).act() as ctx:
            with pytest.raises(Invalid) as refused:
                await add_subscription(ctx, data=data)
    assert list(refused.value.fields) == [field]
    assert await person.devices() == []


@pytest.mark.parametrize("kind", ["guest", "crew"])
async def test_who_is_nowhere_or_only_looks_is_not_told(house: House, service: Postman, kind: str) -> None:
    person, browser = await house.person(), service.new_browser("nowhere")
    async with person.act() as ctx:
        key = (await current_key(ctx)).public_key
    async with person.act(kind=kind) as ctx:
        with pytest.raises(NotPermitted):
            await add_subscription(ctx, data=sent(browser, key))


async def test_an_address_that_turned_private_is_dropped_without_a_call(
    database_settings: Settings, house: House, service: Postman
) -> None:
    person, browser = await house.person(), service.new_browser("inside")
    await person.subscribe(browser)
    house.services.settings = database_settings
    await house.tell(person, title="Doors")
    await house.settled()
    assert (service.calls, await person.devices()) == ([], [])


async def test_the_house_is_kept(house: House, service: Postman) -> None:
    former, present = await house.person(), await house.person()
    await former.subscribe(service.new_browser("former"))
    await present.subscribe(service.new_browser("present"))
    settings = house.services.settings
    await house.tell(present, title="Doors")
    await house.settled()
    await administer(
        settings,
        "update staged_actions set created_at = now() - interval '8 days' where tenant_id = $1",
        house.tenant_id,
    )
    await administer(settings, "update sessions set revoked_at = now() where user_id = $1", former.user_id)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        job_id = await ctx.enqueue(keep_house)

    async def look() -> Any:
        return await administer(settings, "select state from jobs where id = $1 and state = 'done'", job_id)

    await eventually(look)
    rows = await administer(settings, "select user_id from push_subscriptions where tenant_id = $1", house.tenant_id)
    assert [UUID(str(row["user_id"])) for row in rows] == [present.user_id]
    assert await administer(settings, "select 1 from staged_actions where tenant_id = $1", house.tenant_id) == []


def test_retry_after_is_read_as_seconds_or_a_date() -> None:
    assert retry_after("7") == 7
    assert retry_after("999999") == 1800
    assert retry_after("-3") == 0
    assert 50 < (retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=60))) or 0) <= 60
    assert retry_after("soon") is None
    assert retry_after("nan") is None
