"""Files: what is taken for what it is, given out by links that end, and never to another business."""

import io
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image

from lastlight.kernel.ids import PLATFORM, FileId
from lastlight.runtime.jobs.run import JobRun
from lastlight.runtime.jobs.states import Claimed
from lastlight.runtime.settings import Settings
from lastlight.runtime.storage import sniff, store
from lastlight.runtime.storage.files import clean_name, file_link
from lastlight.runtime.storage.module import MODULE as FILES
from lastlight.runtime.storage.module import clear_away, clear_orphans
from lastlight.runtime.storage.quotas import BUSINESS_MEGABYTES, PERSON_MEGABYTES
from tests.support.people import MODULES, People, people

pytestmark = pytest.mark.database
SCRIPT = b"<script>alert(1)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>"
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 40, 90)).save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    async with people(database_settings, (*MODULES, FILES)) as found:
        yield found


@pytest.fixture(scope="module")
async def manager(world: People) -> dict[str, str]:
    return await world.bearer(world.bar.email("manager"))


async def upload(
    world: People, who: dict[str, str], content: bytes, *, purpose: str = "picture", name: str = "photo.png"
) -> httpx.Response:
    return await world.client.post(
        f"/api/files?purpose={purpose}",
        headers=who | {"Idempotency-Key": str(uuid4())},
        files={"file": (name, content)},
    )


