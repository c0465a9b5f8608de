"""The OpenAPI document: valid, complete, and true to the declarations."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from openapi_spec_validator import OpenAPIV31SpecValidator

from lastlight.kernel.errors import Conflict
from lastlight.kernel.paging import Page
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Download, Input, Reply, View, delete, get, page, patch, post
from lastlight.runtime.module import Module, Registry
from lastlight.runtime.openapi import build_openapi
from lastlight.runtime.settings import Settings

BELLS_READ = Permission("bells.read", "See the bells.", Scope.TENANT)
BELLS_RING = Permission("bells.ring", "Ring the bells.", Scope.VENUE)
SETTINGS = Settings(base_url="https://bells.example")


class BellCracked(Conflict):
    """The bell has a crack."""

    type = "bell-cracked"
    title = "This bell is cracked"


class Bell(msgspec.Struct, frozen=True):
    """A bell."""

    id: UUID
    name: str
    version: int


class RingIn(Input, frozen=True):
    """How to ring."""

    times: Annotated[int, msgspec.Meta(ge=1, le=12, description="How often.")]
    note: str = ""


class BellQuery(Input, frozen=True):
    """Which bells."""

    tower: list[UUID] = msgspec.field(default_factory=list)
    loud: Annotated[bool | None, msgspec.Meta(description="Only loud ones.")] = None


@get("/api/bells", permission=BELLS_READ)
async def list_bells(ctx: Ctx, query: BellQuery) -> Page[Bell]:
    """List the bells.

    The loudest first.
    """
    raise NotImplementedError


@post("/api/bells/{bell_id:uuid}/ring", permission=BELLS_RING, idempotent=True, raises=[BellCracked], status=201)
async def ring_bell(ctx: Ctx, bell_id: UUID, data: RingIn) -> Reply[Bell]:
    """Ring a bell."""
    raise NotImplementedError


@patch("/api/bells/{bell_id:uuid}", permission=BELLS_RING)
async def rename_bell(ctx: Ctx, bell_id: UUID, data: RingIn, if_match: int) -> Bell:
    """Rename a bell."""
    raise NotImplementedError


@delete("/api/bells/{bell_id:uuid}", permission=BELLS_RING)
async def melt_bell(ctx: Ctx, bell_id: UUID) -> None:
    """Melt a bell."""


@get("/api/bells/{bell_id:uuid}/sound", public="everybody hears it")
async def hear_bell(ctx: Ctx, bell_id: UUID) -> Download:
    """Hear a bell."""
    raise NotImplementedError


@page("/bells", signed_in="the bell tower")
async def bells_page(ctx: Ctx) -> View:
    """The tower."""
    raise NotImplementedError


BELLS = Module(
    name="bells",
    summary="Bells and towers.",
    toggle="bells",
    routes=[list_bells, ring_bell, rename_bell, melt_bell, hear_bell],
    pages=[bells_page],
    permissions=[BELLS_READ, BELLS_RING],
    errors=[BellCracked],
)


class Organ(msgspec.Struct, frozen=True):
    """An organ."""

    id: UUID


@get("/api/organs/{organ_id:uuid}", public="everybody hears it", tags=["Pipes"])
async def read_organ(ctx: Ctx, organ_id: UUID) -> Organ:
    """Read an organ."""
    raise NotImplementedError


@get("/api/organs/{organ_id:uuid}/bell", public="everybody hears it")
async def bell_of_organ(ctx: Ctx, organ_id: UUID) -> Bell:
    """The bell of an organ."""
    raise NotImplementedError


CHURCH_ORGANS = Module(name="church_organs", summary="Organs.", routes=[read_organ, bell_of_organ])


def document(*modules: Module, area: str = "") -> dict[str, Any]:
    whole = build_openapi(Registry(modules or [BELLS]), SETTINGS, area=area)
    built: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))
    return built


def problem_types(operation: dict[str, Any], status: str) -> list[str]:
    schema = operation["responses"][status]["content"]["application/problem+json"]["schema"]
    return [kind.rsplit("/", 1)[-1] for kind in schema["allOf"][1]["properties"]["type"]["enum"]]


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_it_holds_every_operation_and_no_page() -> None:
    paths = document()["paths"]
    found = sorted((method, path) for path, methods in paths.items() for method in methods)
    assert found == [
        ("delete", "/api/bells/{bell_id}"),
        ("get", "/api/bells"),
        ("get", "/api/bells/{bell_id}/sound"),
        ("patch", "/api/bells/{bell_id}"),
        ("post", "/api/bells/{bell_id}/ring"),
    ]


def test_the_document_of_an_area_holds_its_own_operations_and_the_types_they_use() -> None:
    organs = document(BELLS, CHURCH_ORGANS, area="church_organs")
    OpenAPIV31SpecValidator(organs).validate()
    assert list(organs["paths"]) == ["/api/organs/{organ_id}", "/api/organs/{organ_id}/bell"]
    assert sorted(organs["components"]["schemas"]) == ["Bell", "Organ", "Problem"]
    assert organs["tags"] == [{"name": "Church organs"}, {"name": "Pipes"}]
    assert document(BELLS, CHURCH_ORGANS)["paths"] == document()["paths"] | organs["paths"]


def test_every_tag_is_explained_once() -> None:
    built = document(BELLS, CHURCH_ORGANS)
    used = {tag for methods in built["paths"].values() for op in methods.values() for tag in op["tags"]}
    assert {tag["name"] for tag in built["tags"]} == used
    assert built["tags"][0] == {"name": "Bells", "description": "Bells and towers."}


def test_an_operation_says_what_it_takes() -> None:
    ring = document()["paths"]["/api/bells/{bell_id}/ring"]["post"]
    assert [(p["name"], p["in"], p["required"]) for p in ring["parameters"]] == [
        ("bell_id", "path", True),
        ("Idempotency-Key", "header", True),
    ]
    assert ring["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/RingIn"}
    assert ring["x-permission"] == "bells.ring"
    assert ring["security"] == [{"bearer": []}, {"cookie": []}]
    rename = document()["paths"]["/api/bells/{bell_id}"]["patch"]
    assert [(p["name"], p["required"]) for p in rename["parameters"]] == [
        ("bell_id", True),
        ("Idempotency-Key", False),
        ("If-Match", True),
    ]


def test_the_fields_of_a_query_are_parameters() -> None:
    listed = document()["paths"]["/api/bells"]["get"]
    assert [(p["name"], p["in"], p["required"], p.get("description")) for p in listed["parameters"]] == [
        ("tower", "query", False, None),
        ("loud", "query", False, "Only loud ones."),
    ]
    assert listed["summary"] == "List the bells."
    assert listed["description"] == "List the bells.\n\nThe loudest first."


def test_an_operation_says_what_it_answers() -> None:
    ring = document()["paths"]["/api/bells/{bell_id}/ring"]["post"]
    assert ring["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Bell"}
    assert "ETag" in ring["responses"]["201"]["headers"]
    assert sorted(ring["responses"]) == ["201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "503"]
    assert problem_types(ring, "409") == ["bell-cracked", "conflict", "idempotency-key-in-flight"]
    assert problem_types(ring, "400") == ["idempotency-key-required", "malformed"]
    assert "module-off" in problem_types(ring, "403")
    melt = document()["paths"]["/api/bells/{bell_id}"]["delete"]
    assert "content" not in melt["responses"]["204"]
    assert problem_types(document()["paths"]["/api/bells/{bell_id}"]["patch"], "428") == ["version-required"]


def test_what_is_public_asks_for_no_credentials() -> None:
    hear = document()["paths"]["/api/bells/{bell_id}/sound"]["get"]
    assert hear["security"] == []
    assert hear["x-public"] == "everybody hears it"
    assert hear["responses"]["200"]["content"] == {"*/*": {}}
    assert "401" not in hear["responses"]


def test_a_remark_below_a_field_is_its_description() -> None:
    components = document()["components"]["schemas"]
    assert components["Page_Bell_"]["properties"]["total"]["description"].startswith("Counted only when asked for")
    assert components["RingIn"]["properties"]["times"]["description"] == "How often."
