"""Hundreds of clients without a network: what they do meanwhile reaches the server whole, once, whatever is cut, killed or repeated."""

from collections.abc import Generator

import pytest

from tests.support.fault_runs import FaultRun, must_fail
from tests.support.live_server import LiveServer, running_platform
from tests.support.offline_night import Verdict, judge, play
from tests.support.offline_plan import FAULTS, Scale, draw_plan
from tests.support.postgres import PostgresServer, database

pytestmark = pytest.mark.database

QUICK, LONG = Scale(doors=4, guests=2, staff=1, ops=40), Scale(doors=160, guests=30, staff=10, ops=500)
SECONDS = 2_400.0


@pytest.fixture(scope="module")
def server(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    """The running platform, of this module alone."""
    with (
        database(postgres_server, name="offline") as dsn,
        running_platform(dsn, tmp_path_factory.mktemp("live")) as running,
    ):
        yield running


def night(
    server: LiveServer, run: FaultRun, scale: Scale, *, restarts: int = 0, faults: dict[str, float] = FAULTS
) -> Verdict:
    """Draw a night, play it, and compare."""
    rng = run.rng
    plan = draw_plan(server, rng, scale)
    played = play(server, plan, rng, restarts=restarts, seconds=SECONDS, faults=faults)
    verdict = judge(server, plan, played)
    operations = sum(len(client["ops"]) for client in plan.clients)
    run.report(clients=len(plan.clients), operations=operations, restarts=played.restarts)
    run.report(**verdict.figures, **played.network)
    return verdict


@pytest.mark.fault("Q2")
def test_clients_without_a_network_all_converge(server: LiveServer, run: FaultRun) -> None:
    verdict = night(server, run, LONG if run.long else QUICK, restarts=run.size(quick=1, long=12))
    assert verdict.broken == []


FORGETTING = "create trigger forget before insert on {} for each row execute function forget()"
FORGETFUL = {
    "idempotency_keys": ("return null;", Scale(doors=0, guests=3, staff=0, ops=80)),
    "door_scans": (
        "new.sequence := 1000000000 + floor(random() * 1000000000); return new;",
        Scale(doors=2, guests=0, staff=0, ops=30),
    ),
}
"""What is not kept any more (answers by their key; the numbers of a device's lines), and whom that must betray."""


@pytest.mark.control("Q2")
@pytest.mark.parametrize("what", FORGETFUL)
def test_a_server_that_forgets_what_it_took_is_found(server: LiveServer, run: FaultRun, what: str) -> None:
    body, scale = FORGETFUL[what]
    server.sql(f"create function forget() returns trigger language plpgsql as $$ begin {body} end $$")
    server.sql(FORGETTING.format(what))
    try:
        verdict = night(server, run, scale, faults={"answer_lost": 0.4})
    finally:
        server.sql("drop function forget() cascade")
    must_fail(verdict.broken)