async def kept(world: People, who: dict[str, str], content: bytes, **more: Any) -> Any:
    answer = await upload(world, who, content, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def fetch(world: People, url: str, **headers: str) -> httpx.Response:
    return await world.client.get(url.replace(world.services.settings.base_url, ""), headers=headers)


async def rows(world: People) -> int:
    return (await world.sql("select count(*) as n from files"))[0]["n"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_pictures_come_back_as_they_were(world: People, manager: dict[str, str], kind: str) -> None:
    content = picture(kind)
    file = await kept(world, manager, content, name="evil.html")
    assert (file["media_type"], file["size"]) == (f"image/{kind.lower()}", len(content))
    answer = await fetch(world, file["url"])
    assert answer.content == content
    assert answer.headers["content-type"] == f"image/{kind.lower()}"
    assert answer.headers["content-disposition"].startswith("inline;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_documents_are_downloaded_and_run_nothing(world: People, manager: dict[str, str]) -> None:
    file = await kept(world, manager, PDF, purpose="document", name="menu.pdf")
    answer = await fetch(world, file["url"])
    assert answer.content == PDF
    assert answer.headers["content-disposition"] == "attachment; filename=\"menu.pdf\"; filename*=UTF-8''menu.pdf"


async def test_a_raw_body_is_an_upload_too(world: People, manager: dict[str, str]) -> None:
    answer = await world.client.post(
        "/api/files?purpose=picture&name=raw.png", headers=manager | {"Content-Type": "image/png"}, content=picture()
    )
    assert (answer.status_code, answer.json()["name"]) == (201, "raw.png")


@pytest.mark.parametrize(
    ("content", "purpose", "name"),
    [
        (SVG, "picture", "logo.svg"),
        (SVG, "document", "logo.svg"),
        (SVG, "picture", "logo.png"),
        (b"<!doctype html>" + SCRIPT, "document", "page.pdf"),
        (b"GIF89a" + SCRIPT, "picture", "both.gif"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, "picture", "torn.png"),
        (picture()[:-20], "picture", "cut.png"),
        (PDF, "picture", "menu.png"),
        (b"MZ\x90\x00" + b"\x00" * 60, "document", "tool.pdf"),
        (b"PK\x03\x04" + b"\x00" * 60, "document", "sheet.pdf"),
        (b"#!/bin/sh\nrm -rf /\n", "document", "run.pdf"),
        (b" %PDF-1.7", "document", "late.pdf"),
    ],
)
async def test_what_is_not_what_it_says_is_refused(
    world: People, manager: dict[str, str], content: bytes, purpose: str, name: str
) -> None:
    before = await rows(world)
    answer = await upload(world, manager, content, purpose=purpose, name=name)
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"].endswith("/file-refused")
    assert await rows(world) == before


async def test_bounds(world: People, manager: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    before = await rows(world)
    empty = await upload(world, manager, b"")
    assert (empty.status_code, list(empty.json()["fields"])) == (422, ["file"])
    large = await upload(world, manager, picture() + b"\x00" * (5 * 1024 * 1024))
    assert large.status_code == 413
    huge = await upload(world, manager, b"%PDF-" + b"\x00" * (11 * 1024 * 1024), purpose="document")
    assert huge.status_code == 413
    monkeypatch.setattr(sniff, "MOST_PIXELS", 100)
    many = await upload(world, manager, picture(size=(11, 10)))
    assert (many.status_code, many.json()["type"].rsplit("/", 1)[-1]) == (422, "file-refused")
    unknown = await upload(world, manager, picture(), purpose="export")
    assert (unknown.status_code, list(unknown.json()["fields"])) == (422, ["purpose"])
    assert await rows(world) == before


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (
            b"--x\r\nContent-Disposition: form-data; name=other\r\n\r\nabc\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (b"\x00" * 100, "multipart/form-data; boundary=" + "x" * 5000),
    ],
)
async def test_a_broken_form_is_refused(world: People, manager: dict[str, str], body: bytes, kind: str) -> None:
    answer = await world.client.post(
        "/api/files?purpose=picture", headers=manager | {"Content-Type": kind}, content=body
    )
    assert answer.status_code in {400, 422}, answer.text


async def test_who_may_open_what(world: People, manager: dict[str, str]) -> None:
    file = await kept(world, manager, picture())
    path = f"/api/files/{file['id']}"
    assert (await world.call("GET", path, manager))["sha256"] == file["sha256"]
    assert (await world.call("GET", path, await world.bearer(world.bar.email("owner"))))["id"] == file["id"]
    absent = await world.call("GET", f"/api/files/{uuid4()}", manager, status=404)
    for who in (world.bar.email("staff"), world.bar.email("patron"), world.club.email("owner"), "ops@crew.example"):
        told = await world.call("GET", path, await world.bearer(who), status=404)
        assert told == absent | {"instance": told["instance"]}, who
    await world.call("GET", path, status=401)


async def test_a_guest_keeps_their_own(world: People) -> None:
    guest = await world.bearer(world.bar.email("patron"))
    file = await kept(world, guest, picture())
    assert (await world.call("GET", f"/api/files/{file['id']}", guest))["id"] == file["id"]
    row = (await world.sql("select patron_id, tenant_id from files where id = $1", UUID(file["id"])))[0]
    assert row["tenant_id"] == world.bar.id
    assert row["patron_id"] is not None


async def test_links_end_and_cannot_be_made_up(world: People, manager: dict[str, str]) -> None:
    file = await kept(world, manager, picture())
    file_id = FileId(UUID(file["id"]))
    token = file["url"].rsplit("/", 1)[-1]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    now = datetime.now(UTC)
    late = file_link(world.services, world.bar.id, file_id, now=now - timedelta(seconds=901))
    soon = file_link(world.services, world.bar.id, file_id, now=now, seconds=60)
    foreign = file_link(world.services, world.club.id, file_id, now=now)
    absent = file_link(world.services, world.bar.id, FileId(uuid4()), now=now)
    assert (await fetch(world, soon)).status_code == 200
    middle = len(token) // 2
    swapped = "A" if token[middle] != "A" else "B"
    made_up = [f"/files/{text}" for text in (token[:-1], token + "A", token[:middle] + swapped + token[middle + 1 :])]
    for url in (late, foreign, absent, "/files/x", "/files/" + "A" * 2000, *made_up):
        answer = await fetch(world, url)
        assert answer.status_code == 404, url
        assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_link_survives_no_removal(world: People, manager: dict[str, str]) -> None:
    file = await kept(world, manager, picture())
    await world.sql("update files set removed_at = now() where id = $1", UUID(file["id"]))
    assert (await fetch(world, file["url"])).status_code == 404
    await world.call("GET", f"/api/files/{file['id']}", manager, status=404)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-3", (0, 4)),
        ("bytes=10-", (10, None)),
        ("bytes=-5", (-5, None)),
        ("bytes=0-99999999", (0, None)),
        ("bytes=-99999999", (0, None)),
    ],
)
async def test_a_part_of_a_file(
    world: People, manager: dict[str, str], asked: str, part: tuple[int, int | None]
) -> None:
    content = picture()
    file = await kept(world, manager, content)
    answer = await fetch(world, file["url"], Range=asked)
    expected = content[part[0] : part[1]]
    assert (answer.status_code, answer.content) == (206, expected)
    first = part[0] % len(content)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(expected) - 1}/{len(content)}"
    assert answer.headers["content-length"] == str(len(expected))


async def test_odd_parts(world: People, manager: dict[str, str]) -> None:
    content = picture()
    file = await kept(world, manager, content)
    for outside in (f"bytes={len(content)}-", "bytes=99999-100000", "bytes=-0"):
        answer = await fetch(world, file["url"], Range=outside)
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(content)}")
    for whole in ("bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b", "bytes=" + "9" * 40 + "-"):
        answer = await fetch(world, file["url"], Range=whole)
        assert (answer.status_code, answer.content) == (200, content)
    tag = (await fetch(world, file["url"])).headers["etag"]
    assert (await fetch(world, file["url"], Range="bytes=0-1", **{"If-Range": tag})).status_code == 206
    assert (await fetch(world, file["url"], Range="bytes=0-1", **{"If-Range": '"other"'})).status_code == 200


