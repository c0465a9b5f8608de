"""One batch of the relay: outbox rows become stream events and audit entries, with their reactions queued, in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog

from lastlight.kernel.ids import TenantId
from lastlight.runtime.audit.chain import GENESIS, Header, digest_of, hash_of, new_salt
from lastlight.runtime.events import metrics
from lastlight.runtime.jobs.enqueue import Wanted, enqueue_all, poke_workers
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

BATCH = 500
EVENTS_CHANNEL = "lastlight_events"

# The snapshot's own xmin: a row's transaction lies below it only if that, and every earlier one, has ended.
# every tenant: one relay moves them all, in the order of their commits
READY = """
select o.tenant_id, o.id, o.name, o.version, o.at, o.venue_id, o.patron_id, o.audience, o.data::text as data, o.entity, o.entity_id,
       o.actor::text as actor, o.audit, clock_timestamp() as moved_at
from outbox o
where o.xid < pg_snapshot_xmin(pg_current_snapshot())
order by o.xid, o.position
limit $1
"""
# every tenant: a figure of the one relay
HELD = """
select count(*) as held, pg_snapshot_xmin(pg_current_snapshot())::text as horizon
from (select from outbox where xid >= pg_snapshot_xmin(pg_current_snapshot()) limit 1000) o
"""
HEADS = "select tenant_id, seq, hash from tenant_sequences where tenant_id = any($1::uuid[]) for update"
SAVE_HEADS = """
insert into tenant_sequences (tenant_id, seq, hash) select * from unnest($1::uuid[], $2::bigint[], $3::bytea[])
on conflict (tenant_id) do update set seq = excluded.seq, hash = excluded.hash
"""
INSERT_AUDIT = """
insert into audit_entries
    (tenant_id, seq, id, at, name, entity, entity_id, venue_id, actor_kind, actor_id, origin, salt, payload, digest, hash)
select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::uuid[],
                     $9::text[], $10::uuid[], $11::text[], $12::bytea[], $13::text[], $14::bytea[], $15::bytea[])
"""
INSERT_EVENTS = """
insert into events (tenant_id, seq, id, name, version, at, venue_id, patron_id, audience, data)
select e.tenant_id, e.seq, e.id, e.name, e.version, e.at, e.venue_id, e.patron_id, e.audience, e.data::jsonb
from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::integer[], $6::timestamptz[], $7::uuid[], $8::uuid[], $9::text[],
            $10::text[]) with ordinality as e (tenant_id, seq, id, name, version, at, venue_id, patron_id, audience, data, place)
order by e.place
"""
DELETE = """
delete from outbox o using unnest($1::uuid[], $2::uuid[]) as moved (tenant_id, id)
where o.tenant_id = moved.tenant_id and o.id = moved.id
"""


@dataclass(slots=True)
class Moved:
    """What one batch did, and what it had to leave."""

    count: int = 0
    full: bool = False
    """There is probably more to move at once."""
    held: int = 0
    """Committed events that wait for an open transaction (counted only when the batch was not full)."""
    horizon: str = ""
    lags: list[float] = field(default_factory=list[float])
    names: list[str] = field(default_factory=list[str])
    """The names of the events that were moved, one for each."""
    callbacks: list[Callable[[], Awaitable[None]]] = field(default_factory=list[Callable[[], Awaitable[None]]])


class RelayConflictError(RuntimeError):
    """Rows vanished under the leader: somebody else moves the outbox too."""


class _Actor(msgspec.Struct):
    kind: str
    id: UUID | None
    origin: str


@dataclass(slots=True)
class _Placed:
    """An outbox row at its place in the tenant's stream."""

    row: Any
    seq: int
    actor: _Actor
    salt: bytes
    digest: bytes
    hash: bytes


async def move_batch(services: Services, connection: Any, *, batch: int = BATCH) -> Moved:
    """Move what is ready. All of a batch is committed, with its notification, or nothing of it."""
    moved = Moved()
    async with connection.transaction():
        rows = await connection.fetch(READY, batch)
        if rows:
            placed = await _place(connection, rows)
            await _write(connection, placed)
            await _react(services, connection, placed, moved)
            await connection.execute("select pg_notify($1, '')", EVENTS_CHANNEL)
    moved.count = len(rows)
    moved.names = [row["name"] for row in rows]
    moved.full = len(rows) == batch
    moved.lags = [(row["moved_at"] - row["at"]).total_seconds() for row in rows]
    if not moved.full:
        held = await connection.fetchrow(HELD)
        moved.held, moved.horizon = held["held"], held["horizon"]
    return moved


