"""Reading the audit chain: who did what to which thing, before and after, why and from where."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.columns import Column, Filter, ref
from lastlight.runtime.http.listing import Listing

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
    Column("seq", "No.", kind="number", sort=True),
    Column("at", "When", kind="time"),
    Column("actor", "Who", sql=_said("actor")),
    Column("actor_kind", "As", kind="enum", choices=ACTOR_KINDS),
    ref("actor_id", "User"),
    Column("name", "What"),
    Column("entity", "Thing"),
    Column("entity_id", "Which", shown=False),
    ref("venue_id", "Venue"),
    Column("reason", "Why", sql=_said("reason")),
    Column("origin", "Through", kind="enum", choices=ORIGINS),
    Column("ip", "From", sql=_said("ip")),
    Column("user_agent", "With", sql=_said("user_agent"), shown=False),
    Column("request_id", "Request", sql=_said("request_id"), shown=False),
    Column("before", "Before", sql="a.payload::jsonb -> 'before'", shown=False),
    Column("after", "After", sql="a.payload::jsonb -> 'after'", shown=False),
    Column("forgotten", "Forgotten", sql="a.payload is null", kind="bool", shown=False),
)

AUDIT: Listing[AuditRow] = Listing(
    name="audit",
    label="Audit log",
    row=AuditRow,
    permission=AUDIT_READ,
    source="audit_entries a",
    of="a",
    key="a.seq",
    columns=COLUMNS,
    sort="-seq",
    filters=(
        Filter("entity"),
        Filter("entity_id"),
        Filter("name"),
        Filter("actor_id"),
        Filter("actor_kind"),
        Filter("origin"),
        Filter("venue_id"),
        Filter("at"),
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
select {", ".join(f"{column.sql} as {column.name}" for column in AUDIT.columns)},
       a.id, encode(a.digest, 'hex') as digest, encode(a.hash, 'hex') as hash,
       (select encode(p.hash, 'hex') from audit_entries p where p.tenant_id = $1 and p.seq = $2 - 1) as previous_hash
from audit_entries a
where a.tenant_id = $1 and a.seq = $2
"""  # noqa: S608 - composed of the declarations above


async def read_entry(ctx: Ctx, *, seq: int) -> AuditEntry:
    """One entry of the tenant's chain; NotFound when there is none."""
    return await ctx.db.one(AuditEntry, ENTRY, ctx.tenant_id, seq)
