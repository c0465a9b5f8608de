"""X1: payloads in every text field, then every page that shows them in a real browser, every list's export, every mail, uploads."""

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from lastlight.runtime.auth.cookies import session_cookie_name
from lastlight.runtime.http.app import create_app
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.system_routes import system_routes
from lastlight.ui.render import create_environment
from tests.contracts.probes import said
from tests.support.calls import OPERATIONS
from tests.support.fault_runs import FaultRun, database_of, life_of_a_world, must_fail
from tests.support.inert_pages import Tour, tour
from tests.support.payloads import PAYLOADS, Planted, addresses, mailed, plant, steered
from tests.support.sockets import listening
from tests.support.world import World, opened_world

pytestmark = [pytest.mark.database, pytest.mark.browser]

WRITES = [op for op in OPERATIONS.values() if op.writes]
PAGES = [op for op in OPERATIONS.values() if op.kind == "page" and op.method == "GET"]
LISTS = [
    op
    for op in PAGES
    if op.path in {"/owner/roles", "/owner/venues", "/manage/tasks", "/owner/people", "/manage/devices"}
]
ENDINGS = frozenset({"sign_out", "sign_out_everywhere", "session_end", "looking_end"})


@pytest.fixture(scope=life_of_a_world)
async def world(request: pytest.FixtureRequest) -> AsyncGenerator[World]:
    """Two businesses, somebody of every kind."""
    async with opened_world(database_of(request)) as found:
        yield found


async def planted_by(world: World, ops: Sequence[Operation], payloads: Sequence[str]) -> Planted:
    """Payloads in every text field of these operations."""
    planted = Planted()
    for op in ops:
        for payload in payloads if op.name not in ENDINGS else ():
            try:
                await plant(world, op, planted, payload)
            except AssertionError:
                continue  # an earlier payload is in the way of what the example stands on
    await world.relay()
    world.errors.clear()
    return planted


async def toured(world: World, visits: Sequence[tuple[str, str]], *, lax: bool) -> Tour:
    """What a browser finds at these addresses."""
    services = world.people.services
    name = session_cookie_name(services.settings)
    cookies: dict[str, tuple[str, str]] = {}
    for who in dict.fromkeys(who for who, _ in visits):
        if world.somebody[who].user_id is not None:
            signed = await world.sign_in(world.somebody[who], cookie=True)
            cookies[who] = (name, signed.headers["Cookie"].split("=", 1)[1])
    async with listening(services, create_app(services, extra_handlers=system_routes(services))) as port:
        return await asyncio.to_thread(tour, f"http://127.0.0.1:{port}", cookies, visits, lax=lax)


@pytest.mark.fault("X1")
async def test_payloads_in_every_text_field_are_inert_wherever_they_are_shown(
    world: World, run: FaultRun, tmp_path: Path
) -> None:
    ops = WRITES if run.long else run.rng.sample(WRITES, 16)
    payloads = PAYLOADS if run.long else run.rng.sample(PAYLOADS[:5], 2)
    planted = await planted_by(world, ops, payloads)
    pages = PAGES if run.long else [*LISTS[:2], *run.rng.sample(PAGES, 1)]
    visits = await addresses(world, planted, pages)
    seen = await toured(world, visits, lax=False)
    if run.long:  # without its policy a browser runs whatever is not escaped
        again = await toured(world, visits, lax=True)
        seen.faults += again.faults
        seen.pages += again.pages
    cells, steering = await steered(world, tmp_path)
    mails, speaking = await mailed(world)
    broke = [error for error in world.errors if "answers 500" in error]
    world.errors.clear()
    run.report(
        fields=planted.fields, taken=planted.taken, pages=seen.pages, showing=seen.shown, cells=cells, mails=mails
    )
    found = seen.faults + steering + speaking + broke
    run.report(faults=len(found))
    assert not found, said(found)
    assert planted.taken > 0
    assert seen.shown > 0 or not run.long, "no page shows a payload: nothing was tried"


