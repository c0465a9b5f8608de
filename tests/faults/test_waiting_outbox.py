"""Q2: what a guest's phone has written down waits while they lose what they may do. None of it is lost without a word, or has an effect."""

import json
import subprocess
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from lastlight.kernel.ids import VenueId
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.live_server import LiveServer, Person, running_platform
from tests.support.offline_plan import session_of
from tests.support.postgres import REPOSITORY, PostgresServer, database

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def server(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    """The running platform, of this module alone."""
    with (
        database(postgres_server, name="waiting") as dsn,
        running_platform(dsn, tmp_path_factory.mktemp("live"), worker=False) as running,
    ):
        yield running


def end_session(server: LiveServer, person: Person, _venue: VenueId) -> None:
    with closing(server.client(person)) as elsewhere:
        assert elsewhere.post("/api/auth/logout-all").status_code == 204


def ban(server: LiveServer, person: Person, _venue: VenueId) -> None:
    server.sql(
        "update patrons set status = 'banned' where user_id = (select id from users where email = $1)", person.email
    )


def close_venue(server: LiveServer, _person: Person, venue: VenueId) -> None:
    server.sql("update venues set status = 'paused', status_reason = 'No power' where id = $1", venue)


@dataclass(frozen=True, slots=True)
class Loss:
    """What happens meanwhile, why the outbox stops, and with which problem its command then stands."""

    happens: Callable[[LiveServer, Person, VenueId], None]
    stop: str
    state: str
    problem: str


LOSSES = {
    "the session is ended": Loss(end_session, "signed-out", "queued", ""),
    "the guest is banned": Loss(ban, "nothing", "rejected", "patron-barred"),
    "the venue is closed": Loss(close_venue, "nothing", "rejected", "venue-paused"),
}


def waited(server: LiveServer, loss: Loss, *, forgets: bool = False) -> list[str]:
    """One phone with a check-in that waits, and what is wrong about it afterwards."""
    person, venue = server.new_guest(), server.new_venue("Waiting")
    signed = session_of(server, person)
    patron: UUID = signed.pop("patron_id")
    about = signed | {"base": server.base_url, "codes": [server.code(venue)], "forgets": forgets}
    command = ["node", str(REPOSITORY / "tests/support/waiting_guest.mjs")]
    wrong: list[str] = []
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            say(process, about)
            loss.happens(server, person, venue)
            told = say(process, {"credentials": signed["credentials"]})
            [(state, problem, detail)] = told["commands"] or [("gone", "", "")]
            if (told["stop"], state, problem) != (loss.stop, loss.state, loss.problem):
                wrong.append(f"it stops with {told['stop']!r} and stands as {state} {problem!r}")
            if state == "rejected" and not detail:
                wrong.append("it does not say why")
            if arrivals(server, patron):
                wrong.append("it had an effect")
            if loss.state == "queued":
                again = say(process, {"credentials": session_of(server, person)["credentials"]})
                if (again["sent"], again["commands"], arrivals(server, patron)) != (1, [], 1):
                    wrong.append(f"after signing in again: {again}, {arrivals(server, patron)} check-ins")
        finally:
            process.kill()
    return wrong


def say(process: "subprocess.Popen[str]", what: dict[str, Any]) -> dict[str, Any]:
    """Tell the phone something; what it answers."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(json.dumps(what), file=process.stdin, flush=True)
    return json.loads(process.stdout.readline())


def arrivals(server: LiveServer, patron: UUID) -> int:
    """How often a guest was checked in."""
    return len(server.sql("select 1 from checkins where patron_id = $1", patron))


@pytest.mark.fault("Q2")
@pytest.mark.parametrize("what", LOSSES)
def test_what_waits_is_kept_or_told_with_its_reason(server: LiveServer, run: FaultRun, what: str) -> None:
    assert waited(server, LOSSES[what]) == []
    run.report(phones=1)


@pytest.mark.control("Q2")
def test_an_outbox_that_forgets_is_found(server: LiveServer, run: FaultRun) -> None:
    broken = [one for loss in LOSSES.values() for one in waited(server, loss, forgets=True)]
    run.report(broken=len(broken))
    must_fail(broken)
