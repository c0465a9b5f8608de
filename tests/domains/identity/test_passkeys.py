"""Passkeys: made with the password, each challenge counts once, the counter only grows, and nobody else's opens anything."""

import asyncio
import dataclasses
from typing import Any

import pytest

from lastlight.domains.identity.factor_errors import PasskeysUnavailable
from lastlight.domains.identity.passkey_check import RelyingParty, relying_party
from tests.domains.identity.test_second_factor import app_code
from tests.support.passkeys import SoftKey
from tests.support.people import PASSWORD, Newcomer, People

CHALLENGE, SESSION = "/api/auth/passkeys/challenge", "/api/auth/session/passkey"
SECOND, LOGIN = "/api/auth/login/second-factor", "/api/auth/login"


def origin(world: People) -> str:
    return relying_party(world.services.settings).origin


async def made(world: People, somebody: Newcomer, key: SoftKey | None = None) -> tuple[SoftKey, dict[str, Any], Any]:
    """A passkey of somebody, what came of keeping it, and their session."""
    here = await world.bearer(somebody.email)
    key = key or SoftKey(origin(world))
    options = await world.call("POST", "/api/me/passkeys/creation", here, json={"password": PASSWORD})
    body = {"label": "my phone", "passkey": key.create(options)}
    kept = await world.call("POST", "/api/me/passkeys", here, status=201, json=body)
    return key, kept, here


async def ticket_of(world: People, somebody: Newcomer) -> str:
    body = {"email": somebody.email, "password": PASSWORD}
    refused = await world.refused("second-factor-needed", "POST", LOGIN, json=body)
    return refused["ticket"]


async def challenge(world: People, ticket: str = "") -> dict[str, Any]:
    return await world.call("POST", CHALLENGE, json={"ticket": ticket})


@pytest.mark.parametrize(
    ("base_url", "found"),
    [
        ("https://lastlight.example", RelyingParty("lastlight.example", "https://lastlight.example")),
        ("https://lastlight.example:8443", RelyingParty("lastlight.example", "https://lastlight.example:8443")),
        ("http://localhost:8000", RelyingParty("localhost", "http://localhost:8000")),
        ("http://127.0.0.1:8000", RelyingParty("localhost", "http://localhost:8000")),
        ("http://[::1]:8000", RelyingParty("localhost", "http://localhost:8000")),
        ("http://lastlight.example", None),
        ("http://10.0.0.7:8000", None),
        ("https://10.0.0.7", None),
    ],
)
def test_who_asks_follows_from_the_public_address(world: People, base_url: str, found: RelyingParty | None) -> None:
    settings = dataclasses.replace(world.services.settings, base_url=base_url)
    if found is None:
        with pytest.raises(PasskeysUnavailable):
            relying_party(settings)
    else:
        assert relying_party(settings) == found


async def test_a_passkey_signs_in_alone_and_stands_for_the_second_factor(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    key, kept, here = await made(world, somebody)
    assert (kept["passkey"]["label"], len(kept["recovery_codes"])) == ("my phone", 10)
    state = await world.call("GET", "/api/me/second-factor", here)
    assert (state["passkeys"], state["shown"], state["since"]) == (1, True, None)
    options = await challenge(world)
    assert (options["rp_id"], options["allow"], options["user_verification"]) == ("localhost", [], "required")
    me = await world.call("POST", SESSION, json={"passkey": key.get(options), "tenant": "bar"})
    assert (me["email"], me["roles"]) == (somebody.email, ["staff"])
    row = (await world.sql("select second_factor_at, channel from sessions where id = $1", me["session_id"]))[0]
    assert (row["second_factor_at"] is not None, row["channel"]) == (True, "cookie")
    listed = (await world.call("GET", "/api/me/passkeys", here))["items"]
    assert listed[0]["last_used_at"] is not None


async def test_after_the_password_a_passkey_or_a_recovery_code_is_asked_for(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    key, kept, _ = await made(world, somebody, SoftKey(origin(world), verifies=False))
    ticket = await ticket_of(world, somebody)
    options = await challenge(world, ticket)
    assert [one["id"] for one in options["allow"]] == [key.get(options)["id"]]
    await world.call("POST", SECOND, json={"ticket": ticket, "passkey": key.get(options)})
    await world.call("POST", SECOND, json={"ticket": ticket, "code": kept["recovery_codes"][0]})
    await world.refused("second-factor-wrong", "POST", SECOND, json={"ticket": ticket, "code": "123456"})
    await world.refused("second-factor-needed", "POST", SECOND, json={"ticket": ticket})
    alone = key.get(await challenge(world))
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": alone})


async def test_a_challenge_counts_once_and_only_for_what_it_was_made(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    key, _, here = await made(world, somebody)
    shown = key.get(await challenge(world))
    await world.call("POST", SESSION, json={"passkey": shown})
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": shown})
    options = await challenge(world)
    several = [{"passkey": key.get(options)} for _ in range(3)]
    answers = await asyncio.gather(*(world.client.post(SESSION, json=body) for body in several))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]
    ticket = await ticket_of(world, somebody)
    crossed = key.get(await challenge(world, ticket))
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": crossed})
    crossed = key.get(await challenge(world))
    await world.refused("passkey-refused", "POST", SECOND, json={"ticket": ticket, "passkey": crossed})
    own = await world.call("POST", "/api/me/passkeys/challenge", here)
    await world.call("POST", "/api/me/second-factor/proof", here, status=204, json={"passkey": key.get(own)})
    late = await challenge(world)
    await world.sql("update passkey_challenges set expires_at = now() - interval '1 second'")
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": key.get(late)})


async def test_a_refused_passkey_spends_its_challenge_and_is_on_record(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    key, _, _ = await made(world, somebody)
    options = await challenge(world)
    wrong = key.get(options) | {"signature": key.get(options)["client_data"]}
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": wrong})
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": key.get(options)})
    reasons = [row["audit"] for row in await world.events("user.second_factor_refused")]
    assert any("signature" in reason for reason in reasons)
    assert any("passkey: spent challenge" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"origin": "https://evil.example"}, "origin"),
        ({"rp_id": "evil.example"}, "RP ID"),
        ({"count": 1}, "sign count"),
        ({"user_handle": "AAAA"}, "another account"),
    ],
)
async def test_another_site_a_copied_key_and_a_made_up_owner_are_refused(
    world: People, change: dict[str, Any], reason: str
) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    key, _, _ = await made(world, somebody)
    for _ in range(2):
        await world.call("POST", SESSION, json={"passkey": key.get(await challenge(world))})
    before = await world.rows("sessions")
    wrong = dataclasses.replace(key, **change) if "count" not in change else dataclasses.replace(key, count=0)
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": wrong.get(await challenge(world))})
    assert reason in (await world.events("user.second_factor_refused"))[-1]["audit"]
    assert await world.rows("sessions") == before


