"""Drills: every step leaves what it found, a step that fails ends the drill, a rehearsal leaves nothing."""

import argparse
import json
from dataclasses import replace

import pytest

from lastlight import drill as command
from lastlight.kernel.errors import Conflict
from lastlight.kernel.ids import PLATFORM
from lastlight.modules import MODULES
from lastlight.runtime.drills import Drill, Drilling, drill
from lastlight.runtime.drills.run import run_drill
from lastlight.runtime.module import Module, Registry, RegistryError
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.claims import claimed_folder
from tests.support.programs import unused_port
from tests.support.services import administer, make_tenant, opened_services

pytestmark = pytest.mark.database


@drill("lamp-out", runbook="dead-jobs.md")
async def lamp_out(drilling: Drilling) -> None:
    """Rename the business in a rehearsal, and look that it is not kept."""
    async with drilling.rehearsal() as ctx:
        with drilling.step("The lamp goes out"):
            await ctx.db.execute("update tenants set name = 'Dark' where id = $1", ctx.tenant_id)
            drilling.note("It is dark.")
    with drilling.step("The lamp is on again"):
        async with drilling.rehearsal() as ctx:
            name = await ctx.db.fetchval("select name from tenants where id = $1", ctx.tenant_id)
        drilling.prove(name == "lamp", f"it is {name}")


@drill("stuck", runbook="dead-jobs.md")
async def stuck(drilling: Drilling) -> None:
    """Prove what does not hold."""
    with drilling.step("Try the door"):
        drilling.note("Pulled it.")
        drilling.prove(False, "It does not open.")
    with drilling.step("Never comes"):
        raise AssertionError


@drill("refused", runbook="dead-jobs.md")
async def refused(drilling: Drilling) -> None:
    """Be refused."""
    with drilling.step("Ask"):
        raise Conflict("No.")


async def evidence(settings: Settings) -> list[tuple[str, bool, str, list[tuple[str, bool, str]]]]:
    rows = await administer(
        settings, "select drill, passed, run_by, steps from drill_runs where tenant_id = $1 order by ran_at", PLATFORM
    )
    return [
        (
            row["drill"],
            row["passed"],
            row["run_by"],
            [(step["title"], step["passed"], step["found"]) for step in json.loads(row["steps"])],
        )
        for row in rows
    ]


async def test_each_run_leaves_its_evidence(fresh_database: Settings) -> None:
    tenant_id = await make_tenant(fresh_database, "lamp")
    async with opened_services(fresh_database, MODULES) as services:
        for each in (lamp_out, stuck, refused):
            await run_drill(services, drill=each, tenant_id=tenant_id, run_by="ada")
    assert await evidence(fresh_database) == [
        (
            "lamp-out",
            True,
            "ada",
            [("The lamp goes out", True, "It is dark."), ("The lamp is on again", True, "")],
        ),
        ("stuck", False, "ada", [("Try the door", False, "Pulled it. It does not open.")]),
        ("refused", False, "ada", [("Ask", False, "No.")]),
    ]
    told = await administer(
        fresh_database, "select name, data->>'passed' as passed from outbox where tenant_id = $1", PLATFORM
    )
    assert sorted((row["name"], row["passed"]) for row in told) == [
        ("drill.ran", "false"),
        ("drill.ran", "false"),
        ("drill.ran", "true"),
    ]


async def test_a_drill_without_a_step_has_proved_nothing(fresh_database: Settings) -> None:
    async def idle(_: Drilling) -> None:
        """Do nothing."""

    tenant_id = await make_tenant(fresh_database, "idle")
    async with opened_services(fresh_database, MODULES) as services:
        nothing = Drill(name="idle", fn=idle, runbook="dead-jobs.md")
        report = await run_drill(services, drill=nothing, tenant_id=tenant_id, run_by="ada")
    assert (report.passed, report.steps) == (False, [])


async def test_the_command_says_what_is_wrong(fresh_database: Settings) -> None:
    def asked(name: str, business: str = "") -> argparse.Namespace:
        return argparse.Namespace(name=name, business=business, by="ada")

    with pytest.raises(StartError, match=r"There is no drill called dance\."):
        await command.run(fresh_database, asked("dance"))


async def test_the_command_asks_the_platform_that_runs(
    fresh_database: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_tenant(fresh_database, "lamp")
    address = f"http://127.0.0.1:{unused_port()}"
    with claimed_folder(replace(fresh_database, base_url=address)):
        status = await command.run(fresh_database, argparse.Namespace(name="realtime-down", business="lamp", by="ada"))
    assert status == 1
    assert f"{address} does not answer" in capsys.readouterr().out


def test_a_drill_of_one_name_twice_stops_the_start() -> None:
    twin = Drill(name="stuck", fn=stuck.fn, runbook="dead-jobs.md")
    with pytest.raises(RegistryError, match="drill stuck is declared twice"):
        Registry([Module(name="a", drills=[stuck]), Module(name="b", drills=[twin])])
