"""Refusals on the wire: RFC 9457 for machines, pages for people, and nothing told that is nobody's business."""

import asyncio
import contextlib
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from lastlight.kernel.errors import Busy, Unsure
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import RETRIED, system_ctx
from lastlight.runtime.http.app import SECURITY_HEADERS
from tests.support.bells import COUNTS, hang
from tests.support.people import PASSWORD, People

pytestmark = pytest.mark.database
MEMBERS = {"type", "title", "status", "detail", "instance", "fields"}
HTML = {"Accept": "text/html"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def check(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """An answer is a whole problem of this kind, and says nothing of our insides."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem: dict[str, Any] = answer.json()
    assert set(problem) >= MEMBERS
    assert problem["type"] == f"https://lastlight.dev/problems/{kind}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["detail"][-1] in ".;!?"
    assert not re.search(r"Traceback|asyncpg|select |lastlight/|File \"", answer.text)
    return problem


async def send(world: People, method: str, path: str, headers: Any = None, **more: Any) -> httpx.Response:
    return await world.client.request(method, path, headers=headers or {}, **more)


async def fail(world: People, how: str, until: int = 99) -> httpx.Response:
    COUNTS.pop(how, None)
    return await send(world, "POST", f"/api/fail?how={how}&until={until}")


async def test_401_for_who_is_nobody(world: People) -> None:
    anonymous = await send(world, "GET", "/api/bells")
    check(anonymous, 401, "not-signed-in")
    assert anonymous.headers["www-authenticate"] == "Bearer"
    for header in ("Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a b"):
        answer = await send(world, "GET", "/api/bells", {"Authorization": header})
        assert answer.status_code == 401, header
    check(await send(world, "GET", "/api/bells", {"Authorization": "Bearer e30.e30.e30"}), 401, "token-invalid")


async def test_403_names_the_permission(world: People) -> None:
    for who in ("staff", "manager", "patron"):
        answer = await send(world, "GET", "/api/bells", await world.bearer(world.bar.email(who)))
        assert check(answer, 403, "not-permitted")["permission"] == "bells.read"


async def test_404_is_the_same_for_absent_foreign_and_out_of_reach(world: People, owner: dict[str, str]) -> None:
    mine = await hang(world, f"bell {uuid4()}")
    roof = await hang(world, f"bell {uuid4()}", venue=world.bar.venues[1])
    club = await world.bearer(world.club.email("owner"))
    limited = await world.bearer(world.bar.email("vendor_admin"))
    assert (await send(world, "GET", f"/api/bells/{mine}", limited)).status_code == 200
    told = [
        await send(world, "GET", f"/api/bells/{bell}", who)
        for who, bell in ((owner, uuid4()), (club, mine), (limited, roof))
    ]
    bodies = [check(answer, 404, "not-found") | {"instance": ""} for answer in told]
    assert bodies[0] == bodies[1] == bodies[2]
    for path in ("/api/nothing", f"/api/bells/{mine}/nothing", "/api/bells/not-a-uuid", "/%00", "/api/bells/%ff"):
        check(await send(world, "GET", path, owner), 404, "not-found")


async def test_405_says_what_works(world: People, owner: dict[str, str]) -> None:
    answer = await send(world, "DELETE", "/api/bells", owner)
    check(answer, 405, "method-not-allowed")
    assert {"GET", "POST"} <= {method.strip() for method in answer.headers["allow"].split(",")}


async def test_409_by_the_name_of_the_constraint(world: People, owner: dict[str, str]) -> None:
    name = f"bell {uuid4()}"
    await hang(world, name)
    headers = owner | {"Idempotency-Key": str(uuid4())}
    problem = check(await send(world, "POST", "/api/bells", headers, json={"name": name}), 409, "bell-name-taken")
    assert problem["title"] == "Another bell has this name"


async def test_400_for_a_body_that_breaks_off(world: People) -> None:
    """Whoever hangs up in the middle is no error of ours: it would fill the log, and whoever reads it."""
    coming: Any = iter([{"type": "http.request", "body": b'{"te', "more_body": True}, {"type": "http.disconnect"}])
    said: list[Any] = []

    async def receive() -> Any:
        return next(coming)

    async def tell(message: Any) -> None:
        said.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/echo",
        "raw_path": b"/api/echo",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "client": ("203.0.113.7", 1),
        "server": ("test", 80),
        "state": {},
    }
    with capture_logs() as logged:
        await world.app(scope, receive, tell)
    assert said[0]["status"] == 400
    assert b"broke off" in said[1]["body"]
    assert [line for line in logged if line["log_level"] == "error"] == []


@pytest.mark.parametrize("told", [True, False])
async def test_413_for_a_body_that_is_too_large(world: People, told: bool) -> None:
    limit = world.services.settings.request_body_limit

    async def pieces() -> Any:
        for _ in range(limit // 65_536 + 2):
            yield b" " * 65_536

    content: Any = b" " * (limit + 1) if told else pieces()
    answer = await send(world, "POST", "/api/echo", {"Content-Type": "application/json"}, content=content)
    assert str(limit) in check(answer, 413, "too-large")["detail"]
    fits = b'{"text": "x"}' + b" " * (limit - 13)
    taken = await send(world, "POST", "/api/echo", {"Content-Type": "application/json"}, content=fits)
    assert taken.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_415_for_what_does_not_say_that_it_is_json(world: People, headers: dict[str, str]) -> None:
    check(await send(world, "POST", "/api/echo", headers, content=b"{}"), 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
async def test_json_goes_by_several_names(world: People, kind: str) -> None:
    answer = await send(world, "POST", "/api/echo", {"Content-Type": kind}, content=b'{"text": "x"}')
    assert answer.json()["text"] == "x"


async def test_422_names_the_field(world: People) -> None:
    answer = await send(world, "POST", "/api/echo", json={"part": {"name": "a", "parts": [{"name": 1}]}})
    assert check(answer, 422, "invalid")["fields"] == {"part.parts[0].name": "Give a text."}
    extra = await send(world, "POST", "/api/echo?debug=1", json={})
    assert list(check(extra, 422, "invalid")["fields"]) == ["debug"]


async def test_429_says_when_to_come_again(world: People) -> None:
    answer = await fail(world, "limited")
    check(answer, 429, "too-many-requests")
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("how", "status", "kind"),
    [
        ("boom", 500, "internal"),
        ("busy", 503, "busy"),
        ("gone", 503, "busy"),
        ("timeout", 503, "busy"),
        ("room", 503, "busy"),
        ("number", 422, "invalid"),
        ("conflict", 409, "conflict"),
    ],
)
async def test_what_goes_wrong_inside_is_told_without_details(world: People, how: str, status: int, kind: str) -> None:
    answer = await fail(world, how)
    check(answer, status, kind)
    assert f"secret of {how}" not in answer.text
    assert COUNTS[how] == 1, "only a deadlock or a serialization failure is tried again"
    if status == 503:
        assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize("how", ["serialization", "deadlock"])
async def test_a_transaction_that_lost_a_race_runs_again_whole(world: People, how: str) -> None:
    assert (await fail(world, how, until=3)).json() == {"attempts": 3}
    answer = await fail(world, how)
    check(answer, 503, "busy")
    assert answer.headers["retry-after"] == "2"
    assert COUNTS[how] == 4


async def test_a_real_deadlock_ends_with_both_done(world: People, owner: dict[str, str]) -> None:
    """Two connections that wait for each other: the database ends one, and that one is run again."""
    bells = sorted([await hang(world, f"bell {uuid4()}") for _ in range(2)])
    both = asyncio.Barrier(2)
    attempts = 0

    async def swap(first: Any, second: Any) -> None:
        nonlocal attempts
        for again in range(4):
            with contextlib.suppress(*RETRIED):
                async with system_ctx(world.services, world.bar.id) as ctx:
                    attempts += 1
                    await _touch(ctx, first)
                    if again == 0:
                        await both.wait()
                    await _touch(ctx, second)
                return

    async def _touch(ctx: Ctx, bell: Any) -> None:
        await ctx.db.execute("update bells set price = price + 1 where tenant_id = $1 and id = $2", world.bar.id, bell)

    await asyncio.gather(swap(*bells), swap(*reversed(bells)))
    rows = await world.sql("select price from bells where id = any($1::uuid[])", bells)
    assert [row["price"] for row in rows] == [2, 2]
    assert attempts >= 3, (
        "one lost, and was run again; it may take its first row back before the other one wakes, and lose again"
    )


async def test_a_module_that_is_off_answers_so(world: People, owner: dict[str, str]) -> None:
    switch = """insert into tenant_modules (tenant_id, module, enabled) values ($1, $2, $3)
                on conflict (tenant_id, module) do update set enabled = excluded.enabled"""
    for module, path in (("loyalty", "/api/chimes"), ("pos", "/api/carillon")):
        await world.sql(switch, world.bar.id, module, False)
        problem = check(await send(world, "GET", path, owner), 403, "module-off")
        assert module in problem["detail"]
        await world.sql(switch, world.bar.id, module, True)
        assert (await send(world, "GET", path, owner)).status_code == 200
        await world.sql(switch, world.bar.id, module, False)
        club = await world.bearer(world.club.email("owner"))
        await world.sql(switch, world.club.id, module, True)
        assert (await send(world, "GET", path, club)).status_code == 200, "another business has its own switch"


async def test_people_get_pages(world: People, owner: dict[str, str]) -> None:
    refused = await send(world, "GET", "/bells", await world.bearer(world.bar.email("staff")))
    assert (refused.status_code, refused.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "Your role does not allow this" in refused.text
    absent = await send(world, "GET", "/nowhere", HTML)
    assert (absent.status_code, absent.headers["content-type"]) == (404, "text/html; charset=utf-8")
    for_machines = await send(world, "GET", "/api/nowhere", {"Accept": "application/json"})
    check(for_machines, 404, "not-found")
    api = await send(world, "GET", f"/api/bells/{uuid4()}", owner | HTML)
    check(api, 404, "not-found")


async def test_people_get_a_page_also_while_nobody_can_be_read(world: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of a problem needs no database, and says what became of the request."""

    async def away(*_args: object, **_named: object) -> None:
        raise Busy

    for module in ("dispatch", "problem_pages"):
        monkeypatch.setattr(f"lastlight.runtime.http.{module}.authenticate", away)
    busy = await send(world, "GET", "/bells?sort=-name&limit=5")
    assert (busy.status_code, busy.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert (busy.headers["retry-after"], busy.headers["cache-control"]) == ("2", "no-store")
    assert "Last Light is busy" in busy.text
    assert 'href="/bells?sort=-name&amp;limit=5"' in busy.text, "it can be asked for once more"
    absent = await send(world, "GET", "/nowhere", HTML)
    assert (absent.status_code, absent.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert 'href="/nowhere"' not in absent.text
    sent = await send(world, "POST", "/bells/word", HTML)
    assert (sent.status_code, 'href="/bells/word"' in sent.text) == (503, False), (
        "what was sent is not sent again by a link"
    )
    check(await send(world, "GET", "/bells", {"HX-Request": "true"}), 503, "busy")


@pytest.mark.parametrize("problem", [Unsure, Busy])
async def test_after_what_was_sent_a_page_leads_back_to_where_it_was_sent_from(
    world: People, monkeypatch: pytest.MonkeyPatch, problem: type[Busy]
) -> None:
    async def lost(*_args: object, **_named: object) -> None:
        raise problem

    monkeypatch.setattr("lastlight.runtime.http.dispatch.authenticate", lost)

    async def shown(referer: str) -> str:
        answer = await send(world, "POST", "/bells/word", HTML | {"Referer": referer})
        assert (answer.status_code, problem.title in answer.text) == (503, True)
        return answer.text

    assert 'href="/bells?tone=c&amp;limit=5"' in await shown("http://test/bells?tone=c&limit=5#top")
    for foreign in ("http://evil.example/bells", "http://test.evil.example/bells", "http://[", "/bells", ""):
        assert 'href="/bells"' not in await shown(foreign)
    for sly in ("http://test//evil.example/bells", "http://test/\\evil.example/bells"):
        assert 'href="/evil.example/bells"' in await shown(sly)


async def test_a_form_of_a_page_is_told_an_unknown_outcome_in_our_words_and_stays_as_it_is(world: People) -> None:
    """htmx gets no form in exchange, which would be swapped for what is typed, but the sentence; it stays free of keys."""
    headers = await cookie(world) | FORM
    told = check(
        await send(world, "POST", "/bells/strike", headers | {"HX-Request": "true"}, content=b"word=ding"),
        503,
        "outcome-unknown",
    )
    assert (told["title"], told["detail"]) == (
        "It is not known whether this was done",
        "Look whether it was done before you do it again.",
    )
    plain = await send(world, "POST", "/bells/strike", headers | HTML, content=b"word=ding")
    assert (plain.status_code, plain.headers["content-type"]) == (503, "text/html; charset=utf-8")


async def test_a_page_sends_strangers_to_the_sign_in_and_back(world: People) -> None:
    answer = await send(world, "GET", "/bells?tone=c&x=%2F%2Fevil.example")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/bells%3Ftone%3Dc")
    partial = await send(world, "GET", "/bells", {"HX-Request": "true"})
    assert (partial.status_code, partial.headers["hx-redirect"]) == (200, "/sign-in?next=/bells")
    part_of_a_page = {"HX-Request": "true", "HX-Current-URL": "http://test/bells?tone=c#top"}
    for method, path in (("GET", "/bells?fragment=list"), ("POST", "/bells/word")):
        told = await send(world, method, path, part_of_a_page)
        assert (told.status_code, told.headers["hx-redirect"]) == (200, "/sign-in?next=/bells%3Ftone%3Dc")
    boosted = await send(world, "GET", "/bells?tone=d", {**part_of_a_page, "HX-Boosted": "true"})
    assert boosted.headers["hx-redirect"] == "/sign-in?next=/bells%3Ftone%3Dd"


async def test_answers_carry_what_keeps_browsers_safe(world: People, owner: dict[str, str]) -> None:
    for answer in (
        await send(world, "GET", "/api/bells", owner),
        await send(world, "GET", "/api/bells"),
        await send(world, "GET", "/nowhere", HTML),
        await send(world, "GET", "/bells", owner),
        await send(world, "DELETE", "/api/bells", owner),
        await fail(world, "boom"),
    ):
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value
    policy = (await send(world, "GET", "/bells", owner)).headers["content-security-policy"]
    for rule in (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ):
        assert rule in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")


async def cookie(world: People) -> dict[str, str]:
    answer = await world.client.post(
        "/api/auth/session", json={"email": world.bar.email("owner"), "password": PASSWORD}
    )
    assert answer.status_code == 200
    assert re.search(r"HttpOnly", answer.headers["set-cookie"], re.IGNORECASE)
    assert re.search(r"SameSite=lax", answer.headers["set-cookie"], re.IGNORECASE)
    found = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    world.client.cookies.clear()
    return {"Cookie": found}


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Origin": "http://test"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://test"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://test.evil.example"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://other.test"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://test"}, False),
    ],
)
async def test_a_write_that_rides_on_a_cookie_comes_from_our_own_pages(
    world: People, headers: dict[str, str], passes: bool
) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    mine = await cookie(world)
    before = COUNTS.get("rung", 0)
    rung = await send(world, "POST", f"/api/bells/{bell}/ring", mine | headers)
    form = await send(world, "POST", "/bells/word", mine | FORM | headers, content=b"word=ding")
    if passes:
        assert (rung.status_code, form.status_code) == (204, 303)
        assert COUNTS["rung"] == before + 1
    else:
        check(rung, 403, "cross-origin")
        assert form.status_code == 403
        assert COUNTS.get("rung", 0) == before
    assert (await send(world, "GET", "/api/bells", mine | headers)).status_code == 200, "reads change nothing"


async def test_a_token_that_the_caller_sends_himself_may_come_from_anywhere(
    world: People, owner: dict[str, str]
) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    headers = owner | {"Origin": "https://partner.example", "Sec-Fetch-Site": "cross-site"}
    assert (await send(world, "POST", f"/api/bells/{bell}/ring", headers)).status_code == 204


async def test_a_refused_form_says_what_to_write(world: People) -> None:
    mine = await cookie(world)
    answer = await send(world, "POST", "/bells/word", mine | FORM, content=b"word=x")
    assert answer.status_code == 422
    wrong = await send(world, "POST", "/bells/word", mine | {"Content-Type": "application/json"}, content=b"{}")
    assert wrong.status_code == 415
    for body in (b"word=%ff", b"word=a%00b"):
        assert (await send(world, "POST", "/bells/word", mine | FORM, content=body)).status_code in {400, 422}


async def test_a_version_and_a_key_are_asked_for(world: People, owner: dict[str, str]) -> None:
    bell = await hang(world, f"bell {uuid4()}")
    check(await send(world, "PUT", f"/api/bells/{bell}", owner, json={"name": "x"}), 428, "version-required")
    stale = await send(world, "PUT", f"/api/bells/{bell}", owner | {"If-Match": '"9"'}, json={"name": "x"})
    check(stale, 412, "stale")
    check(await send(world, "POST", "/api/bells", owner, json={"name": "x"}), 400, "idempotency-key-required")
    body = await send(world, "POST", "/api/echo", {"Content-Type": "application/json"}, content=b"{")
    check(body, 400, "malformed")
