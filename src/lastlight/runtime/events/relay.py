"""The relay: one leader moves the outbox into each tenant's stream and audit chain, in commit order, and tells who listens.

Order: rows whose transaction id lies below the horizon (`pg_snapshot_xmin`), by (transaction id, position). Every transaction
below the horizon has ended, so nothing can still appear in front of what was moved. The leader's lock, its LISTEN and its
transactions share one connection: whoever loses the lock has lost the connection, and with it the power to commit.
"""

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog

from lastlight.runtime.audit.checkpoints import sign_due
from lastlight.runtime.audit.witness import keep_heads, witness_folder
from lastlight.runtime.db.lost import LOST
from lastlight.runtime.db.pools import prepare_connection
from lastlight.runtime.events import metrics
from lastlight.runtime.events.move import Moved, move_batch
from lastlight.runtime.events.poke import CHANNEL
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

LOCK = "select pg_try_advisory_lock(hashtextextended('lastlight relay', 0))"
LED = """
select exists (
    select from pg_locks, hashtextextended('lastlight relay', 0) as key
    where locktype = 'advisory' and granted and objsubid = 1
      and database = (select oid from pg_database where datname = current_database())
      and classid::bigint = (key >> 32) & 4294967295 and objid::bigint = key & 4294967295)
"""
TAKE_OVER_SECONDS = 0.5
"""How often a follower asks for the lead."""
RECONNECT_SECONDS = 0.5
FIRST_LOOK_SECONDS = 0.002
"""Committed rows above the horizon are looked at again after this, then twice as long, up to the interval."""
HOUSEKEEPING_SECONDS = 5.0
HELD_ALARM_SECONDS = 5.0
"""An open transaction that holds events back for longer is an error in the log."""


@dataclass(slots=True)
class _Watch:
    """What the leader remembers between two looks."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    held_since: float | None = None
    alarmed: bool = False
    pause: float = FIRST_LOOK_SECONDS
    housekeeping_at: float = 0.0


async def run_relay(services: Services, stop: asyncio.Event) -> None:
    """Follow, take the lead when nobody has it, and relay until `stop`; survives the loss of the database."""
    while not stop.is_set():
        try:
            await _connect_and_lead(services, stop)
        except LOST as error:
            log.warning("the relay lost its connection", error=str(error) or type(error).__name__)
            await _sleep(stop, RECONNECT_SECONDS)
        except Exception:
            log.exception("the relay stumbled; it begins again with what is in the outbox")
            await _sleep(stop, RECONNECT_SECONDS)
        finally:
            metrics.LEADING.set(0)


async def is_led(services: Services) -> bool:
    """Whether a relay has the lead now, in whichever process."""
    async with services.pools.system.acquire() as connection:
        return bool(await connection.fetchval(LED))


async def _connect_and_lead(services: Services, stop: asyncio.Event) -> None:
    connection: Any = await asyncpg.connect(
        services.settings.dsn("system"),
        timeout=5,
        command_timeout=30,
        server_settings={
            "application_name": "lastlight-relay",
            "statement_timeout": "25s",
            "idle_in_transaction_session_timeout": "15s",
            "tcp_keepalives_idle": "5",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "3",
        },
    )
    try:
        await prepare_connection(connection)
        while not stop.is_set() and not await connection.fetchval(LOCK):
            await _sleep(stop, TAKE_OVER_SECONDS)
        if not stop.is_set():
            await _lead(services, connection, stop)
    finally:
        if stop.is_set() and not connection.is_closed():
            await connection.close(timeout=2)
        else:
            connection.terminate()


async def _lead(services: Services, connection: Any, stop: asyncio.Event) -> None:
    watch = _Watch()

    def wake(*_: Any) -> None:
        watch.wake.set()

    await connection.add_listener(CHANNEL, wake)
    connection.add_termination_listener(wake)
    metrics.LEADING.set(1)
    log.info("the relay leads")
    while not stop.is_set():
        watch.wake.clear()
        with metrics.BATCH_SECONDS.time():
            moved = await move_batch(services, connection)
        await _after_batch(watch, moved)
        if time.monotonic() >= watch.housekeeping_at:
            await _keep_house(services, connection)
            watch.housekeeping_at = time.monotonic() + HOUSEKEEPING_SECONDS
        if not moved.full:
            await _wait(watch, stop, _pause(watch, moved, services.settings.relay_interval_ms / 1000))


async def _after_batch(watch: _Watch, moved: Moved) -> None:
    for callback in moved.callbacks:
        try:
            await callback()
        except Exception:
            log.exception("after-commit callback of a reaction failed")
    for name, count in Counter(moved.names).items():
        metrics.RELAYED.labels(name).inc(count)
    for lag in moved.lags:
        metrics.LAG_SECONDS.observe(lag)
    _watch_horizon(watch, moved)


def _watch_horizon(watch: _Watch, moved: Moved) -> None:
    """Sound the alarm when committed events wait behind a transaction that does not end."""
    if not moved.held:
        if watch.alarmed:
            log.info("the relay's horizon moves again")
        watch.held_since, watch.alarmed = None, False
        metrics.HELD_SECONDS.set(0)
        return
    now = time.monotonic()
    if watch.held_since is None or moved.count:
        watch.held_since = now
    held = now - watch.held_since
    metrics.HELD_SECONDS.set(held)
    if held >= HELD_ALARM_SECONDS and not watch.alarmed:
        watch.alarmed = True
        log.error(
            "an open transaction holds events back; end it, or find out why it does not end",
            seconds=round(held, 1),
            horizon=moved.horizon,
            waiting=moved.held,
        )


def _pause(watch: _Watch, moved: Moved, longest: float) -> float:
    """How long to wait for a poke: shortly while committed rows wait for the horizon, else the whole interval."""
    if not moved.held:
        watch.pause = FIRST_LOOK_SECONDS
        return longest
    watch.pause = FIRST_LOOK_SECONDS if moved.count else min(watch.pause * 2, longest)
    return watch.pause


async def _wait(watch: _Watch, stop: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.ensure_future(watch.wake.wait()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


async def _keep_house(services: Services, connection: Any) -> None:
    """Figures for the metrics, and the signatures that are due."""
    # every tenant: a figure of the one relay
    row = await connection.fetchrow(
        "select count(*) as waiting, coalesce(extract(epoch from clock_timestamp() - min(at)), 0)::float8 as oldest"
        " from (select at from outbox limit 10000) o"
    )
    metrics.BACKLOG.set(row["waiting"])
    metrics.OLDEST_SECONDS.set(row["oldest"])
    heads = await sign_due(connection, services.secrets)
    if heads:
        folder = await witness_folder(connection, services.settings.var_dir)
        try:
            await keep_heads(connection, folder, heads)
        except OSError as error:
            log.error("the heads of audit chains could not be kept outside the database", error=str(error))  # noqa: TRY400 - said in full


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
