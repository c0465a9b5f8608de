"""What credits answer when a transaction of the ledger is traced: the entry of the guest's history, whose id it has."""

from lastlight.domains.credits.listings import KINDS
from lastlight.domains.credits.permissions import CREDITS_READ
from lastlight.domains.ledger import Source, TransactionOut
from lastlight.kernel.ids import uuid_of
from lastlight.runtime.context import Ctx

HOME = "/owner/credits/entries"
ENTRY = """
select e.id, e.kind, e.description, g.name as guest from credit_entries e
join patrons g on g.tenant_id = e.tenant_id and g.id = e.patron_id
where e.tenant_id = $1 and (e.id = $2 or (e.payment_id = $3 and e.kind = 'bought'))
"""
CHARGE = "card-charge"
"""What a purchase brought: its entry has an id of its own, and names the payment."""


async def credit_sources(ctx: Ctx, *, transaction: TransactionOut) -> list[Source]:
    """The entry that a transaction moved, or that a charge brought."""
    paid = uuid_of(transaction.meta.get("payment_id", "")) if transaction.kind == CHARGE else None
    words = dict(KINDS)
    return [
        Source(
            "Credits",
            ", ".join(part for part in (words[row["kind"]], row["guest"], row["description"]) if part),
            f"{HOME}/{row['id']}",
            CREDITS_READ,
        )
        for row in await ctx.db.fetch(ENTRY, ctx.tenant_id, transaction.id, paid)
    ]
