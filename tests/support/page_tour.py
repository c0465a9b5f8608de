"""Which pages somebody sees: every page of the registry with the addresses of real things, for a tour of all screens."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from lastlight.kernel.ids import PLATFORM
from lastlight.modules import MODULES
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.module import Registry
from tests.support.ledger_tour import ledger_things
from tests.support.live_server import LiveServer, Person
from tests.support.safety_tour import safety_things
from tests.support.tour_credits import credit_things
from tests.support.tour_payments import payment_things
from tests.support.tour_places import place_things
from tests.support.tour_work import work_things

ELSEWHERE = {
    "/patron": "the guest's app, toured by its own tests",
    "/patron/{view:str}": "the guest's app, toured by its own tests",
    "/patron/venues": "the guest's app, toured by its own tests",
    "/patron/venues/{venue_id:uuid}": "the guest's app, toured by its own tests",
    "/patron/credits": "the guest's app, toured by its own tests",
    "/patron/credits/{payment_id:uuid}": "the guest's app, toured by its own tests",
    "/patron/pay/{payment_id:uuid}": "the guest's app, toured by its own tests",
    "/staff/door": "the door scanner, toured by its own tests",
    "/c/{code:str}": "it only leads to the guest's app",
    "/switch-venue": "it only leads back",
    "/platform": "it only leads to the first page of the console",
    "/safety/urgent": "the bar above every page",
    "/staff/safety/tonight": "a part of the first page",
    "/manage/safety/tonight": "a part of the first page",
    "/owner/safety/tonight": "a part of the first page",
    "/manage/venues/{venue_id:uuid}/actions": "a part of the venue's page",
    "/owner/venues/{venue_id:uuid}/actions": "a part of the venue's page",
    "/saved-views": "a menu's inside, toured where the menu opens",
    "/files/{token:str}": "a file, not a page",
    "/account/exports/{export_id:uuid}/file": "a file, not a page",
    "/account/notifications/devices": "a part of the page about notifications",
    "/go/{place:path}": "it only leads on, from a notice on a phone",
    "/manage/team/tonight": "a part of the first page",
    "/staff/shift/tonight": "a part of the first page",
    "/manage/adjustments/{adjustment_id:uuid}/approval": "for roles of a business's own; toured as the owner's",
    "/manage/adjustments/{adjustment_id:uuid}/decline": "for roles of a business's own; toured as the owner's",
    "/manage/credits/{patron_id:uuid}/adjustments": "a part of the guest's credits",
    "/owner/credits/{patron_id:uuid}/adjustments": "a part of the guest's credits",
    "/manage/checkins/{checkin_id:uuid}/refund": "for a check-in that cost something; toured by the tests of the entrance",
    "/manage/checkins/{checkin_id:uuid}/waiver": "for a check-in whose price is owed; toured by the tests of the entrance",
    "/invitation": "it opens with the link of a mail only, toured by the tests of invitations",
}
DIALOGS = (
    "/status",
    "/standing",
    "/verification",
    "/second-factor",
    "/switching-off",
    "/chosen",
    "/logo-removal",
    "/preview",
    "/impersonation",
    "/fate",
    "/answer",
    "/rotation",
    "/key",
    "/void",
    "/removal",
    "/decision",
    "/clearance",
    "/assignment",
    "/escalation",
    "/resolution",
    "/safety-check",
    "/revocation",
    "/code",
    "/change",
    "/maintenance",
    "/judgement",
    "/step",
    "/cancellation",
    "/refusal",
    "/swap",
    "/publication",
    "/closure",
    "/condition",
    "/refund",
    "/capture",
    "/retry",
    "/replay",
    "/moderation",
    "/end",
    "/adjustment",
    "/reversal",
    "/approval",
    "/decline",
    "/withdrawal",
)
QUESTIONS = {
    "/impersonation": "?tenant=kojo-arcade&as=patron",
    "/step": "?step=bar_guest",
    "/status": "?status=paused",
    "/decision": "?what=suspension",
    "/manage/guests/chosen": "?ids={patron_id}",
    "/manage/people/chosen": "?ids={member_id}",
    "/owner/people/chosen": "?ids={member_id}",
    "/platform/people/chosen": "?ids={member_id}",
}
TABS = {
    "/account": ("", "?tab=sessions"),
    "/owner/venues/{venue_id:uuid}": ("", "?tab=settings", "?tab=code"),
    "/manage/venues/{venue_id:uuid}": ("", "?tab=code"),
    "/platform/tenants/{tenant_id:uuid}": ("", "?tab=modules"),
}
HOMES = {"owner": "/owner", "manager": "/manage", "vendor_admin": "/manage", "staff": "/staff"}


@dataclass(frozen=True, slots=True)
class Tour:
    """Addresses of whole pages, and of dialogs that open over a page."""

    pages: list[str] = field(default_factory=list[str])
    dialogs: list[str] = field(default_factory=list[str])


def page_operations() -> list[Operation]:
    """Every page of the registry that a person may open."""
    return [op for op in Registry(MODULES).operations if op.kind == "page" and op.method == "GET"]


def public_tour() -> Tour:
    """The pages before signing in."""
    paths = [op.path for op in page_operations() if op.public and op.path not in ELSEWHERE]
    return Tour(sorted(paths))


def tour_of(server: LiveServer, person: Person, things: dict[str, str]) -> Tour:
    """What a person's role opens in its own console, and one's account."""
    client = server.client(person)
    held = set(client.get("/api/me").json()["permissions"])
    client.close()
    tour = Tour()
    for op in page_operations():
        mine = op.signed_in or (op.permission is not None and op.permission.name in held)
        if op.public or not mine or op.path in ELSEWHERE or not _belongs(op.path, person):
            continue
        address, ending = _address(op.path, things), "/" + op.path.rsplit("/", 1)[-1]
        if ending in DIALOGS:
            question = QUESTIONS.get(op.path) or QUESTIONS.get(ending, "")
            tour.dialogs.append(_address(op.path + question, things))
        else:
            tour.pages.extend(address + tab for tab in TABS.get(op.path, ("",)))
    return Tour(sorted(tour.pages), sorted(tour.dialogs))


def lead_of(server: LiveServer) -> Person:
    """Somebody on the floor whose role is the business's own: all that a manager may, in the staff's app."""
    owner = server.client(server.person("owner"))
    held = {role["key"]: role["permissions"] for role in owner.get("/api/roles").json()["items"]}
    body = {"name": f"Lead {uuid4().hex}", "permissions": held["manager"]}
    made = owner.post("/api/roles", json=body)
    owner.close()
    assert made.status_code == 201, made.text
    return server.new_member(made.json()["key"], "Lwazi Lead")


def lead_tour(server: LiveServer, lead: Person, things: dict[str, str]) -> Tour:
    """What a lead opens on the floor and the rest of the staff does not."""
    whole, known = tour_of(server, lead, things), tour_of(server, server.person("staff"), things)
    return Tour(sorted({*whole.pages} - {*known.pages}), sorted({*whole.dialogs} - {*known.dialogs}))


def _belongs(path: str, person: Person) -> bool:
    if path.startswith("/screen/"):
        return bool(person.tenant)  # the crew has no doors
    home = HOMES.get(person.role, "/staff" if person.tenant else "/platform")
    return not any(path == other or path.startswith(other + "/") for other in {*HOMES.values(), "/platform"} - {home})


def _address(path: str, things: dict[str, str]) -> str:
    """The path with the ids of real things; a name may be told for one list only, as `/platform/jobs job_id`."""
    home = "/".join(path.split("/")[:3])
    parts = [part.split("}", 1) for part in path.split("{")]
    address = parts[0][0]
    for parameter, rest in parts[1:]:
        name = parameter.split(":")[0]
        address += things.get(f"{home} {name}") or things[name]
        address += rest
    return address


def real_things(server: LiveServer) -> dict[str, str]:
    """The ids of things that exist: a visit that was just opened, its check-in, people, roles, a mail, jobs, audit entries."""
    owner, crew = server.client(server.person("owner")), server.client(server.person("super_admin"))
    guest = server.client(server.new_guest("Tour Guest"))
    venue = server.new_venue("Kōjō Tour", capacity=10)
    key = {"Idempotency-Key": str(uuid4())}
    sent = guest.post("/api/checkin/verify", json={"code": server.code(venue)}, headers=key).json()
    guest.post("/api/auth/password/forgot", json={"email": server.person("owner").email})
    owner.post("/api/exports", json={"listing": "visits", "format": "csv"}, headers={"Idempotency-Key": str(uuid4())})
    mail, job = _first(crew, "/api/admin/outbox"), _first(owner, "/api/jobs")
    things = {
        "venue_id": str(venue),
        "visit_id": sent["visit"]["id"],
        "checkin_id": sent["checkin"]["id"],
        "member_id": _first(owner, "/api/members")["id"],
        "/platform/people member_id": _first(crew, "/api/members")["id"],
        "invitation_id": _invited(owner, "staff"),
        "/platform/people invitation_id": _invited(crew, "finance"),
        "role_id": _first(owner, "/api/roles")["id"],
        "/platform/roles role_id": _first(crew, "/api/roles")["id"],
        "seq": str(_first(owner, "/api/audit")["seq"]),
        "/platform/audit seq": str(_first(crew, "/api/audit")["seq"]),
        "tenant_id": str(server.businesses["kojo-arcade"].id),
        "/platform/outbox tenant_id": mail["tenant_id"],
        "mail_id": mail["id"],
        "job_id": job["id"],
        **_crew_things(server, crew),
        **work_things(server, owner, str(venue)),
        **safety_things(server, owner, str(venue)),
        **place_things(server, owner),
        **ledger_things(server),
        **payment_things(server),
        **credit_things(server, owner),
        **_door_things(server, owner, str(venue), sent["checkin"]["id"]),
    }
    for client in (owner, crew, guest):
        client.close()
    return things


def _crew_things(server: LiveServer, crew: Any) -> dict[str, str]:
    """An account that nobody else needs, and a feature flag that a business answers for itself."""
    guest, key = server.new_guest("Tour Account"), "tests.tour"
    crew.post("/api/admin/flags", json={"key": key, "description": "For the tour of all pages"})
    tenant = server.businesses["kojo-arcade"].id
    body = {"enabled": True, "reason": "It tries it"}
    crew.put(f"/api/admin/tenants/{tenant}/flags/{key}", json=body, headers={"If-Match": '"0"'})
    found = server.sql("select id from users where email = $1", guest.email)
    return {"user_id": str(found[0]["id"]), "flag_key": key, "module": "loyalty"}


def _door_things(server: LiveServer, owner: Any, venue_id: str, checkin_id: str) -> dict[str, str]:
    """A scanner that waits for its code, a flag about a check-in, a guest, and a drill that passed."""
    made = owner.post("/api/devices", json={"venue_id": venue_id, "name": "Tour door"}).json()
    flag = server.sql(
        """insert into checkin_flags (tenant_id, venue_id, patron_id, kind, detail, checkin_id, happened_at)
           select tenant_id, venue_id, patron_id, 'impossible_travel', '40 km within 5 minutes', id, arrived_at
           from checkins where id = $1 returning id, patron_id""",
        checkin_id,
    )
    run = server.sql(
        """insert into drill_runs (tenant_id, drill, runbook, business_id, run_by, passed, seconds, steps)
           select $1, 'scanner-fleet-offline', 'scanner-fleet-offline.md', id, 'ada', true, 1.2,
                  '[{"title": "A scanner falls silent", "passed": true, "found": "It is missed.", "seconds": 0.1}]'
           from tenants where slug = 'kojo-arcade' returning id""",
        PLATFORM,
    )
    return {
        "device_id": made["device"]["id"],
        "flag_id": str(flag[0]["id"]),
        "patron_id": str(flag[0]["patron_id"]),
        "run_id": str(run[0]["id"]),
    }


def _invited(client: Any, role: str) -> str:
    """An open invitation to a built-in role."""
    roles = {one["key"]: one["id"] for one in client.get("/api/roles").json()["items"]}
    made = client.post("/api/invitations", json={"email": f"tour-{uuid4().hex}@kojo.example", "role_id": roles[role]})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def _first(client: Any, path: str) -> dict[str, Any]:
    """The first row of a list, once there is one."""
    deadline = time.monotonic() + 30
    while True:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        if answer.json()["items"] or time.monotonic() > deadline:
            return answer.json()["items"][0]
        time.sleep(0.2)
