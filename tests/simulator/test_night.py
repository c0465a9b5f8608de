"""The demonstration from end to end: one command, a night that plays by itself, and nights played on request."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from lastlight.runtime.settings import Settings
from lastlight.simulator.cli import make_floor, make_night
from lastlight.simulator.client import Api
from lastlight.simulator.floor import Floor
from tests.support.postgres import PostgresServer, database, run_apart, settings_for
from tests.support.programs import unused_port

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

ROLES = {"owner", "manager", "staff", "vendor_admin", "patron", "super_admin", "ops", "moderator", "finance"}


@dataclass(frozen=True, slots=True)
class Demo:
    """A running platform and what it told."""

    settings: Settings
    env: dict[str, str]
    told: Any

    def sign_in(self, role: str, tenant: str = "kojo-arcade") -> dict[str, str]:
        """The headers of the person with a role."""
        one = next(each for each in self.told["sign_ins"] if (each["role"], each["tenant"]) == (role, tenant))
        body = {name: one[name] for name in ("email", "password")} | (
            {} if tenant == "platform" else {"tenant": tenant}
        )
        answer = httpx.post(f"{self.told['base_url']}/api/auth/login", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def get(self, path: str, who: dict[str, str]) -> Any:
        """What somebody reads."""
        answer = httpx.get(self.told["base_url"] + path, headers=who, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command on the same platform."""
        command = [sys.executable, "-m", "lastlight", *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=120, check=False)

    def sql(self, statement: str, *args: Any) -> list[Any]:
        """Look at the database, past every policy."""

        async def ask() -> list[Any]:
            connection = await asyncpg.connect(self.settings.admin_dsn())
            try:
                return await connection.fetch(statement, *args)
            finally:
                await connection.close()

        return run_apart(ask())


@pytest.fixture(scope="module")
def demo(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Generator[Demo]:
    """`lastlight serve --demo` on a database of its own."""
    var = tmp_path_factory.mktemp("var")
    port = unused_port()
    with database(postgres_server, name="night") as dsn:
        settings = settings_for(dsn, var)
        env = os.environ | {
            "LASTLIGHT_DATABASE_URL": dsn,
            "LASTLIGHT_SECRET_KEY": settings.secret_key,
            "LASTLIGHT_VAR_DIR": str(var),
            "LASTLIGHT_PORT": str(port),
        }
        with (var / "serve.log").open("wb") as log:
            command = [sys.executable, "-m", "lastlight", "serve", "--demo"]
            server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            _until(lambda: _ready(server, var, port), seconds=200)
            yield Demo(settings, env, json.loads((var / "demo.json").read_text()))
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=60) == 0


def test_the_file_names_somebody_for_every_role_and_two_businesses(demo: Demo) -> None:
    by_tenant: dict[str, set[str]] = {}
    for each in demo.told["sign_ins"]:
        by_tenant.setdefault(each["tenant"], set()).add(each["role"])
    assert set().union(*by_tenant.values()) >= ROLES
    assert by_tenant["the-low-light"] >= {"owner", "manager", "patron"}
    assert demo.told["database_url"].startswith("postgresql://lastlight_looker")
    assert (Path(demo.env["LASTLIGHT_VAR_DIR"]) / "demo.json").stat().st_mode & 0o077 == 0
    for each in demo.told["sign_ins"]:
        who = demo.sign_in(each["role"], each["tenant"])
        assert demo.get("/api/me", who)["email"] == each["email"]


def test_the_planner_knows_the_past_from_the_start(demo: Demo) -> None:
    [row] = demo.sql(
        "select reltuples::bigint as known, (select count(*) from visits) as real from pg_class where relname = 'visits'"
    )
    assert row["known"] > row["real"] / 2


def test_everybodys_venue_is_open_at_any_hour(demo: Demo) -> None:
    for tenant in ("kojo-arcade", "the-low-light"):
        who = demo.sign_in("manager", tenant)
        [slug] = {each["venue"] for each in demo.told["sign_ins"] if each["tenant"] == tenant}
        [venue] = [each for each in demo.get("/api/venues", who)["items"] if each["slug"] == slug]
        assert demo.get(f"/api/venues/{venue['id']}", who)["opening_hours"] is None


