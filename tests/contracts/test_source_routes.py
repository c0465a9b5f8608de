"""Each path that a source document names answers: to who may with success, to nobody with what its own path answers, never 404 or 405."""

from dataclasses import replace

import pytest

from lastlight.apps.named_paths import NAMED_PATHS, NamedPath, second_paths
from lastlight.modules import OWN_MODULES
from lastlight.runtime.http import get
from lastlight.runtime.http.operation import also_at
from lastlight.runtime.module import Module, RegistryError
from tests.contracts import probes
from tests.contracts.given import EXAMPLES
from tests.support.calls import OPERATIONS, plan, send
from tests.support.world import NOBODY, World, may

pytestmark = [pytest.mark.database, pytest.mark.contract]
SECOND = [key for key, op in OPERATIONS.items() if op.same_as]


@pytest.mark.parametrize("named", NAMED_PATHS, ids=lambda named: f"{named.document} {named.method} {named.shown}")
async def test_it_answers_whoever_may_call_it_and_tells_nobody_else(world: World, named: NamedPath) -> None:
    op = OPERATIONS[f"{named.method} {named.path}"]
    assert op.name == named.operation
    who = next(who for who in world.everybody if may(op, who) and probes.expected(op, who) == probes.WORKS)
    call = await plan(world, op, who, EXAMPLES)
    answer = await send(world, call, call.who or who)
    assert answer.is_success, answer.text
    call = await plan(world, op, who, EXAMPLES)
    refused = await send(world, call, NOBODY)
    assert refused.status_code not in {404, 405}, refused.text
    assert refused.is_success if op.public else refused.status_code == 401, refused.text


@pytest.mark.parametrize("key", SECOND)
def test_a_second_path_is_the_same_operation(key: str) -> None:
    second = OPERATIONS[key]
    method, _, shown = second.same_as.partition(" ")
    [first] = [op for op in OPERATIONS.values() if (op.method, _plain(op.path)) == (method, shown)]
    assert replace(second, path=first.path, same_as="", toggle=first.toggle) == first
    assert second.path != first.path


def test_the_documents_name_what_stands() -> None:
    assert {"POST /api/admin/checkins/{checkin_id:uuid}/revoke", "POST /api/sessions/checkin"} <= set(SECOND)
    assert len({(named.method, named.path) for named in NAMED_PATHS}) == len(NAMED_PATHS)


def test_a_path_without_its_operation_is_refused() -> None:
    gone = NamedPath("N", ("CHK-04",), "POST", "/api/admin/nothing", "nobody_built_this")
    with pytest.raises(RegistryError, match="nobody_built_this"):
        second_paths(OWN_MODULES, [gone])
    other = NamedPath("N", ("VEN-01",), "GET", "/api/admin/venues", "list_venues")
    with pytest.raises(RegistryError, match="list_venues"):
        second_paths(OWN_MODULES, [other])


def test_a_second_path_names_the_same_parameters() -> None:
    @get("/api/things/{thing:int}", public="a test's own")
    async def read_thing(thing: int) -> int:
        """Read it."""
        return thing

    assert also_at(read_thing, "/v1/things/{thing:int}").same_as == "GET /api/things/{thing}"
    with pytest.raises(RegistryError, match="same parameters"):
        also_at(read_thing, "/v1/things/{other:int}")


def test_a_second_path_is_switched_off_with_its_module() -> None:
    @get("/api/things", public="a test's own")
    async def list_things() -> int:
        """List them."""
        return 1

    module = Module(name="things", toggle="things", routes=[list_things])
    made = second_paths([module], [NamedPath("N", ("VEN-01",), "GET", "/v1/things", "list_things")])
    assert [op.toggle for op in made.routes] == ["things"]


def _plain(path: str) -> str:
    return path.replace(":uuid}", "}").replace(":int}", "}").replace(":str}", "}").replace(":path}", "}")
