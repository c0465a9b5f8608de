"""The drills of devices and of fraud: they pass, leave evidence and nothing else, and fail when what they prove is broken."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest

from lastlight.domains.checkins import drills as fraud_drills
from lastlight.domains.checkins.drills import fraudulent_check_ins
from lastlight.domains.devices import drills as fleet_drills
from lastlight.domains.devices.drills import scanner_fleet_offline
from lastlight.modules import MODULES
from lastlight.runtime.db.migrate import migrations_folder
from lastlight.runtime.drills import Drill
from lastlight.runtime.drills.run import DrillReport, run_drill
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings
from tests.support.door import House, opened_house

DRILLS = [scanner_fleet_offline, fraudulent_check_ins]
TRACES = ("devices", "device_alerts", "checkins", "door_scans", "checkin_flags", "checkin_flag_steps", "outgoing_mail")


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        await opened.add_guest()
        await opened.sql(
            """with person as (insert into users (email, name) values ($2, 'Naledi Books') returning id),
                    role as (insert into roles (tenant_id, key, name, permissions)
                             values ($1, 'books', 'Books', array['fraud.hear']) returning id)
               insert into memberships (tenant_id, user_id, role_id) select $1, person.id, role.id from person, role""",
            opened.tenant_id,
            f"{uuid4().hex}@example.test",
        )
        yield opened


async def play(house: House, drill: Drill) -> DrillReport:
    return await run_drill(house.services, drill=drill, tenant_id=house.tenant_id, run_by="ada")


async def traces(house: House) -> dict[str, int]:
    counts = {table: await house.count(table) for table in TRACES}
    keys = await house.sql("select count(*) as n from venue_keys where tenant_id = $1", house.tenant_id)
    barred = await house.sql("select count(*) as n from patrons where status <> 'active'")
    return counts | {"keys": keys[0]["n"], "barred": barred[0]["n"]}


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
async def test_it_passes_and_leaves_its_evidence_and_nothing_else(house: House, drill: Drill) -> None:
    before = await traces(house)
    report = await play(house, drill)
    assert [(step.title, step.found) for step in report.steps if not step.passed] == []
    assert report.passed
    assert len(report.steps) >= 7
    assert await traces(house) == before
    kept = await house.sql("select passed, jsonb_array_length(steps) as steps from drill_runs where id = $1", report.id)
    assert [(row["passed"], row["steps"]) for row in kept] == [(True, len(report.steps))]


async def test_a_watch_that_sleeps_fails_the_drill_of_the_fleet(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def asleep(_: object) -> int:
        return 0

    monkeypatch.setattr(fleet_drills, "watch_fleet", asleep)
    report = await play(house, scanner_fleet_offline)
    assert not report.passed
    assert report.steps[-1].title.startswith("They fall silent")
    assert report.steps[-1].found == "0 of 3 alerts were raised."


async def test_a_search_that_finds_nothing_fails_the_drill_of_fraud(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blind(_: object, *, scan_id: object) -> int:
        return 0

    monkeypatch.setattr(fraud_drills, "judge_doors", blind)
    report = await play(house, fraudulent_check_ins)
    assert not report.passed
    assert "Found nothing" in report.steps[-1].found


def test_every_drill_has_its_runbook_which_names_the_command() -> None:
    runbooks = Path(migrations_folder()).parent / "docs" / "runbooks"
    for drill in Registry(MODULES).drills.values():
        assert f"lastlight drill {drill.name}" in (runbooks / drill.runbook).read_text()
