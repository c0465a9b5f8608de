"""Who is told what on their phones, domain by domain: the right people, the right page, nothing that a locked screen must not show."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains.resources.notices import push_cancelled, push_made, push_moved
from lastlight.domains.safety.notices import push_alert, push_broadcast, push_check, push_sos
from lastlight.domains.staff.notices import push_reminder, push_shift, push_swap
from lastlight.domains.tasks import create_task
from lastlight.domains.tasks.notices import push_assigned, push_reminded
from lastlight.kernel.ids import UserId, VenueId
from lastlight.modules import MODULES
from lastlight.runtime.jobs import Job
from lastlight.runtime.settings import Settings
from tests.support.door import House, new_house
from tests.support.services import opened_services

pytestmark = pytest.mark.database
Told = dict[str, Any]


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_services(database_settings, MODULES) as services:
        yield await new_house(services)


async def hire(house: House, *permissions: str, venue_id: UUID | None = None) -> UserId:
    """Somebody with permissions, at one venue or at all."""
    rows = await house.sql(
        """with person as (insert into users (email, name) values ($2, 'Somebody') returning id),
                role as (insert into roles (tenant_id, key, name, permissions) values ($1, $3, $3, $4) returning id)
           insert into memberships (tenant_id, user_id, role_id, venue_ids)
           select $1, person.id, role.id, $5 from person, role returning user_id""",
        house.tenant_id,
        f"{uuid4().hex}@example.test",
        f"r{uuid4().hex}",
        list(permissions),
        None if venue_id is None else [venue_id],
    )
    return UserId(rows[0]["user_id"])


async def play(house: House, job: Job, **data: Any) -> Told | None:
    """Answer an event; what is on its way to people then, or None."""
    async with house.system() as ctx:
        await job.fn(ctx, event_id=uuid4(), seq=1, data=data)
        rows = await ctx.db.fetch(
            """select args from jobs where tenant_id = $1 and kind = 'push.spread' and created_at = now()
               order by id desc limit 1""",
            ctx.tenant_id,
        )
    return None if not rows else {**rows[0]["args"]["spread"], "people": set(map(UUID, rows[0]["args"]["people"]))}


def sos(venue_id: VenueId, pressed_by: UUID, **more: Any) -> Told:
    facts = {
        "sos_id": str(uuid4()),
        "incident_id": str(uuid4()),
        "severity": "urgent",
        "place": "Bar 2",
        "silent": False,
    }
    return facts | {"venue_id": str(venue_id), "pressed_by": str(pressed_by)} | more


async def test_an_sos_tells_everybody_of_the_venue_but_its_caller(house: House) -> None:
    here, elsewhere = house.venue.id, (await house.add_venue()).id
    caller, mate = await hire(house, "safety.read"), await hire(house, "safety.read", venue_id=here)
    away, cook = await hire(house, "safety.read", venue_id=elsewhere), await hire(house, "tasks.read")
    said = await play(house, push_sos, **sos(here, caller))
    assert said is not None
    assert mate in said["people"]
    assert said["people"] & {caller, away, cook} == set()
    assert (said["urgency"], said["stays"], said["silent"], said["kind"]) == ("high", True, False, "sos")
    assert said["url"].startswith("/go/safety/sos/")
    quiet = await play(house, push_sos, **sos(here, caller, silent=True))
    again = await play(house, push_sos, **sos(here, caller, escalation=1))
    assert quiet is not None
    assert again is not None
    assert (quiet["silent"], again["title"]) == (True, "Nobody has answered the SOS: {venue}")


async def test_an_alert_rings_when_it_is_critical_or_nobody_answers_it(house: House) -> None:
    here, helper = house.venue.id, await hire(house, "safety.respond")
    facts = {"alert_id": str(uuid4()), "venue_id": str(here), "kind": "drinks", "severity": "high"}
    assert await play(house, push_alert, **facts) is None
    for ringing in ({"severity": "critical"}, {"escalation": 1}):
        said = await play(house, push_alert, **(facts | ringing))
        assert said is not None
        assert helper in said["people"]
        assert "drinks" not in f"{said['title']} {said['body']}"


async def test_a_broadcast_says_that_there_is_one_and_not_what_it_says(house: House) -> None:
    mate = await hire(house, "safety.read")
    facts = {"broadcast_id": str(uuid4()), "venue_id": str(house.venue.id), "urgent": True}
    said = await play(house, push_broadcast, **facts)
    assert said is not None
    assert mate in said["people"]
    assert (said["body"], said["urgency"]) == ("Open it to read.", "high")


async def test_a_guest_is_asked_on_their_own_phone_while_the_answer_is_waited_for(house: House) -> None:
    guest = await house.add_guest("Zinhle Dube")
    visit = (await house.check_in(guest)).visit.id
    [row] = await house.sql(
        """insert into safety_checks (tenant_id, venue_id, visit_id, patron_id, question, asked_by, asked_at, expires_at)
           values ($1, $2, $3, $4, 'Is Sam bothering you?', $5, now(), now() + interval '5 minutes') returning id""",
        house.tenant_id,
        house.venue.id,
        visit,
        guest.patron_id,
        await hire(house, "safety.respond"),
    )
    said = await play(house, push_check, check_id=str(row["id"]))
    assert said is not None
    assert said["people"] == {guest.user_id}
    assert "Sam" not in f"{said['title']} {said['body']} {said['words']}"
    await house.sql("update safety_checks set expires_at = now() where id = $1", row["id"])
    assert await play(house, push_check, check_id=str(row["id"])) is None


async def test_a_task_tells_who_was_given_it_and_nobody_who_took_it(house: House) -> None:
    mine, boss = await hire(house, "tasks.work"), await hire(house, "tasks.manage")
    async with house.system() as ctx:
        due = ctx.now + timedelta(hours=1)
        task = await create_task(
            ctx, venue_id=house.venue.id, title="Ask Zinhle to leave", assignee_id=mine, due_at=due
        )
    facts = {"task_id": str(task.id), "venue_id": str(house.venue.id), "assignee_id": str(mine)}
    said = await play(house, push_assigned, **facts, assigned_by=str(boss))
    assert said is not None
    assert said["people"] == {mine}
    assert "Zinhle" not in str(said)
    assert await play(house, push_assigned, **facts, assigned_by=str(mine)) is None
    assert await play(house, push_assigned, **(facts | {"assignee_id": None}), assigned_by=str(boss)) is None
    assert await play(house, push_reminded, **facts) is not None
    await house.sql("update tasks set status = 'done', ended_at = now() where id = $1", task.id)
    assert await play(house, push_reminded, **facts) is None


async def test_shifts_and_swaps_tell_whom_they_concern(house: House) -> None:
    one, other = uuid4(), uuid4()
    async with house.system() as ctx:
        starts, ends, past = ctx.now + timedelta(hours=3), ctx.now + timedelta(hours=9), ctx.now - timedelta(days=1)
    shift = {"shift_id": str(uuid4()), "venue_id": str(house.venue.id), "user_id": str(one), "status": "published"}
    times = {"starts_at": starts.isoformat(), "ends_at": ends.isoformat()}
    said = await play(house, push_shift, **shift, **times)
    assert said is not None
    assert (said["people"], said["url"]) == ({one}, "/go/schedule")
    assert await play(house, push_shift, **(shift | {"user_id": None}), **times) is None
    over = {"starts_at": (past - timedelta(hours=6)).isoformat(), "ends_at": past.isoformat()}
    assert await play(house, push_shift, **shift, **over) is None
    assert await play(house, push_reminder, **shift, starts_at=starts.isoformat()) is not None
    swap = {"swap_id": str(uuid4()), "shift_id": str(uuid4()), "venue_id": str(house.venue.id)}
    people = {"from_user_id": str(one), "to_user_id": str(other)}
    told: dict[str, set[UUID]] = {}
    for status in ("asked", "accepted", "declined", "approved", "refused", "withdrawn"):
        found = await play(house, push_swap, **swap, **people, status=status)
        told[status] = found["people"] if found else set()
    assert told == {
        "asked": {other},
        "accepted": {one},
        "declined": {one},
        "approved": {one, other},
        "refused": {one, other},
        "withdrawn": set(),
    }
    taking = {"from_user_id": None, "to_user_id": str(other)}
    assert await play(house, push_swap, **swap, **taking, status="asked") is None


async def test_a_guest_hears_what_staff_did_about_a_booking(house: House) -> None:
    guest = await house.add_guest("Liam Petersen")
    [table] = await house.sql(
        "insert into resources (tenant_id, venue_id, kind, name) values ($1, $2, 'table', 'Table 4') returning id",
        house.tenant_id,
        house.venue.id,
    )
    [row] = await house.sql(
        """insert into bookings (tenant_id, venue_id, resource_id, patron_id, starts_at, ends_at, free_at, booked_by)
           values ($1, $2, $3, $4, now() + interval '2 hours', now() + interval '3 hours', now() + interval '3 hours', 'staff') returning id""",
        house.tenant_id,
        house.venue.id,
        table["id"],
        guest.patron_id,
    )
    facts = {"booking_id": str(row["id"]), "patron_id": str(guest.patron_id)}
    said = await play(house, push_made, **facts, booked_by="staff")
    assert said is not None
    assert (said["people"], said["words"]["resource"]) == ({guest.user_id}, "Table 4")
    assert await play(house, push_made, **facts, booked_by="guest") is None
    moved = await play(house, push_moved, **facts, fields=["starts_at", "ends_at"])
    assert moved is not None
    assert moved["title"] == "Your booking has moved: {resource}"
    assert await play(house, push_moved, **facts, fields=["note"]) is None, "that is staff's own"
    assert await play(house, push_cancelled, **facts, status="arrived", by="staff") is None
    assert await play(house, push_cancelled, **facts, status="cancelled", by="staff") is None, "it stands"
    await house.sql("update bookings set status = 'cancelled', ended_at = now() where id = $1", row["id"])
    assert await play(house, push_cancelled, **facts, status="cancelled", by="guest") is None, "they did it themselves"
    assert await play(house, push_cancelled, **facts, status="cancelled", by="staff") is not None