@pytest.mark.parametrize(
    ("given", "kept_as"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\photo.png", "photo.png"),
        ('a"b\r\nSet-Cookie: x=1.png', "abSet-Cookie x=1.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("", "file.png"),
        ("...", "file.png"),
        ("x" * 300 + ".png", "x" * 146 + ".png"),
        ("Büro 🍸.png", "Büro 🍸.png"),
    ],
)
def test_names_steer_nothing(given: str, kept_as: str) -> None:
    assert clean_name(given, "image/png") == kept_as


async def test_a_name_of_any_script_reaches_the_browser(world: People, manager: dict[str, str]) -> None:
    file = await kept(world, manager, picture(), name="Büro 🍸.png")
    answer = await fetch(world, file["url"])
    assert "filename*=UTF-8''B%C3%BCro%20%F0%9F%8D%B8.png" in answer.headers["content-disposition"]


async def test_one_key_keeps_one_file(world: People, manager: dict[str, str]) -> None:
    headers = manager | {"Idempotency-Key": str(uuid4()), "Content-Type": "image/png"}
    answers = [
        await world.client.post("/api/files?purpose=picture", headers=headers, content=picture()) for _ in range(2)
    ]
    assert answers[0].json()["id"] == answers[1].json()["id"]


async def test_what_expired_and_what_has_no_row_is_cleared_away(world: People, manager: dict[str, str]) -> None:
    storage = world.services.storage
    gone, stays = await kept(world, manager, picture()), await kept(world, manager, picture())
    places = {
        str(row["id"]): row["place"]
        for row in await world.sql(
            "select id, place from files where id = any($1::uuid[])", [UUID(gone["id"]), UUID(stays["id"])]
        )
    }
    await world.sql("update files set expires_at = now() - interval '1 second' where id = $1", UUID(gone["id"]))
    orphan = f"{world.bar.id.hex}/aa/{'a' * 40}"
    await storage.put(orphan, b"torn")
    await clear_away.fn(job=run_of(world, "files.clear_away"))
    await clear_orphans.fn(job=run_of(world, "files.clear_orphans"))
    assert [await storage.exists(places[file["id"]]) for file in (gone, stays)] == [False, True]
    assert await storage.exists(orphan), "it is younger than a day: its row may still come"
    assert await world.sql("select from files where id = $1", UUID(gone["id"])) == []
    assert (await fetch(world, stays["url"])).status_code == 200


def run_of(world: People, name: str) -> JobRun:
    """A run of a scheduled job of the platform, as a worker would make it."""
    claimed = Claimed(uuid4(), name, {}, 1, 1, None, True, False, True)
    return JobRun(world.services, world.services.registry.jobs[name], PLATFORM, claimed)


async def as_parameter(world: People, key: str, value: int) -> None:
    await world.sql(
        """insert into tenant_settings (tenant_id, key, value) values ($1, $2, to_jsonb($3::int))
           on conflict (tenant_id, key) do update set value = excluded.value""",
        PLATFORM,
        key,
        value,
    )


async def places(world: People) -> int:
    return sum([len(batch) async for batch in world.services.storage.places()])


async def test_one_person_sends_so_much_a_day_and_another_is_not_held_up(world: People) -> None:
    busy, other = [await world.bearer((await world.newcomer(world.bar)).email, tenant=world.bar.slug) for _ in range(2)]
    large = PDF + b"\n" * (9 * 1024 * 1024)
    await as_parameter(world, PERSON_MEGABYTES.key, 20)
    try:
        answers = [await upload(world, busy, large, purpose="document") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        before = await rows(world), await places(world)
        refused = await upload(world, busy, large, purpose="document")
        assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (429, "uploads-spent")
        assert int(refused.headers["retry-after"]) > 60
        assert "20 MB a day" in refused.json()["detail"]
        assert (await rows(world), await places(world)) == before
        assert (await upload(world, other, picture())).status_code == 201
    finally:
        await as_parameter(world, PERSON_MEGABYTES.key, PERSON_MEGABYTES.default)


async def test_a_business_keeps_so_much_and_has_room_again_once_something_goes(world: People) -> None:
    manager = await world.bearer(world.club.email("manager"))
    first = await kept(world, manager, picture())
    full = "update files set size = $2 where id = $1"
    await world.sql(full, UUID(first["id"]), BUSINESS_MEGABYTES.default * 1024 * 1024)
    before = await places(world)
    refused = await upload(world, manager, picture())
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (409, "storage-full")
    assert "5,000 MB" in refused.json()["detail"]
    assert await places(world) == before
    await world.sql("update files set removed_at = now() where id = $1", UUID(first["id"]))
    assert (await upload(world, manager, picture())).status_code == 201


async def test_the_folders_of_a_first_upload_outlast_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is on the disk in a folder that is not is lost all the same."""
    synced: list[Path] = []

    def noted(number: int) -> None:
        synced.append(Path(f"/proc/self/fd/{number}").readlink())

    monkeypatch.setattr(store.os, "fsync", noted)
    storage = store.open_storage(Settings.load({"LASTLIGHT_VAR_DIR": str(tmp_path)}))
    place = store.new_place(PLATFORM)
    await storage.put(place, b"content")
    assert storage.folder is not None
    written = storage.folder / place
    assert written.read_bytes() == b"content"
    assert synced[-3:] == [written.parent, written.parent.parent, storage.folder]
