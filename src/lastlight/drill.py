"""`lastlight drill`: play an emergency and keep the evidence; without a name, list the drills and when each was run last."""

import argparse
import dataclasses
import getpass
import sys

from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.main import create_services
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.drills.declaration import Drill
from lastlight.runtime.drills.run import DrillReport, run_drill
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.claims import running_address

BUSINESS = """
select t.id from tenants t
where t.status = 'active' and t.id <> $1 and ($2 = '' or t.slug = $2)
order by t.created_at, t.id limit 1
"""
LAST = """
select distinct on (drill) drill, passed, ran_at from drill_runs where tenant_id = $1 order by drill, ran_at desc
"""


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run one drill, or list them; the exit code: 0 when it passed, 1 when a step failed."""
    services = await create_services(dataclasses.replace(settings, base_url=running_address(settings)))
    try:
        if not arguments.name:
            await _list(services)
            return 0
        drill = services.registry.drills.get(arguments.name)
        if drill is None:
            known = ", ".join(sorted(services.registry.drills))
            raise StartError(f"There is no drill called {arguments.name}. There are: {known}.")
        tenant_id = await _business(services, arguments.business)
        report = await run_drill(services, drill=drill, tenant_id=tenant_id, run_by=arguments.by or getpass.getuser())
    finally:
        await services.close()
    _print(drill, report)
    return 0 if report.passed else 1


async def _business(services: Services, slug: str) -> TenantId:
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        found = await ctx.db.fetchval(BUSINESS, PLATFORM, slug)
    if found is None:
        raise StartError(
            f"There is no active business called {slug}: give the short name that its page of the crew shows, or leave --business out."
            if slug
            else "There is no active business to play the drill in: register one, or start with --demo."
        )
    return TenantId(found)


async def _list(services: Services) -> None:
    async with system_ctx(services, PLATFORM) as ctx:
        last = {row["drill"]: row for row in await ctx.db.fetch(LAST, PLATFORM)}
    for name, drill in sorted(services.registry.drills.items()):
        row = last.get(name)
        when = "never run" if row is None else f"{'passed' if row['passed'] else 'FAILED'} on {row['ran_at']:%Y-%m-%d}"
        _say(f"{name} ({when}): {drill.description}")


def _print(drill: Drill, report: DrillReport) -> None:
    for number, step in enumerate(report.steps, start=1):
        _say(f"{number}. {'ok    ' if step.passed else 'FAILED'} {step.title} ({step.seconds:.2f} s)")
        if step.found:
            _say(f"          {step.found}")
    _say(f"{drill.name}: {'passed' if report.passed else 'FAILED'} in {report.seconds:.1f} s; evidence {report.id}")
    if not report.passed:
        _say(f"What to do: docs/runbooks/{drill.runbook}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
