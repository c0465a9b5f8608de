"""`lastlight simulate`: a night through the public API of a running platform."""

import argparse
import asyncio
import contextlib
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec

from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.claims import running_address
from lastlight.simulator.client import Account, Api, ApiRefused, UnreachableError
from lastlight.simulator.floor import Floor, play_floor
from lastlight.simulator.night import Night, Place, Tally, slow_night

SLOW_GUESTS = 60
SLOW_PAUSE = (3.0, 9.0)
FLOOR_MINUTES = 2.0
"""How long the floor of a night is quiet between two moments, about, on the night's own clock."""
WIDTH = 79
"""Of the line of progress, so that a shorter one covers the one before it."""
STOPPED = 130
"""The exit status of a night that was ended before its time."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--guests", type=int, default=200, help="how many guests come (200)")
    parser.add_argument("--hours", type=float, default=8.0, help="how long the night is, on its own clock (8)")
    parser.add_argument("--speed", type=float, default=60.0, help="how much faster than life it runs (60)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed plays the same night (7)")
    parser.add_argument("--tenant", default="", help="the business's short name; the demo's first when left out")
    parser.add_argument("--slow", action="store_true", help="a slow night that goes on until it is stopped")
    parser.add_argument("--quiet", action="store_true", help="no progress, only the closing line")


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Play the night; 0 when nothing happened that should not have."""
    if arguments.guests < 1 or arguments.hours <= 0 or arguments.speed <= 0:
        raise StartError("--guests, --hours and --speed must be above zero.")
    demo = _demo(settings.demo_file)
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    stop = _stop_signal()
    address = running_address(settings, otherwise=demo["base_url"])
    async with httpx.AsyncClient(base_url=address, timeout=20, limits=limits) as http:
        try:
            night = await make_night(Api(http), demo, arguments)
        except UnreachableError as error:
            if not arguments.slow:
                raise StartError(str(error)) from error
            return 1  # the supervisor starts it again
        except ApiRefused as refusal:
            raise StartError(f"The manager of {settings.demo_file} cannot sign in ({refusal}).") from refusal
        name = "Door scanner" if arguments.slow else f"Simulated scanner {arguments.seed}"
        floor = make_floor(night, demo, scanner_name=name, ends=not arguments.slow)
        if arguments.slow:
            guests = min(arguments.guests, SLOW_GUESTS)
            report = _reporter(arguments, live=sys.stderr.isatty())
            async with asyncio.TaskGroup() as group:
                group.create_task(slow_night(night, guests=guests, stop=stop, report=report))
                group.create_task(play_floor(floor, stop=stop, pause=SLOW_PAUSE))
            return 0
        return await _play(night, floor, arguments, stop)


async def _play(night: Night, floor: Floor, arguments: argparse.Namespace, stop: asyncio.Event) -> int:
    """Play one night to its end, or until told to stop, and say how it went."""
    play = asyncio.create_task(_whole(night, floor, arguments))
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({play, told}, return_when=asyncio.FIRST_COMPLETED)
    stopped = not play.done()
    for task in (play, told):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await play
    sys.stderr.write("\n" if not arguments.quiet else "")
    print(_closing(night.tally, night.api, arguments.seed))  # noqa: T201 - the command's result
    print(_told(floor))  # noqa: T201 - the command's result
    return STOPPED if stopped else 1 if night.tally.unexpected else 0


async def _whole(night: Night, floor: Floor, arguments: argparse.Namespace) -> None:
    """The guests' night and the floor's, which closes after the last guest."""
    over = asyncio.Event()
    pause = (60 * FLOOR_MINUTES / arguments.speed * part for part in (0.5, 1.5))
    async with asyncio.TaskGroup() as group:
        group.create_task(play_floor(floor, stop=over, pause=(next(pause), next(pause))))
        await night.play(guests=arguments.guests, hours=arguments.hours, report=_reporter(arguments))
        over.set()


