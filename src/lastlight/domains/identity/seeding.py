"""People for the demonstration and for tests, with ids that follow from a seed. Each function may be repeated."""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from lastlight.domains.identity.names import clean_email
from lastlight.domains.identity.roles import role_by_key
from lastlight.kernel.ids import MembershipId, PatronId, UserId
from lastlight.runtime.auth.passwords import hash_password
from lastlight.runtime.context import Ctx


def seeded_id(seed: str, *parts: object) -> UUID:
    """An id (UUIDv8) that follows from the seed and the parts: the same in every run."""
    raw = bytearray(hashlib.sha256("/".join([seed, *map(str, parts)]).encode()).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return UUID(bytes=bytes(raw))


async def seed_user(
    ctx: Ctx, *, seed: str, email: str, name: str, password: str | None = None, password_hash: str | None = None
) -> UserId:
    """An account whose address is proven. Needs the system's database role. A hash may be given where many share a password."""
    address = clean_email(email)
    stored = password_hash or (await hash_password(password) if password else None)
    user_id = await ctx.db.fetchval(
        """insert into users (id, email, name, password_hash, email_verified_at) values ($1, $2, $3, $4, now())
           on conflict (email) do update set name = excluded.name, password_hash = excluded.password_hash returning id""",
        seeded_id(seed, "user", address),
        address,
        name,
        stored,
    )
    return UserId(user_id)


async def seed_member(
    ctx: Ctx, *, seed: str, user_id: UserId, role: str, venue_ids: Sequence[UUID] | None = None
) -> MembershipId:
    """A role, by its key, for a user in the transaction's tenant; the tenant has its built-in roles already."""
    role_id = await role_by_key(ctx, key=role)
    member_id = MembershipId(seeded_id(seed, "member", ctx.tenant_id, user_id, role))
    await ctx.db.execute(
        """insert into memberships (tenant_id, id, user_id, role_id, venue_ids) values ($1, $2, $3, $4, $5)
           on conflict (tenant_id, id) do update set venue_ids = excluded.venue_ids, status = 'active'""",
        ctx.tenant_id,
        member_id,
        user_id,
        role_id,
        None if venue_ids is None else list(venue_ids),
    )
    return member_id


async def seed_patron(ctx: Ctx, *, seed: str, user_id: UserId, name: str, birth_date: date | None = None) -> PatronId:
    """A guest of the transaction's tenant."""
    patron_id = await ctx.db.fetchval(
        """insert into patrons (tenant_id, id, user_id, name, birth_date) values ($1, $2, $3, $4, $5)
           on conflict (tenant_id, user_id) do update set name = excluded.name returning id""",
        ctx.tenant_id,
        seeded_id(seed, "patron", ctx.tenant_id, user_id),
        user_id,
        name,
        birth_date,
    )
    return PatronId(patron_id)


async def seed_sanction(ctx: Ctx, *, seed: str, patron_id: PatronId, status: str, reason: str, by: UserId) -> None:
    """A guest who was suspended or banned a week ago, with what is on record of it; suspended ones for a month."""
    imposed = ctx.now - timedelta(days=7)
    ends = imposed + timedelta(days=30) if status == "suspended" else None
    done = await ctx.db.execute(
        "update patrons set status = $3, status_until = $4 where tenant_id = $1 and id = $2 and status = 'active'",
        ctx.tenant_id,
        patron_id,
        status,
        ends,
    )
    if not done:
        return
    await ctx.db.execute(
        """insert into sanctions (tenant_id, id, user_id, patron_id, kind, reason, imposed_at, imposed_by, ends_at)
           select $1, $3, user_id, id, $4, $5, $6, $7, $8 from patrons where tenant_id = $1 and id = $2""",
        ctx.tenant_id,
        patron_id,
        seeded_id(seed, "sanction", patron_id),
        status,
        reason,
        imposed,
        by,
        ends,
    )
