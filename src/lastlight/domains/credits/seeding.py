"""The demonstration's credits: guests who were given some, spent, got some back, and have some that expire soon."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

from lastlight.domains import ledger, taxes
from lastlight.domains.credits.lots import Writing
from lastlight.domains.credits.model import CreditEntry
from lastlight.domains.credits.receipts import SpendLine
from lastlight.domains.credits.spending import give, reverse_spend, spend
from lastlight.domains.venues import read_venue
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.runtime.context import Ctx

KNOWN = "select exists (select from credit_accounts where tenant_id = $1)"
SOON = """
update credit_lots set expires_at = $3
where tenant_id = $1 and id = (select lot_id from credit_uses where tenant_id = $1 and entry_id = $2)
"""


class Story(NamedTuple):
    """What a guest was given, what they spent of it on what, of which category of taxes, and got back, in hundredths, and in how many days the last of it expires."""

    given: tuple[int, ...]
    spent: tuple[tuple[int, str, str], ...] = ()
    back: int = 0
    days: int = 0


STORIES = (
    Story((25_000, 10_000), ((6_500, "Two cocktails", "alcohol"), (3_000, "Air hockey", "games"))),
    Story(
        (50_000,),
        ((12_000, "Karaoke room, an hour", "rooms"), (4_500, "A pitcher of lemonade", "soft-drinks")),
        back=4_500,
    ),
    Story((10_000,), ((2_500, "Pinball", "games"),), days=6),
    Story((25_000,), ((25_000, "Table 4", "rooms"),)),
    Story((10_000, 25_000), ((1_800, "Coffee", "soft-drinks"),), days=12),
)


async def seed_credits(ctx: Ctx, *, venue_ids: Sequence[UUID], patron_ids: Sequence[PatronId], currency: str) -> int:
    """Credits of some guests; nothing where anybody has any. How many guests have some."""
    if not venue_ids or await ctx.db.fetchval(KNOWN, ctx.tenant_id):
        return 0
    told = list(zip(patron_ids, STORIES, strict=False))
    for number, (patron_id, story) in enumerate(told):
        venue_id = VenueId(venue_ids[number % len(venue_ids)])
        for amount in story.given:
            gift = await _give(ctx, patron_id=patron_id, venue_id=venue_id, amount=amount, currency=currency)
            if story.days and amount == story.given[-1]:
                await ctx.db.execute(SOON, ctx.tenant_id, gift.id, ctx.now + timedelta(days=story.days))
        entries = [
            await _spend(
                ctx, patron_id, venue_id, SpendLine(description=what, amount=amount, category=category), currency
            )
            for amount, what, category in story.spent
        ]
        if story.back:
            await reverse_spend(ctx, entry_id=entries[-1].id, amount=story.back, reason="The lemonade was warm")
    return len(told)


async def _spend(ctx: Ctx, patron_id: PatronId, venue_id: VenueId, line: SpendLine, currency: str) -> CreditEntry:
    """Under its category of taxes, where the business has that one and the venue's currency is the guest's."""
    work = partial(spend, ctx, patron_id=patron_id, venue_id=venue_id, currency=currency, description=line.description)
    known = {code for code, _ in await taxes.tax_choices(ctx)}
    if line.category not in known or (await read_venue(ctx, venue_id=venue_id)).currency != currency:
        return await work(amount=line.amount)
    return await work(lines=[line])


async def _give(ctx: Ctx, *, patron_id: PatronId, venue_id: VenueId, amount: int, currency: str) -> CreditEntry:
    return await give(
        ctx,
        patron_id=patron_id,
        amount=amount,
        currency=currency,
        out_of=ledger.ADJUSTMENTS,
        origin="gift",
        what=Writing("gift", "Welcome to the new season", venue_id),
    )
