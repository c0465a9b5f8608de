"""Things: a fresh row of every kind that a path names, made by the API or the actions of its domain, never by raw rows alone."""

import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lastlight.domains import identity, tenancy
from lastlight.domains.checkins.schemas import VerifyIn
from lastlight.domains.checkins.verify import verify
from lastlight.domains.identity.invitation_mail import mail_offer
from lastlight.domains.identity.tokens import issue_one_time
from lastlight.domains.identity.totp import code_of, step_of
from lastlight.kernel.ids import PLATFORM, TenantId, UserId
from lastlight.runtime.context import Actor, Grants
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from lastlight.runtime.mail import send_mail
from tests.support.people import PASSWORD, SEED, Tenant
from tests.support.world import Somebody, World

Maker = Callable[[World, Somebody], Awaitable[Any]]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
)


def _boss(world: World, who: Somebody) -> Somebody:
    """Who may make anything where somebody is."""
    if who.home is world.b:
        return world.somebody["B.owner"]
    return world.somebody["A.owner" if who.home is world.a else "crew.super_admin"]


def _tenant(world: World, who: Somebody) -> Tenant:
    """The tenant whose things somebody asks for; from the platform's own place, tenant A's."""
    return who.home or world.a


def _as_boss(world: World, who: Somebody) -> Somebody:
    return world.somebody["B.owner" if who.home is world.b else "A.owner"]


async def venue(world: World, who: Somebody) -> Any:
    """The first venue, the one that a vendor admin of the world may see; running and free to enter, whatever a probe did to it."""
    tenant = _tenant(world, who)
    row = (await world.sql("select status, version from venues where id = $1", tenant.venues[0]))[0]
    if row["status"] != "active":
        await world.make(
            "PUT",
            f"/api/venues/{tenant.venues[0]}/status",
            _as_boss(world, who),
            json={"status": "active"},
            headers={"If-Match": f'"{row["version"]}"'},
        )
    await world.sql("delete from entry_prices where venue_id = $1", tenant.venues[0])
    return tenant.venues[0]


async def role(world: World, who: Somebody) -> Any:
    """A role of one's own that nobody holds."""
    body = {"name": world.unique("Role"), "permissions": ["members.read"]}
    return (await world.make("POST", "/api/roles", _boss(world, who), json=body))["id"]


async def member(world: World, who: Somebody, *, place: int = 0) -> Any:
    """Somebody who works at a venue, or for the platform."""
    where = [who.home.venues[place]] if who.home else None
    made = await world.people.newcomer(who.home or PLATFORM, role="staff" if who.home else "finance", venue_ids=where)
    return made.member_id


async def patron(world: World, who: Somebody) -> Any:
    """A guest of the business in good standing, whom no other test needs."""
    guest = await world.people.newcomer(_tenant(world, who))
    return (await world.sql("select id from patrons where user_id = $1", guest.user_id))[0]["id"]


async def account(world: World, who: Somebody) -> Any:
    """An account in good standing, whom no other test needs."""
    return (await world.people.newcomer(_tenant(world, who))).user_id


async def invitation(world: World, who: Somebody, *, place: int = 0) -> Any:
    """An open invitation to a role at a venue, or among the crew."""
    body: dict[str, Any] = {
        "email": f"invited-{uuid4().hex}@guests.example",
        "role_id": str(await builtin_role(world, who, "staff" if who.home else "finance")),
        "venue_ids": [str(who.home.venues[place])] if who.home else None,
    }
    return (await world.make("POST", "/api/invitations", _boss(world, who), json=body))["id"]


async def _roof_invitation(world: World, who: Somebody) -> Any:
    return await invitation(world, who, place=1)


async def invitation_token(world: World) -> str:
    """The token of the link in an invitation's e-mail, which nobody has followed yet."""
    made = await invitation(world, world.somebody["A.owner"])
    return await world.people.link((await world.sql("select email from invitations where id = $1", made))[0]["email"])


async def begun_factor(world: World, who: Somebody) -> str:
    """The secret of an authenticator app that somebody has begun to set up."""
    return (await world.make("POST", "/api/me/second-factor", who, json={"password": PASSWORD}))["secret"]


