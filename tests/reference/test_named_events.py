"""The events that the documents ask for: each exists, is told to whom it is for, in the rooms of its venue, with its own payload."""

import ast
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from lastlight.apps.named_events import NAMED_EVENTS, SYSTEM_MESSAGES
from lastlight.domains.identity import presets_for
from lastlight.kernel.events import Event
from lastlight.kernel.ids import PLATFORM, TenantId, UserId, VenueId
from lastlight.kernel.permissions import Scope
from lastlight.modules import MODULES
from lastlight.reference.generate import make_pages
from lastlight.runtime.auth.grants import crew_grants, member_grants
from lastlight.runtime.context import Actor, Grants
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from lastlight.runtime.events.audience import audiences, rooms_for, rooms_of
from lastlight.runtime.events.catch_up import read_events
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings
from tests.support.examples import example_struct
from tests.support.services import make_tenant, opened_services
from tests.support.streams import move_all

REGISTRY = Registry(MODULES)
HOME, ABROAD = VenueId(uuid4()), VenueId(uuid4())
FLOOR = {"staff", "manager", "vendor_admin", "owner"}
LEADERS = {"manager", "vendor_admin", "owner"}
SOS = "venue_id sos_id incident_id severity place silent pressed_by guest"
ALERT = "venue_id alert_id kind severity visit_id patron_id"
INTERVENTION = "venue_id intervention_id kind visit_id patron_id assigned_to"
TASK = "task_id venue_id assignee_id priority version"
INCIDENT = "venue_id incident_id number kind severity"
POSTED = "kind account_ids patron_id of_venue_id"

# event → who among the built-in roles of a business hears it, and what it says
TABLE: tuple[tuple[str, str, set[str], str], ...] = (
    (
        "checkin.verified",
        "checkins.read",
        FLOOR,
        "checkin_id visit_id venue_id patron_id method arrived_at received_at",
    ),
    ("checkin.revoked", "checkins.read", FLOOR, "checkin_id venue_id patron_id kind"),
    ("checkin.flagged", "checkins.flags.read", FLOOR, "flag_id venue_id patron_id kind"),
    ("checkin.flag_resolved", "checkins.flags.read", FLOOR, "flag_id venue_id status"),
    ("visit.opened", "visits.read", FLOOR, "visit_id venue_id patron_id checkin_id opened_at"),
    ("visit.closed", "visits.read", FLOOR, "visit_id venue_id patron_id closed_at closed_by duration_seconds"),
    ("visit.timed_out", "visits.read", FLOOR, "visit_id venue_id patron_id closed_at duration_seconds"),
    ("visit.corrected", "visits.read", FLOOR, "visit_id venue_id patron_id status version"),
    ("task.created", "tasks.read", FLOOR, f"{TASK} source"),
    ("task.assigned", "tasks.read", FLOOR, f"{TASK} assigned_by"),
    ("task.changed", "tasks.read", FLOOR, TASK),
    ("task.started", "tasks.read", FLOOR, TASK),
    ("task.finished", "tasks.read", FLOOR, TASK),
    ("task.cancelled", "tasks.read", FLOOR, TASK),
    ("task.commented", "tasks.read", FLOOR, f"{TASK} comment_id"),
    ("task.reminded", "tasks.read", FLOOR, f"{TASK} due_at"),
    ("sos.raised", "safety.read", FLOOR, f"{SOS} pressed_at received_at"),
    ("sos.acknowledged", "safety.read", FLOOR, f"{SOS} user_id name response_seconds"),
    ("sos.coming", "safety.read", FLOOR, f"{SOS} user_id name"),
    ("sos.escalated", "safety.read", FLOOR, f"{SOS} escalation"),
    ("sos.resolved", "safety.read", FLOOR, SOS),
    ("broadcast.sent", "safety.read", FLOOR, "venue_id broadcast_id urgent"),
    ("broadcast.seen", "safety.read", FLOOR, "venue_id broadcast_id user_id"),
    ("safety.alert_raised", "safety.read", FLOOR, ALERT),
    ("safety.alert_acknowledged", "safety.read", FLOOR, ALERT),
    ("safety.alert_escalated", "safety.read", FLOOR, f"{ALERT} escalation"),
    ("safety.alert_cleared", "safety.read", FLOOR, ALERT),
    ("safety.intervention_recorded", "safety.read", FLOOR, INTERVENTION),
    ("safety.intervention_assigned", "safety.read", FLOOR, INTERVENTION),
    ("safety.intervention_escalated", "safety.read", FLOOR, f"{INTERVENTION} escalation"),
    ("safety.intervention_resolved", "safety.read", FLOOR, INTERVENTION),
    ("safety_check.answered", "safety.read", FLOOR, "venue_id check_id visit_id patron_id answer"),
    ("safety_check.asked", "", set(), "check_id visit_id venue_id expires_at"),
    ("incident.opened", "safety.read", FLOOR, INCIDENT),
    ("incident.noted", "safety.read", FLOOR, f"{INCIDENT} entry_id"),
    ("incident.resolved", "safety.read", FLOOR, INCIDENT),
    ("device.updated", "devices.read", FLOOR, "device_id venue_id maintenance version"),
    ("device.alert_raised", "devices.read", FLOOR, "device_id venue_id kind"),
    ("device.alert_acknowledged", "devices.read", FLOOR, "device_id venue_id kind"),
    ("device.alert_cleared", "devices.read", FLOOR, "device_id venue_id kind"),
    ("device.revoked", "devices.read", FLOOR, "device_id venue_id"),
    ("tenant.registered", "tenants.read", set(), "tenant_id slug name"),
    ("tenant.approved", "tenant.read", LEADERS, "tenant_id"),
    ("tenant.rejected", "tenant.read", LEADERS, "tenant_id"),
    ("tenant.suspended", "tenant.read", LEADERS, "tenant_id"),
    ("tenant.reactivated", "tenant.read", LEADERS, "tenant_id"),
    ("tenant.changed", "tenant.read", LEADERS, "tenant_id fields"),
    ("tenant.module_changed", "tenant.read", LEADERS, "tenant_id module enabled"),
    ("transaction.posted", "ledger.read", {"owner"}, f"{POSTED} transaction_id amounts reverses hold_id"),
    ("transaction.held", "ledger.read", {"owner"}, f"{POSTED} hold_id amount expires_at"),
    ("transaction.released", "ledger.read", {"owner"}, f"{POSTED} hold_id amount how"),
    ("platform.tenant_changed", "tenants.read", set(), "tenant_id what"),
    ("drill.ran", "platform.drills.read", set(), "run_id drill passed"),
)
OF_PLATFORM = ("tenant.registered", "platform.tenant_changed", "drill.ran")
ROW = "name, permission, roles, fields"
IDS = [name for name, *_ in TABLE]