async def _place(connection: Any, rows: list[Any]) -> list[_Placed]:
    """Give each row its tenant's next number and its link in the tenant's chain; the new heads are saved."""
    tenants = list({row["tenant_id"] for row in rows})
    heads: dict[UUID, tuple[int, bytes]] = dict.fromkeys(tenants, (0, GENESIS))
    heads |= {row["tenant_id"]: (row["seq"], row["hash"]) for row in await connection.fetch(HEADS, tenants)}
    placed: list[_Placed] = []
    for row in rows:
        seq, previous = heads[row["tenant_id"]]
        entry = _link(row, seq + 1, previous)
        heads[row["tenant_id"]] = (entry.seq, entry.hash)
        placed.append(entry)
    seqs, hashes = [seq for seq, _ in heads.values()], [head for _, head in heads.values()]
    await connection.execute(SAVE_HEADS, list(heads), seqs, hashes)
    return placed


def _link(row: Any, seq: int, previous: bytes) -> _Placed:
    actor = msgspec.json.decode(row["actor"], type=_Actor)
    salt = new_salt()
    digest = digest_of(salt, row["audit"])
    header = Header(
        tenant_id=row["tenant_id"],
        seq=seq,
        id=row["id"],
        at=row["at"],
        name=row["name"],
        entity=row["entity"],
        entity_id=row["entity_id"],
        venue_id=row["venue_id"],
        actor_kind=actor.kind,
        actor_id=actor.id,
        origin=actor.origin,
    )
    return _Placed(row=row, seq=seq, actor=actor, salt=salt, digest=digest, hash=hash_of(previous, header, digest))


async def _write(connection: Any, placed: list[_Placed]) -> None:
    def column(name: str, among: list[_Placed] = placed) -> list[Any]:
        return [entry.row[name] for entry in among]

    await connection.execute(
        INSERT_AUDIT,
        column("tenant_id"),
        [entry.seq for entry in placed],
        *(column(name) for name in ("id", "at", "name", "entity", "entity_id", "venue_id")),
        [entry.actor.kind for entry in placed],
        [entry.actor.id for entry in placed],
        [entry.actor.origin for entry in placed],
        [entry.salt for entry in placed],
        column("audit"),
        [entry.digest for entry in placed],
        [entry.hash for entry in placed],
    )
    heard = [entry for entry in placed if entry.row["audience"] is not None or entry.row["patron_id"] is not None]
    if heard:
        names = ("id", "name", "version", "at", "venue_id", "patron_id", "audience", "data")
        columns = [column(name, heard) for name in names]
        await connection.execute(INSERT_EVENTS, column("tenant_id", heard), [entry.seq for entry in heard], *columns)
    status: str = await connection.execute(DELETE, column("tenant_id"), column("id"))
    if status != f"DELETE {len(placed)}":
        raise RelayConflictError(f"{len(placed)} rows were moved, but {status}")


async def _react(services: Services, connection: Any, placed: list[_Placed], moved: Moved) -> None:
    """Queue the jobs that answer these events, in the same transaction: they run if, and only if, the event is in its stream."""
    jobs = services.registry.jobs_of_event
    wanted = [_wanted(entry, job) for entry in placed for job in jobs.get(entry.row["name"], ())]
    if not wanted:
        return
    if not await _queued(services, connection, wanted):
        apart = [await _queued(services, connection, [one]) for one in wanted]  # so that one cannot hinder the others
        for one in (one for one, queued in zip(wanted, apart, strict=True) if not queued):
            metrics.REACTIONS_FAILED.labels(one.job.name).inc()
            log.error("a reaction could not be queued", job=one.job.name, event_id=one.args["event_id"])

    async def poke() -> None:
        poke_workers(services)

    moved.callbacks.append(poke)


def _wanted(entry: _Placed, job: Any) -> Wanted:
    row = entry.row
    args = {"event_id": str(row["id"]), "seq": entry.seq, "data": msgspec.json.decode(row["data"])}
    return Wanted(TenantId(row["tenant_id"]), job, f"event:{row['id']}", args)


async def _queued(services: Services, connection: Any, wanted: list[Wanted]) -> bool:
    """Queue all of these or none; False when they cannot be, which costs the batch nothing else."""
    try:
        async with connection.transaction():
            await enqueue_all(services, connection, wanted)
    except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError):
        raise
    except Exception:
        log.exception("reactions could not be queued", count=len(wanted))
        return False
    return True