def test_a_slow_night_goes_on_by_itself_and_reaches_the_live_stream(demo: Demo) -> None:
    who = demo.sign_in("manager")
    before = demo.get("/api/events?after=0", who)["next"]

    def arrived() -> bool:
        names = [event["name"] for event in demo.get(f"/api/events?after={before}", who)["events"]]
        return "checkin.verified" in names and "visit.opened" in names

    _until(arrived, seconds=200)
    assert demo.sql("select count(*) from events where name = 'checkin.verified'")[0][0] < 1000, "history told nobody"


def test_a_night_on_request_says_what_happened_and_the_database_agrees(demo: Demo) -> None:
    counted = "select count(*) from checkins c join patrons p on p.tenant_id = c.tenant_id and p.id = c.patron_id"
    guests = f"{counted} join users u on u.id = p.user_id where u.email like '%.31._@guests.example'"
    assert demo.sql(guests)[0][0] == 0
    played = demo.run("simulate", "--guests", "10", "--hours", "0.5", "--speed", "600", "--seed", "31")
    assert played.returncode == 0, played.stderr + played.stdout
    found = re.match(r"seed 31: (\d+) arrived, (\d+) checked out, .* 0 wrong\nfloor: .*heartbeats \d+", played.stdout)
    assert found is not None, played.stdout
    arrived, left = int(found[1]), int(found[2])
    assert 5 <= arrived <= 10, played.stdout
    assert demo.sql(guests)[0][0] == arrived
    inside = guests.replace("from checkins", "from visits") + " and c.status = 'open'"
    assert demo.sql(inside)[0][0] == arrived - left
    assert "came" in played.stderr, "progress is shown"


def test_who_has_no_credits_for_the_entrance_pays_at_the_desk(demo: Demo) -> None:
    arguments = ("--guests", "6", "--hours", "0.2", "--speed", "600", "--seed", "33", "--tenant", "the-low-light")
    _ask_at_the_doors(demo, "the-low-light", amount=1_500)
    try:
        played = demo.run("simulate", *arguments)
    finally:
        _ask_at_the_doors(demo, "the-low-light", amount=None)
    assert played.returncode == 0, played.stderr + played.stdout
    assert "entry-unpaid" not in played.stdout
    [arrived] = re.findall(r"seed 33: (\d+) arrived", played.stdout)
    paid = """select count(distinct e.patron_id) from credit_entries e join patrons p on p.tenant_id = e.tenant_id and p.id = e.patron_id
              join users u on u.id = p.user_id where u.email like '%.33._@guests.example' and e.kind = 'spent'"""
    assert demo.sql(paid)[0][0] == int(arrived) > 0


def _ask_at_the_doors(demo: Demo, tenant: str, *, amount: int | None) -> None:
    """What the entrance costs from now on, at every venue of a business."""
    who = demo.sign_in("manager", tenant)
    for venue in demo.get("/api/venues", who)["items"]:
        price = f"{demo.told['base_url']}/api/venues/{venue['id']}/entry-price"
        answer = httpx.put(price, headers=who, json={"amount": amount}, timeout=30)
        assert answer.status_code == 200, answer.text


def test_each_act_of_the_floor_leaves_its_mark(demo: Demo) -> None:
    marks = {
        "beats": "select count(*) from device_states where last_seen_at is not null",
        "door": "select count(*) from door_scans",
        "task": "select count(*) from tasks where status <> 'open'",
        "alert": "select count(*) from safety_alerts where kind = 'behaviour'",
        "sos": "select count(*) from sos_calls where status = 'resolved'",
        "broadcast": "select count(*) from broadcasts",
        "break": "select count(*) from time_breaks where ended_at is not null",
        "crew": "select count(*) from audit_entries",
    }
    marks |= {"lending": "select count(*) from bookings where booked_by = 'staff' and guest_name = 'Walk-in'"}
    tenant = " and tenant_id = (select id from tenants where slug = 'the-low-light')"
    marks = {
        name: sql + (tenant if " where " in sql else tenant.replace(" and", " where", 1)) for name, sql in marks.items()
    }
    before = {name: demo.sql(sql)[0][0] for name, sql in marks.items()}
    assert run_apart(_play_each(demo)) == set(marks)
    after = {name: demo.sql(sql)[0][0] for name, sql in marks.items()}
    assert {name for name in marks if name != "crew" and after[name] <= before[name]} == set()


