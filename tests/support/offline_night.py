"""A night without a network, played: hundreds of clients on their own code against the running platform, and what differs in the end."""

import json
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lastlight.runtime.tether import tethered
from tests.support.live_server import LiveServer
from tests.support.offline_model import Expected, Found, Guest, compare, look, reckon_door, reckon_phone
from tests.support.offline_plan import FAULTS, Holder, Plan
from tests.support.postgres import REPOSITORY

AGE_KEYS = "update patron_keys set created_at = now() - interval '30 days' where tenant_id = $1"
BAN = "update patrons set status = 'banned' where tenant_id = $1 and id = any($2)"
AT_ONCE = 12


@dataclass(slots=True)
class Night:
    """What the clients told in the end, and what the network did to them."""

    began: datetime
    clients: list[dict[str, Any]]
    network: dict[str, int]
    restarts: int = 0


@dataclass(slots=True)
class Verdict:
    """What is wrong, and how much there was."""

    broken: list[str] = field(default_factory=list[str])
    figures: dict[str, int] = field(default_factory=dict[str, int])


def play(
    server: LiveServer,
    plan: Plan,
    rng: random.Random,
    *,
    restarts: int,
    seconds: float,
    faults: dict[str, float] = FAULTS,
) -> Night:
    """Let every client do what is planned, while the web process is killed `restarts` times at moments drawn by chance."""
    began = datetime.now(UTC)
    total = sum(len(client["ops"]) for client in plan.clients)
    kills = sorted(rng.randrange(total // 10, total) for _ in range(restarts))
    about = {"base": server.base_url, "seed": rng.randrange(2**31), "seconds": seconds, "faults": faults}
    with _clients(about | {"at_once": AT_ONCE, "clients": plan.clients}) as process:
        for told in _lines(process):
            if "ready" in told:
                server.sql(AGE_KEYS, plan.tenant_id)
                server.sql(BAN, plan.tenant_id, plan.barred)
                print(file=process.stdin, flush=True)
            elif "progress" in told:
                while kills and told["progress"] >= kills[0]:
                    kills.pop(0)
                    server.web.restart()
            else:
                process.wait(30)
                return Night(began, **told["result"], restarts=restarts - len(kills))
    raise AssertionError(f"the clients ended with {process.returncode} and told nothing")


@contextmanager
def _clients(about: dict[str, Any]) -> Generator[subprocess.Popen[str]]:
    """The process in which the clients live, told what they are to do."""
    command = ["node", str(REPOSITORY / "tests/support/offline_clients.mjs")]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    tether = tethered(signal.SIGKILL)
    with subprocess.Popen(command, cwd=REPOSITORY, preexec_fn=tether, **pipes) as process:  # noqa: PLW1509 - one prctl
        try:
            print(json.dumps(about), file=process.stdin, flush=True)
            yield process
        finally:
            process.kill()


def _lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def judge(server: LiveServer, plan: Plan, night: Night) -> Verdict:
    """Compare what is there with what was done: nothing lost, nothing doubled, every view the same."""
    verdict, expected, found = Verdict(), Expected(), look(server, plan)
    apart = {*plan.cloned, *_asked(plan)}
    occupied: dict[UUID, set[UUID]] = {}
    for number, (client, told) in enumerate(zip(plan.clients, night.clients, strict=True)):
        name = f"{client['kind']} {number}"
        if told["problems"]:
            verdict.broken.append(f"{name}: {Counter(told['problems'])}")
        if client["kind"] == "door":
            guests = _judge_log(name, told, found, apart, verdict)
            for patron, guest in guests.items():
                guest.add_to(expected, patron)
            _judge_asked(name, told, found, plan, verdict, holders=plan.holders[number])
            if told["here"] is None:
                verdict.broken.append(f"{name}: cannot ask how the house stands")
            else:
                occupied.setdefault(told["device_id"], {UUID(patron) for patron in told["here"]})
        elif client["kind"] == "guest":
            guest = _judge_phone(name, client, told, night, verdict)
            patron = plan.patrons[number]
            guest.add_to(expected, patron)
            _judge_view(name, told, found, patron, verdict)
        else:
            _judge_calls(name, client, told, found, verdict)
    _judge_house(plan, expected, found, apart, verdict)
    _judge_occupancy(occupied, found, verdict)
    _judge_events(found, verdict)
    lines = sum(len(told.get("lines", ())) for told in night.clients)
    verdict.figures |= {"lines": lines, "arrivals": sum(map(len, found.arrivals.values()))}
    verdict.figures |= {"calls": found.calls.total(), "kills": sum(told["kills"] for told in night.clients)}
    return verdict


def _asked(plan: Plan) -> set[UUID]:
    """Guests about whom a door asked the server."""
    return {
        plan.holders[number][int(op["guest"])].id
        for number in plan.holders
        for op in plan.clients[number]["ops"]
        if op.get("ask")
    }


def _judge_log(name: str, told: dict[str, Any], found: Found, apart: set[UUID], verdict: Verdict) -> dict[UUID, Guest]:
    """A device's log: whole on the device, whole on the server, judged as it must be, the answer known on both sides."""
    lines = sorted(told["lines"], key=lambda line: line["sequence"])
    numbers = [line["sequence"] for line in lines]
    if numbers != [*range(1, len(lines) + 1)]:
        verdict.broken.append(
            f"{name}: its own numbers have gaps: {sorted({*range(1, max(numbers) + 1)} - {*numbers})[:5]}"
        )
    lost = {one["sequence"] for one in told["told"]} - {*numbers}
    if lost:
        verdict.broken.append(f"{name}: lines that were written are gone: {sorted(lost)[:5]}")
    unsent = [line["sequence"] for line in lines if line["state"] != "sent"]
    if unsent:
        verdict.broken.append(f"{name}: {len(unsent)} lines were never sent, such as {unsent[0]}")
    rows = found.scans.get(UUID(told["device_id"]), [])
    verdict.broken += compare(f"{name}, log", Counter(numbers), Counter(row["sequence"] for row in rows))
    results, guests = reckon_door(lines, apart=apart)
    kept = {row["sequence"]: row["result"] for row in rows}
    wrong = [(number, due, kept.get(number)) for number, due in results.items() if kept.get(number) != due]
    wrong += [
        (one["sequence"], one["result"], kept.get(one["sequence"]))
        for one in lines
        if one["result"] != kept.get(one["sequence"])
    ]
    if wrong:
        verdict.broken.append(f"{name}: {len(wrong)} lines became something else, such as {wrong[:3]}")
    return guests


def _judge_asked(
    name: str, told: dict[str, Any], found: Found, plan: Plan, verdict: Verdict, *, holders: list[Holder]
) -> None:
    """A guest whom the door let in is in, once; one whom it turned away is not; a ban that it did not know is flagged."""
    for one in told["told"]:
        if not one.get("ask"):
            continue
        patron = holders[int(one["guest"])].id
        arrivals = len(found.arrivals.get(patron, []))
        said, barred = one["said"], patron in plan.barred
        fits = arrivals == (said == "admitted") if said != "nothing" else arrivals <= 1
        if not fits:
            verdict.broken.append(f"{name}: the door said {said} of a guest, who has {arrivals} check-ins")
        if barred and arrivals and "barred" not in found.flags.get(patron, []):
            verdict.broken.append(f"{name}: a guest with a ban was let in and nobody is told")


def _judge_phone(name: str, client: dict[str, Any], told: dict[str, Any], night: Night, verdict: Verdict) -> Guest:
    """A guest's commands: each counts or is kept with the reason why not."""
    problems, guest = reckon_phone(client["ops"], now=night.began)
    due = Counter(dict(zip(told["acknowledged"], problems, strict=True)).items())
    kept = Counter((one["id"], one["problem"]) for one in told["kept"])
    verdict.broken += compare(f"{name}, refusals", Counter({key: 1 for key in due if key[1]}), kept)
    unsent = [one for one in told["kept"] if one["state"] != "rejected"]
    if unsent:
        verdict.broken.append(f"{name}: {len(unsent)} commands were never sent")
    return guest


def _judge_view(name: str, told: dict[str, Any], found: Found, patron: UUID, verdict: Verdict) -> None:
    standing = next((str(row["id"]) for row in found.stays.get(patron, []) if row["status"] == "open"), None)
    visit: dict[str, Any] | None = told["home"].get("visit")
    shown = visit["id"] if visit else None
    if shown != standing:
        verdict.broken.append(f"{name}: the phone shows the visit {shown}, the server has {standing}")


def _judge_calls(name: str, client: dict[str, Any], told: dict[str, Any], found: Found, verdict: Verdict) -> None:
    """Calls for help: each heard once, or kept with the reason why not."""
    refused = {one["id"]: one for one in told["kept"]}
    due = Counter[str]()
    for call, op in zip(told["acknowledged"], client["ops"], strict=True):
        if call in refused:
            if refused[call]["problem"] != "not-found":
                verdict.broken.append(f"{name}: a call was refused: {refused[call]['problem']}")
        else:
            due[op["body"]["note"]] += 1
    words = {op["body"]["note"] for op in client["ops"]}
    verdict.broken += compare(
        f"{name}, calls", due, Counter({note: n for note, n in found.calls.items() if note in words})
    )


def _judge_house(plan: Plan, expected: Expected, found: Found, apart: set[UUID], verdict: Verdict) -> None:
    arrivals = Counter(
        (who, row["arrived_at"]) for who, rows in found.arrivals.items() if who not in apart for row in rows
    )
    stays = Counter(
        (who, row["opened_at"], row["closed_at"])
        for who, rows in found.stays.items()
        if who not in apart
        for row in rows
    )
    verdict.broken += compare("check-ins", _exact(expected.arrivals), _exact(arrivals))
    verdict.broken += compare("visits", _exact(expected.stays), _exact(stays))
    for patron in plan.cloned:
        results = Counter(row["result"] for rows in found.scans.values() for row in rows if row["patron_id"] == patron)
        if results["admitted"] != len(found.arrivals.get(patron, [])) or results["admitted"] > 1:
            verdict.broken.append(f"a code that was cloned let in {results}")
        if results["double"] and "cloned_code" not in found.flags.get(patron, []):
            verdict.broken.append("a code that was cloned is not flagged")


def _exact(counter: Counter[Any]) -> Counter[Any]:
    """Times to four seconds: a clock that is set right over a network is so to half of what the answer took.

    What is planned happens five or nine seconds into a step, each in the middle of its four.
    """

    def cut(part: Any) -> Any:
        return round((part.timestamp() - 1) / 4) if isinstance(part, datetime) else part

    made = Counter[Any]()
    for key, n in counter.items():
        made[tuple(cut(part) for part in key)] += n
    return made


def _judge_occupancy(views: dict[UUID, set[UUID]], found: Found, verdict: Verdict) -> None:
    """Every door that asks how the house stands is told the same as the database says of its venue."""
    venue_of = {str(device): rows[0]["venue_id"] for device, rows in found.scans.items() if rows}
    here: dict[UUID, set[UUID]] = {}
    for who, rows in found.stays.items():
        for row in rows:
            if row["status"] == "open":
                here.setdefault(row["venue_id"], set()).add(who)
    for device, view in views.items():
        venue = venue_of.get(str(device))
        if venue is not None and view != here.get(venue, set()):
            verdict.broken.append(f"a door sees {len(view)} guests, the venue has {len(here.get(venue, set()))}")


def _judge_events(found: Found, verdict: Verdict) -> None:
    due = Counter[tuple[str, str]]()
    for rows in found.arrivals.values():
        due.update(("checkin.verified", str(row["id"])) for row in rows)
    for rows in found.stays.values():
        due.update(("visit.opened", str(row["id"])) for row in rows)
        due.update(("visit.closed", str(row["id"])) for row in rows if row["status"] == "closed")
    got = Counter({key: n for key, n in found.happenings.items() if key[0] != "sos.raised"})
    verdict.broken += compare("events", due, got)
    raised = sum(n for (name, _), n in found.happenings.items() if name == "sos.raised")
    if raised != found.calls.total():
        verdict.broken.append(f"{found.calls.total()} calls for help were told {raised} times")
