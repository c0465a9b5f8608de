"""What the decision at the door needs, read at once."""

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lastlight.domains.checkins.claims import PhoneKey
from lastlight.domains.checkins.entrance import EntryPrice
from lastlight.domains.venues import Geofence, OpeningHours, PositionPolicy, VenueStatus
from lastlight.runtime.context import Ctx

DOOR = """
select v.name as venue, v.status, v.time_zone, v.business_day_hour, v.opening_hours, v.age_limit, v.geofence, v.position_policy,
       v.visit_timeout_minutes,
       k.secret, least(k.retires_at, k.revoked_at) as key_dies_at,
       p.name as patron, p.status as patron_status, p.status_until as patron_status_until, p.birth_date,
       (p.status = 'soft_banned' and coalesce(p.status_until > now(), true))
       or exists (select from users u where u.id = p.user_id and u.status = 'soft_banned'
                    and coalesce(u.status_until > now(), true)) as soft_banned,
       h.public_key, h.created_at as phone_key_created_at, h.revoked_at as phone_key_revoked_at,
       exists (select from checkins c
               where c.tenant_id = $1 and c.patron_id = $3 and c.venue_id = $2 and c.nonce = $5 and c.method = 'screen') as replayed,
       exists (select from visits o
               where o.tenant_id = $1 and o.patron_id = $3 and o.status <> 'voided'
                 and (o.status = 'open' or o.closed_at > $7)) as visit_open,
       coalesce((select r.devices_only from door_rules r where r.tenant_id = $1 and r.venue_id = $2), false) as devices_only,
       (select jsonb_object_agg(s.key, s.value) from tenant_settings s
        where s.tenant_id = $1 and s.key like 'checkins.%') as settings,
       case when e.amount is not null then jsonb_build_object(
           'amount', e.amount, 'currency', e.currency, 'tax_category', e.tax_category, 'each_time', e.each_time) end as price
from venues v
join patrons p on p.tenant_id = $1 and p.id = $3
left join venue_keys k on k.tenant_id = $1 and k.venue_id = v.id and k.number = $4
left join patron_keys h on h.tenant_id = $1 and h.id = $6 and h.patron_id = $3
left join entry_prices e on e.tenant_id = $1 and e.venue_id = v.id and e.currency = v.currency
where v.tenant_id = $1 and v.id = $2
"""


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """All that the decision needs, read at once: the venue, the code's key, the guest, the phone's key, the rules."""

    venue: str
    status: VenueStatus
    time_zone: str
    business_day_hour: int
    opening_hours: OpeningHours | None
    age_limit: int | None
    geofence: Geofence | None
    position_policy: PositionPolicy
    visit_timeout_minutes: int
    secret: bytes | None
    key_dies_at: datetime | None
    patron: str
    patron_status: str
    soft_banned: bool
    """By the business, or on the whole platform: in by the staff's hand only."""
    patron_status_until: datetime | None
    birth_date: date | None
    public_key: bytes | None
    phone_key_created_at: datetime | None
    phone_key_revoked_at: datetime | None
    replayed: bool
    visit_open: bool
    devices_only: bool
    """Only the venue's own scanners let guests in."""
    settings: dict[str, Any] | None
    price: EntryPrice | None
    """What the entrance costs; None: nothing."""

    @property
    def zone(self) -> ZoneInfo:
        """The venue's clock."""
        return ZoneInfo(self.time_zone)

    @property
    def phone_key(self) -> PhoneKey | None:
        """The key that the claim's proof names, if it is this guest's."""
        if self.public_key is None or self.phone_key_created_at is None:
            return None
        return PhoneKey(
            public_key=self.public_key, created_at=self.phone_key_created_at, revoked_at=self.phone_key_revoked_at
        )


async def read_door(
    ctx: Ctx,
    *,
    venue_id: UUID,
    patron_id: UUID,
    key_number: int = 0,
    nonce: bytes = b"",
    phone_key_id: UUID | None = None,
    at: datetime,
) -> Door | None:
    """Everything about a scan in one statement; None when the venue or the guest is not this tenant's."""
    parameters = (ctx.tenant_id, venue_id, patron_id, key_number, nonce, phone_key_id, at)
    return await ctx.db.row(Door, DOOR, *parameters)
