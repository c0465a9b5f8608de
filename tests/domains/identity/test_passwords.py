"""TEN-03: passwords are changed and reset; what was sent works once, for a while, and nothing tells who has an account."""

import asyncio
from typing import Any

import pytest

from tests.support.hashing import Counted, counted
from tests.support.people import PASSWORD, People

NEW = "a fine long night"


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def forget(world: People, email: str) -> dict[str, Any]:
    return await world.call("POST", "/api/auth/password/forgot", status=202, json={"email": email})


async def test_changing_it_ends_every_other_session_and_the_old_password(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    other, mine = await world.login(somebody.email), await world.login(somebody.email)
    change = {"current_password": PASSWORD, "new_password": NEW}
    await world.call("POST", "/api/auth/password/change", bearer(mine), status=204, json=change)
    await world.call("GET", "/api/me", bearer(mine))
    await world.refused("session-ended", "GET", "/api/me", bearer(other))
    await world.refused("refresh-invalid", "POST", "/api/auth/refresh", json={"refresh_token": other["refresh_token"]})
    await world.login(somebody.email, status=401)
    await world.login(somebody.email, password=NEW)


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("not it at all", NEW, "current_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "1234567890", "new_password"),
    ],
)
async def test_a_refused_change_names_the_field_and_changes_nothing(
    world: People, current: str, new: str, field: str
) -> None:
    tokens = await world.login(world.bar.email("staff"))
    before = await world.sql("select password_hash from users where id = $1", world.bar.users["staff"])
    body = {"current_password": current, "new_password": new}
    answer = await world.refused("invalid", "POST", "/api/auth/password/change", bearer(tokens), json=body)
    assert list(answer["fields"]) == [field]
    assert await world.sql("select password_hash from users where id = $1", world.bar.users["staff"]) == before
    await world.call("GET", "/api/me", bearer(tokens))


