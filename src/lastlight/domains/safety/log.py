"""The safety log: a line for each thing done, which nobody edits (the database refuses)."""

from uuid import UUID

from lastlight.runtime.context import Ctx

WRITE = """
insert into safety_log (tenant_id, venue_id, at, user_id, name, what, entity, entity_id, patron_id, text)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def write(
    ctx: Ctx,
    *,
    venue_id: UUID,
    what: str,
    entity: tuple[str, UUID],
    patron_id: UUID | None = None,
    text: str = "",
) -> None:
    """Add a line in the actor's name."""
    await ctx.db.execute(
        WRITE,
        ctx.tenant_id,
        venue_id,
        ctx.now,
        ctx.actor.user_id,
        who(ctx),
        what,
        entity[0],
        entity[1],
        patron_id,
        text,
    )


def who(ctx: Ctx) -> str:
    """The name under which the actor's deeds are kept."""
    return ctx.actor.name or ("Last Light" if ctx.actor.kind == "system" else "Somebody of the staff")
