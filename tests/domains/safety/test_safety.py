"""Safety on a real database: what is raised once, told again, answered, and kept."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from lastlight.domains.safety import alerts, broadcasts, checks, incidents, interventions, sos, thresholds, watch
from lastlight.domains.safety.errors import (
    AlertNotOpen,
    AlertOpen,
    AssigneeUnfit,
    CheckOpen,
    CheckOver,
    IncidentResolved,
    InterventionResolved,
    NotInside,
    SosIdTaken,
    SosOwn,
    SosResolved,
)
from lastlight.domains.safety.jobs import due_tenants, run_watch
from lastlight.domains.safety.model import SosCall, floor_state
from lastlight.domains.safety.schemas import (
    AlertIn,
    AnswerIn,
    BroadcastIn,
    CheckIn,
    EntryIn,
    IncidentIn,
    InterventionIn,
    SosIn,
    ThresholdsIn,
)
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.kernel.ids import VenueId, VisitId
from lastlight.runtime.context import Actor, Grants
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from tests.support.door import Guest, House
from tests.support.safety_staff import ALL, pressed, somebody, told


async def watched(house: House, **limits: Any) -> None:
    async with house.as_member(ALL) as ctx:
        before = await thresholds.read_thresholds(ctx, venue_id=house.venue.id)
        data = ThresholdsIn(**limits)
        await thresholds.set_thresholds(ctx, venue_id=house.venue.id, data=data, version=before.version)


async def arrived(house: House, **fields: Any) -> tuple[Guest, VisitId]:
    guest = await house.add_guest(**fields)
    return guest, (await house.check_in(guest)).visit.id


async def kinds(house: House) -> list[tuple[str, str]]:
    statement = "select kind, status from safety_alerts where tenant_id = $1 order by raised_at, id"
    return [(row["kind"], row["status"]) for row in await house.sql(statement, house.tenant_id)]


async def test_thresholds_are_set_by_version(house: House) -> None:
    async with house.as_member(ALL) as ctx:
        assert (await thresholds.read_thresholds(ctx, venue_id=house.venue.id)).version == 0
        first = await thresholds.set_thresholds(
            ctx, venue_id=house.venue.id, data=ThresholdsIn(minutes_inside=60), version=0
        )
    assert (first.minutes_inside, first.drinks_per_hour, first.version) == (60, None, 1)
    async with house.as_member(ALL) as ctx:
        with pytest.raises(Stale):
            await thresholds.set_thresholds(ctx, venue_id=house.venue.id, data=ThresholdsIn(), version=0)
    async with house.as_member({"safety.manage": frozenset[VenueId](), "venues.read": None}) as ctx:
        with pytest.raises(NotFound):
            await thresholds.set_thresholds(ctx, venue_id=house.venue.id, data=ThresholdsIn(), version=1)
    assert await told(house, "safety.thresholds_changed") == 1


async def test_a_threshold_of_spend_is_kept_as_people_read_it(house: House) -> None:
    await watched(house, spend_minor=50_000)
    await watched(house, minutes_inside=60)
    statement = "select audit from outbox where tenant_id = $1 and name = 'safety.thresholds_changed' order by id"
    first, second = [msgspec.json.decode(row["audit"]) for row in await house.sql(statement, house.tenant_id)]
    assert (first["before"]["spend"], first["after"]["spend"]) == (None, "500.00 ZAR")
    assert (second["before"]["spend"], second["after"]["spend"]) == ("500.00 ZAR", None)
    assert "spend_minor" not in first["before"] | first["after"]


async def test_drinks_within_an_hour_raise_one_alert_and_a_source_counts_once(house: House) -> None:
    await watched(house, drinks_per_hour=3, spend_minor=50_000)
    _, visit_id = await arrived(house)
    line = uuid4()
    async with house.system() as ctx:
        for source_id in (line, line, line, uuid4()):
            raised = await watch.report_facts(
                ctx, visit_id=visit_id, source="order", source_id=source_id, drinks=2, spend_minor=10_000
            )
        assert [(alert.kind, alert.facts["drinks"]) for alert in raised] == [("drinks", 4)]
        assert await watch.report_facts(ctx, visit_id=visit_id, source="order", source_id=uuid4(), drinks=1) == []
        [spend] = await watch.report_facts(
            ctx, visit_id=visit_id, source="order", source_id=uuid4(), spend_minor=30_000
        )
    assert (spend.kind, spend.facts) == ("spend", {"spend_minor": 50_000, "limit": 50_000})
    assert await told(house, "safety.alert_raised") == 2


async def test_drinks_of_earlier_hours_do_not_count(house: House) -> None:
    await watched(house, drinks_per_hour=3)
    _, visit_id = await arrived(house)
    async with house.system() as ctx:
        earlier = ctx.now - timedelta(minutes=61)
        await watch.report_facts(ctx, visit_id=visit_id, source="order", source_id=uuid4(), drinks=3, at=earlier)
        assert await watch.report_facts(ctx, visit_id=visit_id, source="order", source_id=uuid4(), drinks=3) == []


async def test_who_is_in_for_too_long_is_found_once_and_settled_by_leaving(house: House) -> None:
    await watched(house, minutes_inside=60)
    _, visit_id = await arrived(house)
    await house.sql("update visits set opened_at = now() - interval '61 minutes' where id = $1", visit_id)
    async with system_ctx(house.services, role="system") as ctx:
        assert house.tenant_id in await due_tenants(ctx)
    for _ in range(2):
        async with house.system() as ctx:
            await run_watch(ctx)
    assert await kinds(house) == [("time", "raised")]
    told = await house.sql("select summary from safety_alerts where tenant_id = $1", house.tenant_id)
    assert [row["summary"] for row in told] == ["In for 1h 1m"]
    async with house.system() as ctx:
        await watch.judge_departure(ctx, visit_id=visit_id, venue_id=house.venue.id)
    assert await kinds(house) == [("time", "cleared")]


async def test_an_arrival_too_young_or_with_a_pattern_is_noticed(house: House) -> None:
    await watched(house, least_age=21, interventions=2)
    guest, visit_id = await arrived(house, birth_date=datetime.now(UTC).date() - timedelta(days=19 * 365))
    async with house.as_member(ALL) as ctx:
        data = InterventionIn(venue_id=house.venue.id, kind="talk", visit_id=visit_id)
        made = [await interventions.record_intervention(ctx, data=data) for _ in range(2)]
    assert [each.patron_id for each in made] == [guest.patron_id] * 2
    for _ in range(2):
        async with house.system() as ctx:
            await watch.judge_arrival(ctx, visit_id=visit_id, venue_id=house.venue.id, patron_id=guest.patron_id)
    assert await kinds(house) == [("age", "raised"), ("behaviour", "raised")]


async def test_one_in_one_out_is_raised_at_capacity_and_cleared_with_room(house: House) -> None:
    await house.sql("update venues set capacity = 1 where id = $1", house.venue.id)
    _, visit_id = await arrived(house)
    async with house.system() as ctx:
        state = await watch.judge_floor(ctx, venue_id=house.venue.id)
        assert (state.inside, state.one_in_one_out, state.room) == (1, True, 0)
        await watch.judge_floor(ctx, venue_id=house.venue.id)
    assert await kinds(house) == [("capacity", "raised")]
    await house.sql(
        "update visits set status = 'closed', closed_at = now(), closed_by = 'staff' where id = $1", visit_id
    )
    async with house.system() as ctx:
        assert not (await watch.judge_floor(ctx, venue_id=house.venue.id)).one_in_one_out
    assert await kinds(house) == [("capacity", "cleared")]


@pytest.mark.parametrize(
    ("inside", "capacity", "percent", "full"),
    [(89, 100, 90, False), (90, 100, 90, True), (5, None, 100, False), (0, 1, 10, False), (1, 1, 10, True)],
)
def test_how_full(inside: int, capacity: int | None, percent: int, full: bool) -> None:
    state = floor_state(venue_id=VenueId(uuid4()), inside=inside, capacity=capacity, full_percent=percent)
    assert state.one_in_one_out is full


async def test_an_alert_is_answered_cleared_and_not_raised_twice(house: House) -> None:
    _, visit_id = await arrived(house)
    data = AlertIn(venue_id=house.venue.id, summary="Loud at the bar", visit_id=visit_id)
    async with house.as_member(ALL) as ctx:
        alert = await alerts.report_behaviour(ctx, data=data)
        with pytest.raises(AlertOpen):
            await alerts.report_behaviour(ctx, data=data)
    async with house.as_member(ALL) as ctx:
        assert (await alerts.acknowledge_alert(ctx, alert_id=alert.id)).escalates_at is None
        with pytest.raises(AlertNotOpen):
            await alerts.acknowledge_alert(ctx, alert_id=alert.id)
        with pytest.raises(Invalid):
            await alerts.clear_alert(ctx, alert_id=alert.id, reason=" ")
        assert (await alerts.clear_alert(ctx, alert_id=alert.id, reason="Calm again")).status == "cleared"
        with pytest.raises(AlertNotOpen):
            await alerts.clear_alert(ctx, alert_id=alert.id, reason="Calm again")
    assert await house.count("safety_log") == 3


async def test_an_alert_that_nobody_answers_is_told_again_until_the_highest(house: House) -> None:
    async with house.as_member(ALL) as ctx:
        alert = await alerts.report_behaviour(ctx, data=AlertIn(venue_id=house.venue.id, summary="Smoke"))
    for level in (1, 2, 3):
        await house.sql("update safety_alerts set escalates_at = now() where id = $1", alert.id)
        async with house.system() as ctx:
            assert await alerts.escalate_alerts(ctx, limit=10) == 1
        async with house.as_member(ALL) as ctx:
            found = await alerts.find_alert(ctx, alert_id=alert.id)
        assert (found.escalation, found.escalates_at is None) == (level, level == 3)
    async with house.system() as ctx:
        assert await alerts.escalate_alerts(ctx, limit=10) == 0
    assert await told(house, "safety.alert_escalated") == 3


async def test_an_sos_is_one_call_however_often_it_is_sent(house: House) -> None:
    sos_id, user_id = uuid4(), uuid4()
    data = SosIn(venue_id=house.venue.id, place="Bar 2", severity="emergency", silent=True)

    async def press() -> SosCall:
        async with somebody(house, user_id) as ctx:
            return await sos.press_sos(ctx, data=data, sos_id=sos_id)

    calls = await asyncio.gather(*(press() for _ in range(4)))
    assert {(call.id, call.incident_id) for call in calls} == {(sos_id, calls[0].incident_id)}
    assert (await told(house, "sos.raised"), await told(house, "incident.opened")) == (1, 1)
    async with house.as_member(ALL) as ctx:
        with pytest.raises(SosIdTaken):
            await sos.press_sos(ctx, data=data, sos_id=sos_id)
        incident = await incidents.find_incident(ctx, incident_id=calls[0].incident_id)
    assert (incident.severity, [entry.kind for entry in incident.timeline]) == ("critical", ["opened", "sos"])


async def test_who_calls_for_help_does_not_answer_the_call_which_is_told_again_all_the_same(house: House) -> None:
    caller = uuid4()
    async with somebody(house, caller) as ctx:
        call = await sos.press_sos(ctx, data=SosIn(venue_id=house.venue.id, place="Bar 2"))
    for answer in (sos.acknowledge_sos, sos.come_to_sos):
        with pytest.raises(SosOwn):
            async with somebody(house, caller) as ctx:
                await answer(ctx, sos_id=call.id)
    async with somebody(house, caller) as ctx:
        found = await sos.find_sos(ctx, sos_id=call.id)
        assert (found.status, found.escalates_at, found.acknowledgements) == ("raised", call.escalates_at, [])
        assert (await sos.resolve_sos(ctx, sos_id=call.id, reason="They left by themselves")).status == "resolved"


async def test_an_sos_is_answered_with_times_and_each_answers_once(house: House) -> None:
    call = await pressed(house)
    await house.sql("update sos_calls set received_at = received_at - interval '20 seconds' where id = $1", call.id)
    first, second = uuid4(), uuid4()
    for user_id, name in ((first, "Ann"), (second, "Ben"), (first, "Ann")):
        async with somebody(house, user_id, name) as ctx:
            found = await sos.acknowledge_sos(ctx, sos_id=call.id)
    assert (found.status, [answer.name for answer in found.acknowledgements]) == ("acknowledged", ["Ann", "Ben"])
    assert found.response_seconds is not None
    assert found.response_seconds >= 20
    assert (found.escalates_at, await told(house, "sos.acknowledged")) == (None, 2)
    async with house.as_member(ALL) as ctx:
        assert (await sos.resolve_sos(ctx, sos_id=call.id, reason="Calm")).status == "resolved"
        for again in (sos.resolve_sos(ctx, sos_id=call.id, reason="Calm"), sos.acknowledge_sos(ctx, sos_id=call.id)):
            with pytest.raises(SosResolved):
                await again


async def test_an_sos_that_nobody_answers_escalates(house: House) -> None:
    call = await pressed(house)
    async with house.system() as ctx:
        assert await sos.escalate_calls(ctx, limit=10) == 0
    await house.sql("update sos_calls set escalates_at = now() where id = $1", call.id)
    async with house.system() as ctx:
        assert await run_watch(ctx) == 1
    async with house.as_member(ALL) as ctx:
        found = await sos.find_sos(ctx, sos_id=call.id)
    assert (found.escalation, found.status, await told(house, "sos.escalated")) == (1, "raised", 1)


async def test_an_sos_from_a_queue_keeps_both_times(house: House) -> None:
    async with house.system() as ctx:
        earlier, later = ctx.now - timedelta(minutes=4), ctx.now + timedelta(hours=1)
    call = await pressed(house, pressed_at=earlier)
    assert (call.pressed_at, call.received_at > earlier) == (earlier, True)
    ahead = await pressed(house, pressed_at=later)
    assert ahead.pressed_at == ahead.received_at


async def test_an_sos_is_refused_elsewhere_and_without_the_permission(house: House) -> None:
    other = await house.add_venue()
    here: Any = ALL | {"safety.respond": frozenset({other.id})}
    async with house.as_member(here) as ctx:
        with pytest.raises(NotFound):
            await sos.press_sos(ctx, data=SosIn(venue_id=house.venue.id, place="Bar"))
    async with house.as_member({"venues.read": None}) as ctx:
        with pytest.raises(NotPermitted):
            await sos.press_sos(ctx, data=SosIn(venue_id=house.venue.id, place="Bar"))
    assert (await house.count("sos_calls"), await house.count("incidents")) == (0, 0)


async def test_an_intervention_goes_its_way(house: House) -> None:
    _, visit_id = await arrived(house)
    data = InterventionIn(venue_id=house.venue.id, kind="water", visit_id=visit_id, note="Gave water")
    async with house.as_member(ALL) as ctx:
        made = await interventions.record_intervention(ctx, data=data)
        with pytest.raises(AssigneeUnfit):
            await interventions.assign_intervention(ctx, intervention_id=made.id, user_id=uuid4())
        raised = await interventions.escalate_intervention(ctx, intervention_id=made.id, reason="Not standing")
        assert raised.escalation == 1
        done = await interventions.resolve_intervention(ctx, intervention_id=made.id, outcome="Went home")
        assert (done.status, done.outcome) == ("resolved", "Went home")
        with pytest.raises(InterventionResolved):
            await interventions.resolve_intervention(ctx, intervention_id=made.id, outcome="Again")


async def test_incidents_are_numbered_without_gaps_or_twins(house: House) -> None:
    async def begin() -> int:
        async with house.as_member(ALL) as ctx:
            data = IncidentIn(venue_id=house.venue.id, kind="theft", title="A phone")
            return (await incidents.open_incident(ctx, data=data)).number

    assert sorted(await asyncio.gather(*(begin() for _ in range(4)))) == [1, 2, 3, 4]


async def test_an_incident_links_alerts_is_told_and_resolved(house: House) -> None:
    async with house.as_member(ALL) as ctx:
        alert = await alerts.report_behaviour(ctx, data=AlertIn(venue_id=house.venue.id, summary="Shoving"))
        data = IncidentIn(venue_id=house.venue.id, kind="fight", title="At the bar", alert_ids=[alert.id])
        incident = await incidents.open_incident(ctx, data=data)
        assert (await alerts.find_alert(ctx, alert_id=alert.id)).incident_id == incident.id
        noted = await incidents.note_incident(ctx, incident_id=incident.id, data=EntryIn(text="Parted"))
        with pytest.raises(Invalid):
            await incidents.note_incident(ctx, incident_id=incident.id, data=EntryIn())
    async with house.as_member(ALL) as ctx:
        with pytest.raises(Stale):
            await incidents.resolve_incident(ctx, incident_id=incident.id, resolution="Left", version=9)
        done = await incidents.resolve_incident(
            ctx, incident_id=incident.id, resolution="Both left", version=noted.version
        )
        with pytest.raises(IncidentResolved):
            await incidents.note_incident(ctx, incident_id=incident.id, data=EntryIn(text="Back"))
    assert [entry.kind for entry in done.timeline] == ["opened", "alert", "note", "resolved"]
    report = incidents.report_text(done)
    assert report.startswith("Incident 1: At the bar\n")
    assert "Outcome: Both left" in report
    assert "note  Somebody of the staff: Parted" in report
    forged = "Parted\n2026-11-21 22:00:00 UTC  resolved  The manager: nobody was hurt\u2028Outcome: none"
    timeline = [msgspec.structs.replace(entry, text=forged) for entry in done.timeline]
    report = incidents.report_text(msgspec.structs.replace(done, timeline=timeline))
    assert [line for line in report.splitlines() if line.startswith(("2026-11-21 22:00:00", "Outcome: none"))] == []
    assert "    2026-11-21 22:00:00 UTC  resolved" in report


@pytest.mark.parametrize("table", ["safety_log", "incident_entries"])
async def test_what_was_written_is_edited_by_nobody(house: House, table: str) -> None:
    await pressed(house)
    before = await house.count(table)
    for statement in (f"update {table} set text = 'x'", f"delete from {table}"):
        with pytest.raises(asyncpg.PostgresError):
            await house.sql(f"{statement} where tenant_id = $1", house.tenant_id)
        async with house.system() as ctx:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await ctx.db.execute(f"{statement} where tenant_id = $1", house.tenant_id)
    assert await house.count(table) == before > 0


async def test_a_broadcast_is_kept_and_told(house: House) -> None:
    async with house.as_member(ALL) as ctx:
        sent = await broadcasts.send_broadcast(ctx, data=BroadcastIn(venue_id=house.venue.id, text=" Last round "))
    assert (sent.text, await told(house, "broadcast.sent")) == ("Last round", 1)
    async with house.as_member({"safety.respond": None}) as ctx:
        with pytest.raises(NotPermitted):
            await broadcasts.send_broadcast(ctx, data=BroadcastIn(venue_id=house.venue.id, text="x"))


async def test_a_guest_answers_their_own_check_once(house: House) -> None:
    guest, visit_id = await arrived(house)
    other = await house.add_guest()
    async with house.as_member(ALL) as ctx:
        check = await checks.ask_guest(ctx, data=CheckIn(visit_id=visit_id))
    async with house.as_member(ALL) as ctx:
        with pytest.raises(CheckOpen):
            await checks.ask_guest(ctx, data=CheckIn(visit_id=visit_id))
    async with as_patron(house, other) as ctx:
        assert await checks.own_checks(ctx) == []
        with pytest.raises(NotFound):
            await checks.answer_check(ctx, check_id=check.id, data=AnswerIn(answer="fine"))
    async with as_patron(house, guest) as ctx:
        assert [each.id for each in await checks.own_checks(ctx)] == [check.id]
        done = await checks.answer_check(ctx, check_id=check.id, data=AnswerIn(answer="help", note="By the toilets"))
        with pytest.raises(CheckOver):
            await checks.answer_check(ctx, check_id=check.id, data=AnswerIn(answer="fine"))
    assert done.answer == "help"
    async with house.system() as ctx:
        await checks.follow_answer(ctx, check_id=check.id, answer="help")
    [alert] = await house.sql("select kind, severity from safety_alerts where tenant_id = $1", house.tenant_id)
    assert (alert["kind"], alert["severity"]) == ("check", "critical")


async def test_silence_is_an_answer_and_help_is_heard_late(house: House) -> None:
    guest, visit_id = await arrived(house)
    async with house.as_member(ALL) as ctx:
        check = await checks.ask_guest(ctx, data=CheckIn(visit_id=visit_id))
    await house.sql("update safety_checks set expires_at = now() where id = $1", check.id)
    async with house.system() as ctx:
        assert await run_watch(ctx) == 1
    async with as_patron(house, guest) as ctx:
        with pytest.raises(CheckOver):
            await checks.answer_check(ctx, check_id=check.id, data=AnswerIn(answer="fine"))
        assert (await checks.answer_check(ctx, check_id=check.id, data=AnswerIn(answer="help"))).answer == "help"
    assert await told(house, "safety_check.answered") == 2
    await house.sql(
        "update visits set status = 'closed', closed_at = now(), closed_by = 'staff' where id = $1", visit_id
    )
    async with house.as_member(ALL) as ctx:
        with pytest.raises(NotInside):
            await checks.ask_guest(ctx, data=CheckIn(visit_id=visit_id))


def as_patron(house: House, guest: Guest) -> Any:
    actor = Actor(
        kind="patron",
        user_id=guest.user_id,
        tenant_id=house.tenant_id,
        patron_id=guest.patron_id,
        name=guest.name,
        grants=Grants({"safety.checks": None}),
    )
    return unit_of_work(house.services, WorkScope(actor=actor, tenant_id=house.tenant_id))
