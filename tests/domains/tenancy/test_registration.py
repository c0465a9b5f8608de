"""TEN-01: a business registers, proves its address, waits, is approved or rejected, is told by e-mail, and its owner signs in."""

import asyncio
from typing import Any

import pytest

from lastlight.domains.tenancy.registration import MOST_WAITING
from tests.support.hashing import Counted, counted
from tests.support.people import PASSWORD, People, visitor

NEW = "a fine long night"
OPS = "ops@crew.example"


def registration(email: str, **more: Any) -> dict[str, Any]:
    return {"name": "Sunset Row", "contact_name": "Priya Naidoo", "contact_email": email, "password": NEW, **more}


async def register(world: People, email: str, **more: Any) -> dict[str, Any]:
    body = registration(email, **more)
    return await world.call("POST", "/api/tenants/registrations", status=202, json=body)


async def waiting(world: People, email: str) -> list[Any]:
    return await world.sql(
        "select t.* from tenants t join users u on u.id = t.applicant_id where u.email = $1 order by t.created_at",
        email,
    )


async def verify(world: People, email: str) -> None:
    """Follow the link that proves the address, among what was sent."""
    mails = [mail for mail in await world.mails(email) if mail["subject"] == "Confirm your e-mail address"]
    token = mails[-1]["body_text"].split("token=", 1)[1].split(maxsplit=1)[0].strip(")>")
    await world.call("POST", "/api/auth/verify-email", status=204, json={"token": token})


async def decide(world: People, tenant: Any, what: str, **more: Any) -> Any:
    return await world.call("POST", f"/api/admin/tenants/{tenant['id']}/{what}", await world.bearer(OPS), **more)


async def test_from_the_form_to_the_owner_who_signs_in(world: People) -> None:
    email = "priya@people.example"
    await register(world, email, slug="sunset", country="ZA", time_zone="Africa/Johannesburg", note="We open in May.")
    tenant = (await waiting(world, email))[0]
    assert (tenant["slug"], tenant["status"], tenant["approved_at"]) == ("sunset", "pending", None)
    subjects = {mail["subject"] for mail in await world.mails(email)}
    assert subjects == {"Confirm your e-mail address", "We have your registration of Sunset Row"}
    assert (await world.login(email, password=NEW, status=403))["type"].endswith("/tenant-pending")

    before = await world.rows("tenants", "memberships", "roles", "tenant_modules")
    ops = await world.bearer(OPS)
    await world.refused("applicant-unproven", "POST", f"/api/admin/tenants/{tenant['id']}/approval", ops)
    assert await world.rows("tenants", "memberships", "roles", "tenant_modules") == before

    await verify(world, email)
    approved = await decide(world, tenant, "approval")
    assert (approved["status"], approved["approved_at"] is not None) == ("active", True)
    assert (await world.mails(email))[-1]["subject"] == "Sunset Row is on Last Light"
    who = await world.bearer(email, password=NEW)
    me = await world.call("GET", "/api/me", who)
    assert (me["kind"], me["roles"], me["tenant"]["slug"]) == ("member", ["owner"], "sunset")
    assert me["permissions"]["roles.manage"] is None
    roles = (await world.call("GET", "/api/roles", who))["items"]
    assert {role["key"] for role in roles} == {"owner", "manager", "vendor_admin", "staff"}
    modules = (await world.call("GET", "/api/modules", who))["items"]
    assert {module["name"] for module in modules if module["enabled"]} == {"safety", "staff", "analytics"}


async def test_a_rejection_says_why_and_nothing_is_left_to_sign_in_to(world: People) -> None:
    email = "rejected@people.example"
    await register(world, email, name="Nope Bar")
    tenant = (await waiting(world, email))[0]
    before = await world.rows("memberships", "roles")
    ops = await world.bearer(OPS)
    answer = await world.refused(
        "invalid", "POST", f"/api/admin/tenants/{tenant['id']}/rejection", ops, json={"reason": ""}
    )
    assert list(answer["fields"]) == ["reason"]
    rejected = await decide(world, tenant, "rejection", json={"reason": "We have no crew in your city yet."})
    assert (rejected["status"], rejected["status_reason"]) == ("rejected", "We have no crew in your city yet.")
    mail = (await world.mails(email))[-1]
    assert mail["subject"] == "Nope Bar was not approved"
    assert "We have no crew in your city yet." in mail["body_text"]
    assert await world.rows("memberships", "roles") == before
    me = await world.call("GET", "/api/me", await world.bearer(email, password=NEW))
    assert (me["kind"], me["places"]) == ("guest", [])
    assert (await world.login(email, password=NEW, tenant=tenant["slug"], status=403))["type"].endswith("/no-place")
    await world.refused("registration-decided", "POST", f"/api/admin/tenants/{tenant['id']}/approval", ops)


