"""What a business looks like: its logo and its accent. The platform's own stand under its own id, for its console and its public pages.

A logo is uploaded to a signed address, sniffed, made small by a job, and its original let go; an earlier one stays until the next is
ready. The accent is one colour; each theme shows a shade of it that can be read (`colours.py`).
"""

import asyncio
import io
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec

from lastlight.domains.tenancy.permissions import TENANT_READ
from lastlight.kernel.errors import Conflict, Invalid, NotFound, Stale
from lastlight.kernel.events import Event
from lastlight.kernel.ids import FileId, TenantId, uuid7
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.services import Services
from lastlight.runtime.storage.files import File, Stored, add_file, find_file, find_file_of, remove_file, store_made
from lastlight.runtime.storage.pictures import in_turn, upright_picture
from lastlight.ui.colours import clean_colour, shade_for

LINK_PURPOSE = "brand logo"
UPLOAD_TIME = timedelta(minutes=15)
LONGEST = 512
ENSURE = "insert into tenant_brands (tenant_id) values ($1) on conflict (tenant_id) do nothing"
READ = """
select t.id as tenant_id, t.name, coalesce(b.accent, '') as accent, coalesce(b.logo_state, 'none') as logo_state,
       coalesce(b.logo_reason, '') as logo_reason, coalesce(b.logo_alt, '') as logo_alt, b.logo_file_id, coalesce(b.version, 0) as version
from tenants t left join tenant_brands b on b.tenant_id = t.id where t.id = $1
"""
LOCK = "select version, upload_id, logo_state, original_id, logo_file_id, upload_alt from tenant_brands where tenant_id = $1 for update"
ACCENT = "update tenant_brands set accent = $2 where tenant_id = $1"
AWAIT = """
update tenant_brands set upload_id = $2, upload_alt = $3, logo_state = 'awaited', logo_reason = '' where tenant_id = $1
"""
UPLOADED = "update tenant_brands set logo_state = 'uploaded', upload_id = null, original_id = $2 where tenant_id = $1"
READY = """
update tenant_brands set logo_state = 'ready', logo_alt = upload_alt, upload_alt = '', original_id = null, logo_file_id = $2
where tenant_id = $1
"""
FAILED = "update tenant_brands set logo_state = 'failed', logo_reason = $2, original_id = null where tenant_id = $1"
RESET = """
update tenant_brands set logo_state = 'none', logo_reason = '', logo_alt = '', upload_alt = '', upload_id = null, original_id = null,
       logo_file_id = null
where tenant_id = $1
"""


class BrandChanged(Event, frozen=True, kw_only=True):
    """The logo or the accent of a business changed, or is on its way."""

    event_name: ClassVar[str] = "tenant.brand_changed"
    audience: ClassVar[Permission | None] = TENANT_READ
    tenant_id: UUID
    change: str


class LogoNotAwaited(Conflict):
    """An address for a logo takes one, once; asking for another address ends the earlier one."""

    type = "logo-not-awaited"
    title = "No logo is awaited at this address"
    default_detail = "Ask for another address and upload the logo there."


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """What a business looks like; empty where it has chosen nothing."""

    tenant_id: TenantId
    name: str
    accent: str
    logo_state: Literal["none", "awaited", "uploaded", "ready", "failed"]
    """Of the last upload; an earlier logo is shown until the next is ready."""
    logo_reason: str
    logo_alt: str
    logo_file_id: FileId | None
    version: int

    @property
    def css(self) -> str:
        """The address of the stylesheet that gives pages the accent; empty without one."""
        return f"/brand/{self.tenant_id}/{self.version}/accent" if self.accent else ""

    @property
    def logo(self) -> str:
        """The address of the logo; empty without one."""
        return f"/brand/{self.tenant_id}/{self.version}/logo" if self.logo_file_id else ""

    @property
    def dark_accent(self) -> str:
        """The accent as it is shown on dark grounds; empty without one."""
        return shade_for(self.accent, "dark").accent if self.accent else ""


async def read_brand(ctx: Ctx) -> Brand:
    """What the transaction's tenant looks like."""
    return await read_brand_of(ctx, tenant_id=ctx.tenant_id)


async def read_brand_of(ctx: Ctx, *, tenant_id: UUID) -> Brand:
    """What a tenant looks like; NotFound where there is none. Of another tenant only in a transaction of the system."""
    return await ctx.db.one(Brand, READ, tenant_id)


async def logo_of(ctx: Ctx, *, brand: Brand) -> File | None:
    """The file of a brand's logo."""
    return None if brand.logo_file_id is None else await find_file_of(ctx, brand.tenant_id, brand.logo_file_id)


async def logo_content(ctx: Ctx, *, brand: Brand) -> bytes | None:
    """A brand's logo as PNG, at most 512 pixels wide or high; None without one."""
    file = await logo_of(ctx, brand=brand)
    if file is None:
        return None
    return b"".join([piece async for piece in ctx.services.storage.read(file.place)])