async def _play_each(demo: Demo) -> set[str]:
    arguments = argparse.Namespace(tenant="the-low-light", seed=3, slow=True, speed=1.0)
    async with httpx.AsyncClient(base_url=demo.told["base_url"], timeout=30) as http:
        floor = make_floor(
            await make_night(Api(http), demo.told, arguments), demo.told, scanner_name="Scanner of a test"
        )
        await floor.open()
        for name, (act, _) in floor.acts().items():
            if name != "lending":
                await act(floor.night.places[0])
        while not floor.played["alerts raised"]:  # what stood there before is seen to first
            await floor.acts()["alert"][0](floor.night.places[0])
        await _lend(floor)
        floor.silent[floor.night.places[0].id] = 1
        await floor.acts()["door"][0](floor.night.places[0])
        await floor.close()
        aside = "select maintenance from devices where name = 'Scanner of a test' and status = 'active'"
        assert {row["maintenance"] for row in demo.sql(aside)} == {True}, "put away, and not missed"
        assert floor.played["scans without a network"] == 1
        assert sum(count for name, count in floor.played.items() if name.startswith("late scans")) == 1
        assert (floor.played["looks of the crew"], floor.played["clocked out"]) == (1, 1)
        return set(floor.acts())


async def _lend(floor: Floor) -> None:
    lending, place = floor.lending, floor.night.places[0]
    for act in (lending.book_ahead, lending.seat, lending.clear, lending.think_again):
        await act(place)
    await lending.break_and_mend(place)
    await lending.break_and_mend(place)
    done = (
        "bookings of guests",
        "guests seated",
        "places cleared",
        "bookings cancelled",
        "games broken",
        "games mended",
    )
    assert {name: floor.played[name] for name in done} == dict.fromkeys(done, 1)


def test_after_a_night_every_audit_chain_is_whole(demo: Demo) -> None:
    counted = "select count(*) from audit_entries where name = 'checkin.verified'"
    _until(lambda: demo.sql(counted)[0]["count"] > 0, seconds=90)
    checked = demo.run("verify", "audit")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_business_and_quiet_are_options(demo: Demo) -> None:
    arguments = ("--guests", "3", "--hours", "0.1", "--speed", "600", "--tenant", "the-low-light", "--quiet")
    played = demo.run("simulate", *arguments)
    assert (played.returncode, played.stderr) == (0, ""), played.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--guests", "0"), "above zero"),
        (("--speed", "0"), "above zero"),
        (("--tenant", "nobody"), "names no manager"),
    ],
)
def test_what_cannot_be_played_is_one_sentence(demo: Demo, arguments: tuple[str, ...], said: str) -> None:
    played = demo.run("simulate", *arguments)
    assert played.returncode != 0
    assert played.stderr.startswith("lastlight: ")
    assert said in played.stderr
    assert "Traceback" not in played.stderr


def test_seeding_again_changes_nothing(demo: Demo) -> None:
    figures = """select (select count(*) from venues), (select count(*) from venue_keys), (select count(*) from memberships),
                        (select count(*) from visits v join tenants t on t.id = v.tenant_id where v.opened_at < t.approved_at)"""
    before = [tuple(row) for row in demo.sql(figures)]
    told = (Path(demo.env["LASTLIGHT_VAR_DIR"]) / "demo.json").read_bytes()
    assert demo.run("seed").returncode == 0
    assert [tuple(row) for row in demo.sql(figures)] == before
    assert (Path(demo.env["LASTLIGHT_VAR_DIR"]) / "demo.json").read_bytes() == told


def _until(happened: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.3)


def _ready(server: subprocess.Popen[bytes], var: Path, port: int) -> bool:
    assert server.poll() is None, (var / "serve.log").read_text()[-3000:]
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready", timeout=30).status_code == 200
    except httpx.TransportError:
        return False
