"""Keys: a rotation seals again what lies under an earlier one, fingerprints tell when a secret changed, nothing tells the secret."""

import dataclasses
import json
import secrets
from collections.abc import AsyncGenerator

import pytest

from lastlight.domains.identity.second_factor_check import PURPOSE as FACTOR
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.kernel.ids import PLATFORM
from lastlight.modules import MODULES
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.keys.module import note, read_state
from lastlight.runtime.keys.sealed import reseal_some
from lastlight.runtime.keys.sightings import fingerprint_of, secret_settings
from lastlight.runtime.secrets import SealBrokenError, Secrets
from lastlight.runtime.settings import Settings
from tests.support.people import People, people

pytestmark = pytest.mark.database
KEPT: dict[str, str] = {}
"""The secret key that the last rotation of this module set."""


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    async with people(database_settings, MODULES) as found:
        yield found


def rotate(world: People) -> tuple[str, str]:
    """Put a new secret key in front of the one that was; the new one, and the id of the earlier."""
    new, before = secrets.token_urlsafe(48), world.services.secrets.key_id()
    world.services.secrets = Secrets(new, [KEPT.get("key", world.services.settings.secret_key)])
    KEPT["key"] = new
    return new, before


async def reseal_all(world: People) -> tuple[int, int]:
    """What the job does, in transactions as its own."""
    done = lost = 0
    for one in world.services.registry.sealed:
        skip = 0
        while True:
            async with system_ctx(world.services, PLATFORM, role="system") as ctx:
                some, broken = await reseal_some(ctx, one, skip=skip)
            if not some + broken:
                break
            done, lost, skip = done + some, lost + broken, skip + broken
    return done, lost


async def venue_key(world: People) -> bytes:
    venue = world.bar.venues[0]
    async with system_ctx(world.services, world.bar.id) as ctx:
        key = await current_key(ctx, venue_id=venue)
        return open_key(ctx, venue_id=venue, number=key.number, sealed=key.secret)


async def test_after_a_rotation_everything_lies_under_the_new_key_and_opens_without_the_old_one(world: People) -> None:
    user = world.bar.users["owner"]
    sealed = world.services.secrets.encrypt(FACTOR, b"shared secret", user.bytes)
    await world.sql("insert into authenticators (user_id, secret) values ($1, $2)", user, sealed)
    plain = await venue_key(world)
    new, before = rotate(world)
    async with system_ctx(world.services, PLATFORM, role="system") as ctx:
        state = {key.key_id: key for key in (await read_state(ctx)).keys}
    assert (state[before].current, state[before].known, state[before].sealed["Keys of venues"]) == (False, True, 3)
    done, lost = await reseal_all(world)
    assert (done >= 4, lost) == (True, 0)
    assert await reseal_all(world) == (0, 0)
    world.services.secrets = Secrets(new)  # the old key is taken out
    assert await venue_key(world) == plain
    row = (await world.sql("select secret from authenticators where user_id = $1", user))[0]
    assert world.services.secrets.decrypt(FACTOR, bytes(row["secret"]), user.bytes) == b"shared secret"
    async with system_ctx(world.services, PLATFORM, role="system") as ctx:
        assert [key.key_id for key in (await read_state(ctx)).keys] == [world.services.secrets.key_id()]


async def test_what_no_key_opens_is_told_and_does_not_hold_up_the_rest(world: People) -> None:
    user = world.bar.users["manager"]
    lost_key = Secrets(secrets.token_urlsafe(48))
    await world.sql(
        "insert into authenticators (user_id, secret) values ($1, $2)", user, lost_key.encrypt(FACTOR, b"x", user.bytes)
    )
    async with system_ctx(world.services, PLATFORM, role="system") as ctx:
        unknown = next(key for key in (await read_state(ctx)).keys if key.key_id == lost_key.key_id())
    assert (unknown.known, unknown.sealed) == (False, {"Authenticator apps": 1})
    rotate(world)
    done, lost = await reseal_all(world)
    assert (done >= 3, lost) == (True, 1)
    with pytest.raises(SealBrokenError):
        world.services.secrets.decrypt(FACTOR, lost_key.encrypt(FACTOR, b"x", user.bytes), user.bytes)


async def test_a_changed_secret_is_noted_once_by_its_fingerprint_and_never_told(world: People) -> None:
    smtp = next(setting for setting in secret_settings() if setting.name == "smtp_url")
    one, other = "smtp://mailer:first-secret@mail.example:25", "smtp://mailer:second-secret@mail.example:25"
    for url in (one, one, other):
        world.services.settings = dataclasses.replace(world.services.settings, smtp_url=url)
        async with system_ctx(world.services, PLATFORM, role="system") as ctx:
            await note.fn(ctx)
    rows = await world.sql("select fingerprint from secret_sightings where name = 'smtp_url' order by first_seen_at")
    assert len(rows) == 2
    assert rows[1]["fingerprint"] == fingerprint_of(world.services, smtp)
    chief = await world.bearer("super_admin@crew.example")
    found = await world.call("GET", "/api/admin/keys", chief)
    shown = next(one for one in found["secrets"] if one["variable"] == "LASTLIGHT_SMTP_URL")
    assert (shown["set"], shown["earlier"], shown["since"] is not None) == (True, 1, True)
    settings = world.services.settings
    for secret in (settings.secret_key, "second-secret", settings.database_url):
        assert not secret or secret not in json.dumps(found)
    page = await world.client.get("/platform/keys", headers=chief)
    project = await world.client.get("/platform/project", headers=chief)
    for secret in (settings.secret_key, "second-secret", settings.database_url):
        assert not secret or (secret not in page.text and secret not in project.text)


async def test_only_super_admins_see_keys_and_sign_everybody_out(world: People) -> None:
    for who in ("ops@crew.example", world.bar.email("owner")):
        bearer = await world.bearer(who)
        await world.refused("not-permitted", "GET", "/api/admin/keys", bearer)
        form = {"what": "sign_out", "reason": "A key leaked"}
        answer = await world.client.post("/platform/keys/rotation", headers=bearer, data=form)
        assert answer.status_code == 403
        await world.call("GET", "/api/me", bearer)


async def test_everybody_is_signed_out_but_who_does_it(world: People) -> None:
    chief, owner = await world.bearer("super_admin@crew.example"), await world.bearer(world.bar.email("owner"))
    tokens = await world.login(world.bar.email("staff"))
    await world.call("GET", "/api/me", owner)
    form = {"what": "sign_out", "reason": "hm"}
    refused = await world.client.post("/platform/keys/rotation", headers=chief, data=form)
    assert (refused.status_code, "it stays on record" in refused.text) == (422, True)
    await world.call("GET", "/api/me", owner)
    form["reason"] = "A key leaked"
    assert (await world.client.post("/platform/keys/rotation", headers=chief, data=form)).status_code == 303
    await world.refused("session-ended", "GET", "/api/me", owner)
    body = {"refresh_token": tokens["refresh_token"]}
    await world.refused("refresh-invalid", "POST", "/api/auth/refresh", json=body)
    await world.call("GET", "/api/me", chief)
    assert await world.events("keys.everybody_signed_out")
