"""Web Push as a module: its edges, its jobs, its housekeeping."""

from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.module import Module
from lastlight.runtime.push.api import ROUTES, TrialSent
from lastlight.runtime.push.deliver import DELIVER, spread_notice
from lastlight.runtime.push.keys import (
    PUSH_MANAGE,
    SEALED,
    PushKeyCurrent,
    PushKeyReplaced,
    PushKeyRetired,
    forget_devices_of_key,
)
from lastlight.runtime.push.subscriptions import PushSubscribed, PushUnsubscribed

BATCH = 2_000
# every tenant: the platform keeps house for all
DROP_DEAD = """
delete from push_subscriptions p using sessions s
where p.tenant_id is not null and s.id = p.session_id and (s.revoked_at is not null or s.expires_at <= now())
"""
# every tenant: messages are kept for a week, so that one can see what became of them
DROP_OLD = """
delete from staged_actions using (
    select tenant_id, id from staged_actions
    where tenant_id is not null and kind = 'push.deliver' and created_at < now() - interval '7 days' limit $1
) as old
where staged_actions.tenant_id = old.tenant_id and staged_actions.id = old.id
"""
# every tenant: a retired key that no browser uses any more goes a month later, for browsers that come back late
DROP_KEYS = """
delete from push_keys k where k.tenant_id = $1 and k.retired_at < now() - interval '30 days'
  and not exists (select from push_subscriptions p where p.tenant_id is not null and p.key_id = k.id)
"""


@job("push.keep_house", schedule="35 4 * * *", each="platform")
async def keep_house(job: JobRun) -> None:
    """Forget the devices of ended sessions, messages older than a week, and retired keys that nobody uses."""
    async with job.transaction() as ctx:
        await ctx.db.execute(DROP_DEAD)
        await ctx.db.execute(DROP_KEYS, ctx.tenant_id)
    await job.in_batches(lambda ctx: ctx.db.execute(DROP_OLD, BATCH), size=BATCH)


MODULE = Module(
    name="push",
    summary="Notifications on people's devices: keys, devices, encrypted messages with retries.",
    routes=ROUTES,
    permissions=[PUSH_MANAGE],
    events=[PushSubscribed, PushUnsubscribed, PushKeyReplaced, PushKeyRetired, TrialSent],
    errors=[PushKeyCurrent],
    jobs=[spread_notice, DELIVER.job, keep_house, forget_devices_of_key],
    sealed=[SEALED],
)