def app_code(secret: str, off: int = 0) -> str:
    """What an authenticator app shows now, or some steps from now."""
    raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return code_of(raw, step_of(time.time()) + off)


async def builtin_role(world: World, who: Somebody, key: str) -> Any:
    """The id of a built-in role."""
    return await world.value("select id from roles where tenant_id = $1 and key = $2", who.tenant_id, key)


async def checked_in(world: World, who: Somebody, *, patron: Somebody | None = None, place: int = 0) -> Any:
    """What a guest's scan gave: a check-in and an open visit; of somebody new unless a patron is named."""
    tenant = _tenant(world, who)
    guest = patron or await world.newcomer(Somebody("patron", "patron", "patron", tenant))
    await venue(world, who)
    services = world.people.services
    patron_id = await world.value(
        "select id from patrons where tenant_id = $1 and user_id = $2", tenant.id, guest.user_id
    )
    actor = Actor(
        kind="patron",
        user_id=guest.user_id,
        tenant_id=tenant.id,
        patron_id=patron_id,
        grants=Grants({"checkins.verify": None, "visits.own": None}),
    )
    text = await code(world, who, place=place)
    async with unit_of_work(services, WorkScope(actor=actor, tenant_id=tenant.id)) as ctx:
        return await verify(ctx, data=VerifyIn(code=text))


async def code(world: World, who: Somebody, *, place: int = 0) -> Any:
    """What the display of a venue shows."""
    tenant = _tenant(world, who)
    path = f"/api/venues/{tenant.venues[place]}/code"
    return (await world.make("GET", path, _as_boss(world, who)))["code"]


async def visit(world: World, who: Somebody) -> Any:
    """An open visit of somebody at the first venue."""
    return (await checked_in(world, who)).visit.id


async def checkin(world: World, who: Somebody) -> Any:
    """A check-in of somebody at the first venue."""
    return (await checked_in(world, who)).checkin.id


def public_key() -> str:
    """A phone's new public key, as the API takes it."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(der).rstrip(b"=").decode()


async def phone_key(world: World, who: Somebody) -> Any:
    """A registered phone of the asker, or of tenant A's patron where the asker is no patron."""
    owner = who if who.kind == "patron" else world.somebody["A.patron"]
    made = await world.make("POST", "/api/patron/keys", owner, json={"public_key": public_key(), "label": "phone"})
    if owner.name in world.somebody:  # a patron of the world keeps few phones
        await world.sql("update patron_keys set revoked_at = null where id = $1", made["id"])
    return made["id"]


async def queued_job(world: World, who: Somebody) -> Any:
    """A job that waits, and whose run would find nothing to do."""
    tenant_id = _job_tenant(world, who)
    async with system_ctx(world.people.services, tenant_id, role="system") as ctx:
        return await ctx.enqueue(mail_offer, invitation_id=uuid4())


async def ended_job(world: World, who: Somebody) -> Any:
    """A job that was cancelled."""
    job_id = await queued_job(world, who)
    await world.sql(
        "update jobs set state = 'cancelled', finished_at = now(), error = 'Cancelled.' where id = $1", job_id
    )
    return job_id


def _job_tenant(world: World, who: Somebody) -> TenantId:
    return who.home.id if who.home else PLATFORM


async def mail(world: World, who: Somebody) -> Any:
    """A mail of tenant A to its owner."""
    context = {"subject": "Tonight", "heading": "Tonight", "paragraphs": ["Doors of the bar open at nine."]}
    async with system_ctx(world.people.services, world.a.id, role="system") as ctx:
        return await send_mail(ctx, to=world.a.email("owner"), template="mail/message.html", context=context)


async def file(world: World, who: Somebody) -> Any:
    """A picture that the asker uploaded; without a business, tenant A's owner's."""
    owner = who if who.kind in {"member", "patron", "crew"} else world.somebody["A.owner"]
    made = await world.make(
        "POST",
        "/api/files",
        owner,
        params={"purpose": "picture", "name": f"of the {(owner.home or world.a).slug}.png"},
        content=PIXEL,
        headers={"Content-Type": "image/png"},
    )
    return made["id"]


