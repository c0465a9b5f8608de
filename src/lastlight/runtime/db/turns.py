"""Turns: who counts before they add does so one after another, or two at once would both find room."""

from lastlight.runtime.context import Ctx

TURN = "select pg_advisory_xact_lock(hashtextextended($1, 17))"


async def take_turn(ctx: Ctx, *, of: str, whose: object) -> None:
    """Wait until nobody else of the tenant is at this for the same one, and keep them waiting until the transaction ends."""
    await ctx.db.execute(TURN, f"{ctx.tenant_id}/{of}/{whose}")
