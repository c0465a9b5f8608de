"""The demonstration's adjustment: one that waits for another person."""

from uuid import UUID

from lastlight.domains import identity
from lastlight.kernel.ids import PatronId, UserId
from lastlight.runtime.context import Ctx

WAITING = """
insert into adjustments (tenant_id, id, subject, patron_id, amount, currency, reason, status, needs_approval, requested_by)
values ($1, $2, 'credits', $3, 60000, $4, $5, 'waiting', true, $6) on conflict (tenant_id, id) do nothing
"""


async def seed_adjustment(ctx: Ctx, *, seed: str, patron_id: PatronId, by: UserId, currency: str) -> UUID:
    """A request above the limit, for its owner to look at; its id."""
    made = identity.seeded_id(seed, "adjustment", str(patron_id))
    reason = "The karaoke room lost its sound for the whole of their party."
    await ctx.db.execute(WAITING, ctx.tenant_id, made, patron_id, currency, reason, by)
    return made
