"""What every operation asks of a request: versions where things are edited, keys where an effect must not happen twice, known fields only."""

from typing import Any
from uuid import uuid4

import pytest

from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.refusals import honours_key
from tests.contracts.expected import WORKS, expected
from tests.contracts.probes import good_call, plain_words
from tests.support.calls import OPERATIONS, Call, decoded_problem, send
from tests.support.world import Somebody, World

pytestmark = [pytest.mark.database, pytest.mark.contract]
BASE = "https://lastlight.dev/problems/"
VERSIONED = [key for key, op in OPERATIONS.items() if op.parameter("if_match")]
KEYED = [key for key, op in OPERATIONS.items() if op.idempotent]
HONOURING = [key for key, op in OPERATIONS.items() if op.kind == "api" and honours_key(op)]
WITH_BODY = [key for key, op in OPERATIONS.items() if op.parameter("data")]
WITH_QUERY = [key for key, op in OPERATIONS.items() if op.kind == "api" and not op.parameter("query")]
WITHOUT_REPLAY = frozenset({"logout_all", "close_cookie_session", "revoke_other_sessions", "change_password"})
"""They end the caller's own session, so that nobody is there to ask again, or answer nothing that is kept."""


async def ready(world: World, op: Operation) -> tuple[Call, Somebody]:
    """A call that succeeds, and who makes it."""
    names = ("A.owner", "A.patron", "crew.super_admin", "anonymous")
    who = next(world.somebody[name] for name in names if expected(op, world.somebody[name]) == WORKS)
    call = await good_call(world, op, who)
    return call, call.who or who


def problem_of(answer: Any) -> str:
    """The slug of a problem's type."""
    return str(decoded_problem(answer).get("type", f"no problem but {answer.status_code}")).removeprefix(BASE)


@pytest.mark.parametrize("key", VERSIONED)
async def test_an_edit_names_the_version_that_was_read(world: World, key: str) -> None:
    call, who = await ready(world, OPERATIONS[key])
    before = await world.state()
    without = call.replaced(headers={name: text for name, text in call.headers.items() if name != "If-Match"})
    assert problem_of(await send(world, without, who)) == "version-required"
    for text in ("*", '"three"', '"-1"', '"²"', "1, 2"):
        answer = await send(world, call.replaced(headers={**call.headers, "If-Match": text.encode("latin-1")}), who)
        assert answer.status_code in {400, 412, 422}, f"If-Match: {text} was taken"
    stale = call.replaced(headers={**call.headers, "If-Match": '"999999"'})
    assert problem_of(await send(world, stale, who)) == "stale"
    assert await world.state() == before
    answer = await send(world, call, who)
    assert answer.is_success, answer.text
    assert problem_of(await send(world, call, who)) in {"stale", "not-found"}, "the version it had read is still good"


@pytest.mark.parametrize("key", KEYED)
async def test_what_must_not_happen_twice_needs_a_key(world: World, key: str) -> None:
    call, who = await ready(world, OPERATIONS[key])
    before = await world.state()
    answer = await world.send(call.op.method, call.url, who, json=call.body, headers=call.headers)
    assert problem_of(answer) == "idempotency-key-required"
    assert await world.state() == before


@pytest.mark.parametrize("key", HONOURING)
async def test_the_same_key_gives_the_first_answer_again_and_happens_once(world: World, key: str) -> None:
    op = OPERATIONS[key]
    if op.name in WITHOUT_REPLAY:
        return
    call, who = await ready(world, op)
    keyed = call.replaced(headers={**call.headers, "Idempotency-Key": str(uuid4())})
    first = await send(world, keyed, who)
    assert first.is_success, first.text
    between = await world.state()
    again = await send(world, keyed, who)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers.get("Idempotency-Replayed") == "true"
    assert await world.state() == between
    if call.body is not None:
        other = keyed.replaced(body={**call.body, "one_more": 1})
        assert problem_of(await send(world, other, who)) in {"idempotency-key-reused", "invalid"}
    assert await world.state() == between


@pytest.mark.parametrize("key", WITH_BODY)
async def test_a_field_that_nobody_knows_is_refused_by_its_path(world: World, key: str) -> None:
    call, who = await ready(world, OPERATIONS[key])
    before = await world.state()
    answer = await send(world, call.replaced(body={**call.body, "tenant_id_": "x"}), who)
    assert problem_of(answer) == "invalid", answer.text
    assert list(decoded_problem(answer)["fields"]) == ["tenant_id_"]
    bad_type = await world.send(call.op.method, call.url, who, content=b"name=x", headers=_form(call))
    assert problem_of(bad_type) == "unsupported-media-type"
    assert await world.state() == before


def _form(call: Call) -> dict[str, str]:
    return {**call.headers, "Idempotency-Key": str(uuid4()), "Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("key", WITH_QUERY)
async def test_a_query_that_nobody_reads_is_refused(world: World, key: str) -> None:
    call, who = await ready(world, OPERATIONS[key])
    before = await world.state()
    answer = await send(world, call.replaced(query={"tenant_id": str(uuid4())}), who)
    assert problem_of(answer) == "invalid", answer.text
    assert await world.state() == before


BEARERS_ONLY = frozenset({"switch", "preview_role", "impersonate", "end_looking"})
"""A browser's session is not for these: they would hand its tokens to scripts."""
FORGING = [key for key, op in OPERATIONS.items() if op.writes]


@pytest.mark.parametrize("key", FORGING)
async def test_a_write_from_another_site_is_refused_where_a_browser_would_send_a_cookie(world: World, key: str) -> None:
    op = OPERATIONS[key]
    call, who = await ready(world, op)
    if op.kind == "api" and who.user_id is None:
        return  # it rides on nothing that a browser would add
    who = await world.sign_in(who, cookie=True) if who.user_id else who
    before = await world.state()
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        answer = await send(world, call.replaced(headers={**call.headers, **headers}), who)
        assert answer.status_code == 403, f"{headers}: {answer.status_code}"
    assert await world.state() == before
    answer = await send(world, call.replaced(headers={**call.headers, "Sec-Fetch-Site": "same-origin"}), who)
    assert answer.status_code < 400 or op.name in BEARERS_ONLY, plain_words(answer)
