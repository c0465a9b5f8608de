"""Reading the audit chain: who did what to which thing, before and after, why and from where."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.listing import Column, Filter, Listing

AUDIT_READ = Permission("audit.read", "Read the audit log: who did what, and what was there before.", Scope.TENANT)

ACTOR_KINDS = (
    ("member", "Member"),
    ("patron", "Guest"),
    ("crew", "Platform crew"),
    ("system", "Last Light"),
    ("guest", "Guest without a business"),
    ("anonymous", "Nobody signed in"),
)
ORIGINS = (("console", "Console"), ("api", "API"), ("public", "Public page"), ("system", "Last Light"))


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. What a person said or was is null once retention or erasure has dropped it."""

    seq: int
    at: datetime
    name: str
    entity: str
    entity_id: str
    venue_id: UUID | None
    actor_kind: str
    actor_id: UUID | None
    actor: str | None
    origin: str
    reason: str | None
    ip: str | None
    user_agent: str | None
    request_id: str | None
    before: Any
    after: Any
    forgotten: bool


def _said(field: str) -> str:
    return f"a.payload::jsonb ->> '{field}'"


COLUMNS = (
    Column(name="seq", sql="a.seq", label="No.", kind="number", sort=True),
    Column(name="at", sql="a.at", label="When", kind="time"),
    Column(name="actor", sql=_said("actor"), label="Who"),
    Column(name="actor_kind", sql="a.actor_kind", label="As", kind="enum", choices=ACTOR_KINDS),
    Column(name="actor_id", sql="a.actor_id", label="User", kind="uuid", shown=False),
    Column(name="name", sql="a.name", label="What"),
    Column(name="entity", sql="a.entity", label="Thing"),
    Column(name="entity_id", sql="a.entity_id", label="Which", shown=False),
    Column(name="venue_id", sql="a.venue_id", label="Venue", kind="uuid", shown=False),
    Column(name="reason", sql=_said("reason"), label="Why"),
    Column(name="origin", sql="a.origin", label="Through", kind="enum", choices=ORIGINS),
    Column(name="ip", sql=_said("ip"), label="From"),
    Column(name="user_agent", sql=_said("user_agent"), label="With", shown=False),
    Column(name="request_id", sql=_said("request_id"), label="Request", shown=False),
    Column(name="before", sql="a.payload::jsonb -> 'before'", label="Before", shown=False),
    Column(name="after", sql="a.payload::jsonb -> 'after'", label="After", shown=False),
    Column(name="forgotten", sql="a.payload is null", label="Forgotten", kind="bool", shown=False),
)

AUDIT: Listing[AuditRow] = Listing(
    name="audit",
    label="Audit log",
    row=AuditRow,
    permission=AUDIT_READ,
    source="audit_entries a",
    tenant="a.tenant_id",
    key="a.seq",
    columns=COLUMNS,
    sort="-seq",
    filters=(
        Filter(name="entity", sql="a.entity", label="Thing"),
        Filter(name="entity_id", sql="a.entity_id", label="Which"),
        Filter(name="name", sql="a.name", label="What"),
        Filter(name="actor_id", sql="a.actor_id", label="User", kind="uuid"),
        Filter(name="actor_kind", sql="a.actor_kind", label="As", kind="enum", choices=ACTOR_KINDS),
        Filter(name="origin", sql="a.origin", label="Through", kind="enum", choices=ORIGINS),
        Filter(name="venue_id", sql="a.venue_id", label="Venue", kind="uuid"),
        Filter(name="at", sql="a.at", label="When", kind="time"),
    ),
    search=("a.payload", "a.name", "a.entity_id"),
)


class AuditEntry(AuditRow, frozen=True, kw_only=True):
    """One entry with its place in the chain."""

    id: UUID
    digest: str
    hash: str
    previous_hash: str | None


ENTRY = f"""
select {", ".join(f"{column.sql} as {column.name}" for column in COLUMNS)},
       a.id, encode(a.digest, 'hex') as digest, encode(a.hash, 'hex') as hash,
       (select encode(p.hash, 'hex') from audit_entries p where p.tenant_id = $1 and p.seq = $2 - 1) as previous_hash
from audit_entries a
where a.tenant_id = $1 and a.seq = $2
"""  # noqa: S608 - composed of the declarations above


async def read_entry(ctx: Ctx, *, seq: int) -> AuditEntry:
    """One entry of the tenant's chain; NotFound when there is none."""
    return await ctx.db.one(AuditEntry, ENTRY, ctx.tenant_id, seq)
