"""Examples: what an operation's declaration does not say about a call that succeeds. Each is named after the operation's function.

An operation whose parameters are all known to tests/support/things.py and tests/support/examples.py needs none.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.contracts.given_devices import DEVICE_EXAMPLES
from tests.contracts.given_safety import SAFETY_EXAMPLES
from tests.support.calls import REGISTRY, Example, Given
from tests.support.people import HERE, PASSWORD
from tests.support.things import (
    EVENING,
    EVERY_DAY,
    PIXEL,
    app_code,
    banner_body,
    begun_factor,
    booking,
    booking_body,
    builtin_role,
    checked_in,
    code,
    ended_job,
    file,
    image,
    image_upload,
    invitation_token,
    one_time_token,
    own_booking,
    own_session,
    phone_key,
    public_key,
    queued_job,
    resource,
    saved_view,
    tenant,
    venue,
    view_of_list,
    visit,
)
from tests.support.world import Somebody, World

EXAMPLES: dict[str, Example] = {**SAFETY_EXAMPLES, **DEVICE_EXAMPLES}
REASON = {"reason": "because the contract says so"}


def example(*names: str) -> Any:
    """Say that a function gives the examples of operations."""

    def keep(function: Example) -> Example:
        EXAMPLES.update(dict.fromkeys(names, function))
        return function

    return keep


# --- mechanisms -------------------------------------------------------------------------------------------------------


@example("retry_job", "job_retry")
async def retry_job(world: World, who: Somebody) -> Given:
    return Given(path={"job_id": await ended_job(world, who)})


@example("cancel_job_of_tenant", "tenant_job_cancel", "tenant_job_page")
async def cancel_job_of_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"job_id": await queued_job(world, world.somebody["A.owner"])})


@example("retry_job_of_tenant", "tenant_job_retry")
async def retry_job_of_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"job_id": await ended_job(world, world.somebody["A.owner"])})


@example("read_audit_entry", "audit_entry_page")
async def read_audit_entry(world: World, who: Somebody) -> Given:
    return Given(path={"seq": 1})


@example("upload_file")
async def upload_file(world: World, who: Somebody) -> Given:
    return Given(
        query={"purpose": "picture", "name": "night.png"}, content=PIXEL, headers={"Content-Type": "image/png"}
    )


@example("open_file")
async def open_file(world: World, who: Somebody) -> Given:
    owner = world.somebody["A.owner"]
    link = (await world.make("GET", f"/api/files/{await file(world, owner)}", owner))["url"]
    return Given(path={"token": link.rsplit("/", 1)[-1]})


@example("update_setting", "setting_submit", "parameter_submit")
async def update_setting(world: World, who: Somebody) -> Given:
    declared = next(s for s in REGISTRY.settings.values() if s.platform == (who.home is None) and s.type is int)
    rows = await world.sql(
        "select value::text, version from tenant_settings where tenant_id = $1 and key = $2",
        who.tenant_id,
        declared.key,
    )
    value = declared.default
    if not rows or rows[0]["value"] == str(value):
        value = declared.default + 1
    return Given(path={"key": declared.key}, data={"value": value}, version=rows[0]["version"] if rows else 0)


@example("list_views", "create_view")
async def create_view(world: World, who: Somebody) -> Given:
    view = view_of_list(world, who)
    return Given(data=view, query={"listing": view["listing"]})


@example("views_menu", "view_submit")
async def view_submit(world: World, who: Somebody) -> Given:
    view = view_of_list(world, who)
    shown = {"listing": view["listing"], "path": "/account"}
    return Given(data={**view, **shown}, query=shown)


@example("delete_view", "view_remove")
async def view_remove(world: World, who: Somebody) -> Given:
    asker = who if who.kind in {"member", "crew"} else world.somebody["A.owner"]
    data = {"path": "/account"}
    return Given(path={"view_id": await saved_view(world, asker)}, data=data, who=asker if asker is not who else None)


@example("create_export")
async def create_export(world: World, who: Somebody) -> Given:
    return Given(data={"listing": "venues", "format": "csv"})


# --- identity ---------------------------------------------------------------------------------------------------------


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


@example("add_member", "member_new_submit")
async def add_member(world: World, who: Somebody) -> Given:
    data: dict[str, Any] = {
        "email": f"member-{uuid4().hex}@guests.example",
        "name": world.unique("Member"),
        "role_id": str(await builtin_role(world, who, "staff" if who.home else "finance")),
    }
    if who.home:
        data["venue_ids"] = str(who.home.venues[0])
    return Given(data=data)


@example("invite")
async def invite(world: World, who: Somebody) -> Given:
    data: dict[str, Any] = {
        "email": f"invited-{uuid4().hex}@guests.example",
        "role_id": str(await builtin_role(world, who, "staff" if who.home else "finance")),
    }
    if who.home:
        data["venue_ids"] = str(who.home.venues[0])
    return Given(data=data)


@example("set_up_second_factor")
async def set_up_second_factor(world: World, who: Somebody) -> Given:
    return Given(data={"password": PASSWORD}, who=await newcomer(world, who))


@example("confirm_second_factor")
async def confirm_second_factor(world: World, who: Somebody) -> Given:
    somebody = await newcomer(world, who)
    return Given(data={"code": app_code(await begun_factor(world, somebody))}, who=somebody)


@example("renew_recovery_codes", "remove_second_factor")
async def with_second_factor(world: World, who: Somebody) -> Given:
    somebody = await newcomer(world, who)
    secret = await begun_factor(world, somebody)
    path = "/api/me/second-factor/confirmation"
    await world.make("POST", path, somebody, json={"code": app_code(secret, -1)})
    return Given(data={"password": PASSWORD, "code": app_code(secret)}, who=somebody)


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


@example("look_at_invitation", "accept_invitation")
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


# --- tenancy ----------------------------------------------------------------------------------------------------------


@example("register_business", "register_submit")
async def register_business(world: World, who: Somebody) -> Given:
    number = next(world.numbers)
    data = {
        "name": f"New place {number}",
        "slug": f"new-place-{number}",
        "contact_name": "Somebody New",
        "contact_email": f"{uuid4().hex}@guests.example",
        "password": "a brand new night out",
    }
    return Given(data=data)


@example("change_business")
async def change_business(world: World, who: Somebody) -> Given:
    return Given(data={"contact_phone": f"+27 {next(world.numbers)}"})


@example("settings_submit")
async def settings_submit(world: World, who: Somebody) -> Given:
    row = (await world.sql("select name, contact_email, time_zone from tenants where id = $1", who.tenant_id))[0]
    phone = f"+27 {next(world.numbers)}"
    row = {**dict(row), "contact_email": row["contact_email"] or "desk@lastlight.example"}
    return Given(data={**row, "contact_name": "Owner of the bar", "contact_phone": phone})


@example("approve_tenant")
async def approve_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who, "pending")})


@example("reject_tenant")
async def reject_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who, "pending")}, data=REASON)


@example("registration_submit")
async def registration_submit(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who, "pending")}, data={"what": "approval"})


@example("suspend_tenant")
async def suspend_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who)}, data=REASON)


@example("standing_submit")
async def standing_submit(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who)}, data={"what": "suspension", **REASON})


@example("reactivate_tenant")
async def reactivate_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who, "suspended")}, data=REASON)


@example("change_plan", "plan_submit")
async def change_plan(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who)}, data={"plan": "enterprise"})


@example("set_module", "module_submit")
async def set_module(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who), "module": "loyalty"}, data={"enabled": True})


@example("scope_submit")
async def scope_submit(world: World, who: Somebody) -> Given:
    return Given(data={"what": "scope", **REASON})


@example("decision_dialog")
async def decision_dialog(world: World, who: Somebody) -> Given:
    return Given(query={"what": "suspension"})


# --- venues and the door ----------------------------------------------------------------------------------------------


@example("create_venue", "create_admin_venue", "change_venue", "replace_venue")
async def create_venue(world: World, who: Somebody) -> Given:
    number = next(world.numbers)
    place = {"lat": HERE.lat, "lon": HERE.lon}
    return Given(data={"name": f"Venue {number}", "slug": f"venue-{number}", "position": place})


@example("venue_new_submit", "venue_submit")
async def venue_submit(world: World, who: Somebody) -> Given:
    number = next(world.numbers)
    shown = {"position": f"{HERE.lat}, {HERE.lon}", "always_open": True}
    return Given(data={"name": f"Venue {number}", "slug": f"venue-{number}", **shown})


@example("set_venue_status", "status_submit")
async def set_venue_status(world: World, who: Somebody) -> Given:
    return Given(data={"status": "paused", **REASON})


@example("status_dialog")
async def status_dialog(world: World, who: Somebody) -> Given:
    return Given(query={"status": "paused"})


@example("create_checkin", "create_session_checkin")
async def create_checkin(world: World, who: Somebody) -> Given:
    patron = world.somebody["B.patron" if who.home is world.b else "A.patron"]
    await venue(world, patron)
    return Given(data={"code": await code(world, patron)}, who=await world.newcomer(patron))


@example("check_out")
async def check_out(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    await checked_in(world, patron, patron=patron)
    return Given(who=patron)


@example("check_out_visits", "visits_checkout")
async def check_out_visits(world: World, who: Somebody) -> Given:
    made = str(await visit(world, who))
    return Given(data={"visit_ids": made, "ids": made})


@example("correct_visit")
async def correct_visit(world: World, who: Somebody) -> Given:
    return Given(data={"status": "voided", **REASON})


@example("void_visit", "void_submit")
async def void_visit(world: World, who: Somebody) -> Given:
    return Given(query=REASON, data=REASON)


@example("register_phone_key")
async def register_phone_key(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    return Given(data={"public_key": public_key(), "label": "phone"}, who=patron)


@example("revoke_phone_key")
async def revoke_phone_key(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    return Given(path={"key_id": await phone_key(world, patron)}, who=patron)


@example("patron_view")
async def patron_view(world: World, who: Somebody) -> Given:
    return Given(path={"view": "activity"})


# --- resources --------------------------------------------------------------------------------------------------------


@example("create_resource")
async def create_resource(world: World, who: Somebody) -> Given:
    return Given(data={"venue_id": str(await venue(world, who)), "kind": "table", "name": world.unique("Table")})


@example("change_resource")
async def change_resource(world: World, who: Somebody) -> Given:
    return Given(data={"name": world.unique("Table")})


@example("set_resource_status")
async def set_resource_status(world: World, who: Somebody) -> Given:
    return Given(data={"status": "out_of_order", **REASON})


@example("create_booking")
async def create_booking(world: World, who: Somebody) -> Given:
    return Given(data=booking_body(await resource(world, who)))


@example("change_booking")
async def change_booking(world: World, who: Somebody) -> Given:
    return Given(data={"note": world.unique("By the window")})


@example("miss_booking")
async def miss_booking(world: World, who: Somebody) -> Given:
    made = await booking(world, who)
    await world.sql("update bookings set starts_at = now() - interval '1 hour' where id = $1", made)
    return Given(path={"booking_id": made})


@example("cancel_booking")
async def cancel_booking(world: World, who: Somebody) -> Given:
    return Given(data=REASON)


@example("create_own_booking")
async def create_own_booking(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    start = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    return Given(data={"resource_id": str(await resource(world, patron)), **times}, who=patron)


@example("cancel_own_booking")
async def cancel_own_booking(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    return Given(path={"booking_id": await own_booking(world, patron)}, data=REASON, who=patron)


# --- feature flags ----------------------------------------------------------------------------------------------------


async def flag(world: World) -> str:
    """A feature flag of its own, switched off."""
    crew = world.somebody["crew.super_admin"]
    body = {"key": f"tests.flag_{uuid4().hex}", "description": "For the contract"}
    return (await world.make("POST", "/api/admin/flags", crew, json=body))["key"]


@example("create_flag")
async def create_flag(world: World, who: Somebody) -> Given:
    return Given(data={"key": f"tests.flag_{uuid4().hex}", "description": "For the contract"})


@example("change_flag", "remove_flag")
async def change_flag(world: World, who: Somebody) -> Given:
    return Given(path={"flag_key": await flag(world)}, data={"enabled": True}, version=1)


@example("set_tenant_flag")
async def set_tenant_flag(world: World, who: Somebody) -> Given:
    path = {"tenant_id": await tenant(world, who), "flag_key": await flag(world)}
    return Given(path=path, data={"enabled": True, **REASON}, version=0)


@example("clear_tenant_flag")
async def clear_tenant_flag(world: World, who: Somebody) -> Given:
    path = {"tenant_id": await tenant(world, who), "flag_key": await flag(world)}
    await world.make(
        "PUT",
        f"/api/admin/tenants/{path['tenant_id']}/flags/{path['flag_key']}",
        world.somebody["crew.super_admin"],
        json={"enabled": True, **REASON},
        headers={"If-Match": '"0"'},
    )
    return Given(path=path, version=1)


# --- how venues are shown ---------------------------------------------------------------------------------------------


@example("set_publication")
async def set_publication(world: World, who: Somebody) -> Given:
    return Given(data={"state": "degraded", **REASON})


@example("create_banner")
async def create_banner(world: World, who: Somebody) -> Given:
    return Given(data=banner_body(world))


@example("change_banner")
async def change_banner(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Night")})


# --- people at work ---------------------------------------------------------------------------------------------------


@example("plan_recurrence")
async def plan_recurrence(world: World, who: Somebody) -> Given:
    return Given(data={**EVERY_DAY, "venue_id": str(await venue(world, who))})


@example("change_task", "change_recurrence")
async def change_task(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Another task")})


@example("plan_shift")
async def plan_shift(world: World, who: Somebody) -> Given:
    return Given(data={**EVENING, "venue_id": str(await venue(world, who))})


@example("change_shift")
async def change_shift(world: World, who: Somebody) -> Given:
    return Given(data={"note": world.unique("Note")}, version=2)


@example("assign_task")
async def assign_task(world: World, who: Somebody) -> Given:
    member = who if who.kind == "member" else world.somebody["A.owner"]
    return Given(data={"assignee_id": str(member.user_id)})


@example("publish_shifts")
async def publish_shifts(world: World, who: Somebody) -> Given:
    span = {"starts_from": "2099-06-05T00:00:00Z", "starts_to": "2099-06-06T00:00:00Z"}
    await world.make(
        "POST",
        "/api/shifts",
        world.somebody["B.owner" if who.home is world.b else "A.owner"],
        json={**EVENING, "venue_id": str(await venue(world, who))},
    )
    return Given(data={**span, "venue_id": str(await venue(world, who))})


@example("read_time_sheets", "read_performance")
async def read_time_sheets(world: World, who: Somebody) -> Given:
    return Given(query={"first": "2026-11-01", "last": "2026-11-30"})


@example("moderate_image")
async def moderate_image(world: World, who: Somebody) -> Given:
    made = await image(world, who)
    patron = await world.value(
        "select id from patrons where tenant_id = (select tenant_id from venue_images where id = $1) limit 1", made
    )
    await world.sql("update venue_images set patron_id = $2, moderation = 'waiting' where id = $1", made, patron)
    return Given(path={"image_id": made}, data={"approved": True}, version=2)


@example("await_venue_image", "await_photo")
async def await_venue_image(world: World, who: Somebody) -> Given:
    return Given(data={"alt": "The dance floor"})


@example("upload_image")
async def upload_image(world: World, who: Somebody) -> Given:
    owner = world.somebody["B.owner" if who.home is world.b else "A.owner"]
    return Given(
        path={"token": await image_upload(world, owner)},
        content=PIXEL,
        headers={"Content-Type": "image/png"},
        who=owner,
    )


@example("order_venue_images")
async def order_venue_images(world: World, who: Somebody) -> Given:
    return Given(data={"image_ids": str(await image(world, who))})


@example("create_task")
async def create_task(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Task"), "venue_id": str(await venue(world, who))})
