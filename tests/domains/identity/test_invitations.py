"""Invitations: a role is offered by e-mail, taken once, by whoever owns the address, while it still may be given."""

import asyncio
import secrets
from typing import Any

import pytest

from lastlight.domains.identity import invitations
from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.runtime.limits import Policy
from tests.domains.identity.test_passkeys import challenge, made
from tests.support.people import PASSWORD, People, visitor

NIGHT = "a fine long night"


async def role_id(world: People, key: str, tenant_id: TenantId | None = None) -> str:
    rows = await world.sql("select id from roles where tenant_id = $1 and key = $2", tenant_id or world.bar.id, key)
    return str(rows[0]["id"])


async def owner(world: People) -> dict[str, str]:
    return await world.bearer(world.bar.email("owner"))


def fresh() -> str:
    return f"invited.{secrets.token_hex(5)}@people.example"


async def invite(world: People, email: str, who: dict[str, str], *, role: str = "staff", **more: Any) -> dict[str, Any]:
    body = {"email": email, "role_id": await role_id(world, role), **more}
    return await world.call("POST", "/api/invitations", who, status=201, json=body)


def version(of: dict[str, Any]) -> dict[str, str]:
    return {"If-Match": f'"{of["version"]}"'}


async def test_nobody_is_a_member_before_they_accept_and_the_link_works_once(world: People) -> None:
    email = fresh()
    invitation = await invite(world, email, await owner(world), name="Fresh Face", note="See you at nine.")
    assert (invitation["status"], invitation["role"], invitation["inviter"]) == ("open", "Staff", "Owner of the bar")
    assert not await world.sql("select 1 from users where email = $1", email)
    token = await world.link(email)
    assert "See you at nine." in (await world.mails(email))[-1]["body_text"]
    seen = await world.call("POST", "/api/invitations/lookup", json={"token": token})
    assert (seen["business"], seen["email"], seen["has_account"]) == ("The bar", email, False)
    body = {"token": token, "password": NIGHT}
    both = await asyncio.gather(
        *(world.client.post("/api/invitations/acceptance", json=body) for _ in range(2)), return_exceptions=False
    )
    assert sorted(answer.status_code for answer in both) == [200, 410]
    me = await world.call("GET", "/api/me", await world.bearer(email, password=NIGHT))
    assert (me["name"], me["roles"], me["email_verified"]) == ("Fresh Face", ["staff"], True)
    again = await world.call("GET", f"/api/invitations/{invitation['id']}", await owner(world))
    assert again["status"] == "accepted"


