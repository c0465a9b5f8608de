"""What the patron app shows and does: home, activity, the phone's key."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.checkins.errors import BirthDateGiven, PatronKeysFull
from lastlight.domains.checkins.events import PatronBirthDateGiven, PatronKeyRegistered, PatronKeyRevoked
from lastlight.domains.checkins.queries import open_visit
from lastlight.domains.checkins.schemas import (
    Activity,
    ActivityPage,
    ActivityQuery,
    BirthDateIn,
    Home,
    HomeVenue,
    KeyIn,
    PatronRef,
    TenantRef,
)
from lastlight.domains.venues import Shown, Venue, closes_at, next_opening, shown_venues, standing_venues
from lastlight.kernel.base64url import decode_base64url
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.kernel.ids import PatronId
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.turns import take_turn
from lastlight.runtime.p256 import load_public_key

MOST_KEYS = 20
HOME_ACTIVITY = 10

WHO = """
select p.id as patron_id, p.name as patron, p.birth_date, t.id as tenant_id, t.slug, t.name as tenant,
       (select jsonb_object_agg(e.venue_id, jsonb_build_object('amount', e.amount, 'currency', e.currency)) from entry_prices e
        where e.tenant_id = $1) as entrances
from patrons p join tenants t on t.id = p.tenant_id
where p.tenant_id = $1 and p.id = $2
"""
ACTIVITY = """
select a.kind, a.at, a.venue_id, w.name as venue, a.visit_id, a.duration_seconds
from (
    (select 'checked_in' as kind, opened_at as at, venue_id, id as visit_id, null::integer as duration_seconds
     from visits
     where tenant_id = $1 and patron_id = $2 and status <> 'voided' and opened_at < $3
     order by opened_at desc limit $4)
    union all
    (select case when status = 'timed_out' then 'timed_out' else 'checked_out' end, closed_at, venue_id, id, duration_seconds
     from visits
     where tenant_id = $1 and patron_id = $2 and status in ('closed', 'timed_out') and closed_at < $3
     order by closed_at desc limit $4)
) a
join venues w on w.tenant_id = $1 and w.id = a.venue_id
order by a.at desc, a.kind desc, a.visit_id
limit $4
"""
KEYS = """
select id, label, created_at, revoked_at from patron_keys
where tenant_id = $1 and patron_id = $2 order by created_at desc, id
"""
ADD_KEY = """
insert into patron_keys (tenant_id, patron_id, public_key, label) values ($1, $2, $3, $4)
on conflict on constraint patron_keys_once do nothing
returning id, label, created_at, revoked_at
"""
SAME_KEY = """
select id, label, created_at, revoked_at from patron_keys
where tenant_id = $1 and patron_id = $2 and public_key = $3
"""
REVOKE_KEY = """
update patron_keys set revoked_at = now()
where tenant_id = $1 and patron_id = $2 and id = $3 and revoked_at is null
"""


GUEST = "select id, name, birth_date from patrons where tenant_id = $1 and id = $2"
GIVE_BIRTH_DATE = """
update patrons set birth_date = $3
where tenant_id = $1 and id = $2 and birth_date is null
returning id, name, birth_date
"""
EARLIEST_BIRTH = date(1900, 1, 1)


class PhoneKeyOut(msgspec.Struct, frozen=True, kw_only=True):
    """A registered phone."""

    id: UUID
    label: str
    created_at: datetime
    revoked_at: datetime | None


async def read_home(ctx: Ctx) -> Home:
    """Everything that the patron app shows first."""
    patron_id = _patron(ctx)
    who = await ctx.db.fetchrow(WHO, ctx.tenant_id, patron_id)
    if who is None:
        raise NotFound
    shown = await shown_venues(ctx)
    venues = [venue for venue in await standing_venues(ctx, permission=None) if venue.id in shown]
    venues.sort(key=lambda venue: not shown[venue.id].featured)
    entrances: dict[str, dict[str, Any]] = who["entrances"] or {}
    return Home(
        patron=PatronRef(id=who["patron_id"], name=who["patron"], birth_date=who["birth_date"]),
        tenant=TenantRef(id=who["tenant_id"], slug=who["slug"], name=who["tenant"]),
        visit=await open_visit(ctx, patron_id=patron_id),
        activity=(await read_activity(ctx, query=ActivityQuery(limit=HOME_ACTIVITY))).items,
        venues=[_home_venue(venue, ctx.now, shown[venue.id], entrances.get(str(venue.id))) for venue in venues],
        now=ctx.now,
    )


async def read_activity(ctx: Ctx, *, query: ActivityQuery) -> ActivityPage:
    """The guest's comings and goings, newest first."""
    before = query.before or datetime.max.replace(tzinfo=ctx.now.tzinfo, year=9000)
    if before.tzinfo is None:
        raise Invalid(fields={"before": "Give a time with its offset."})
    items = await ctx.db.rows(Activity, ACTIVITY, ctx.tenant_id, _patron(ctx), before, query.limit + 1)
    if len(items) <= query.limit:
        return ActivityPage(items=items, next=None)
    # Lines of one moment stay together, since the next page begins before a moment.
    following = items[query.limit].at
    page = [item for item in items[: query.limit] if item.at != following] or items[: query.limit]
    return ActivityPage(items=page, next=page[-1].at)


