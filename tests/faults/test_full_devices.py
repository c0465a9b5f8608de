"""Q2: what a device keeps while it has no room, while its clock is set, while a guest dismisses what is tried: neither lost nor silent."""

import json
import subprocess
from collections import Counter
from typing import Any

import pytest

from tests.support.fault_runs import FaultRun, must_fail
from tests.support.postgres import REPOSITORY


def played(app: str, run: FaultRun, *, dies: bool) -> list[str]:
    """A night of an app on a device that is full half of the time; what was lost, doubled or not said."""
    plan = {"app": app, "seed": run.seed, "actions": run.size(quick=150, long=5_000), "dies": dies}
    told: dict[str, Any] = _in_node("full_device.mjs", plan)
    broken = [f"full: {full}, said to be unwritten: {said}" for full, said in told["warned"] if full != said]
    if told["left"]:
        broken.append(f"{told['left']} are in memory still")
    broken += _door(told) if app == "door" else _guest(told)
    run.report(actions=len(told["done"]), unwritten=sum(full for full, _ in told["warned"]), broken=len(broken))
    return broken


def come_back(run: FaultRun, *, apart: bool) -> list[str]:
    """Commands that their guest dismissed while they were tried, and that came back; `apart` reads and writes in two steps."""
    plan = {"seed": run.seed, "rounds": run.size(quick=400, long=20_000), "apart": apart}
    back: list[str] = _in_node("dismissed.mjs", plan)
    run.report(dismissed=plan["rounds"], broken=len(back))
    return back


def _in_node(script: str, plan: dict[str, Any]) -> Any:
    ended = subprocess.run(
        ["node", f"tests/support/{script}"],
        cwd=REPOSITORY,
        input=json.dumps(plan) + "\n",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def _door(told: dict[str, Any]) -> list[str]:
    lines: list[tuple[int, str, str]] = [tuple(line) for line in told["kept"]]
    broken = [f"{code} is {decided}" for _, code, decided in lines if decided != "admitted"]
    if [sequence for sequence, _, _ in lines] != [*range(1, len(lines) + 1)]:
        broken.append("its numbers have gaps")
    done: list[str] = told["done"]
    lost = Counter(done) - Counter(code for _, code, _ in lines)
    doubled = Counter(code for _, code, _ in lines) - Counter(done)
    return broken + [f"lost: {code}" for code in lost] + [f"twice: {code}" for code in doubled]


def _guest(told: dict[str, Any]) -> list[str]:
    lost = {*told["done"]} - {*told["sent"]}
    unknown = {*told["sent"]} - {*told["done"]}
    return [f"lost: {one}" for one in lost] + [f"unknown: {one}" for one in unknown] + told["kept"]


@pytest.mark.fault("Q2")
@pytest.mark.parametrize("app", ["door", "guest"])
def test_what_a_full_device_cannot_write_is_neither_lost_nor_silent(app: str, run: FaultRun) -> None:
    assert played(app, run, dies=False) == []


@pytest.mark.fault("Q2")
def test_a_revoked_door_keeps_its_log_until_the_server_has_taken_what_it_can() -> None:
    *refused, last = _in_node("revoked_door.mjs", {})
    assert [(one["heard"], one["kept"], one["taken"]) for one in refused] == [
        ("busy", 3, []),
        ("too-many-requests", 3, []),
        ("tenant-suspended", 3, []),
    ]
    assert last == {"heard": "gone", "kept": 0, "unsent": 1, "taken": ["code 0", "code 2"]}


@pytest.mark.control("Q2")
@pytest.mark.parametrize("app", ["door", "guest"])
def test_a_page_that_is_closed_while_it_alone_knows_loses_it_and_that_is_seen(app: str, run: FaultRun) -> None:
    must_fail(played(app, run, dies=True))


@pytest.mark.fault("Q2")
def test_what_is_dismissed_while_it_is_tried_stays_dismissed(run: FaultRun) -> None:
    assert come_back(run, apart=False) == []


@pytest.mark.control("Q2")
def test_a_change_in_two_steps_brings_it_back_and_that_is_seen(run: FaultRun) -> None:
    must_fail(come_back(run, apart=True))


def lose_their_way(run: FaultRun, *, blind: bool) -> list[str]:
    """What a scanner forgets too soon, and for how long a phone is silent, when their clocks are hours off or set."""
    wrong: list[str] = _in_node("set_clock.mjs", {"blind": blind})
    run.report(clocks=8, broken=len(wrong))
    return wrong


@pytest.mark.fault("Q2")
def test_a_clock_that_is_set_neither_empties_a_log_nor_silences_a_phone(run: FaultRun) -> None:
    assert lose_their_way(run, blind=False) == []


@pytest.mark.control("Q2")
def test_a_scanner_that_goes_by_its_own_clock_forgets_too_soon(run: FaultRun) -> None:
    must_fail(lose_their_way(run, blind=True))
