"""An empty platform has no crew, so the first of them is let in from the server's terminal."""

import argparse
from dataclasses import replace

import pytest

from lastlight import crew
from lastlight.domains import identity
from lastlight.kernel.ids import PLATFORM
from lastlight.modules import MODULES
from lastlight.runtime.context import ANONYMOUS
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.claims import claimed_folder
from tests.support.services import administer, opened_services

pytestmark = pytest.mark.database

EMAIL = "first@platform.example"
PASSWORD = "a lamp over the last bar"
HELD = """
select r.key, m.status, m.venue_ids is null as everywhere
from memberships m join users u on u.id = m.user_id join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
where m.tenant_id = $1 and u.email = $2
"""


async def admitted(settings: Settings, *, email: str = EMAIL, name: str = "") -> str:
    """The token of the link that the command prints."""
    said = await crew.admit(settings, argparse.Namespace(email=email, name=name))
    before, _, token = said.partition("/reset?token=")
    assert before == f"Choose a password within seven days, at {settings.base_url}"
    return token


async def chosen(settings: Settings, token: str) -> None:
    """Choose a password by the link, as the page does."""
    async with opened_services(settings, MODULES) as services:
        hashed = await identity.prepare_reset(services, identity.ResetIn(token=token, password=PASSWORD), ANONYMOUS)
        async with system_ctx(services, PLATFORM, role="system") as ctx:
            await identity.reset_password(ctx, token=token, password_hash=hashed)


async def test_the_first_of_the_crew_gets_the_highest_role_and_a_link(fresh_database: Settings) -> None:
    first = await admitted(fresh_database, name="Ada First")
    second = await admitted(fresh_database)
    held = await administer(fresh_database, HELD, PLATFORM, EMAIL)
    assert [tuple(row) for row in held] == [("super_admin", "active", True)], (
        "asking again gives a link, no second role"
    )
    told = await administer(fresh_database, "select name from outbox where tenant_id = $1 order by name", PLATFORM)
    assert [row["name"] for row in told] == ["member.added", "user.registered"], "the audit log hears of it"
    with pytest.raises(identity.LinkInvalid):
        await chosen(fresh_database, first)
    await chosen(fresh_database, second)
    known = await administer(
        fresh_database, "select password_hash, email_verified_at from users where email = $1", EMAIL
    )
    assert known[0]["password_hash"].startswith("$argon2")
    assert known[0]["email_verified_at"] is not None


async def test_the_link_leads_to_the_platform_that_runs(fresh_database: Settings) -> None:
    with claimed_folder(replace(fresh_database, base_url="http://127.0.0.1:8123")):
        said = await crew.admit(fresh_database, argparse.Namespace(email=EMAIL, name="Ada First"))
    assert said.startswith("Choose a password within seven days, at http://127.0.0.1:8123/reset?token=")


@pytest.mark.parametrize(("email", "field"), [(EMAIL, "name"), ("no address", "email")])
async def test_what_is_missing_is_one_sentence(fresh_database: Settings, email: str, field: str) -> None:
    with pytest.raises(StartError, match=rf"^{field}: .+\.$"):
        await crew.admit(fresh_database, argparse.Namespace(email=email, name=""))
    assert await administer(fresh_database, "select 1 from users") == []
