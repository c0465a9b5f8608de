"""The guest's pass for the night, the public keys that check it, and what an offline door takes along."""

from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lastlight.domains.checkins.errors import PatronBarred, PhoneKeyUnknown
from lastlight.domains.checkins.events import PassIssued
from lastlight.domains.checkins.model import age_on
from lastlight.domains.checkins.passes import PURPOSE, STEP_SECONDS, GuestPass, moment, pass_text, short_name
from lastlight.domains.checkins.scan_schemas import LetInAgain, PassIn, PassKey, PassOut, Snapshot
from lastlight.domains.checkins.settings import BIRTH_DATE_REQUIRED
from lastlight.domains.devices import Speaker
from lastlight.domains.venues import closes_at, next_opening, read_venue
from lastlight.kernel.base64url import encode_base64url
from lastlight.kernel.errors import NotPermitted
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx
from lastlight.runtime.p256 import load_public_key

LASTS = timedelta(hours=14)
"""From the evening until after the longest night."""
HOLDER = """
select p.name, p.birth_date, h.public_key,
       p.status in ('banned', 'suspended') and coalesce(p.status_until > now(), true) as barred
from patrons p
left join patron_keys h on h.tenant_id = $1 and h.patron_id = p.id and h.id = $3 and h.revoked_at is null
where p.tenant_id = $1 and p.id = $2
"""
KNOWN = """
select
    array(select id from patrons where tenant_id = $1
          and (status = 'banned' or (status = 'suspended' and coalesce(status_until > now(), true)))) as barred,
    array(select p.id from patrons p where p.tenant_id = $1
          and (p.status = 'soft_banned' and coalesce(p.status_until > now(), true)
               or exists (select from users u where u.id = p.user_id and u.status = 'soft_banned'
                          and coalesce(u.status_until > now(), true)))) as by_hand,
    array(select patron_id from visits where tenant_id = $1 and status = 'open') as inside,
    array(select patron_id from visits where tenant_id = $1 and status = 'open' and venue_id = $4) as here,
    array(select id from patron_keys where tenant_id = $1 and revoked_at > now() - interval '1 day') as revoked_keys,
    (select coalesce(max(sequence), 0) from door_scans where tenant_id = $1 and device_id = $2) as last_sequence,
    (select value from tenant_settings where tenant_id = $1 and key = $3) as birth_date_required,
    (select jsonb_build_object('amount', e.amount, 'currency', e.currency) from entry_prices e
     where e.tenant_id = $1 and e.venue_id = $4 and e.currency = $5) as entrance
"""

# The scan that let a guest in last before a second device did the same: its device is to know.
AGAIN = """
select s.sequence, d.name as door, e.claimed_at as at
from door_scans e
join devices d on d.tenant_id = $1 and d.id = e.device_id
cross join lateral (
    select b.device_id, b.sequence from door_scans b
    where b.tenant_id = $1 and b.patron_id = e.patron_id and b.direction = 'in' and b.result = 'admitted' and b.id < e.id
    order by b.id desc limit 1
) s
where e.tenant_id = $1 and e.result = 'double' and e.received_at > now() - interval '18 hours'
  and s.device_id = $2 and e.device_id <> $2
order by e.id
limit 100
"""


async def issue_pass(ctx: Ctx, *, data: PassIn) -> PassOut:
    """A pass for the night, bound to one of the guest's registered phones."""
    patron_id = ctx.actor.patron_id
    if patron_id is None:
        raise NotPermitted("Sign in as a guest to get a pass.")
    row = await ctx.db.fetchrow(HOLDER, ctx.tenant_id, patron_id, data.key_id)
    if row is not None and row["barred"]:
        raise PatronBarred
    key = load_public_key(bytes(row["public_key"])) if row and row["public_key"] else None
    if row is None or key is None:
        raise PhoneKeyUnknown(fields={"key_id": "This is not a registered phone of yours, or it was revoked."})
    guest = GuestPass(
        tenant_id=ctx.tenant_id,
        patron_id=patron_id,
        key_id=data.key_id,
        phone_key=key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
        starts=int(ctx.now.timestamp()),
        expires=int((ctx.now + LASTS).timestamp()),
        age=_age(row["birth_date"], ctx.now),
        name=short_name(row["name"]),
    )
    secrets = ctx.services.secrets
    text = pass_text(guest, key=secrets.signing_key(PURPOSE), key_id=secrets.key_id())
    ctx.emit(
        PassIssued(key_id=data.key_id, expires_at=moment(guest.expires)),
        entity=("patron_key", data.key_id),
        patron_id=patron_id,
    )
    return PassOut(
        text=text,
        starts_at=moment(guest.starts),
        expires_at=moment(guest.expires),
        step_seconds=STEP_SECONDS,
        now=ctx.now,
    )


def pass_keys(ctx: Ctx) -> list[PassKey]:
    """The public keys that passes are checked with; the one that signs now comes first."""
    return [
        PassKey(id=key_id, public_key=encode_base64url(key.public_bytes_raw()))
        for key_id, key in ctx.services.secrets.verifying_keys(PURPOSE).items()
    ]


async def take_snapshot(ctx: Ctx, *, speaker: Speaker) -> Snapshot:
    """All that a door needs to decide by itself until it is asked again."""
    venue = await read_venue(ctx, venue_id=speaker.venue_id)
    known = await ctx.db.fetchrow(KNOWN, ctx.tenant_id, speaker.id, BIRTH_DATE_REQUIRED.key, venue.id, venue.currency)
    assert known is not None
    again = await ctx.db.rows(LetInAgain, AGAIN, ctx.tenant_id, speaker.id)
    is_open = venue.is_open(ctx.now)
    return Snapshot(
        at=ctx.now,
        venue_id=venue.id,
        venue=venue.name,
        time_zone=venue.time_zone,
        tenant_id=ctx.tenant_id,
        status=venue.status,
        is_open=is_open,
        closes_at=closes_at(venue.opening_hours, venue.zone, ctx.now),
        opens_at=None if is_open else next_opening(venue.opening_hours, venue.zone, ctx.now),
        capacity=venue.capacity,
        age_limit=venue.age_limit,
        entrance=Money(**known["entrance"]) if known["entrance"] else None,
        birth_date_required=BIRTH_DATE_REQUIRED.read(known["birth_date_required"]),
        step_seconds=STEP_SECONDS,
        keys=pass_keys(ctx),
        barred=known["barred"],
        by_hand=known["by_hand"],
        inside=known["inside"],
        here=known["here"],
        revoked_keys=known["revoked_keys"],
        last_sequence=known["last_sequence"],
        again=again,
    )


def _age(birth_date: Any, now: datetime) -> int:
    return 0 if birth_date is None else min(255, max(1, age_on(birth_date, now.date())))