async def test_a_business_sends_so_many_invitations_a_day_those_sent_again_among_them(
    world: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MAILS", Policy("few-invitations", 1, 86_400))
    boss, email, late = await owner(world), fresh(), fresh()
    sent = await invite(world, email, boss)
    again = f"/api/invitations/{sent['id']}/resend"
    await world.refused("too-many-requests", "POST", again, boss | version(sent))
    body = {"email": late, "role_id": await role_id(world, "staff")}
    refused = await world.client.post("/api/invitations", headers=boss, json=body)
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert "A business sends 1 invitations a day." in refused.json()["detail"]
    assert (await world.mails(late), len(await world.mails(email))) == ([], 1)
    other = {"email": late, "role_id": await role_id(world, "staff", world.club.id)}
    elsewhere = await world.bearer(world.club.email("owner"))
    await world.call("POST", "/api/invitations", elsewhere, status=201, json=other)


async def test_who_has_a_proven_account_keeps_name_and_password(world: People) -> None:
    somebody = await world.newcomer(world.club, role="staff")
    await invite(world, somebody.email, await owner(world), name="Another Name")
    token = await world.link(somebody.email)
    accepted = await world.call("POST", "/api/invitations/acceptance", json={"token": token, "password": NIGHT})
    assert accepted == {"tenant": "bar", "business": "The bar", "role": "Staff", "email": somebody.email}
    me = await world.call("GET", "/api/me", await world.bearer(somebody.email, password=PASSWORD, tenant="bar"))
    assert me["name"] == "Somebody New"


async def test_an_account_that_a_stranger_opened_with_the_address_is_taken_over_by_its_owner(world: People) -> None:
    squatter = await world.newcomer(world.club, verified=False)
    held = await world.bearer(squatter.email)
    await invite(world, squatter.email, await owner(world))
    await world.call("GET", "/api/me", held)
    body = {"token": await world.link(squatter.email), "name": "The Real One", "password": NIGHT}
    await world.call("POST", "/api/invitations/acceptance", json=body)
    await world.refused("session-ended", "GET", "/api/me", held)
    await world.login(squatter.email, status=401)
    await world.login(squatter.email, password=NIGHT)


@pytest.mark.parametrize(
    ("who", "role", "venue", "problem"),
    [
        ("manager", "owner", None, "grants-too-much"),
        ("vendor_admin", "staff", None, "not-permitted"),
        ("vendor_admin", "staff", 1, "not-found"),
        ("staff", "staff", None, "not-permitted"),
    ],
)
async def test_nobody_invites_to_more_than_they_hold(
    world: People, who: str, role: str, venue: int | None, problem: str
) -> None:
    venues = None if venue is None else [str(world.bar.venues[venue])]
    body = {"email": fresh(), "role_id": await role_id(world, role), "venue_ids": venues}
    await world.refused(problem, "POST", "/api/invitations", await world.bearer(world.bar.email(who)), json=body)
    assert not await world.sql("select 1 from invitations where email = $1", body["email"])


async def test_an_invitation_falls_with_the_right_to_give_it(world: People) -> None:
    manager = await world.newcomer(world.bar, role="manager")
    email = fresh()
    await invite(world, email, await world.bearer(manager.email))
    token = await world.link(email)
    await world.sql("update memberships set status = 'ended' where id = $1", manager.member_id)
    body = {"token": token, "name": "Fresh", "password": NIGHT}
    await world.refused("link-invalid", "POST", "/api/invitations/acceptance", json=body)
    assert not await world.sql("select 1 from users where email = $1", email)


async def test_a_resent_invitation_has_a_new_link_and_a_revoked_one_none(world: People) -> None:
    email, boss = fresh(), await owner(world)
    first = await invite(world, email, boss)
    old = await world.link(email)
    body = {"email": email, "role_id": first["role_id"]}
    await world.refused("invitation-open", "POST", "/api/invitations", boss, json=body)
    path = f"/api/invitations/{first['id']}"
    await world.refused("stale", "POST", f"{path}/resend", boss, headers={"If-Match": '"77"'})
    held = await world.call("GET", path, boss)
    await world.call("POST", f"{path}/resend", boss, headers=version(held))
    new = await world.link(email)
    assert new != old
    await world.refused("link-invalid", "POST", "/api/invitations/lookup", json={"token": old})
    held = await world.call("GET", path, boss)
    assert held["sent_count"] == 2
    await world.call("DELETE", path, boss, status=204, headers=version(held))
    await world.refused("link-invalid", "POST", "/api/invitations/lookup", json={"token": new})
    held = await world.call("GET", path, boss)
    await world.refused("invitation-closed", "DELETE", path, boss, headers=version(held))


async def test_an_invitation_ends_with_its_time_and_can_be_sent_again(world: People) -> None:
    email, boss = fresh(), await owner(world)
    invitation = await invite(world, email, boss)
    token = await world.link(email)
    await world.sql("update invitations set expires_at = now() - interval '1 minute' where email = $1", email)
    await world.refused("link-invalid", "POST", "/api/invitations/lookup", json={"token": token})
    listed = await world.call("GET", "/api/invitations", boss, params={"status": "expired", "q": email})
    assert [item["id"] for item in listed["items"]] == [invitation["id"]]
    await invite(world, email, boss)


async def test_crew_is_invited_by_crew_and_the_bar_sees_nothing_of_it(world: People) -> None:
    email, chief = fresh(), await world.bearer("super_admin@crew.example")
    body = {"email": email, "role_id": await role_id(world, "finance", PLATFORM)}
    made = await world.call("POST", "/api/invitations", chief, status=201, json=body)
    await world.refused("not-found", "GET", f"/api/invitations/{made['id']}", await owner(world))
    answer = {"token": await world.link(email), "name": "Fresh Crew", "password": NIGHT}
    await world.call("POST", "/api/invitations/acceptance", json=answer)
    me = await world.call("GET", "/api/me", await world.bearer(email, password=NIGHT))
    assert (me["kind"], me["roles"]) == ("crew", ["finance"])


@pytest.mark.parametrize(
    "token", ["", "x", "lli_", "lli_zz_yy", "lli_00000000000000000000000000000000_abc", "llo_abc_d"]
)
async def test_what_is_no_invitation_is_refused_plainly(world: People, token: str) -> None:
    answer = await world.client.post("/api/invitations/lookup", json={"token": token})
    assert answer.status_code == (422 if not token else 410), answer.text


async def test_who_holds_a_link_is_told_why_it_no_longer_works(world: People) -> None:
    boss = await owner(world)
    taken, revoked, late = fresh(), fresh(), fresh()
    tokens: dict[str, str] = {}
    for email in (taken, revoked, late):
        await invite(world, email, boss)
        tokens[email] = await world.link(email)
    body = {"token": tokens[taken], "name": "Fresh", "password": NIGHT}
    await world.call("POST", "/api/invitations/acceptance", json=body)
    held = (await world.call("GET", "/api/invitations", boss, params={"q": revoked}))["items"][0]
    await world.call("DELETE", f"/api/invitations/{held['id']}", boss, status=204, headers=version(held))
    await world.sql("update invitations set expires_at = now() - interval '1 minute' where email = $1", late)
    for email, state, words in (
        (taken, "accepted", "sign in"),
        (revoked, "revoked", "took it back"),
        (late, "expired", "time is over"),
    ):
        for path in ("lookup", "acceptance"):
            body = {"token": tokens[email], **({"name": "X", "password": NIGHT} if path == "acceptance" else {})}
            gone = await world.refused("link-invalid", "POST", f"/api/invitations/{path}", json=body)
            assert (gone["state"], words in gone["detail"]) == (state, True), gone
        async with visitor(world.app) as browser:
            page = await browser.get("/invitation", params={"token": tokens[email]})
            assert (page.status_code, words in page.text) == (410, True)
    await world.run_scheduled("identity.expire_invitations", world.bar.id)
    gone = await world.refused("link-invalid", "POST", "/api/invitations/lookup", json={"token": tokens[late]})
    assert gone["state"] == "expired"


async def test_a_stranger_s_passkey_does_not_outlive_the_owner_s_proof(world: People) -> None:
    """Who opened an account in somebody's name and put a passkey on it does not come in by it afterwards."""
    for proof in ("invitation", "reset"):
        squatter = await world.newcomer(world.club, role="staff", verified=False)
        key, kept, _ = await made(world, squatter)
        if proof == "invitation":
            await invite(world, squatter.email, await owner(world))
            body = {"token": await world.link(squatter.email), "name": "The Real One", "password": NIGHT}
            await world.call("POST", "/api/invitations/acceptance", json=body)
        else:
            await world.call("POST", "/api/auth/password/forgot", status=202, json={"email": squatter.email})
            body = {"token": await world.link(squatter.email), "password": NIGHT}
            await world.call("POST", "/api/auth/password/reset", status=204, json=body)
        await world.refused(
            "passkey-refused", "POST", "/api/auth/session/passkey", json={"passkey": key.get(await challenge(world))}
        )
        await world.login(squatter.email, password=NIGHT)
        assert await world.sql("select 1 from recovery_codes where user_id = $1", squatter.user_id) == []
        assert len(kept["recovery_codes"]) == 10
    proven = await world.newcomer(world.club, role="staff")
    key, _, _ = await made(world, proven)
    await world.call("POST", "/api/auth/password/forgot", status=202, json={"email": proven.email})
    body = {"token": await world.link(proven.email), "password": NIGHT}
    await world.call("POST", "/api/auth/password/reset", status=204, json=body)
    await world.call("POST", "/api/auth/session/passkey", json={"passkey": key.get(await challenge(world))})


async def test_by_the_page_a_new_account_is_signed_in_and_another_s_session_ends(world: People) -> None:
    email, boss = fresh(), await owner(world)
    await invite(world, email, boss)
    token = await world.link(email)
    somebody = await world.newcomer(world.club, role="staff")
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": somebody.email, "password": PASSWORD})
        assert somebody.email in (await browser.get("/invitation", params={"token": token})).text
        weak = await browser.post("/invitation", data={"token": token, "name": "Fresh", "password": "short"})
        assert weak.status_code == 422
        done = await browser.post("/invitation", data={"token": token, "name": "Fresh", "password": NIGHT})
        assert (done.status_code, done.headers["location"]) == (303, "/")
        me = (await browser.get("/api/me")).json()
        assert (me["email"], me["tenant"]["slug"], me["roles"]) == (email, "bar", ["staff"])
        await invite(world, somebody.email, boss)
        second = await browser.post("/invitation", data={"token": await world.link(somebody.email)})
        assert second.headers["location"] == "/sign-in?tenant=bar"
        assert (await browser.get("/api/me")).status_code == 401
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": somebody.email, "password": PASSWORD, "tenant": "club"})
        await world.sql(
            "update memberships set status = 'ended' where user_id = $1 and tenant_id = $2",
            somebody.user_id,
            world.bar.id,
        )
        await invite(world, somebody.email, boss)
        third = await browser.post("/invitation", data={"token": await world.link(somebody.email)})
        assert third.headers["location"] == "/"
        assert (await browser.get("/api/me")).json()["tenant"]["slug"] == "bar"