async def own_session(world: World, who: Somebody) -> Any:
    """Another session of the asker's own; of tenant A's owner where nobody asks."""
    return (await world.sign_in(who if who.user_id else world.somebody["A.owner"])).session_id


async def export(world: World, who: Somebody) -> Any:
    """An export that the asker asked for; tenant A's owner where the asker may not."""
    able = who.kind in {"member", "crew"} and who.role not in {"staff", "moderator"}
    body = {"listing": "venues", "format": "csv"}
    key = {"Idempotency-Key": str(uuid4())}
    asker = who if able else world.somebody["A.owner"]
    return (await world.make("POST", "/api/exports", asker, json=body, headers=key))["id"]


async def saved_view(world: World, who: Somebody) -> Any:
    """A view of a list that the asker keeps; tenant A's owner where the asker reads no list."""
    asker = who if who.kind in {"member", "crew"} else world.somebody["A.owner"]
    return (await world.make("POST", "/api/saved-views", asker, json=view_of_list(world, asker)))["id"]


def view_of_list(world: World, who: Somebody) -> dict[str, Any]:
    """A view of a list that somebody may read."""
    listing = {"moderator": "members", "finance": "venues"}.get(who.role, "visits")
    return {"listing": listing, "name": world.unique("View"), "query": ""}


async def tenant(world: World, who: Somebody, status: str = "active") -> Any:
    """A business of its own in a state, with somebody who applied for it."""
    number = next(world.numbers)
    services = world.people.services
    email = f"applicant-{number}@bar.example"
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        user_id = await identity.seed_user(ctx, seed=SEED, email=email, name=f"Applicant {number} of the bar")
        tenant_id = await tenancy.seed_tenant(
            ctx, seed=SEED, slug=f"place-{number}", name=f"Place {number}", status=status, contact_email=email
        )
    await world.sql("update tenants set applicant_id = $2 where id = $1", tenant_id, UserId(user_id))
    return tenant_id