async def give_birth_date(ctx: Ctx, *, data: BirthDateIn) -> PatronRef:
    """Keep when the guest was born, once; the same date again changes nothing. Raises Invalid or BirthDateGiven."""
    patron_id = _patron(ctx)
    if not EARLIEST_BIRTH <= data.birth_date <= ctx.now.date():
        raise Invalid(fields={"birth_date": "Give a date that has passed, such as 1999-05-17."})
    given = await ctx.db.row(PatronRef, GIVE_BIRTH_DATE, ctx.tenant_id, patron_id, data.birth_date)
    if given is not None:
        entity = ("patron", patron_id)
        ctx.emit(PatronBirthDateGiven(patron_id=patron_id), entity=entity, patron_id=patron_id)
        return given
    who = await ctx.db.one(PatronRef, GUEST, ctx.tenant_id, patron_id)
    if who.birth_date != data.birth_date:
        raise BirthDateGiven
    return who


async def list_keys(ctx: Ctx) -> list[PhoneKeyOut]:
    """The guest's phones."""
    return await ctx.db.rows(PhoneKeyOut, KEYS, ctx.tenant_id, _patron(ctx))


async def register_key(ctx: Ctx, *, data: KeyIn) -> PhoneKeyOut:
    """Register a phone's public key; the same key again is the same phone."""
    patron_id = _patron(ctx)
    der = decode_base64url(data.public_key)
    if der is None or load_public_key(der) is None:
        raise Invalid(fields={"public_key": "Send an ECDSA P-256 public key (SPKI) as base64url."})
    await take_turn(ctx, of="phones", whose=patron_id)
    keys = await list_keys(ctx)
    if sum(key.revoked_at is None for key in keys) >= MOST_KEYS:
        raise PatronKeysFull
    added = await ctx.db.row(PhoneKeyOut, ADD_KEY, ctx.tenant_id, patron_id, der, data.label.strip())
    if added is None:
        same = await ctx.db.one(PhoneKeyOut, SAME_KEY, ctx.tenant_id, patron_id, der)
        if same.revoked_at is not None:
            raise Invalid(fields={"public_key": "This key was revoked; make a new one."})
        return same
    ctx.emit(
        PatronKeyRegistered(key_id=added.id, label=added.label),
        entity=("patron_key", added.id),
        patron_id=patron_id,
        after={"label": added.label},
    )
    return added


async def revoke_key(ctx: Ctx, *, key_id: UUID) -> None:
    """Revoke a phone's key: nothing that it signed and has not sent counts any more."""
    patron_id = _patron(ctx)
    if not await ctx.db.execute(REVOKE_KEY, ctx.tenant_id, patron_id, key_id):
        raise NotFound
    ctx.emit(PatronKeyRevoked(key_id=key_id), entity=("patron_key", key_id), patron_id=patron_id)


def _patron(ctx: Ctx) -> PatronId:
    if ctx.actor.patron_id is None:
        raise NotPermitted("Sign in as a guest to see this.")
    return ctx.actor.patron_id


def _home_venue(venue: Venue, now: datetime, shown: Shown, entrance: dict[str, Any] | None) -> HomeVenue:
    is_open = venue.status == "active" and venue.is_open(now)
    return HomeVenue(
        id=venue.id,
        slug=venue.slug,
        name=venue.name,
        address=venue.address.one_line(),
        status=venue.status,
        is_open=is_open,
        opens_at=None if is_open else next_opening(venue.opening_hours, venue.zone, now),
        closes_at=closes_at(venue.opening_hours, venue.zone, now) if is_open else None,
        position=venue.position,
        time_zone=venue.time_zone,
        age_limit=venue.age_limit,
        position_policy=venue.position_policy,
        visit_timeout_minutes=venue.visit_timeout_minutes,
        entrance=Money(**entrance) if entrance and entrance["currency"] == venue.currency else None,
        featured=shown.featured,
        degraded_reason=shown.degraded_reason,
    )