def test_the_table_holds_every_event_that_a_document_names() -> None:
    named = {name for one in NAMED_EVENTS for name in one.events}
    assert named - set(SYSTEM_MESSAGES) <= set(IDS)
    assert set(IDS) <= set(REGISTRY.events)
    families = {name.partition(".")[0] for name in (*IDS, *SYSTEM_MESSAGES)}
    assert {"visit", "checkin", "task", "sos", "safety", "device", "tenant", "transaction", "system"} <= families


def test_every_named_event_is_described_in_the_reference() -> None:
    pages = make_pages()
    for one in NAMED_EVENTS:
        assert one.word in pages["source-routes.md"]
    assert [name for name in IDS if f"### {name}\n" not in pages["events.md"]] == []


@pytest.mark.parametrize(ROW, TABLE, ids=IDS)
def test_it_says_what_it_says_to_whom_it_is_for(name: str, permission: str, roles: set[str], fields: str) -> None:
    event = REGISTRY.events[name]
    assert (event.audience.name if event.audience else "") == permission
    assert set(event.__struct_fields__) == set(fields.split())
    for preset in presets_for(platform=False):
        if preset.key == "patron":
            continue
        home, abroad = (_member(preset.resolve(REGISTRY.permissions), [venue]) for venue in (HOME, ABROAD))
        everywhere = _member(preset.resolve(REGISTRY.permissions), None)
        hears = preset.key in roles
        assert _heard(everywhere, event, HOME) == hears, preset.key
        if "venue_id" in event.__struct_fields__:
            assert _heard(home, event, HOME) == hears, preset.key
            assert not _heard(abroad, event, HOME), f"{preset.key} of another venue"


@pytest.mark.parametrize("name", OF_PLATFORM)
def test_the_crew_hears_what_is_the_platforms(name: str) -> None:
    event = REGISTRY.events[name]
    presets = [
        preset for preset in presets_for(platform=True) if str(event.audience) in preset.resolve(REGISTRY.permissions)
    ]
    assert {"super_admin", "ops"} <= {preset.key for preset in presets}
    held = [(preset.resolve(REGISTRY.permissions), None) for preset in presets]
    crew = Actor(kind="crew", user_id=UserId(uuid4()), grants=crew_grants(REGISTRY.permissions, held, inside=False))
    assert rooms_of(crew, audiences(REGISTRY)) & set(_rooms(event, PLATFORM, None))


