"""The flags that the code asks for, written down at each start; and the demonstration's answer of a business."""

from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services

ADD = """
insert into feature_flags (key, description, enabled, percentage, spread) values ($1, $2, $3, $4, $5)
on conflict on constraint feature_flags_pkey do nothing
"""
ANSWER = """
insert into tenant_flags (tenant_id, key, enabled, percentage, reason) values ($1, $2, $3, $4, $5)
on conflict on constraint tenant_flags_pkey do nothing
"""


async def sync_flags(services: Services) -> None:
    """Write down every declared flag that is not there yet; what the crew has said of the others stands."""
    async with system_ctx(services, PLATFORM, role="platform") as ctx:
        for flag in services.registry.flags.values():
            await ctx.db.execute(ADD, flag.key, flag.description, flag.enabled, flag.percentage, flag.spread)


async def seed_answer(ctx: Ctx, *, key: str, enabled: bool, reason: str, percentage: int = 100) -> None:
    """A business's own answer in the demonstration, where it has none. Needs the platform's database role, inside its tenant."""
    await ctx.db.execute(ANSWER, ctx.tenant_id, key, enabled, percentage, reason)
