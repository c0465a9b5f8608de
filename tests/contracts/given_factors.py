"""Examples of the operations of second factors, passkeys and the link of an invitation."""

import json
from typing import Any

from lastlight.domains.identity.passkey_check import relying_party
from tests.contracts.example import REASON, example
from tests.contracts.given_identity import newcomer
from tests.support.calls import Given
from tests.support.passkeys import SoftKey
from tests.support.people import PASSWORD
from tests.support.things import account, app_code, begun_factor, invitation_token, member
from tests.support.world import Somebody, World


async def with_app(world: World, who: Somebody) -> tuple[Somebody, str]:
    """The asker's double with an authenticator app, and the secret of it."""
    somebody = await newcomer(world, who)
    secret = await begun_factor(world, somebody)
    path = "/api/me/second-factor/confirmation"
    await world.make("POST", path, somebody, json={"code": app_code(secret)})
    return somebody, secret


async def made_passkey(world: World, somebody: Somebody) -> tuple[SoftKey, dict[str, Any]]:
    """A passkey that the browser has just made for somebody, and what it sends."""
    key = SoftKey(relying_party(world.people.services.settings).origin)
    options = await world.make("POST", "/api/me/passkeys/creation", somebody, json={"password": PASSWORD})
    return key, key.create(options)


async def with_passkey(world: World, who: Somebody) -> tuple[Somebody, SoftKey, dict[str, Any]]:
    """The asker's double with a passkey, the key, and what came of keeping it."""
    somebody = await newcomer(world, who)
    key, passkey = await made_passkey(world, somebody)
    kept = await world.make("POST", "/api/me/passkeys", somebody, json={"label": "my phone", "passkey": passkey})
    return somebody, key, kept


@example("set_up_second_factor", "authenticator_submit", "begin_passkey")
async def set_up(world: World, who: Somebody) -> Given:
    return Given(data={"password": PASSWORD}, who=await newcomer(world, who))


@example("confirm_second_factor", "authenticator_confirm")
async def confirm(world: World, who: Somebody) -> Given:
    somebody = await newcomer(world, who)
    return Given(data={"code": app_code(await begun_factor(world, somebody))}, who=somebody)


@example(
    "renew_recovery_codes",
    "codes_renew",
    "remove_second_factor",
    "authenticator_remove",
    "prove_second_factor",
    "proof_submit",
)
async def show_a_code(world: World, who: Somebody) -> Given:
    somebody, secret = await with_app(world, who)
    return Given(data={"password": PASSWORD, "code": app_code(secret, 1)}, who=somebody)


@example("finish_cookie_session", "finish_login", "second_step_submit")
async def finish(world: World, who: Somebody) -> Given:
    somebody, _, kept = await with_passkey(world, who)
    body = {"email": somebody.email, "password": PASSWORD}
    refused = (await world.send("POST", "/api/auth/login", json=body)).json()
    return Given(data={"ticket": refused["ticket"], "code": kept["recovery_codes"][0]})


@example("open_passkey_session")
async def open_passkey_session(world: World, who: Somebody) -> Given:
    _, key, _ = await with_passkey(world, who)
    options = (await world.send("POST", "/api/auth/passkeys/challenge", json={})).json()
    return Given(data=key.get(options))


@example("keep_passkey")
async def keep_passkey(world: World, who: Somebody) -> Given:
    somebody = await newcomer(world, who)
    _, passkey = await made_passkey(world, somebody)
    return Given(data={"label": "my phone", **passkey}, who=somebody)


@example("passkey_submit")
async def passkey_submit(world: World, who: Somebody) -> Given:
    somebody = await newcomer(world, who)
    _, passkey = await made_passkey(world, somebody)
    return Given(data={"label": "my phone", "passkey": json.dumps(passkey)}, who=somebody)


@example("rename_passkey", "passkey_rename", "remove_passkey", "passkey_remove")
async def own_passkey(world: World, who: Somebody) -> Given:
    somebody, _, kept = await with_passkey(world, who)
    return Given(path={"passkey_id": kept["passkey"]["id"]}, data={"password": PASSWORD, "label": "old"}, who=somebody)


@example("require_second_factor", "role_factor_submit")
async def require_second_factor(world: World, who: Somebody) -> Given:
    await world.sql("update sessions set second_factor_at = now() where user_id = $1", who.user_id)
    return Given(data={"required": True})


@example("invitation_link")
async def invitation_link(world: World, who: Somebody) -> Given:
    return Given(query={"token": await invitation_token(world)})


@example("reset_member_factor", "member_factor_dialog", "member_factor_submit")
async def of_a_member(world: World, who: Somebody) -> Given:
    made = await member(world, who)
    await _recovery_code(world, await world.value("select user_id from memberships where id = $1", made))
    return Given(path={"member_id": made}, data=REASON)


@example("reset_account_factor", "account_factor_dialog", "account_factor_submit")
async def of_an_account(world: World, who: Somebody) -> Given:
    made = await account(world, who)
    await _recovery_code(world, made)
    return Given(path={"user_id": made}, data=REASON)


async def _recovery_code(world: World, user_id: Any) -> None:
    await world.sql("insert into recovery_codes (user_id, hash) values ($1, $2)", user_id, b"something to reset")