async def choose_accent(ctx: Ctx, *, accent: str, version: int) -> Brand:
    """Give the business an accent, or none again. Raises Invalid, Stale."""
    wanted = clean_colour(accent) if accent.strip() else ""
    if wanted is None:
        raise Invalid(fields={"accent": "Give a colour as six digits, such as #e91e63."})
    before = await read_brand(ctx)
    await _hold(ctx, version)
    if wanted == before.accent:
        return before
    await ctx.db.execute(ACCENT, ctx.tenant_id, wanted)
    _tell(ctx, "accent", before={"accent": before.accent}, after={"accent": wanted})
    return await read_brand(ctx)


async def await_logo(ctx: Ctx, *, alt: str) -> str:
    """Expect a logo, and the address that takes it once. Raises Invalid."""
    if not alt.strip():
        raise Invalid(fields={"alt": "Say what the logo shows, for those who do not see it."})
    await _hold(ctx, None)
    upload_id = uuid7()
    await ctx.db.execute(AWAIT, ctx.tenant_id, upload_id, alt.strip())
    _tell(ctx, "logo awaited")
    payload = ctx.tenant_id.bytes + upload_id.bytes
    token = ctx.services.secrets.make_link(LINK_PURPOSE, payload, expires_at=ctx.now + UPLOAD_TIME)
    return f"{ctx.services.settings.base_url}/brand/uploads/{token}"


def read_logo_link(services: Services, token: str, *, now: Any) -> tuple[TenantId, UUID]:
    """What an upload's address stands for; NotFound when it is forged or has expired."""
    payload = services.secrets.read_link(LINK_PURPOSE, token, now=now)
    if payload is None or len(payload) != 32:
        raise NotFound("This upload address does not work any more; ask for another.")
    return TenantId(UUID(bytes=payload[:16])), UUID(bytes=payload[16:])


async def receive_logo(ctx: Ctx, *, upload_id: UUID, stored: Stored) -> None:
    """Keep what was uploaded, once, and have it made small; in a transaction of the logo's tenant. Raises LogoNotAwaited."""
    row = await ctx.db.fetchrow(LOCK, ctx.tenant_id)
    if row is None or row["upload_id"] != upload_id or row["logo_state"] != "awaited":
        raise LogoNotAwaited
    file_id = await add_file(ctx, stored, purpose="brand original")
    await ctx.db.execute(UPLOADED, ctx.tenant_id, file_id)
    await ctx.enqueue(make_logo, file_id=file_id)
    _tell(ctx, "logo uploaded")


async def remove_logo(ctx: Ctx, *, version: int) -> Brand:
    """Take the logo away, and one that is on its way. Raises Stale."""
    row = await _hold(ctx, version)
    for file_id in (row["original_id"], row["logo_file_id"]):
        if file_id is not None:
            await remove_file(ctx, FileId(file_id))
    await ctx.db.execute(RESET, ctx.tenant_id)
    _tell(ctx, "logo removed", before={"logo": row["logo_file_id"] is not None}, after={"logo": False})
    return await read_brand(ctx)


def logo_copy(content: bytes) -> bytes:
    """A logo as PNG, which mails and printers take too; ValueError for one that cannot be read."""
    out = io.BytesIO()
    upright_picture(content, longest=LONGEST).save(out, "PNG", optimize=True)
    return out.getvalue()


@job("tenancy.make_logo", timeout=120.0)
async def make_logo(job: JobRun, file_id: UUID) -> None:
    """Make the small copy of an uploaded logo, and let its original go. Nothing is done for one that was replaced meanwhile."""
    async with job.transaction() as ctx:
        row = await ctx.db.fetchrow(LOCK, ctx.tenant_id)
        if row is None or row["original_id"] != file_id:
            return
        original = await find_file(ctx, FileId(file_id))
    made, why = b"", ""
    try:
        made = await in_turn(job.services, original, logo_copy)
    except ValueError as error:
        why = str(error)
    stored = await _store(job, made) if made else None
    async with job.transaction() as ctx:
        row = await ctx.db.fetchrow(LOCK, ctx.tenant_id)
        if row is None or row["original_id"] != file_id:
            return
        await remove_file(ctx, FileId(file_id))
        if stored is None:
            await ctx.db.execute(FAILED, ctx.tenant_id, why)
            _tell(ctx, "logo failed", after={"reason": why})
            return
        if row["logo_file_id"] is not None:
            await remove_file(ctx, FileId(row["logo_file_id"]))
        await ctx.db.execute(READY, ctx.tenant_id, await add_file(ctx, stored, purpose="brand logo"))
        _tell(ctx, "logo", after={"logo": row["upload_alt"]})


async def _store(job: JobRun, content: bytes) -> Stored:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "logo.png"
        await asyncio.to_thread(path.write_bytes, content)
        return await store_made(job.services, job.tenant_id, name="logo.png", media_type="image/png", path=path)


async def _hold(ctx: Ctx, version: int | None) -> Any:
    """The row of the transaction's tenant, made where there is none, held until the end. A version of 0: none was read."""
    made = await ctx.db.execute(ENSURE, ctx.tenant_id)
    row = await ctx.db.fetchrow(LOCK, ctx.tenant_id)
    assert row is not None, "it was just made"
    if version is not None and version != (0 if made else row["version"]):
        raise Stale
    return row


def _tell(ctx: Ctx, change: str, *, before: Any = None, after: Any = None) -> None:
    event = BrandChanged(tenant_id=ctx.tenant_id, change=change)
    ctx.emit(event, entity=("brand", ctx.tenant_id), before=before, after=after)
