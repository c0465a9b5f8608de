"""What a business looks like: a colour that can be read in both themes, a logo by a signed address, and who may choose."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from lastlight.domains.tenancy.brands import logo_copy, make_logo
from lastlight.kernel.ids import TenantId
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.jobs.states import Claimed
from lastlight.ui.colours import READABLE, SURFACES, clean_colour, contrast, shade_for, stylesheet
from tests.support.people import People

COLOURS = ("#ff0000", "#00ff00", "#0000ff", "#ffff00", "#000000", "#ffffff", "#7f7f7f", "#e91e63", "#123456")


def test_contrast_is_that_of_the_standard() -> None:
    assert (contrast("#000000", "#ffffff"), round(contrast("#777777", "#ffffff"), 2)) == (21.0, 4.48)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_colour_is_shown_so_that_it_can_be_read(colour: str, theme: Any) -> None:
    shade = shade_for(colour, theme)
    assert min(contrast(shade.accent, surface) for surface in SURFACES[shade.theme]) >= READABLE
    assert contrast(shade.ink, shade.accent) >= READABLE
    readable = min(contrast(colour, surface) for surface in SURFACES[shade.theme]) >= READABLE
    assert shade.moved != readable


@pytest.mark.parametrize("text", ["", "red", "#12345", "#1234567", "#gggggg", "#fff;}", "url(x)"])
def test_what_is_no_colour_is_none(text: str) -> None:
    assert clean_colour(text) is None


def test_a_stylesheet_holds_nothing_but_the_accent() -> None:
    assert clean_colour(" #F0A ") == "#ff00aa"
    rules = stylesheet("#ff00aa").splitlines()
    assert [rule.split("{")[0] for rule in rules] == ['[data-theme="dark"]', '[data-theme="light"]']


def picture(size: tuple[int, int] = (900, 300), kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#ff00aa").save(out, kind)
    return out.getvalue()


def test_a_logo_is_made_small_and_what_is_none_is_refused() -> None:
    with Image.open(BytesIO(logo_copy(picture(kind="JPEG")))) as made:
        assert (made.format, made.size) == ("PNG", (512, 171))
    with pytest.raises(ValueError, match="damaged"):
        logo_copy(b"\x89PNG\r\n\x1a\nand then nothing")


async def version(world: People, who: dict[str, str]) -> dict[str, str]:
    return {"If-Match": f'"{(await world.call("GET", "/api/branding", who))["version"]}"'}


async def test_an_accent_is_chosen_once_and_given_back(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    first = await version(world, owner)
    chosen = await world.call("PUT", "/api/branding", owner, headers=first, json={"accent": "#FFFF00"})
    assert [(shade["theme"], shade["moved"]) for shade in chosen["shades"]] == [("dark", False), ("light", True)]
    await world.refused("stale", "PUT", "/api/branding", owner, headers=first, json={"accent": "#00ff00"})
    sheet = await world.client.get(chosen["css"])
    assert (sheet.status_code, sheet.headers["content-type"].split(";")[0]) == (200, "text/css")
    assert "--accent:#ffff00" in sheet.text
    assert (await world.call("GET", "/api/me", owner))["tenant"]["accent_css"] == chosen["css"]
    club = await world.bearer(world.club.email("owner"))
    assert (await world.call("GET", "/api/branding", club))["accent"] == ""
    wrong = await world.refused(
        "invalid", "PUT", "/api/branding", owner, headers=await version(world, owner), json={"accent": "red"}
    )
    assert list(wrong["fields"]) == ["accent"]
    back = await world.call("PUT", "/api/branding", owner, headers=await version(world, owner), json={"accent": ""})
    assert (back["accent"], back["shades"], back["css"]) == ("", [], "")
    assert len(await world.events("tenant.brand_changed")) == 2


async def test_only_who_manages_the_business_chooses(world: People) -> None:
    before = await world.rows("tenant_brands")
    for who in ("manager", "staff", "patron"):
        bearer = await world.bearer(world.bar.email(who), tenant="bar")
        body, key = {"accent": "#00ff00"}, {"If-Match": '"0"'}
        await world.refused("not-permitted", "PUT", "/api/branding", bearer, headers=key, json=body)
        await world.refused("not-permitted", "POST", "/api/branding/logo", bearer, json={"alt": "A sun"})
    assert await world.rows("tenant_brands") == before


async def uploaded(world: People, who: dict[str, str], content: bytes, alt: str = "A sun") -> str:
    """The path that took a logo, whose job has run."""
    asked = await world.call("POST", "/api/branding/logo", who, status=201, json={"alt": alt})
    path = "/" + asked["upload_url"].split("/", 3)[3]
    await world.call("PUT", path, who, content=content, headers={"Content-Type": "image/png"})
    await run_job(world, world.bar.id)
    return path


async def run_job(world: People, tenant_id: TenantId) -> None:
    """As a worker would."""
    claimed = Claimed(uuid4(), make_logo.name, {}, 1, 1, None, False, False, True)
    brand = await world.sql("select original_id from tenant_brands where tenant_id = $1", tenant_id)
    await make_logo.fn(JobRun(world.services, make_logo, tenant_id, claimed), file_id=brand[0]["original_id"])


async def test_a_logo_is_taken_once_shown_to_everybody_and_taken_away(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    path = await uploaded(world, owner, picture())
    brand = await world.call("GET", "/api/branding", owner)
    assert (brand["logo_state"], brand["logo_alt"]) == ("ready", "A sun")
    shown = await world.client.get(brand["logo"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    await world.refused("logo-not-awaited", "PUT", path, owner, content=picture())
    kept = await world.sql("select purpose from files where tenant_id = $1 and removed_at is null", world.bar.id)
    assert [row["purpose"] for row in kept if row["purpose"].startswith("brand")] == ["brand logo"]
    await world.call("DELETE", "/api/branding/logo", owner, status=204, headers=await version(world, owner))
    assert (await world.client.get(brand["logo"])).status_code == 404


async def test_no_logo_is_taken_that_is_no_picture_or_another_s(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    asked = await world.call("POST", "/api/branding/logo", owner, status=201, json={"alt": "A sun"})
    path = "/" + asked["upload_url"].split("/", 3)[3]
    before = await world.rows("tenant_brands", "files")
    await world.refused("file-refused", "PUT", path, owner, content=b"<svg onload=alert(1)>")
    await world.refused("not-found", "PUT", path, await world.bearer(world.club.email("owner")), content=picture())
    await world.refused("not-found", "PUT", path[:-4] + "AAAA", owner, content=picture())
    assert await world.rows("tenant_brands", "files") == before
