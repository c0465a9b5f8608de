"""What happens for safety gives the floor its tasks: one for each thing, told louder when it grows worse, ended when it is over."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains.safety import alerts, interventions, sos
from lastlight.domains.safety.model import Alert
from lastlight.domains.safety.module import MODULE as SAFETY
from lastlight.domains.safety.schemas import AlertIn, InterventionIn
from lastlight.domains.safety.to_do import settle_safety_task, task_of_alert, task_of_intervention, task_of_sos
from lastlight.domains.tasks import TASKS_READ, TASKS_WORK, actions
from lastlight.domains.tasks.module import MODULE as TASKS
from lastlight.runtime.settings import Settings
from tests.support.door import MODULES, House
from tests.support.safety_staff import ALL, pressed
from tests.support.services import opened_services
from tests.support.workers import add_worker


@pytest.fixture(scope="module")
async def running(database_settings: Settings) -> AsyncGenerator[Any]:
    async with opened_services(database_settings, (*MODULES, TASKS, SAFETY)) as services:
        yield services


async def reacted(house: House, job: Any, **data: Any) -> str:
    """What a reaction does with an event of this data."""
    async with house.system() as ctx:
        return await job.fn(ctx, event_id=str(uuid4()), seq=1, data={name: str(value) for name, value in data.items()})


async def raised(house: House, **fields: Any) -> Alert:
    async with house.as_member(ALL) as ctx:
        data = AlertIn(venue_id=house.venue.id, summary="Loud at the bar", **fields)
        return await alerts.report_behaviour(ctx, data=data)


async def tasks_of(house: House, thing: UUID) -> list[tuple[str, str, UUID | None]]:
    rows = await house.sql(
        "select status, priority, assignee_id from tasks where source_id = $1 order by created_at, id", thing
    )
    return [(row["status"], row["priority"], row["assignee_id"]) for row in rows]


def test_every_event_has_its_reaction() -> None:
    answered = {(one.event.event_name, one.job.name) for one in SAFETY.reactions}
    assert {
        ("safety.alert_raised", "safety.task_of_alert"),
        ("safety.alert_escalated", "safety.task_of_alert"),
        ("safety.alert_cleared", "safety.settle_task"),
        ("safety.intervention_assigned", "safety.task_of_intervention"),
        ("safety.intervention_resolved", "safety.settle_task"),
        ("sos.raised", "safety.task_of_sos"),
        ("sos.resolved", "safety.settle_task"),
    } <= answered


async def test_an_alert_makes_one_task_that_its_escalation_makes_urgent(house: House) -> None:
    alert = await raised(house, severity="high")
    assert await reacted(house, task_of_alert, alert_id=alert.id) == "made"
    assert await reacted(house, task_of_alert, alert_id=alert.id) == "made before"
    assert await tasks_of(house, alert.id) == [("open", "high", None)]
    assert await reacted(house, task_of_alert, alert_id=alert.id, escalation=1) == "hastened"
    assert await tasks_of(house, alert.id) == [("open", "urgent", None)]
    async with house.as_member(ALL) as ctx:
        await alerts.clear_alert(ctx, alert_id=alert.id, reason="Calm again")
    assert await reacted(house, settle_safety_task, alert_id=alert.id) == "settled"
    assert await tasks_of(house, alert.id) == [("cancelled", "urgent", None)]
    assert await reacted(house, task_of_alert, alert_id=alert.id, escalation=2) == "over"


async def test_a_task_that_somebody_works_on_stays_theirs(house: House) -> None:
    alert, who = await raised(house), await add_worker(house, TASKS_READ, TASKS_WORK)
    await reacted(house, task_of_alert, alert_id=alert.id)
    task = (await house.sql("select id from tasks where source_id = $1", alert.id))[0]["id"]
    async with who.act() as ctx:
        await actions.start_task(ctx, task_id=task)
    async with house.as_member(ALL) as ctx:
        await alerts.clear_alert(ctx, alert_id=alert.id, reason="Calm again")
    assert await reacted(house, settle_safety_task, alert_id=alert.id) == "nothing to settle"
    assert await tasks_of(house, alert.id) == [("started", "normal", who.user_id)]


async def test_an_intervention_is_the_task_of_whom_it_is_assigned_to(house: House) -> None:
    one, other = await add_worker(house, TASKS_WORK), await add_worker(house, TASKS_WORK)
    async with house.as_member(ALL) as ctx:
        made = await interventions.record_intervention(ctx, data=InterventionIn(venue_id=house.venue.id, kind="water"))
    for who in (one, other):
        async with house.as_member(ALL) as ctx:
            await interventions.assign_intervention(ctx, intervention_id=made.id, user_id=who.user_id)
        found = await reacted(house, task_of_intervention, intervention_id=made.id, assigned_to=who.user_id)
        assert found == "made"
    assert await tasks_of(house, made.id) == [("cancelled", "high", one.user_id), ("open", "high", other.user_id)]
    late = await reacted(house, task_of_intervention, intervention_id=made.id, assigned_to=one.user_id)
    assert late == "over", "what was told late makes no task for whom it is not assigned to any more"


async def test_a_call_for_help_is_an_urgent_task_until_it_is_over(house: House) -> None:
    call = await pressed(house)
    assert await reacted(house, task_of_sos, sos_id=call.id) == "made"
    assert await reacted(house, task_of_sos, sos_id=call.id) == "over or made before"
    rows = await house.sql("select title, priority, status from tasks where source_id = $1", call.id)
    assert [tuple(row) for row in rows] == [("Help a colleague who pressed SOS: Bar 2", "urgent", "open")]
    async with house.as_member(ALL) as ctx:
        await sos.resolve_sos(ctx, sos_id=call.id, reason="All well")
    assert await reacted(house, settle_safety_task, sos_id=call.id) == "settled"
