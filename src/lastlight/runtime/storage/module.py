"""Files as a module: their edges, and the clearing away of what expired or never got a row."""

import re
from datetime import timedelta

from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.module import Module
from lastlight.runtime.storage.api import open_file, read_file, upload_file
from lastlight.runtime.storage.events import FILES_READ, FileStored
from lastlight.runtime.storage.quotas import SETTINGS, StorageFull, UploadsSpent
from lastlight.runtime.storage.ranges import RangeNotSatisfiable
from lastlight.runtime.storage.sniff import FileRefused
from lastlight.runtime.storage.store import NoRoom

BATCH = 200
PLACE = re.compile(r"[0-9a-f]{32}/[0-9a-f]{2}/[0-9a-f]{40}(\.[0-9a-f]{8}\.draft)?")
ORPHAN_AFTER = timedelta(hours=24)
# every tenant: the platform keeps house for all
GONE = """
select tenant_id, id, place from files
where tenant_id is not null and (removed_at is not null or expires_at <= now()) limit $1
"""
FORGET = """
delete from files using unnest($1::uuid[], $2::uuid[]) as gone (tenant_id, id)
where files.tenant_id = gone.tenant_id and files.id = gone.id
"""
KNOWN = "select place from files where tenant_id = any($1::uuid[]) and place = any($2::text[])"


@job("files.clear_away", schedule="*/15 * * * *", each="platform", timeout=600)
async def clear_away(job: JobRun) -> None:
    """Delete the contents and rows of files that expired or were removed."""
    while True:
        async with job.transaction() as ctx:
            gone = await ctx.db.fetch(GONE, BATCH)
        for row in gone:
            await job.services.storage.remove(row["place"])
        async with job.transaction() as ctx:
            await ctx.db.execute(FORGET, [row["tenant_id"] for row in gone], [row["id"] for row in gone])
        if len(gone) < BATCH:
            return


@job("files.clear_orphans", schedule="40 3 * * *", each="platform", timeout=1800)
async def clear_orphans(job: JobRun) -> None:
    """Delete contents older than a day that have no row: an upload whose transaction was rolled back, a torn draft."""
    async for places in job.services.storage.places():
        async with job.transaction() as ctx:
            ours = [(place, written_at) for place, written_at in places if PLACE.fullmatch(place)]
            tenants = list({place.split("/", 1)[0] for place, _ in ours})
            known = {row["place"] for row in await ctx.db.fetch(KNOWN, tenants, [place for place, _ in ours])}
            before = ctx.now - ORPHAN_AFTER
        for place, written_at in ours:
            if place not in known and written_at < before:
                await job.services.storage.remove(place)


MODULE = Module(
    name="files",
    summary="Uploads and what we make ourselves: random names, sniffed types, signed links that expire.",
    routes=[upload_file, read_file, open_file],
    permissions=[FILES_READ],
    events=[FileStored],
    errors=[FileRefused, NoRoom, RangeNotSatisfiable, StorageFull, UploadsSpent],
    settings=SETTINGS,
    jobs=[clear_away, clear_orphans],
)