@pytest.mark.control("X1")
async def test_templates_that_do_not_escape_and_a_policy_that_is_off_are_found(
    world: World, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without escaping a payload's elements stand in the page; the policy still stops its script, until it is off as well."""
    unescaped = create_environment()
    unescaped.autoescape = False
    planted = await planted_by(world, [OPERATIONS["POST /api/roles"]], PAYLOADS[:2])
    visits = [("A.owner", f"/owner/roles/{planted.places['role_id'][-1]}")]
    monkeypatch.setattr(world.people.services, "templates", unescaped)
    held = await toured(world, visits, lax=False)
    off = await toured(world, visits, lax=True)
    run.report(pages=held.pages + off.pages, elements=held.elements, ran_under_policy=held.ran, ran_without=off.ran)
    must_fail(held.elements)
    must_fail(held.faults)
    must_fail(off.ran)
    assert held.ran == 0, "the policy alone stops scripts"


# --- uploads ----------------------------------------------------------------------------------------------------------

GPS = b"x-pwn-gps-26.1467"


def uploads() -> dict[str, tuple[str, bytes, str]]:
    """What is uploaded under a type and a name: name → (type, content, file name)."""
    gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="xss()"><script>xss()</script></svg>'
    page = b"<!doctype html><script>xss()</script>"
    photo, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = GPS.decode()
    Image.new("RGB", (8, 8), "red").save(photo, "JPEG", exif=exif)
    return {
        "svg": ("image/svg+xml", svg, "a.svg"),
        "svg as png": ("image/png", svg, "a.png"),
        "html": ("text/html", page, "a.html"),
        "html as pdf": ("application/pdf", page, "a.pdf"),
        "gif that is a page": ("image/gif", gif + page, "a.gif.html"),
        "pdf that is a page": ("application/pdf", b"%PDF-1.4\n" + page, "a.pdf\r\nX-Pwn: 1"),
        "way up": ("image/gif", gif, "../../../../tmp/x-pwn.gif"),
        "quoted": ("image/gif", gif, 'a";filename="x-pwn.html'),
        "position": ("image/jpeg", photo.getvalue(), "a.jpg"),
    }


@pytest.mark.fault("X1")
async def test_uploads_are_what_they_say_and_run_nothing(world: World, run: FaultRun) -> None:
    owner, found, stored = world.somebody["A.owner"], list[str](), 0
    folder = Path(world.people.services.settings.var_dir)
    for what, (kind, content, name) in uploads().items():
        for purpose in ("picture", "document"):
            asked = {"purpose": purpose, "name": name}
            answer = await world.send(
                "POST", "/api/files", owner, params=asked, content=content, headers={"Content-Type": kind}
            )
            if answer.status_code != 201:
                found += (
                    [f"{what} as {purpose}: {answer.status_code}"]
                    if answer.status_code not in {400, 413, 415, 422}
                    else []
                )
                continue
            stored += 1
            opened = await world.send("GET", answer.json()["url"])
            headers = opened.headers
            markup = any(word in headers["content-type"] for word in ("html", "svg", "xml", "script"))
            if (
                markup
                or headers["x-content-type-options"] != "nosniff"
                or "sandbox" not in headers["content-security-policy"]
            ):
                found.append(f"{what} as {purpose} is served as {headers['content-type']}: {dict(headers)}")
            if not headers["content-type"].startswith("image/") and not headers["content-disposition"].startswith(
                "attachment"
            ):
                found.append(f"{what} as {purpose} opens in the page")
            if "x-pwn" in headers or any(sign in headers["content-disposition"] for sign in "\r\n/\\"):
                found.append(f"{what} as {purpose} steers a header: {headers['content-disposition']}")
    named = [str(path) for path in folder.rglob("*") if "x-pwn" in path.name or path.suffix in {".svg", ".html"}]
    run.report(uploads=2 * len(uploads()), stored=stored, faults=len(found + named))
    assert not found + named, said(found + named)
    assert stored
