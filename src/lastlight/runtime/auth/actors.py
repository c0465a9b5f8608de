"""What the database knows of a session: its user, tenant, roles and looks, as an Actor."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from lastlight.kernel.errors import SessionEnded
from lastlight.kernel.ids import PLATFORM, UserId, VenueId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.auth.errors import (
    AccountSuspended,
    GuestBanned,
    MembershipEnded,
    TenantClosed,
    TenantPending,
    TenantSuspended,
)
from lastlight.runtime.auth.grants import crew_grants, member_grants, patron_grants
from lastlight.runtime.auth.looking import IMPERSONATE, PREVIEW, narrowed
from lastlight.runtime.context import Actor, Grants, Looking
from lastlight.runtime.module import Registry


class _Session(msgspec.Struct, frozen=True):
    """A session with its user, tenant and preferences."""

    id: UUID
    user_id: UUID
    tenant_id: UUID | None
    kind: str
    patron_id: UUID | None
    channel: str
    version: int
    ended: bool
    name: str
    email: str
    email_verified: bool
    user_status: str
    status_until: datetime | None
    barred: bool
    second_factor: bool
    tenant_status: str | None
    tenant_reason: str | None
    language: str
    theme: str
    time_zone: str
    expires_at: datetime
    reason: str
    preview_role_id: UUID | None
    preview_venue_ids: tuple[UUID, ...] | None
    impersonator_id: UUID | None
    impersonator: str | None
    impersonator_stands: bool


SESSION = """
    select s.id, s.user_id, s.tenant_id, s.kind, s.patron_id, s.channel, s.version,
           s.revoked_at is not null or s.expires_at <= now()
               or (s.parent_id is not null and (o.revoked_at is not null or o.expires_at <= now())) as ended,
           u.name, u.email, u.email_verified_at is not null as email_verified,
           case when u.status <> 'closed' and u.status_until <= now() then 'active' else u.status end as user_status,
           u.status_until, coalesce(g.status = 'banned' and coalesce(g.status_until > now(), true), false) as barred,
           s.second_factor_at is not null as second_factor, t.status as tenant_status, t.status_reason as tenant_reason,
           coalesce(p.language, t.locale, 'en') as language, coalesce(p.theme, 'dark') as theme,
           coalesce(nullif(p.time_zone, ''), t.time_zone, '') as time_zone,
           s.expires_at, s.reason, s.preview_role_id, s.preview_venue_ids, s.impersonator_id, w.name as impersonator,
           coalesce(w.status = 'active' or (w.status <> 'closed' and w.status_until <= now()), false) as impersonator_stands
    from sessions s
    join users u on u.id = s.user_id
    left join tenants t on t.id = s.tenant_id
    left join patrons g on g.tenant_id = s.tenant_id and g.id = s.patron_id
    left join user_preferences p on p.user_id = s.user_id
    left join users w on w.id = s.impersonator_id
    left join sessions o on o.id = s.parent_id
    where s.id = $1"""
ROLES = """
    select r.key, m.venue_ids, r.second_factor and not $3::boolean as due,
           case when r.second_factor and not $3::boolean then '{}'::text[] else r.permissions end as permissions
    from memberships m
    join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
    where m.tenant_id = $1 and m.user_id = $2 and m.status = 'active' and r.archived_at is null
    order by r.key"""
PREVIEWED = "select key, name, permissions from roles where tenant_id = $1 and id = $2 and archived_at is null"


class Reads(Protocol):
    """What rows are read from: a pool, or the transaction that has just opened the session."""

    async def fetch(self, sql: str, /, *args: Any) -> list[Any]:
        """All rows."""
        ...

    async def fetchrow(self, sql: str, /, *args: Any) -> Any:
        """The first row, or None."""
        ...


async def load_actor(source: Reads, registry: Registry, session_id: UUID) -> Actor:
    """The actor of a session as the database has it. The version is read before the grants: newer grants do no harm.

    Raises SessionEnded, account-suspended, tenant-pending, -suspended or -closed, guest-banned, or membership-ended.
    """
    row = await source.fetchrow(SESSION, session_id)
    if row is None:
        raise SessionEnded
    session = msgspec.convert(dict(row), _Session)
    _check_standing(session)
    roles, grants, factor_due = await _grants(source, registry.permissions, session)
    actor = msgspec.structs.replace(_actor(session, roles, grants), factor_due=factor_due)
    if session.preview_role_id is not None:
        return await _previewing(source, registry.permissions, session, actor)
    if session.impersonator_id is not None:
        return await _impersonating(source, registry.permissions, session, actor)
    return actor


async def _previewing(source: Reads, known: Mapping[str, Permission], session: _Session, actor: Actor) -> Actor:
    """The owner as somebody of a role: what the role gives at these venues, and never more than they hold themselves."""
    home = session.tenant_id or PLATFORM
    role = await source.fetchrow(PREVIEWED, home, session.preview_role_id)
    if role is None or not actor.grants.allows(PREVIEW):
        raise SessionEnded
    venues = session.preview_venue_ids
    held = [(role["permissions"], venues)]
    wanted = crew_grants(known, held, inside=False) if home == PLATFORM else member_grants(known, held)
    look = Looking(
        kind="preview",
        by_id=UserId(session.user_id),
        by_name=session.name,
        subject=role["name"],
        venue_ids=tuple(VenueId(venue) for venue in venues or ()),
        ends_at=session.expires_at,
    )
    return msgspec.structs.replace(
        actor, roles=(role["key"],), grants=narrowed(wanted, actor.grants), factor_due=False, looking=look
    )


async def _impersonating(source: Reads, known: Mapping[str, Permission], session: _Session, actor: Actor) -> Actor:
    """Somebody's own rights, for one of the crew who may still look."""
    assert session.impersonator_id is not None, "only sessions with one come here"
    rows = await source.fetch(ROLES, PLATFORM, session.impersonator_id, session.second_factor)
    crew = crew_grants(known, [(row["permissions"], None) for row in rows], inside=False)
    if not session.impersonator_stands or not crew.allows(IMPERSONATE):
        raise SessionEnded
    look = Looking(
        kind="impersonation",
        by_id=UserId(session.impersonator_id),
        by_name=session.impersonator or "",
        subject=session.name,
        reason=session.reason,
        ends_at=session.expires_at,
    )
    return msgspec.structs.replace(actor, looking=look)


