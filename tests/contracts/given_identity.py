"""Examples of the operations of identity."""

from typing import Any
from uuid import uuid4

from tests.contracts.example import REASON, example
from tests.support.calls import Given
from tests.support.people import PASSWORD
from tests.support.things import (
    builtin_role,
    invitation_token,
    member,
    one_time_token,
    own_session,
    patron,
)
from tests.support.world import Somebody, World


async def newcomer(world: World, who: Somebody) -> Somebody:
    """The asker's double, whose sessions may end."""
    return await world.newcomer(who if who.user_id else world.somebody["A.patron"])


@example("login", "open_cookie_session", "sign_in_submit")
async def login(world: World, who: Somebody) -> Given:
    return Given(data={"email": world.a.email("staff"), "password": PASSWORD})


@example("refresh")
async def refresh(world: World, who: Somebody) -> Given:
    tokens = await world.people.login(world.a.email("staff"))
    return Given(data={"refresh_token": tokens["refresh_token"]})


@example(
    "logout",
    "logout_all",
    "sign_out_everywhere",
    "send_verification",
)
async def logout(world: World, who: Somebody) -> Given:
    return Given(who=await newcomer(world, who))


@example("close_cookie_session", "sign_out")
async def sign_out(world: World, who: Somebody) -> Given:
    return Given(who=await world.sign_in(await newcomer(world, who), cookie=True))


@example("revoke_other_sessions", "sign_out_others")
async def revoke_other_sessions(world: World, who: Somebody) -> Given:
    somebody = await newcomer(world, who)
    await own_session(world, somebody)
    return Given(who=somebody)


@example("revoke_session", "session_end")
async def revoke_session(world: World, who: Somebody) -> Given:
    owner = await newcomer(world, who)
    return Given(path={"session_id": await own_session(world, owner)}, who=owner)


@example("register")
async def register(world: World, who: Somebody) -> Given:
    return Given(data={"email": f"{uuid4().hex}@guests.example", "name": "Somebody New"})


@example("verify_email", "verify_submit")
async def verify_email(world: World, who: Somebody) -> Given:
    somebody = await newcomer(world, world.somebody["A.patron"])
    await world.sql("update users set email_verified_at = null where id = $1", somebody.user_id)
    return Given(data={"token": await one_time_token(world, somebody, "verify_email")})


@example("reset_password", "reset_submit")
async def reset_password(world: World, who: Somebody) -> Given:
    somebody = await newcomer(world, world.somebody["A.patron"])
    token = await one_time_token(world, somebody, "reset_password")
    return Given(data={"token": token, "password": "a brand new night out"})


@example("change_password", "password_submit")
async def change_password(world: World, who: Somebody) -> Given:
    return Given(
        data={"current_password": PASSWORD, "new_password": "a brand new night out"}, who=await newcomer(world, who)
    )


@example("change_email", "email_submit")
async def change_email(world: World, who: Somebody) -> Given:
    data = {"new_email": f"{uuid4().hex}@guests.example", "password": PASSWORD, "current_password": PASSWORD}
    return Given(data=data, who=await newcomer(world, who))


@example("switch", "switch_cookie_session", "switch_place")
async def switch(world: World, who: Somebody) -> Given:
    somebody = await world.newcomer(world.somebody["A.staff"])
    return Given(data={"tenant": world.a.slug}, who=somebody)


@example("invite", "invite_submit")
async def invite(world: World, who: Somebody) -> Given:
    data: dict[str, Any] = {
        "email": f"invited-{uuid4().hex}@guests.example",
        "role_id": str(await builtin_role(world, who, "staff" if who.home else "finance")),
    }
    if who.home:
        data["venue_ids"] = str(who.home.venues[0])
    return Given(data=data)


@example("change_patron_standing", "change_account_standing")
async def change_standing(world: World, who: Somebody) -> Given:
    return Given(data={"status": "banned", "until": None, **REASON})


@example("suspend_account")
async def suspend_account(world: World, who: Somebody) -> Given:
    return Given(data={"days": 2, "until": None, **REASON})


@example("reactivate_account")
async def reactivate_account(world: World, who: Somebody) -> Given:
    user_id = (await world.people.newcomer(world.a)).user_id
    chief = world.somebody["crew.super_admin"]
    await world.make("POST", f"/api/admin/users/{user_id}/suspend", chief, json={"days": 2, **REASON})
    return Given(path={"user_id": user_id}, data=REASON)


@example("verify_patron")
async def verify_patron(world: World, who: Somebody) -> Given:
    return Given(data={"verified": True, **REASON})


@example("look_at_invitation", "accept_invitation", "invitation_accept")
async def accept_invitation(world: World, who: Somebody) -> Given:
    return Given(
        data={"token": await invitation_token(world), "name": "Somebody New", "password": "a brand new night out"}
    )


@example("change_member")
async def change_member(world: World, who: Somebody) -> Given:
    return Given(data={"status": "suspended", **REASON})


@example("member_submit")
async def member_submit(world: World, who: Somebody) -> Given:
    data: dict[str, Any] = {
        "role_id": str(await builtin_role(world, who, "staff" if who.home else "finance")),
        "status": "suspended",
        **REASON,
    }
    if who.home:
        data["venue_ids"] = str(who.home.venues[0])
    return Given(data=data)


@example("create_role", "change_role", "role_new_submit", "role_submit")
async def create_role(world: World, who: Somebody) -> Given:
    return Given(data={"name": world.unique("Night role"), "permissions": "members.read"})


@example("preferences_submit")
async def preferences_submit(world: World, who: Somebody) -> Given:
    return Given(data={"name": who.name, "theme": "light"}, who=await newcomer(world, who))


@example("save_preferences")
async def save_preferences(world: World, who: Somebody) -> Given:
    return Given(data={"theme": "light"}, who=await newcomer(world, who))


@example("save_name")
async def save_name(world: World, who: Somebody) -> Given:
    return Given(data={"name": world.unique("Another name")}, who=await newcomer(world, who))


@example("change_patron_standings", "guests_chosen_dialog", "guests_chosen_submit")
async def chosen_guests(world: World, who: Somebody) -> Given:
    guest = str(await patron(world, who))
    data = {"patron_ids": [guest], "ids": [guest], "to": "banned", "status": "banned", "until": None, **REASON}
    return Given(query={"ids": guest}, data=data)


@example("change_member_standings", "members_chosen_dialog", "members_chosen_submit")
async def chosen_members(world: World, who: Somebody) -> Given:
    one = str(await member(world, who))
    data = {"member_ids": [one], "ids": [one], "to": "suspended", "status": "suspended", **REASON}
    return Given(query={"ids": one}, data=data)
