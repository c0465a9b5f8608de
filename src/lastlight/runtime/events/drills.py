"""The drill of sockets that fail: what happens is still heard, by asking for it, and how soon is measured."""

import asyncio
import time
from typing import ClassVar
from uuid import UUID

import httpx

from lastlight.kernel.events import Event
from lastlight.kernel.ids import UserId, uuid7
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Actor, Grants
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from lastlight.runtime.drills import Drilling, drill
from lastlight.runtime.drills.events import DRILLS_READ
from lastlight.runtime.events.catch_up import EventsOut, EventsQuery, read_events, wait_for_news
from lastlight.runtime.events.relay import is_led

SIGNALS = 5
SOON_SECONDS = 5.0
"""What a console shows while it polls: the state of at most five seconds ago."""
PATIENCE = 20
LONGEST_WAIT_SECONDS = 2.0
TAKES_LEAD_SECONDS = 3.0


class DrillSignal(Event, frozen=True, kw_only=True):
    """A drill says something on the stream, to measure how soon it is heard."""

    event_name: ClassVar[str] = "drill.signal"
    audience: ClassVar[Permission | None] = DRILLS_READ
    run_id: UUID
    number: int


@drill("realtime-down", runbook="realtime-down.md")
async def realtime_down(drilling: Drilling) -> None:
    """Sockets fail: whoever asks hears everything all the same, in order, once, and soon enough."""
    listener = Actor(
        kind="crew", user_id=UserId(uuid7()), tenant_id=drilling.tenant_id, grants=Grants({str(DRILLS_READ): None})
    )
    run_id = uuid7()
    with drilling.step("The platform answers over the network, and so do its sockets, or not"):
        await _look(drilling)
    with drilling.step("A worker moves events into the stream"):
        await _require_worker(drilling)
    with drilling.step("Where the stream stands is read without a socket"):
        stands = (await _ask(drilling, listener, after=None)).next
        drilling.note(f"At {stands}.")
    heard: list[int] = []
    place = stands
    with drilling.step(f"Each of {SIGNALS} events is heard by a call that waits, within {SOON_SECONDS:g} seconds"):
        slowest = 0.0
        for number in range(1, SIGNALS + 1):
            seconds, found = await _heard_after(drilling, listener, place, run_id, number)
            slowest, place = max(slowest, seconds), found.next
            heard += [one.data["number"] for one in found.events if _of(one.data, run_id)]
        drilling.note(f"The slowest took {slowest:.2f} s.")
        drilling.prove(slowest <= SOON_SECONDS, f"One took {slowest:.1f} s: look at the relay's lag.")
    with drilling.step("Nothing was missed, nothing came twice, and the order was kept"):
        drilling.prove(heard == list(range(1, SIGNALS + 1)), f"Heard {heard}.")
    with drilling.step("Who was away all the time catches up in one call"):
        again = [
            one.data["number"] for one in (await _ask(drilling, listener, after=stands)).events if _of(one.data, run_id)
        ]
        drilling.prove(again == heard, f"Heard {again} instead of {heard}.")
    with drilling.step("Who may not hear it hears nothing by asking either"):
        stranger = Actor(kind="member", user_id=UserId(uuid7()), tenant_id=drilling.tenant_id)
        drilling.prove(
            not (await _ask(drilling, stranger, after=stands)).events, "Somebody without the permission heard it."
        )


async def _look(drilling: Drilling) -> None:
    """Ask the web process over the network, as a browser would. Sockets that are down are a finding: this drill is for that time."""
    base = drilling.services.settings.base_url
    began = time.monotonic()
    try:
        async with httpx.AsyncClient(base_url=base, timeout=LONGEST_WAIT_SECONDS, trust_env=False) as client:
            ready = await client.get("/ready")
            drilling.note(f"/ready says {ready.status_code} after {time.monotonic() - began:.2f} s.")
            socket = await client.get("/realtime/", params={"EIO": "4", "transport": "polling"})
            drilling.note("Sockets answer." if socket.status_code == 200 else f"Sockets answer {socket.status_code}.")
    except httpx.HTTPError as error:
        drilling.prove(
            False,
            f"{base} does not answer ({type(error).__name__}), so consoles could not ask either. Run the drill with the"
            " LASTLIGHT_BASE_URL or LASTLIGHT_PORT that the platform was started with.",
        )


async def _require_worker(drilling: Drilling) -> None:
    """A worker that was just started takes the lead within a second."""
    led = await is_led(drilling.services)
    for _ in range(10):
        if led:
            break
        await asyncio.sleep(TAKES_LEAD_SECONDS / 10)
        led = await is_led(drilling.services)
    drilling.prove(
        led,
        "No worker runs, so nothing reaches the stream, with sockets or without. Start one (`lastlight serve` has its own; "
        "`lastlight worker` is one alone), then run the drill again; see worker-stuck.md.",
    )


async def _heard_after(
    drilling: Drilling, listener: Actor, place: int, run_id: UUID, number: int
) -> tuple[float, EventsOut]:
    """Say one thing while a call waits for it; after how long it came, and what did."""
    query = EventsQuery(after=place, wait=PATIENCE)
    waiting = asyncio.create_task(wait_for_news(drilling.services, query, listener))
    began = time.monotonic()
    async with system_ctx(drilling.services, drilling.tenant_id) as ctx:
        ctx.emit(DrillSignal(run_id=run_id, number=number), entity=("drill_run", run_id))
    await waiting
    found = await _ask(drilling, listener, after=place)
    drilling.prove(
        any(_of(one.data, run_id) for one in found.events),
        f"Nothing came within {PATIENCE} seconds: the relay does not move events; see relay-lag.md.",
    )
    return time.monotonic() - began, found


async def _ask(drilling: Drilling, actor: Actor, *, after: int | None) -> EventsOut:
    role = "platform" if actor.kind == "crew" else "app"
    scope = WorkScope(actor=actor, tenant_id=drilling.tenant_id, role=role)
    async with unit_of_work(drilling.services, scope) as ctx:
        return await read_events(ctx, after=after, limit=500)


def _of(data: dict[str, object], run_id: UUID) -> bool:
    return data.get("run_id") == str(run_id)