async def issued_device(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A device on a venue's list that is not enrolled yet, with its one-time code."""
    body = {"venue_id": str(_tenant(world, who).venues[place]), "name": world.unique("Scanner")}
    return await world.make("POST", "/api/devices", _as_boss(world, who), json=body)


async def device(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A device on a venue's list."""
    made = (await issued_device(world, who, place=place))["device"]["id"]
    await world.value(
        "insert into device_moves (tenant_id, device_id, venue_id) select tenant_id, id, venue_id from devices where id = $1",
        made,
    )
    return made


async def device_alert(world: World, who: Somebody, *, place: int = 0) -> Any:
    """An open alert of a device."""
    device_id = await device(world, who, place=place)
    return await world.value(
        """insert into device_alerts (tenant_id, device_id, venue_id, kind)
           select tenant_id, id, venue_id, 'offline' from devices where id = $1 returning id""",
        device_id,
    )


async def drill_run(world: World, who: Somebody) -> Any:
    """A drill that passed."""
    return await world.value(
        """insert into drill_runs (tenant_id, drill, runbook, business_id, run_by, passed, seconds, steps)
           values ($1, 'lamp-out', 'dead-jobs.md', $2, 'ada', true, 1, '[]') returning id""",
        PLATFORM,
        world.a.id,
    )


async def checkin_flag(world: World, who: Somebody, *, place: int = 0) -> Any:
    """Something that looks like fraud and that nobody has judged."""
    tenant = _tenant(world, who)
    guest = await world.people.newcomer(tenant)
    return await world.value(
        """with arrival as (
               insert into checkins (tenant_id, venue_id, patron_id, method, key_number, nonce, arrived_at, business_day)
               select $1, $2, id, 'screen', 1, uuid_send(gen_random_uuid()), now(), now()::date
               from patrons where tenant_id = $1 and user_id = $3
               returning id, patron_id)
           insert into checkin_flags (tenant_id, venue_id, patron_id, checkin_id, kind, happened_at)
           select $1, $2, patron_id, id, 'duplicate', now() from arrival returning id""",
        tenant.id,
        tenant.venues[place],
        guest.user_id,
    )


async def one_time_token(world: World, who: Somebody, purpose: Any) -> str:
    """The token of a link that was just sent to somebody."""
    assert who.user_id is not None
    async with system_ctx(world.people.services, PLATFORM, role="system") as ctx:
        return await issue_one_time(ctx, user_id=who.user_id, purpose=purpose)


async def task(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A task that nobody has taken."""
    body = {"venue_id": str(_tenant(world, who).venues[place]), "title": world.unique("Task")}
    return (await world.make("POST", "/api/tasks", _as_boss(world, who), json=body))["id"]


async def recurrence(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A repeating task every day."""
    body = {"venue_id": str(_tenant(world, who).venues[place]), "title": world.unique("Task"), **EVERY_DAY}
    return (await world.make("POST", "/api/task-recurrences", _as_boss(world, who), json=body))["id"]


EVERY_DAY: dict[str, Any] = {"every": "day", "due_minute": 1080}
EVENING = {"starts_at": "2099-06-05T18:00:00Z", "ends_at": "2099-06-05T23:00:00Z"}


async def shift(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A published shift that is open."""
    body = {"venue_id": str(_tenant(world, who).venues[place]), **EVENING}
    made = await world.make("POST", "/api/shifts", _as_boss(world, who), json=body)
    await world.sql("update shifts set status = 'published', published_at = now() where id = $1", made["id"])
    return made["id"]


THINGS: dict[str, Maker] = {
    "task_id": task,
    "recurrence_id": recurrence,
    "shift_id": shift,
    "venue_id": venue,
    "role_id": role,
    "member_id": member,
    "invitation_id": invitation,
    "patron_id": patron,
    "user_id": account,
    "visit_id": visit,
    "checkin_id": checkin,
    "key_id": phone_key,
    "job_id": queued_job,
    "mail_id": mail,
    "file_id": file,
    "session_id": own_session,
    "export_id": export,
    "view_id": saved_view,
    "code": code,
    "device_id": device,
    "device_alert_id": device_alert,
    "run_id": drill_run,
    "flag_id": checkin_flag,
}
"""Path parameters, and body fields of the same name, that name a row, and how to make one."""


async def _roof_task(world: World, who: Somebody) -> Any:
    return await task(world, who, place=1)


async def _roof_recurrence(world: World, who: Somebody) -> Any:
    return await recurrence(world, who, place=1)


async def _roof_shift(world: World, who: Somebody) -> Any:
    return await shift(world, who, place=1)


async def _roof(world: World, who: Somebody) -> Any:
    return world.a.venues[1]


async def _roof_member(world: World, who: Somebody) -> Any:
    return await member(world, who, place=1)


async def _roof_visit(world: World, who: Somebody) -> Any:
    return (await checked_in(world, who, place=1)).visit.id


async def _roof_checkin(world: World, who: Somebody) -> Any:
    return (await checked_in(world, who, place=1)).checkin.id


async def _roof_device_alert(world: World, who: Somebody) -> Any:
    return await device_alert(world, who, place=1)


async def _roof_device(world: World, who: Somebody) -> Any:
    return await device(world, who, place=1)


async def _roof_flag(world: World, who: Somebody) -> Any:
    return await checkin_flag(world, who, place=1)


ELSEWHERE: dict[str, Maker] = {
    "task_id": _roof_task,
    "recurrence_id": _roof_recurrence,
    "shift_id": _roof_shift,
    "device_id": _roof_device,
    "device_alert_id": _roof_device_alert,
    "flag_id": _roof_flag,
    "venue_id": _roof,
    "member_id": _roof_member,
    "invitation_id": _roof_invitation,
    "visit_id": _roof_visit,
    "checkin_id": _roof_checkin,
}
"""The same things at tenant A's second venue, which its vendor admin does not run."""
VERSIONED = {
    "device_id": "devices",
    "venue_id": "venues",
    "role_id": "roles",
    "member_id": "memberships",
    "invitation_id": "invitations",
    "patron_id": "patrons",
    "user_id": "users",
    "visit_id": "visits",
    "tenant_id": "tenants",
}
"""Where the version of a thing is kept that If-Match asks for."""