def _stop_signal() -> asyncio.Event:
    """Set when somebody asks this process to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def make_night(api: Api, demo: Any, arguments: argparse.Namespace) -> Night:
    """The venues that are open, the main one (the one that holds most) first, and who minds their doors."""
    door = _door(demo, arguments.tenant)
    account = _account(door)
    page = await api.call(account, "GET", "/api/venues?limit=50&status=active&sort=-capacity")
    places = [_place(await api.call(account, "GET", f"/api/venues/{venue['id']}")) for venue in page["items"]]
    speed = 1.0 if arguments.slow else arguments.speed
    domain = "regulars.example" if arguments.slow else "guests.example"
    night = Night(api, account, door["tenant"], places, arguments.seed, speed, domain)
    if not arguments.slow:
        night.places = [place for place in places if (await night.screen(place)).is_open]
        if not night.places:
            raise StartError(f"No venue of {door['tenant']} is open now: give one longer hours, or come later.")
    return night


def make_floor(night: Night, demo: Any, *, scanner_name: str, ends: bool = True) -> Floor:
    """Who works that night: the business's own people, and the platform's operations looking on."""
    people = {entry["role"]: entry for entry in demo["sign_ins"] if entry["tenant"] == night.tenant}
    crew = next((entry for entry in demo["sign_ins"] if entry["role"] == "ops"), None)
    if "staff" not in people:
        raise StartError(f"demo.json names no staff of the tenant {night.tenant!r}.")
    return Floor(
        night=night,
        staff=_account(people["staff"]),
        manager=night.door,
        crew=_account(crew | {"tenant": ""}) if crew else None,
        scanner_name=scanner_name,
        ends=ends,
        dice=random.Random(night.seed),  # noqa: S311 - a plan to repeat, not a secret
    )


def _account(entry: Any) -> Account:
    return Account(entry["email"], entry["password"], entry["tenant"])


def _door(demo: Any, tenant: str) -> Any:
    for entry in demo["sign_ins"]:
        if entry["role"] == "manager" and (not tenant or entry["tenant"] == tenant):
            return entry
    raise StartError(f"demo.json names no manager of the tenant {tenant!r}.")


def _place(venue: Any) -> Place:
    position: dict[str, float] = venue.get("position") or {}
    return Place(venue["id"], venue["name"], position.get("lat"), position.get("lon"))


def _demo(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f"{path} cannot be read ({error}): start the demo first, by `make run`.") from error


def _reporter(arguments: argparse.Namespace, *, live: bool = True) -> Callable[[Tally], None]:
    def report(tally: Tally) -> None:
        if arguments.quiet or not live:
            return
        with contextlib.suppress(OSError):
            sys.stderr.write(f"\r{progress(tally):<{WIDTH}}")
            sys.stderr.flush()

    return report


def progress(tally: Tally) -> str:
    """How far a night is, in one line; until somebody came, when the first will."""
    clock, came, refused = _clock(tally.minute), tally.arrived + tally.turned_away, sum(tally.refused.values())
    if tally.planned and not came:
        return f"{clock}  the first of {tally.planned} guests comes at {_clock(tally.first)}"
    done = f"{came}/{tally.planned}" if tally.planned else str(came)
    wrong = len(tally.unexpected)
    return f"{clock}  came {done}  inside {tally.inside}  left {tally.left}  refused {refused}  wrong {wrong}"


def _clock(minute: float) -> str:
    return f"{int(minute // 60):02d}:{int(minute % 60):02d}"


def _told(floor: Floor) -> str:
    return "floor: " + (", ".join(f"{name} {count}" for name, count in sorted(floor.played.items())) or "nothing")


def _closing(tally: Tally, api: Api, seed: int) -> str:
    refusals = ", ".join(f"{name} {count}" for name, count in sorted(tally.refused.items())) or "none"
    wrong = f"; first wrong: {tally.unexpected[0]}" if tally.unexpected else ""
    return (
        f"seed {seed}: {tally.arrived} arrived, {tally.left} checked out, refused: {refusals}; "
        f"{api.sent} requests, {api.retried} repeated, {len(tally.unexpected)} wrong{wrong}"
    )
