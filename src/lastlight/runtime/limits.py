"""Rate limits: a leaky bucket (GCRA) for each key in PostgreSQL, so that every process gives the same answer.

A bucket is one time: when it will be empty again. A request moves it on by period / quota, and is refused where that would
put it more than one period ahead. Denials are remembered in the process, so that a flood costs no statement.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from lastlight.kernel.emails import plain_email
from lastlight.kernel.errors import TooManyRequests
from lastlight.runtime import clock
from lastlight.runtime.auth.known_devices import known_device
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.services import Services

EVENNESS = 0.01
"""How far the count may be off because processes hold tokens that they took ahead and have not used."""
REMEMBERED_KEYS = 20_000


@dataclass(frozen=True, slots=True)
class Policy:
    """So many requests (`quota`) at once, refilled evenly over `period` seconds."""

    name: str
    quota: int
    period: int

    @property
    def interval(self) -> timedelta:
        """The time one request takes to drain."""
        return timedelta(seconds=self.period / self.quota)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it may go on, what is left, and when the bucket has room again."""

    policy: Policy
    allowed: bool
    remaining: int
    reset_seconds: float
    """Until the bucket is empty again; for a denial until the next request fits."""
    granted: int = 0

    def headers(self) -> dict[str, str]:
        """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers), and Retry-After for a denial."""
        seconds = max(1, -int(-self.reset_seconds // 1)) if self.reset_seconds > 0 else 0
        found = {
            "RateLimit-Policy": f'"{self.policy.name}";q={self.policy.quota};w={self.policy.period}',
            "RateLimit": f'"{self.policy.name}";r={self.remaining};t={seconds}',
        }
        return found if self.allowed else {**found, "Retry-After": str(max(1, seconds))}


TAKE = """
insert into rate_limits as bucket (key, empty_at)
values ($1, now() + $2::interval * least($4::integer, $5::integer))
on conflict (key) do update set empty_at = greatest(bucket.empty_at, now()) + $2::interval * least(
    $4::integer,
    floor(extract(epoch from now() + $3::interval - greatest(bucket.empty_at, now())) / extract(epoch from $2::interval) + 0.000001)::integer
)
where greatest(bucket.empty_at, now()) + $2::interval * $6::integer <= now() + $3::interval + interval '1 microsecond'
returning extract(epoch from new.empty_at - greatest(old.empty_at, now()))::float8 as taken,
          extract(epoch from new.empty_at - now())::float8 as level
"""
LOOK = "select extract(epoch from empty_at - now())::float8 as level from rate_limits where key = $1"
GIVE_BACK = "update rate_limits set empty_at = greatest(empty_at - $2::interval * $3::integer, now()) where key = $1"
FORGET = "delete from rate_limits where ctid = any(array(select ctid from rate_limits where empty_at < now() limit $1))"


async def check(services: Services, *, policy: Policy, key: str, cost: int = 1) -> Decision:
    """Take `cost` from the key's bucket, in a statement of its own: it stays taken whatever becomes of the request."""
    return await _take(services, policy, key, least=cost, most=cost)


async def give_back(services: Services, *, policy: Policy, key: str, cost: int = 1) -> None:
    """Put back what was taken, for what turned out not to count."""
    await services.pools.system.execute(GIVE_BACK, _stored(services, policy, key), policy.interval, cost)
    _memory(services).denied.pop(_stored(services, policy, key), None)


def refuse(decision: Decision) -> None:
    """Raise TooManyRequests for a denial."""
    if decision.allowed:
        return
    headers = decision.headers()
    raise TooManyRequests(f"Wait {headers['Retry-After']} seconds, then try again.", headers=headers)


async def count(
    services: Services, op: Any, actor: Actor, *, arguments: Mapping[str, Any] | None = None, known: str | None = None
) -> dict[str, str]:
    """Count one call of an operation by its class; the headers of its answer. Raises TooManyRequests.

    `known` is what the browser keeps of an earlier sign-in.
    """
    if op.limit == "none":
        return {}
    if op.limit in {"auth", "refresh"}:
        return await _count_auth(services, op.limit, actor, arguments or {}, known)
    policy = user_policy(services) if actor.user_id else address_policy(services)
    asker = actor.looking.by_id if actor.looking else actor.user_id
    decision = await count_leased(services, policy, str(asker or network_of(actor.ip)))
    refuse(decision)
    return decision.headers()


async def charge(services: Services, *, policy: Policy, key: str) -> None:
    """Take one more token for what this call tries; `forgive` puts it back with the rest. Raises TooManyRequests."""
    refuse(await check(services, policy=policy, key=key))
    _charged.set((*_charged.get(), (policy, key)))


def forgive(ctx: Ctx) -> None:
    """Said by a sign-in that succeeded: once it is durable, what it was charged is put back."""

    async def put_back() -> None:
        charged = _charged.get()
        _charged.set(())  # not before: what is tried again after a deadlock says so again
        for policy, key in charged:
            await give_back(ctx.services, policy=policy, key=key)

    ctx.after_commit(put_back)


def user_policy(services: Services) -> Policy:
    """Requests of one user, whatever the session."""
    return Policy("user", services.settings.user_requests_per_minute, 60)


def address_policy(services: Services) -> Policy:
    """Requests of one address that nobody is signed in to; a whole venue may share it."""
    return Policy("address", services.settings.user_requests_per_minute * 5, 60)


def network_of(address: str) -> str:
    """Whom an address stands for: of IPv6 its /64, which one customer has to itself and could walk through without end."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    inside = found.ipv4_mapped
    return str(inside) if inside else str(ipaddress.ip_network((int(found), 64), strict=False))


def auth_policies(services: Services) -> tuple[Policy, Policy]:
    """Failed and anonymous calls around signing in: for an address and account together, and for the address, whatever the account.

    Neither counts by account alone, so nobody locks another out; a browser that the account has signed in from counts by itself,
    so that not even a neighbour behind the same router does.
    """
    quota = services.settings.auth_failures_per_quarter_hour
    return Policy("auth", quota, 900), Policy("auth-address", quota * 10, 900)


def factor_policy() -> Policy:
    """Codes of a second factor that one account may try, from all addresses together."""
    return Policy("second-factor", 10, 900)


def refresh_policy() -> Policy:
    """Refreshes of one session."""
    return Policy("refresh", 60, 900)


async def forget_idle(services: Services, *, batch: int = 5_000) -> int:
    """Delete the buckets that are empty anyway; how many there were."""
    total = 0
    while True:
        deleted = int((await services.pools.system.execute(FORGET, batch)).rsplit(" ", 1)[-1])
        total += deleted
        if deleted < batch:
            return total


_charged: ContextVar[tuple[tuple[Policy, str], ...]] = ContextVar("charged", default=())


async def _count_auth(
    services: Services, kind: str, actor: Actor, arguments: Mapping[str, Any], known: str | None
) -> dict[str, str]:
    data: Any = arguments.get("data") or getattr(arguments.get("form"), "values", None)
    if kind == "refresh":
        # made-up tokens are keys without number
        refuse(await count_leased(services, address_policy(services), network_of(actor.ip)))
        keys = [(refresh_policy(), f"{actor.session_id or ''}|{_field(data, 'refresh_token') or network_of(actor.ip)}")]
    else:
        narrow, wide = auth_policies(services)
        email, network = _field(data, "email"), network_of(actor.ip)
        device = known_device(services, known, email=email, now=clock.moment()) if email else ""
        account = plain_email(email) or str(actor.user_id or "")
        keys = [(narrow, f"{network}|{account}"), (wide, network)]
        keys = [(narrow, f"device {device}|{account}")] if device else keys
    decisions: list[Decision] = []
    for policy, key in keys:
        decisions.append(await check(services, policy=policy, key=key))
        refuse(decisions[-1])
    _charged.set(tuple(keys))
    return decisions[0].headers()


def _field(data: Any, name: str) -> str:
    """A field of a struct, or of a form's texts."""
    value = data.get(name) if isinstance(data, dict) else getattr(data, name, "")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return value if isinstance(value, str) else ""


@dataclass(slots=True)
class _Lease:
    """Tokens of one key that this process took ahead."""

    decision: Decision | None = None
    left: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class _Memory:
    """What one process remembers: tokens it took ahead, and until when a key is denied."""

    leases: OrderedDict[str, _Lease] = field(default_factory=OrderedDict[str, _Lease])
    denied: OrderedDict[str, float] = field(default_factory=OrderedDict[str, float])


def _memory(services: Services) -> _Memory:
    return services.memory.setdefault("limits", _Memory())


async def count_leased(services: Services, policy: Policy, key: str) -> Decision:
    """Take one token, from those taken ahead where there are some: a process takes so few that all together stay even."""
    ahead = 1 + int(policy.quota * EVENNESS / max(1, services.settings.web_processes))
    memory = _memory(services)
    lease = memory.leases.setdefault(f"{policy.name}:{key}", _Lease())
    _bound(memory.leases)
    async with lease.lock:
        if lease.left == 0 or lease.decision is None:
            decision = await _take(services, policy, key, least=1, most=ahead)
            if not decision.allowed:
                return decision
            lease.left, lease.decision = decision.granted, decision
        lease.left -= 1
        found = lease.decision
        return Decision(policy, allowed=True, remaining=found.remaining + lease.left, reset_seconds=found.reset_seconds)


async def _take(services: Services, policy: Policy, key: str, *, least: int, most: int) -> Decision:
    stored, denied = _stored(services, policy, key), _memory(services).denied
    wait = denied.get(stored, 0.0) - time.monotonic()
    if wait > 0:
        return Decision(policy, allowed=False, remaining=0, reset_seconds=wait)
    pool, seconds = services.pools.system, policy.period / policy.quota
    row = await pool.fetchrow(
        TAKE, stored, policy.interval, timedelta(seconds=policy.period), most, policy.quota, least
    )
    if row is not None:
        remaining = max(0, int((policy.period - row["level"]) / seconds + 1e-6))
        granted = round(row["taken"] / seconds)
        return Decision(policy, allowed=True, remaining=remaining, reset_seconds=row["level"], granted=granted)
    level: float = await pool.fetchval(LOOK, stored) or 0.0
    wait = max(0.001, level + seconds * least - policy.period)
    if least == 1:  # where more was asked for, less may still fit
        denied[stored] = time.monotonic() + wait
        _bound(denied)
    return Decision(policy, allowed=False, remaining=0, reset_seconds=wait)


def _bound(memory: OrderedDict[str, Any]) -> None:
    while len(memory) > REMEMBERED_KEYS:
        memory.popitem(last=False)


def _stored(services: Services, policy: Policy, key: str) -> str:
    """What the table holds: no address and no account, only a digest under a key of ours."""
    secret: bytes = services.secrets.derive("rate-limit-key")
    return f"{policy.name}:{hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()[:40]}"
