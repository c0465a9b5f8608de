"""The outbox where mail is kept: a mailbox for the crew, but no way into the account of a colleague who may do more."""

import pytest

from lastlight.kernel.ids import PLATFORM
from tests.support.people import PASSWORD as SECRET
from tests.support.people import People, visitor


async def link_mail(world: People, address: str) -> str:
    """The place of a mail with a link to set a new password."""
    await world.call("POST", "/api/auth/password/forgot", status=202, json={"email": address})
    mail = (await world.mails(address))[-1]
    assert "token=llo_" in mail["body_text"]
    return f"{mail['tenant_id']}/{mail['id']}"


async def read(world: People, who: str, place: str) -> list[bool]:
    """Whether the link works for a reader of the mail: by the API's two bodies, and on its page."""
    tenant_id, mail_id = place.split("/")
    mail = await world.call("GET", f"/api/admin/tenants/{tenant_id}/outbox/{mail_id}", await world.bearer(who))
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": who, "password": SECRET})
        page = (await browser.get(f"/platform/outbox/{place}")).text
    assert all("token=llo_" in body for body in (mail["body_text"], mail["body_html"], page))
    return ["token=llo_\N{HORIZONTAL ELLIPSIS}" not in body for body in (mail["body_text"], mail["body_html"], page)]


@pytest.mark.parametrize(("role", "opens"), [("super_admin", False), ("ops", True), ("moderator", False)])
async def test_nobody_reads_the_link_of_a_colleague_who_may_do_more(world: People, role: str, *, opens: bool) -> None:
    somebody = await world.newcomer(PLATFORM, role=role)
    place = await link_mail(world, somebody.email)
    assert await read(world, "ops@crew.example", place) == [opens] * 3
    assert await read(world, "super_admin@crew.example", place) == [True] * 3


async def test_the_links_of_a_business_are_read_there(world: People) -> None:
    for role in ("owner", ""):
        somebody = await world.newcomer(world.bar, role=role)
        place = await link_mail(world, somebody.email)
        assert await read(world, "ops@crew.example", place) == [True] * 3


async def test_a_mail_that_left_shows_no_link(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    place = await link_mail(world, somebody.email)
    for state in ("queued", "failed"):
        await world.sql("update outgoing_mail set state = $2 where recipient = $1", somebody.email, state)
        assert await read(world, "super_admin@crew.example", place) == [False] * 3