@pytest.mark.parametrize("second", ["approval", "rejection"])
async def test_of_two_decisions_at_once_one_holds(world: People, second: str) -> None:
    email = f"race.{second}@people.example"
    await register(world, email, name=f"Race {second}")
    await verify(world, email)
    tenant = (await waiting(world, email))[0]
    headers = [await world.bearer(OPS), await world.bearer("super_admin@crew.example")]
    home = f"/api/admin/tenants/{tenant['id']}"
    body = {"reason": "Changed our mind."} if second == "rejection" else None
    answers = await asyncio.gather(
        world.client.post(f"{home}/approval", headers=headers[0]),
        world.client.post(f"{home}/{second}", headers=headers[1], json=body),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    status = (await world.sql("select status from tenants where id = $1", tenant["id"]))[0]["status"]
    members = (await world.sql("select count(*) from memberships where tenant_id = $1", tenant["id"]))[0][0]
    assert (status, members) in [("active", 1), ("rejected", 0)]
    assert status == next(answer.json()["status"] for answer in answers if answer.status_code == 200)


async def test_who_has_an_account_registers_with_its_password(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    same = await register(world, somebody.email, name="Second Business", password=PASSWORD)
    assert len(await waiting(world, somebody.email)) == 1
    refused = await register(world, somebody.email, name="Third Business", password="not their password")
    unknown = await register(world, "brand.new@people.example", name="Fourth Business")
    assert same == refused == unknown
    assert [tenant["name"] for tenant in await waiting(world, somebody.email)] == ["Second Business"]
    subjects = [mail["subject"] for mail in await world.mails(somebody.email)]
    assert "Your registration needs your password" in subjects
    await world.login(somebody.email)


async def test_a_known_and_an_unknown_address_cost_the_same(world: People) -> None:
    for email, password in (
        (world.bar.email("owner"), "not their password"),
        (world.bar.email("owner"), PASSWORD),
        ("cost@people.example", NEW),
    ):
        with counted() as seen:
            await register(world, email, name="Costly", password=password)
        assert seen == Counted(hashed=1, compared=1), email


async def test_a_repetition_makes_one_registration_also_at_once(world: People) -> None:
    await asyncio.gather(*(register(world, "eager@people.example", name="Eager Bar") for _ in range(4)))
    await register(world, "eager@people.example", name=" eager  BAR ")
    assert [tenant["name"] for tenant in await waiting(world, "eager@people.example")] == ["Eager Bar"]


async def test_two_businesses_of_one_name_get_two_slugs_also_at_once(world: People) -> None:
    emails = [f"same{number}@people.example" for number in range(4)]
    await asyncio.gather(*(register(world, email, name="Same Name") for email in emails))
    slugs = {(await waiting(world, email))[0]["slug"] for email in emails}
    assert slugs == {"same-name", "same-name-2", "same-name-3", "same-name-4"}


@pytest.mark.parametrize(
    ("wish", "slug"), [("platform", "platform-2"), ("API", "api-2"), ("bar", "bar-2"), ("Ночь", "venue")]
)
async def test_a_slug_that_is_ours_or_taken_gets_a_number(world: People, wish: str, slug: str) -> None:
    email = f"slug.{slug}@people.example"
    await register(world, email, name="Anything", slug=wish)
    assert (await waiting(world, email))[0]["slug"] == slug


async def test_so_many_wait_and_no_more(world: People) -> None:
    email = "collector@people.example"
    for number in range(MOST_WAITING):
        await register(world, email, name=f"Branch {number}")
    await world.refused("conflict", "POST", "/api/tenants/registrations", json=registration(email, name="One more"))
    assert len(await waiting(world, email)) == MOST_WAITING


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \u200b"}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "Win https://evil.example"}, "name"),
        ({"contact_name": "\x00"}, "contact_name"),
        ({"contact_email": "nobody"}, "contact_email"),
        ({"contact_email": "a@b.example\r\nBcc: c@d.example"}, "contact_email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 201}, "password"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"country": "Zaf"}, "country"),
        ({"currency": "rand"}, "currency"),
        ({"locale": "english"}, "locale"),
        ({"note": "x" * 2001}, "note"),
        ({"slug": "x" * 49}, "slug"),
        ({"status": "active"}, "status"),
        ({"plan": "enterprise"}, "plan"),
        ({"applicant_id": "x"}, "applicant_id"),
    ],
)
async def test_odd_bodies_name_the_field_and_register_nothing(
    world: People, changes: dict[str, Any], field: str
) -> None:
    before = await world.rows("tenants", "users", "jobs")
    body = registration("odd@people.example", **changes)
    answer = await world.client.post("/api/tenants/registrations", json=body)
    assert answer.status_code in {400, 422}, answer.text
    if answer.status_code == 422:
        assert list(answer.json()["fields"]) == [field]
    assert await world.rows("tenants", "users", "jobs") == before


async def test_the_form_on_the_page_does_the_same(world: People) -> None:
    async with visitor(world.app) as browser:
        assert (await browser.get("/register")).status_code == 200
        sent = await browser.post("/register", data=registration("form@people.example", name="Form Bar"))
        assert sent.status_code == 200
        wrong = await browser.post(
            "/register", data=registration("form2@people.example", name="Form Bar", password="x")
        )
        assert wrong.status_code == 422
        assert "at least 10 characters" in wrong.text
    assert [tenant["name"] for tenant in await waiting(world, "form@people.example")] == ["Form Bar"]
    assert await waiting(world, "form2@people.example") == []