async def test_nobody_else_s_passkey_finishes_a_sign_in(world: People) -> None:
    one, other = await world.newcomer(world.bar, role="staff"), await world.newcomer(world.bar, role="staff")
    await made(world, one)
    theirs, _, _ = await made(world, other)
    ticket = await ticket_of(world, one)
    foreign = theirs.get(await challenge(world, ticket))
    await world.refused("passkey-refused", "POST", SECOND, json={"ticket": ticket, "passkey": foreign})
    made_up = SoftKey(origin(world)).get(await challenge(world))
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": made_up})


async def test_a_removed_passkey_opens_nothing_and_the_last_one_takes_the_codes_along(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    key, kept, here = await made(world, somebody)
    path = f"/api/me/passkeys/{kept['passkey']['id']}"
    await world.call("PATCH", path, here, json={"label": "  old   phone "})
    assert (await world.call("GET", "/api/me/passkeys", here))["items"][0]["label"] == "old phone"
    await world.refused("invalid", "PATCH", path, here, json={"label": "   "})
    stranger = await world.bearer((await world.newcomer(world.bar, role="staff")).email)
    for method, more in (("PATCH", {"label": "mine"}), ("POST", {"password": PASSWORD})):
        place = path if method == "PATCH" else f"{path}/removal"
        await world.refused("not-found", method, place, stranger, json=more)
    await world.refused("invalid", "POST", f"{path}/removal", here, json={"password": "not my password"})
    options = await challenge(world)
    await world.call("POST", f"{path}/removal", here, status=204, json={"password": PASSWORD})
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": key.get(options)})
    await world.login(somebody.email)
    state = await world.call("GET", "/api/me/second-factor", here)
    assert (state["passkeys"], state["recovery_codes_left"], state["shown"]) == (0, 0, False)


async def test_who_has_only_a_passkey_left_makes_new_codes_and_removes_a_lost_app_with_it(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    key, kept, here = await made(world, somebody)
    secret = (await world.call("POST", "/api/me/second-factor", here, status=201, json={"password": PASSWORD}))[
        "secret"
    ]
    await world.call("POST", "/api/me/second-factor/confirmation", here, json={"code": app_code(secret)})

    async def shown() -> dict[str, Any]:
        return {"passkey": key.get(await world.call("POST", "/api/me/passkeys/challenge", here))}

    proof = await shown()
    codes = (await world.call("POST", "/api/me/second-factor/recovery-codes", here, json=proof))["recovery_codes"]
    assert len(codes) == 10
    assert not set(codes) & set(kept["recovery_codes"])
    await world.refused("passkey-refused", "POST", "/api/me/second-factor/recovery-codes", here, json=proof)
    await world.refused("second-factor-needed", "POST", "/api/me/second-factor/recovery-codes", here, json={})
    removal = "/api/me/second-factor/removal"
    await world.refused("invalid", "POST", removal, here, json={"password": "not my password", **await shown()})
    assert (await world.call("GET", "/api/me/second-factor", here))["since"]
    await world.call("POST", removal, here, status=204, json={"password": PASSWORD, **await shown()})
    left = await world.call("GET", "/api/me/second-factor", here)
    assert (left["since"], left["passkeys"], left["recovery_codes_left"]) == (None, 1, 10)


async def test_a_session_that_has_not_shown_the_factor_adds_and_removes_none(world: People) -> None:
    """A session that was stolen before, together with the password, does not get round the second factor."""
    somebody = await world.newcomer(world.bar, role="staff")
    stolen = await world.bearer(somebody.email)
    key, kept, here = await made(world, somebody)
    body = {"password": PASSWORD}
    await world.refused("second-factor-needed", "POST", "/api/me/passkeys/creation", stolen, json=body)
    await world.refused("second-factor-needed", "POST", "/api/me/second-factor", stolen, json=body)
    path = f"/api/me/passkeys/{kept['passkey']['id']}/removal"
    await world.refused("second-factor-needed", "POST", path, stolen, json=body)
    own = await world.call("POST", "/api/me/passkeys/challenge", stolen)
    await world.call("POST", "/api/me/second-factor/proof", stolen, status=204, json={"passkey": key.get(own)})
    await world.call("POST", "/api/me/passkeys/creation", stolen, json=body)
    app = await world.call("POST", "/api/me/second-factor", here, status=201, json=body)
    done = await world.call("POST", "/api/me/second-factor/confirmation", here, json={"code": app_code(app["secret"])})
    assert done["recovery_codes"] == []


async def test_a_ticket_ends_with_its_time_with_the_password_and_with_the_account(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    _, kept, _ = await made(world, somebody)
    ticket = await ticket_of(world, somebody)
    code = {"code": kept["recovery_codes"][0]}
    for wrong in ("x", ticket[:-1] + ("A" if ticket[-1] != "A" else "B")):
        await world.refused("sign-in-late", "POST", SECOND, json={"ticket": wrong, **code})
        await world.refused("sign-in-late", "POST", CHALLENGE, json={"ticket": wrong})
    await world.sql("update users set status = 'suspended' where id = $1", somebody.user_id)
    await world.refused("account-suspended", "POST", SECOND, json={"ticket": ticket, **code})
    await world.sql(
        "update users set status = 'active', password_hash = password_hash || 'x' where id = $1", somebody.user_id
    )
    await world.refused("sign-in-late", "POST", SECOND, json={"ticket": ticket, **code})


async def test_a_suspended_account_and_one_of_a_closed_place_get_no_session_by_passkey(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    key, _, _ = await made(world, somebody)
    await world.sql("update users set status = 'suspended' where id = $1", somebody.user_id)
    await world.refused("account-suspended", "POST", SESSION, json={"passkey": key.get(await challenge(world))})
    await world.sql("update users set status = 'active' where id = $1", somebody.user_id)
    await world.refused(
        "no-place", "POST", SESSION, json={"passkey": key.get(await challenge(world)), "tenant": "club"}
    )


async def test_a_passkey_belongs_to_one_account(world: People) -> None:
    one, other = await world.newcomer(world.bar, role="staff"), await world.newcomer(world.bar, role="staff")
    key, _, _ = await made(world, one)
    here = await world.bearer(other.email)
    options = await world.call("POST", "/api/me/passkeys/creation", here, json={"password": PASSWORD})
    body = {"label": "theirs", "passkey": key.create(options)}
    await world.refused("passkey-known", "POST", "/api/me/passkeys", here, json=body)
    again = await world.call("POST", "/api/me/passkeys/creation", here, json={"password": PASSWORD})
    foreign = SoftKey("https://evil.example").create(again)
    await world.refused(
        "passkey-not-kept", "POST", "/api/me/passkeys", here, json={"label": "evil", "passkey": foreign}
    )
    assert (await world.call("GET", "/api/me/passkeys", here))["items"] == []


@pytest.mark.parametrize("name", ["id", "client_data", "authenticator_data", "signature", "user_handle"])
@pytest.mark.parametrize("junk", ["A", "AAAA", "_" * 400])
async def test_junk_is_refused_and_breaks_nothing(world: People, name: str, junk: str) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    key, _, _ = await made(world, somebody)
    shown = key.get(await challenge(world)) | {name: junk[:100] if name == "user_handle" else junk}
    await world.refused("passkey-refused", "POST", SESSION, json={"passkey": shown})


@pytest.mark.parametrize("name", ["id", "client_data", "attestation"])
@pytest.mark.parametrize("junk", ["A", "AAAA", "_" * 400, "oA", "o2NmbXRkbm9uZQ"])
async def test_a_junk_creation_is_refused_and_breaks_nothing(world: People, name: str, junk: str) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    here = await world.bearer(somebody.email)
    options = await world.call("POST", "/api/me/passkeys/creation", here, json={"password": PASSWORD})
    passkey = SoftKey(origin(world)).create(options) | {name: junk}
    body = {"label": "junk", "passkey": passkey}
    await world.refused("passkey-not-kept", "POST", "/api/me/passkeys", here, json=body)
