"""What the screens show of credits beside the lists: a guest's lots, what of them can go back to cards, one entry with its lots."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.credits.model import EntryId, EntryKind, LotId, Origin
from lastlight.domains.credits.refundable import GOES_BACK, UNSPENT, refundable_of
from lastlight.domains.credits.spending import OUTSTANDING
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.runtime.context import Ctx

MOST_LOTS = 50
"""Most lots of a guest on a page; the list has them all."""
CARD = "btrim(coalesce(p.brand, '') || ' ' || coalesce(p.last4, ''))"
LOT_IN_WORDS = f"""
select l.id, l.origin, l.amount, l.remaining, l.frozen, l.currency, l.expires_at, l.created_at, coalesce(w.name, '') as venue,
       l.payment_id, {CARD} as card, {GOES_BACK} as goes_back
from credit_lots l
left join venues w on w.tenant_id = l.tenant_id and w.id = l.venue_id
left join payments p on p.tenant_id = l.tenant_id and p.id = l.payment_id
where l.tenant_id = $1 and l.patron_id = $2
"""  # noqa: S608 - our own names
LOTS = f"{LOT_IN_WORDS} order by l.remaining > 0 desc, l.created_at desc, l.id desc limit $3"
FUNDED = f"{LOT_IN_WORDS} and {UNSPENT} order by l.created_at desc, l.id desc"
ENTRY = """
select e.id, e.patron_id, g.name as guest, e.currency, e.number, e.kind, e.amount, e.balance, e.froze, e.frozen, e.venue_id,
       coalesce(w.name, '') as venue, e.payment_id, e.refund_id, e.dispute_id, e.reverses, e.source_kind, e.source_id, e.description,
       coalesce(u.name, '') as actor, e.at
from credit_entries e
join patrons g on g.tenant_id = e.tenant_id and g.id = e.patron_id
left join venues w on w.tenant_id = e.tenant_id and w.id = e.venue_id
left join users u on u.id = e.actor_id
where e.tenant_id = $1 and e.id = $2
"""
USES = f"""
select u.lot_id, u.amount, u.froze, l.origin, l.created_at, l.expires_at, l.payment_id, {CARD} as card
from credit_uses u
join credit_lots l on l.tenant_id = u.tenant_id and l.id = u.lot_id
left join payments p on p.tenant_id = l.tenant_id and p.id = l.payment_id
where u.tenant_id = $1 and u.entry_id = $2
order by l.created_at, l.id
"""  # noqa: S608 - our own names
BACK = """
select id, at, amount, description from credit_entries where tenant_id = $1 and reverses = $2 order by at, id limit 200
"""
SOURCE_OF = """
select source_kind, source_id from credit_entries where tenant_id = $1 and id = $2 and source_id is not null
"""
OF_SOURCE = """
select id from credit_entries where tenant_id = $1 and source_kind = $2 and source_id = $3 order by at limit 1
"""


class GuestLot(msgspec.Struct, frozen=True, kw_only=True):
    """Credits of a guest that came in together, and what paid for them."""

    id: LotId
    origin: Origin
    amount: int
    remaining: int
    frozen: int
    currency: str
    expires_at: datetime | None
    created_at: datetime
    venue: str
    payment_id: UUID | None
    card: str
    goes_back: int

    @property
    def refundable(self) -> int:
        """What of it a card can be given now."""
        return refundable_of(self.goes_back, self.currency)

    @property
    def stays(self) -> int:
        """What of it is not in dispute, and yet cannot go back to a card now."""
        return self.remaining - self.frozen - self.refundable


class EntryUse(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry did to one lot."""

    lot_id: LotId
    amount: int
    froze: int
    origin: Origin
    created_at: datetime
    expires_at: datetime | None
    payment_id: UUID | None
    card: str


class GivenBack(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that gave back a part of a spend."""

    id: EntryId
    at: datetime
    amount: int
    description: str


class WholeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in words: whose, where, by whom, what for."""

    id: EntryId
    patron_id: PatronId
    guest: str
    currency: str
    number: int
    kind: EntryKind
    amount: int
    balance: int
    froze: int
    frozen: int
    venue_id: VenueId | None
    venue: str
    payment_id: UUID | None
    refund_id: UUID | None
    dispute_id: UUID | None
    reverses: EntryId | None
    source_kind: str | None
    source_id: UUID | None
    description: str
    actor: str
    at: datetime

    @property
    def transaction_id(self) -> UUID | None:
        """The ledger's transaction that moved it; a purchase's is that of its payment, and what is only frozen has none."""
        return self.id if self.amount and self.kind != "bought" else None


async def lots_of(ctx: Ctx, *, patron_id: PatronId) -> list[GuestLot]:
    """A guest's newest lots, those first of which something is left."""
    return await ctx.db.rows(GuestLot, LOTS, ctx.tenant_id, patron_id, MOST_LOTS)


async def funded_lots(ctx: Ctx, *, patron_id: PatronId) -> list[GuestLot]:
    """A guest's purchases of which something is unspent, the newest first: each knows what of it can go back to a card."""
    return await ctx.db.rows(GuestLot, FUNDED, ctx.tenant_id, patron_id)


async def read_entry(ctx: Ctx, *, entry_id: UUID) -> WholeEntry:
    """One entry, for a caller that has seen to the permission. Raises NotFound."""
    return await ctx.db.one(WholeEntry, ENTRY, ctx.tenant_id, entry_id)


async def uses_of(ctx: Ctx, *, entry_id: UUID) -> list[EntryUse]:
    """Which lots gave or got how much of an entry."""
    return await ctx.db.rows(EntryUse, USES, ctx.tenant_id, entry_id)


async def given_back_of(ctx: Ctx, *, entry_id: UUID) -> list[GivenBack]:
    """The entries that gave back a spend, the first one first."""
    return await ctx.db.rows(GivenBack, BACK, ctx.tenant_id, entry_id)


async def left_of_spend(ctx: Ctx, *, entry_id: UUID) -> int:
    """What of a spend was not given back yet."""
    return sum(row["amount"] for row in await ctx.db.fetch(OUTSTANDING, ctx.tenant_id, entry_id))


async def source_of_entry(ctx: Ctx, *, entry_id: UUID) -> tuple[str, UUID] | None:
    """What an entry was for, such as ("adjustment", its id); None where it names nothing."""
    row = await ctx.db.fetchrow(SOURCE_OF, ctx.tenant_id, entry_id)
    return (row["source_kind"], row["source_id"]) if row else None


async def entry_of_source(ctx: Ctx, *, source: tuple[str, UUID]) -> EntryId | None:
    """The first entry that names what it was for, such as ("adjustment", its id)."""
    return await ctx.db.fetchval(OF_SOURCE, ctx.tenant_id, *source)
