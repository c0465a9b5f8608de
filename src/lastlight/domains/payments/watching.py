"""The watch over what comes in from the card provider: silence though payments are captured, and webhooks that get lost again and again."""

from typing import Literal

from lastlight.domains.payments.events import ProviderTrouble
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

SILENT_MINUTES = 30
LOST_SWEEPS = 3
TOLD_AGAIN_HOURS = 6
Trouble = Literal["silent", "lost"]
# every tenant: the newest capture that a webhook should have told of by now, and whether any has come since; what is captured settles
# after days only, so that the index of what is unfinished finds it
SILENT = """
select exists (
    select from (select max(captured_at) as at from payments
                 where tenant_id is not null and status = 'captured' and checked_at > now() - interval '1 day'
                   and captured_at < now() - make_interval(mins => $1)) paid
    where paid.at > now() - interval '1 day' and not exists (
        select from tenants t
        cross join lateral (select from provider_events e
                            where e.tenant_id = t.id and e.source = 'webhook' and e.received_at >= paid.at - interval '1 minute'
                            limit 1) told))
"""
# every tenant: in how many sweeps, which run each ten minutes, something turned up within three hours
LOST = """
select count(distinct date_bin('10 minutes', e.received_at, 'epoch'))
from tenants t
join provider_events e on e.tenant_id = t.id and e.source = 'sweep' and e.received_at > now() - interval '3 hours'
"""
TOLD = """
select exists (select from audit_entries where tenant_id = $1 and name = 'payment.provider_trouble' and entity_id = $2
               and at > now() - make_interval(hours => $3))
"""


async def find_trouble(ctx: Ctx) -> list[Trouble]:
    """What is wrong with what comes in, for a caller who reads as the system."""
    found: list[Trouble] = []
    if await ctx.db.fetchval(SILENT, SILENT_MINUTES):
        found.append("silent")
    if await ctx.db.fetchval(LOST) >= LOST_SWEEPS:
        found.append("lost")
    return found


@job("payments.watch_provider", schedule="5-59/10 * * * *", each="platform")
async def watch_provider(ctx: Ctx) -> int:
    """Tell the crew of silence and of lost webhooks, each once in some hours; how much was told."""
    told = 0
    for trouble in await find_trouble(ctx):
        if await ctx.db.fetchval(TOLD, PLATFORM, trouble, TOLD_AGAIN_HOURS):
            continue
        ctx.emit(ProviderTrouble(trouble=trouble), entity=("card_provider", trouble), after={"trouble": trouble})
        told += 1
    return told
