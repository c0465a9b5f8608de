"""What must come of a night without a network, reckoned from what was done and apart from the server's code; and what differs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.venues.codes import read_code
from tests.support.live_server import LiveServer
from tests.support.offline_plan import Plan

STEP = 10
SKEW = timedelta(minutes=5)
ONE_CLOCK = timedelta(seconds=10)
OLDEST = timedelta(hours=12)
CALLS = """
select note, count(*) as n, count(distinct incident_id) as incidents from sos_calls
where tenant_id = $1 and venue_id = any($2)
group by note
"""
HAPPENED = """
select name, coalesce(data ->> 'sos_id', data ->> case when name = 'checkin.verified' then 'checkin_id' else 'visit_id' end) as entity,
       count(*) as n
from (select name, venue_id, data from outbox where tenant_id = $1
      union all select name, venue_id, data from events where tenant_id = $1) e
where venue_id = any($2) and name in ('checkin.verified', 'visit.opened', 'visit.closed', 'sos.raised')
group by 1, 2
"""
Arrival = tuple[UUID, datetime]
Stay = tuple[UUID, datetime, datetime | None]
"""Who, from when, until when."""


@dataclass(slots=True)
class Expected:
    """Check-ins and visits that have to be there; what may be there of guests about whom a killed scan says nothing."""

    arrivals: Counter[Arrival] = field(default_factory=Counter[Arrival])
    stays: Counter[Stay] = field(default_factory=Counter[Stay])


@dataclass(slots=True)
class Found:
    """What is there."""

    scans: dict[UUID, list[Any]]
    arrivals: dict[UUID, list[Any]]
    stays: dict[UUID, list[Any]]
    flags: dict[UUID, list[str]]
    calls: Counter[str]
    happenings: Counter[tuple[str, str]]


@dataclass(slots=True)
class Guest:
    """One guest's night as a house would write it down on paper."""

    inside_since: datetime | None = None
    left_at: datetime | None = None
    used: set[Any] = field(default_factory=set[Any])
    arrivals: list[datetime] = field(default_factory=list[datetime])
    stays: list[tuple[datetime, datetime]] = field(default_factory=list[tuple[datetime, datetime]])

    def arrive(self, at: datetime) -> None:
        """Come in."""
        self.inside_since = at
        self.arrivals.append(at)

    def leave(self, at: datetime) -> None:
        """Go out."""
        assert self.inside_since is not None
        left = max(at, self.inside_since)
        self.stays.append((self.inside_since, left))
        self.inside_since, self.left_at = None, left

    def is_in(self, at: datetime) -> bool:
        """Whether they were in at a moment, as far as is known."""
        return self.inside_since is not None or (self.left_at is not None and self.left_at > at)

    def add_to(self, expected: Expected, patron: UUID) -> None:
        """Write it down."""
        expected.arrivals.update((patron, at) for at in self.arrivals)
        expected.stays.update((patron, *stay) for stay in self.stays)
        if self.inside_since is not None:
            expected.stays[(patron, self.inside_since, None)] += 1


def reckon_door(lines: list[dict[str, Any]], *, apart: set[UUID]) -> tuple[dict[int, str], dict[UUID, Guest]]:
    """What has to become of each line that a door decided, by its sequence; guests of whom others decide too are left out."""
    guests: dict[UUID, Guest] = {}
    results: dict[int, str] = {}
    for line in lines:
        patron = UUID(line["patron_id"])
        if patron in apart:
            continue
        guest = guests.setdefault(patron, Guest())
        results[line["sequence"]] = _line(guest, line)
    return results, guests


def _line(guest: Guest, line: dict[str, Any]) -> str:
    at, begins = moment(line["claimed_at"]), line["step"] * STEP
    if not begins - STEP <= at.timestamp() < begins + 2 * STEP or line["decided"] == "refused":
        return "refused"
    if line["direction"] == "out":
        if guest.inside_since is None or guest.inside_since > at + SKEW:
            return "refused"
        guest.leave(at)
        return "left"
    if line["step"] in guest.used or guest.is_in(at):
        return "double"
    guest.used.add(line["step"])
    guest.arrive(at)
    return "admitted"


def reckon_phone(ops: list[dict[str, Any]], *, now: datetime) -> tuple[list[str], Guest]:
    """What has to become of each command of a guest's phone: nothing to say where it counts, else the problem."""
    guest = Guest()
    return [_command(guest, op, now) for op in ops], guest


def _command(guest: Guest, op: dict[str, Any], now: datetime) -> str:
    at = datetime.fromtimestamp(op["at"] / 1000, UTC)
    if now - at > OLDEST:
        return "claim-too-late"
    if op["kind"] == "checkout":
        if guest.inside_since is None or at < guest.inside_since - ONE_CLOCK:
            return "no-open-visit"
        guest.leave(at)
        return ""
    code = read_code(op["code"])
    assert code.issued_at is not None
    assert code.expires_at is not None
    at = max(at, code.issued_at)
    if at >= code.expires_at:
        return "code-expired"
    if (code.venue_id, code.nonce) in guest.used:
        return "code-replayed"
    if guest.is_in(at):
        return "visit-open"
    guest.used.add((code.venue_id, code.nonce))
    guest.arrive(at)
    return ""


def look(server: LiveServer, plan: Plan) -> Found:
    """Read from the database what came of the night, past every policy."""
    venues = list(plan.venues)

    def rows(sql: str) -> list[Any]:
        return server.sql(sql, plan.tenant_id, venues)

    found = Found({}, {}, {}, {}, Counter(), Counter())
    for row in rows("select * from door_scans where tenant_id = $1 and venue_id = any($2) order by sequence"):
        found.scans.setdefault(row["device_id"], []).append(row)
    for row in rows("select id, patron_id, arrived_at from checkins where tenant_id = $1 and venue_id = any($2)"):
        found.arrivals.setdefault(row["patron_id"], []).append(row)
    for row in rows("select * from visits where tenant_id = $1 and venue_id = any($2)"):
        found.stays.setdefault(row["patron_id"], []).append(row)
    for row in rows("select patron_id, kind from checkin_flags where tenant_id = $1 and venue_id = any($2)"):
        found.flags.setdefault(row["patron_id"], []).append(row["kind"])
    for row in rows(CALLS):
        found.calls[row["note"]] = max(row["n"], row["incidents"])
    for row in rows(HAPPENED):
        found.happenings[(row["name"], row["entity"])] = row["n"]
    return found


def moment(text: str) -> datetime:
    """A time as a client wrote it."""
    return msgspec.convert(text, datetime).astimezone(UTC)


def compare(name: str, wanted: Counter[Any], got: Counter[Any]) -> list[str]:
    """What is missing and what is too much."""
    missing, extra = wanted - got, got - wanted
    told = [f"{name}: missing {key}" for key in _few(missing)] + [f"{name}: too much {key}" for key in _few(extra)]
    more = missing.total() + extra.total() - len(told)
    return [*told, f"{name}: {more} more"] if more > 0 else told


def _few(counter: Iterable[Any]) -> list[Any]:
    return list(counter)[:5]