@pytest.mark.database
async def test_each_goes_through_the_stream_to_its_venue_its_guest_and_nobody_else(database_settings: Settings) -> None:
    tenant_id = await make_tenant(database_settings, f"t-{uuid4().hex[:12]}")
    patron_id = uuid4()
    async with opened_services(database_settings, MODULES) as services, services.pools.system.acquire() as connection:
        for name in IDS:
            event = REGISTRY.events[name]
            venue_id = HOME if "venue_id" in event.__struct_fields__ else None
            async with system_ctx(services, tenant_id) as ctx:
                ctx.emit(_made(event), entity=("thing", uuid4()), venue_id=venue_id, patron_id=patron_id)
        await move_all(services, connection, len(IDS))

        async def heard(actor: Actor) -> dict[str, Any]:
            scope = WorkScope(actor=actor, tenant_id=tenant_id)
            async with unit_of_work(services, scope) as ctx:
                return {found.name: found.data for found in (await read_events(ctx, after=0, limit=500)).events}

        known = {name for name, permission, *_ in TABLE if permission}
        permissions = sorted({permission for _, permission, *_ in TABLE if permission})
        of_venue = {name for name in known if "venue_id" in REGISTRY.events[name].__struct_fields__}
        everything = await heard(_actor(tenant_id, permissions, None))
        assert set(everything) == known
        for name, data in everything.items():
            assert set(data) == set(REGISTRY.events[name].__struct_fields__), name
            msgspec.convert(data, REGISTRY.events[name], strict=False)
        assert of_venue <= set(await heard(_actor(tenant_id, permissions, [HOME])))
        assert set(await heard(_actor(tenant_id, permissions, [ABROAD]))) & of_venue == set()
        guest = Actor(kind="patron", user_id=UserId(uuid4()), tenant_id=tenant_id, patron_id=patron_id)  # pyright: ignore[reportArgumentType] - a made-up guest
        assert set(await heard(guest)) == set(IDS)
        stranger = msgspec.structs.replace(guest, patron_id=uuid4())
        assert await heard(stranger) == {}
        assert await heard(_actor(tenant_id, [], None)) == {}


def test_what_happens_at_a_venue_is_always_said_to_that_venue() -> None:
    """An event with a venue that is emitted without it would reach only those who hold the permission everywhere."""
    at_venue = {event.__name__ for event in REGISTRY.events.values() if "venue_id" in event.__struct_fields__}
    seen, forgotten = 0, list[str]()
    for path in sorted(Path("src/lastlight/domains").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "emit"):
                continue
            made = node.args[0] if node.args else None
            if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id in at_venue:
                seen += 1
                if "venue_id" not in {keyword.arg for keyword in node.keywords}:
                    forgotten.append(f"{path}:{node.lineno} {made.func.id}")
    assert forgotten == []
    assert seen > 30


def _made(event: type[Event]) -> Event:
    return msgspec.convert(example_struct(event, {"venue_id": str(HOME)}), event, strict=False)


def _member(permissions: list[str], venues: list[VenueId] | None) -> Actor:
    grants = member_grants(REGISTRY.permissions, [(permissions, venues)])
    return Actor(kind="member", user_id=UserId(uuid4()), tenant_id=TENANT, grants=grants)


def _actor(tenant_id: TenantId, permissions: list[str], venues: list[VenueId] | None) -> Actor:
    only = None if venues is None else frozenset(venues)
    grants = Grants(dict.fromkeys(permissions, only))
    return Actor(kind="member", user_id=UserId(uuid4()), tenant_id=tenant_id, grants=grants)


TENANT = TenantId(uuid4())


def _heard(actor: Actor, event: type[Event], venue_id: UUID) -> bool:
    return bool(rooms_of(actor, audiences(REGISTRY)) & set(_rooms(event, TENANT, venue_id)))


def _rooms(event: type[Event], tenant_id: UUID, venue_id: UUID | None) -> list[str]:
    of_venue = venue_id if "venue_id" in event.__struct_fields__ else None
    audience = event.audience.name if event.audience else None
    assert event.audience is None or of_venue is None or event.audience.scope is Scope.VENUE, event.event_name
    return rooms_for(tenant_id, venue_id=of_venue, audience=audience, patron_id=None)
