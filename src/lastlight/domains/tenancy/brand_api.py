"""The edge of brands: choosing, uploading, and what pages load of them."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.tenancy import brands
from lastlight.domains.tenancy.brands import Brand, LogoNotAwaited
from lastlight.domains.tenancy.permissions import TENANT_MANAGE, TENANT_READ
from lastlight.kernel.errors import Invalid, NotFound, Stale, TooLarge
from lastlight.runtime import clock
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.http import Download, Input, RequestInfo, delete, get, post, put
from lastlight.runtime.services import Services
from lastlight.runtime.storage.files import PURPOSES, Stored, store_upload
from lastlight.runtime.storage.quotas import StorageFull, UploadsSpent
from lastlight.runtime.storage.sniff import FileRefused
from lastlight.runtime.storage.store import NoRoom
from lastlight.runtime.storage.upload import read_upload
from lastlight.ui.colours import Shade, clean_colour, shade_for, stylesheet

TAGS = ("Branding",)
PICTURE = PURPOSES["picture"]
SEEN = "A logo and a colour are what a business shows to everybody."
FOR_GOOD = "public, max-age=31536000, immutable"


class AccentIn(Input, frozen=True, kw_only=True):
    """A colour such as #e91e63; empty goes back to Last Light's own."""

    accent: Annotated[str, msgspec.Meta(max_length=20)]


class LogoIn(Input, frozen=True, kw_only=True):
    """What the logo shows, for those who do not see it."""

    alt: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class BrandOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a business looks like, and how each theme shows its accent so that it can be read."""

    accent: str
    shades: list[Shade]
    css: str
    logo: str
    logo_alt: str
    logo_state: str
    logo_reason: str
    version: int


class LogoUploadOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where to PUT the logo, once, within a quarter of an hour."""

    upload_url: str


def shades_of(accent: str) -> list[Shade]:
    """How the themes show an accent; nothing without one."""
    return [shade_for(accent, "dark"), shade_for(accent, "light")] if accent else []


async def store_logo(services: Services, sent: Any, actor: Actor) -> Stored:
    """The slow part of an upload, before its transaction: check the address, then the picture, and store it."""
    tenant_id, _ = brands.read_logo_link(services, sent["token"], now=clock.moment())
    if tenant_id != actor.tenant_id:
        raise NotFound
    info: RequestInfo = sent["request"]
    name, content = read_upload(info.headers.get("content-type", ""), "logo", sent["body"])
    return await store_upload(services, tenant_id, purpose=PICTURE, name=name, content=content, by=actor.user_id)


@get("/api/branding", permission=TENANT_READ, tags=TAGS)
async def read_branding(ctx: Ctx) -> BrandOut:
    """What one's own business looks like."""
    return _shown(await brands.read_brand(ctx))


@put("/api/branding", permission=TENANT_MANAGE, raises=(Invalid, Stale), tags=TAGS)
async def change_branding(ctx: Ctx, data: AccentIn, if_match: int) -> BrandOut:
    """Choose the accent. A colour that a theme could not show readably is moved there to the nearest that can be; the answer says so."""
    return _shown(await brands.choose_accent(ctx, accent=data.accent, version=if_match))


@post("/api/branding/logo", permission=TENANT_MANAGE, status=201, raises=(Invalid,), tags=TAGS)
async def await_logo(ctx: Ctx, data: LogoIn) -> LogoUploadOut:
    """Ask for an address to upload the logo to; the present one stays until the next is ready."""
    return LogoUploadOut(upload_url=await brands.await_logo(ctx, alt=data.alt))


@delete("/api/branding/logo", permission=TENANT_MANAGE, raises=(Stale,), tags=TAGS)
async def remove_logo(ctx: Ctx, if_match: int) -> None:
    """Take the logo away."""
    await brands.remove_logo(ctx, version=if_match)


@put(
    "/brand/uploads/{token:str}",
    signed_in="the signed address was made for somebody of this business",
    body_limit=PICTURE.most_bytes + 64 * 1024,
    prepare=store_logo,
    raises=[NotFound, FileRefused, TooLarge, Invalid, NoRoom, LogoNotAwaited, StorageFull, UploadsSpent],
    tags=TAGS,
)
async def upload_logo(ctx: Ctx, token: str, request: RequestInfo, body: bytes, prepared: Stored) -> BrandOut:
    """Upload a logo (PNG, JPEG, GIF, WebP; 5 MB) to the address that was given out for it."""
    _, upload_id = brands.read_logo_link(ctx.services, token, now=ctx.now)
    await brands.receive_logo(ctx, upload_id=upload_id, stored=prepared)
    return _shown(await brands.read_brand(ctx))


@get("/brand/{tenant_id:uuid}/{version:int}/accent", public=SEEN, db="system", raises=[NotFound], tags=TAGS)
async def open_accent(ctx: Ctx, tenant_id: UUID, version: int) -> Download:
    """The stylesheet that gives pages a business's accent, in both themes."""
    brand = await brands.read_brand_of(ctx, tenant_id=tenant_id)
    if not brand.accent:
        raise NotFound
    return _css(stylesheet(brand.accent), FOR_GOOD if brand.version == version else "no-cache")


@get(
    "/brand/preview/{colour:str}", public="It holds a colour that whoever asks has named.", raises=[NotFound], tags=TAGS
)
async def preview_accent(ctx: Ctx, colour: str) -> Download:
    """The stylesheet of a colour (six digits) that nobody has chosen yet, for the preview alone."""
    accent = clean_colour(f"#{colour}")
    if accent is None:
        raise NotFound
    text = "\n".join(f".brand-preview{rule}" for rule in stylesheet(accent).splitlines())
    return _css(text + "\n", FOR_GOOD)


@get("/brand/{tenant_id:uuid}/{version:int}/logo", public=SEEN, db="system", raises=[NotFound], tags=TAGS)
async def open_logo(ctx: Ctx, tenant_id: UUID, version: int) -> Download:
    """A business's logo as PNG."""
    brand = await brands.read_brand_of(ctx, tenant_id=tenant_id)
    content = await brands.logo_content(ctx, brand=brand)
    if content is None:
        raise NotFound
    headers = {
        "Cache-Control": FOR_GOOD if brand.version == version else "no-cache",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return Download(body=content, media_type="image/png", filename="logo.png", inline=True, headers=headers)


def _css(text: str, cache: str) -> Download:
    headers = {"Cache-Control": cache}
    return Download(body=text.encode(), media_type="text/css", filename="accent.css", inline=True, headers=headers)


def _shown(brand: Brand) -> BrandOut:
    return BrandOut(
        accent=brand.accent,
        shades=shades_of(brand.accent),
        css=brand.css,
        logo=brand.logo,
        logo_alt=brand.logo_alt,
        logo_state=brand.logo_state,
        logo_reason=brand.logo_reason,
        version=brand.version,
    )


BRAND_ROUTES = (
    read_branding,
    change_branding,
    await_logo,
    remove_logo,
    upload_logo,
    open_accent,
    preview_accent,
    open_logo,
)