def _check_standing(session: _Session) -> None:
    if session.ended or session.user_status == "closed":
        raise SessionEnded
    if session.user_status in {"suspended", "banned"}:
        until = session.status_until
        raise AccountSuspended(
            f"It is suspended until {until:%d %B %Y %H:%M} UTC." if until else "",
            extra={"until": until.isoformat() if until else None},
        )
    if session.kind != "crew":
        check_tenant(session.tenant_status)
    if session.barred:
        raise GuestBanned


def check_tenant(status: str | None) -> None:
    """Refuse a tenant that is not active; None stands for no tenant."""
    match status:
        case None | "active":
            return
        case "pending":
            raise TenantPending
        case "suspended":
            raise TenantSuspended
        case _:
            raise TenantClosed


def _actor(session: _Session, roles: tuple[str, ...], grants: Grants) -> Actor:
    fields: dict[str, Any] = {
        "kind": session.kind,
        "user_id": session.user_id,
        "session_id": session.id,
        "tenant_id": session.tenant_id or PLATFORM,
        "patron_id": session.patron_id,
        "name": session.name,
        "email": session.email,
        "email_verified": session.email_verified,
        "roles": roles,
        "grants": grants,
        "version": session.version,
        "channel": session.channel,
        "locale": session.language,
        "theme": session.theme,
        "time_zone": session.time_zone,
    }
    return Actor(**fields)


async def _grants(
    source: Reads, known: Mapping[str, Permission], session: _Session
) -> tuple[tuple[str, ...], Grants, bool]:
    """The roles, what they give, and whether one of them waits for a second factor."""
    if session.kind == "guest":
        return (), Grants(), False
    if session.kind == "patron":
        return ("patron",), patron_grants(known), False
    home = PLATFORM if session.kind == "crew" else session.tenant_id
    rows = await source.fetch(ROLES, home, session.user_id, session.second_factor)
    if not rows:
        raise MembershipEnded
    roles = tuple(dict.fromkeys(row["key"] for row in rows))
    held = [(row["permissions"], row["venue_ids"]) for row in rows]
    due = any(row["due"] for row in rows)
    if session.kind == "crew":
        return roles, crew_grants(known, held, inside=session.tenant_id not in {None, PLATFORM}), due
    return roles, member_grants(known, held), due