async def test_of_two_changes_at_once_one_holds(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    tokens = bearer(await world.login(somebody.email))
    wanted = ["the first long night", "the second long night"]
    answers = await asyncio.gather(
        *(
            world.client.post(
                "/api/auth/password/change", headers=tokens, json={"current_password": PASSWORD, "new_password": new}
            )
            for new in wanted
        )
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [204, 422]
    kept = wanted[[answer.status_code for answer in answers].index(204)]
    await world.login(somebody.email, password=kept)


async def test_a_reset_sets_the_password_proves_the_address_and_ends_every_session(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager", verified=False)
    tokens = await world.login(somebody.email)
    await forget(world, somebody.email)
    body = {"token": await world.link(somebody.email), "password": NEW}
    await world.call("POST", "/api/auth/password/reset", status=204, json=body)
    await world.refused("session-ended", "GET", "/api/me", bearer(tokens))
    await world.login(somebody.email, status=401)
    me = await world.call("GET", "/api/me", bearer(await world.login(somebody.email, password=NEW)))
    assert me["email_verified"]
    await world.refused("link-invalid", "POST", "/api/auth/password/reset", json=body)


async def test_of_two_uses_of_one_link_at_once_one_wins(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    await forget(world, somebody.email)
    token = await world.link(somebody.email)
    wanted = [f"night number {number} of many" for number in range(6)]
    answers = await asyncio.gather(
        *(world.client.post("/api/auth/password/reset", json={"token": token, "password": new}) for new in wanted)
    )
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [204, 410, 410, 410, 410, 410]
    await world.login(somebody.email, password=wanted[statuses.index(204)])


@pytest.mark.parametrize("why", ["over", "unknown", "another's purpose"])
async def test_a_link_that_is_none_is_refused_and_nothing_changes(world: People, why: str) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    await forget(world, somebody.email)
    token = await world.link(somebody.email)
    if why == "over":
        await world.sql("update one_time_tokens set expires_at = now() where user_id = $1", somebody.user_id)
    if why == "another's purpose":
        await world.sql("update one_time_tokens set purpose = 'verify_email' where user_id = $1", somebody.user_id)
    sent = "llo_unknown" if why == "unknown" else token
    answer = await world.refused(
        "link-invalid", "POST", "/api/auth/password/reset", json={"token": sent, "password": NEW}
    )
    assert answer["detail"] == "It was used already or is too old. Ask for a new one."
    await world.login(somebody.email)


async def test_a_weak_password_does_not_spend_the_link(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    await forget(world, somebody.email)
    token = await world.link(somebody.email)
    weak = {"token": token, "password": somebody.email}
    assert list((await world.refused("invalid", "POST", "/api/auth/password/reset", json=weak))["fields"]) == [
        "password"
    ]
    await world.call("POST", "/api/auth/password/reset", status=204, json={"token": token, "password": NEW})


async def test_a_link_lives_an_hour(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    await forget(world, somebody.email)
    await world.link(somebody.email)
    lives = await world.sql(
        "select expires_at - created_at as life from one_time_tokens where user_id = $1", somebody.user_id
    )
    assert [row["life"].total_seconds() for row in lives] == [3600]


async def test_forgetting_tells_nobody_whether_there_is_an_account(world: People) -> None:
    known = await forget(world, world.bar.email("owner"))
    unknown = await forget(world, "nobody@nowhere.example")
    assert known == unknown
    assert await world.mails("nobody@nowhere.example") == []
    queued = await world.sql(
        "select kind, count(*) from jobs where kind = 'identity.mail_forgotten_password' group by kind"
    )
    assert queued[0]["count"] >= 2


async def test_a_mailbox_gets_one_link_a_minute_and_the_first_keeps_working(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    for _ in range(4):
        await forget(world, somebody.email)
    assert len(await world.mails(somebody.email)) == 1
    token = await world.link(somebody.email)
    await world.sql(
        "update one_time_tokens set created_at = now() - interval '61 seconds' where user_id = $1", somebody.user_id
    )
    await forget(world, somebody.email)
    assert len(await world.mails(somebody.email)) == 2
    second = await world.link(somebody.email)
    await world.call("POST", "/api/auth/password/reset", status=204, json={"token": token, "password": NEW})
    await world.refused(
        "link-invalid", "POST", "/api/auth/password/reset", json={"token": second, "password": PASSWORD}
    )


async def test_a_changed_password_retires_the_links_on_their_way(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    await forget(world, somebody.email)
    token = await world.link(somebody.email)
    mine = bearer(await world.login(somebody.email))
    change = {"current_password": PASSWORD, "new_password": NEW}
    await world.call("POST", "/api/auth/password/change", mine, status=204, json=change)
    await world.refused("link-invalid", "POST", "/api/auth/password/reset", json={"token": token, "password": PASSWORD})


@pytest.mark.parametrize(
    ("path", "bodies", "work"),
    [
        (
            "/api/auth/login",
            [
                {"email": "owner@bar.example", "password": "wrong"},
                {"email": "nobody@nowhere.example", "password": "wrong"},
            ],
            Counted(compared=1),
        ),
        (
            "/api/auth/register",
            [
                {"email": "owner@bar.example", "password": NEW, "name": "Somebody"},
                {"email": "unheard.of@nowhere.example", "password": NEW, "name": "Somebody"},
            ],
            Counted(hashed=1),
        ),
        (
            "/api/auth/password/forgot",
            [{"email": "owner@bar.example"}, {"email": "nobody@nowhere.example"}],
            Counted(),
        ),
    ],
)
async def test_a_known_and_an_unknown_address_cost_the_same(
    world: People, path: str, bodies: list[dict[str, str]], work: Counted
) -> None:
    """U4: the slow part of an answer is the hash, so hashes are counted; a clock would only measure how busy the machine is."""
    for body in bodies:
        with counted() as seen:
            await world.client.post(path, json=body)
        assert seen == work, body
