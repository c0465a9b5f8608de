"""Mail as a module: the outbox, the delivery, the retention."""

from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.mail.deliver import DELIVER
from lastlight.runtime.mail.outbox import OUTBOX, OUTBOX_READ, list_outbox, read_mail
from lastlight.runtime.module import Module

BATCH = 2_000
# every tenant: the platform keeps house for all
DROP_OLD = """
delete from outgoing_mail using (
    select tenant_id, id from outgoing_mail
    where tenant_id is not null and created_at < now() - interval '90 days' and state <> 'queued' limit $1
) as old
where outgoing_mail.tenant_id = old.tenant_id and outgoing_mail.id = old.id
"""


@job("mail.drop_old", schedule="20 4 * * *", each="platform")
async def drop_old_mail(job: JobRun) -> None:
    """Delete mail older than 90 days."""
    await job.in_batches(lambda ctx: ctx.db.execute(DROP_OLD, BATCH), size=BATCH)


MODULE = Module(
    name="mail",
    summary="Outgoing mail: written in the transaction, delivered with retries, kept where there is no server.",
    routes=[list_outbox, read_mail],
    permissions=[OUTBOX_READ],
    jobs=[DELIVER.job, drop_old_mail],
    listings=[OUTBOX],
)
