"""TEN-03: an address is proven by the link that was sent to it; another one replaces it once it is proven, and the old one is told."""

import asyncio
from typing import Any

import pytest

from tests.support.people import PASSWORD, People

REGISTRATION = {"password": "a fine long night", "name": "New Guest"}


async def register(world: People, email: str, **more: Any) -> dict[str, Any]:
    return await world.call("POST", "/api/auth/register", status=201, json={**REGISTRATION, "email": email, **more})


async def verify(world: People, token: str) -> None:
    await world.call("POST", "/api/auth/verify-email", status=204, json={"token": token})


async def ask(world: People, who: dict[str, str], email: str, **more: Any) -> Any:
    return await world.call(
        "POST", "/api/me/email", who, status=202, json={"new_email": email, "password": PASSWORD, **more}
    )


async def test_registering_sends_a_link_that_proves_the_address_once(world: People) -> None:
    await register(world, "ada@people.example", tenant="bar")
    mails = await world.mails("ada@people.example")
    assert [mail["subject"] for mail in mails] == ["Confirm your e-mail address"]
    who = await world.bearer("ada@people.example", password="a fine long night")
    assert not (await world.call("GET", "/api/me", who))["email_verified"]
    token = await world.link("ada@people.example")
    await verify(world, token)
    assert (await world.call("GET", "/api/me", who))["email_verified"]
    await world.refused("link-invalid", "POST", "/api/auth/verify-email", json={"token": token})


async def test_an_address_with_an_account_gets_the_same_answer_and_its_mailbox_the_truth(world: People) -> None:
    somebody = await world.newcomer(world.bar)
    before = await world.rows("patrons")
    known = await register(world, somebody.email)
    fresh = await register(world, "unheard@people.example")
    assert (known.keys(), known["message"]) == (fresh.keys(), fresh["message"])
    assert [mail["subject"] for mail in await world.mails(somebody.email)] == ["You already have an account"]
    after = await world.sql("select count(*) from users where email = $1", somebody.email)
    assert after[0][0] == 1
    assert await world.rows("patrons") == before
    await world.login(somebody.email)


async def test_registering_twice_at_once_makes_one_account(world: People) -> None:
    await asyncio.gather(*(register(world, "twice@people.example") for _ in range(4)))
    assert (await world.sql("select count(*) from users where email = 'twice@people.example'"))[0][0] == 1


async def test_another_link_retires_the_first_and_a_proven_address_gets_none(world: People) -> None:
    await register(world, "again@people.example")
    first = await world.link("again@people.example")
    who = await world.bearer("again@people.example", password="a fine long night")
    await world.call("POST", "/api/auth/verify-email/link", who, status=202)
    second = await world.link("again@people.example")
    assert second != first
    await world.refused("link-invalid", "POST", "/api/auth/verify-email", json={"token": first})
    await verify(world, second)
    await world.call("POST", "/api/auth/verify-email/link", who, status=202)
    assert len(await world.mails("again@people.example")) == 2


async def test_a_link_that_is_too_old_proves_nothing(world: People) -> None:
    await register(world, "late@people.example")
    token = await world.link("late@people.example")
    life = await world.sql(
        "select t.expires_at - t.created_at as life from one_time_tokens t join users u on u.id = t.user_id where u.email = $1",
        "late@people.example",
    )
    assert life[0]["life"].days == 3
    await world.sql("update one_time_tokens set expires_at = now()")
    await world.refused("link-invalid", "POST", "/api/auth/verify-email", json={"token": token})
    proven = await world.sql("select email_verified_at from users where email = 'late@people.example'")
    assert proven[0][0] is None


async def test_a_new_address_holds_once_proven_and_the_old_one_is_told(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    who = await world.bearer(somebody.email)
    await ask(world, who, "  New.Address@People.Example ")
    assert (await world.call("GET", "/api/me", who))["email"] == somebody.email
    await world.login("new.address@people.example", status=401)
    await verify(world, await world.link("new.address@people.example"))
    me = await world.call("GET", "/api/me", who)
    assert (me["email"], me["email_verified"], me["roles"]) == ("new.address@people.example", True, ["manager"])
    await world.login("new.address@people.example")
    await world.login(somebody.email, status=401)
    told = await world.mails(somebody.email)
    assert [mail["subject"] for mail in told] == ["Your e-mail address was changed"]
    assert "new.address" not in told[0]["body_text"]
    changed = (await world.events("user.email_changed"))[-1]["audit"]
    assert somebody.email in changed
    assert "new.address@people.example" in changed


async def test_what_was_sent_to_the_old_address_dies_with_the_change(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    await world.call("POST", "/api/auth/password/forgot", status=202, json={"email": somebody.email})
    reset = await world.link(somebody.email)
    await ask(world, await world.bearer(somebody.email), "elsewhere@people.example")
    await verify(world, await world.link("elsewhere@people.example"))
    body = {"token": reset, "password": "another long night"}
    await world.refused("link-invalid", "POST", "/api/auth/password/reset", json=body)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "not it at all"}, "password"),
        ({"new_email": "nonsense"}, "new_email"),
        ({"new_email": "same"}, "new_email"),
    ],
)
async def test_a_refused_change_names_the_field_and_sends_nothing(
    world: People, changes: dict[str, str], field: str
) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    who = await world.bearer(somebody.email)
    wanted = {"new_email": "mine@people.example", "password": PASSWORD, **changes}
    if changes.get("new_email") == "same":
        wanted["new_email"] = somebody.email.upper()
    answer = await world.refused("invalid", "POST", "/api/me/email", who, json=wanted)
    assert list(answer["fields"]) == [field]
    assert await world.mails("mine@people.example") == []


async def test_somebody_else_s_address_is_not_told_and_not_taken(world: People) -> None:
    somebody, other = await world.newcomer(world.bar, role="staff"), await world.newcomer(world.club, role="staff")
    answer = await ask(world, await world.bearer(somebody.email), other.email)
    assert answer == await ask(world, await world.bearer(somebody.email), "nobody.yet@people.example")
    assert [mail["subject"] for mail in await world.mails(other.email)] == ["You already have an account"]
    assert (await world.call("GET", "/api/me", await world.bearer(other.email)))["user_id"] == str(other.user_id)


async def test_of_two_who_prove_the_same_new_address_one_has_it(world: People) -> None:
    both = [await world.newcomer(world.bar, role="staff") for _ in range(2)]
    tokens: list[str] = []
    for somebody in both:
        await ask(world, await world.bearer(somebody.email), "wanted@people.example")
        tokens.append(await world.link("wanted@people.example"))
    answers = await asyncio.gather(
        *(world.client.post("/api/auth/verify-email", json={"token": token}) for token in tokens)
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert loser.json()["type"].endswith("/address-taken")
    owners = await world.sql("select id from users where email = 'wanted@people.example'")
    assert len(owners) == 1
    lost = both[[answer.status_code for answer in answers].index(409)]
    await world.login(lost.email)
