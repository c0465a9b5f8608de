"""The OpenAPI 3.1 document, made of the registry's operations."""

import http
import re
import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from lastlight import __version__
from lastlight.kernel.errors import Problem
from lastlight.kernel.paging import Page
from lastlight.runtime.auth.cookies import SESSION_COOKIE
from lastlight.runtime.http.operation import Operation, structs_of
from lastlight.runtime.http.problems import MEDIA_TYPE, TYPE_BASE, ProblemBody
from lastlight.runtime.http.refusals import honours_key, refusals_of
from lastlight.runtime.http.remarks import field_remarks
from lastlight.runtime.http.reply import Download, Redirect, Reply, View
from lastlight.runtime.module import Module, Registry
from lastlight.runtime.settings import Settings

REFERENCE = "#/components/schemas/{name}"
PARAMETER = re.compile(r"\{(\w+):\w+\}")
JSON_TYPE = "application/json"
DESCRIPTION = """\
Every refusal is an RFC 9457 problem: a stable `type`, a sentence in `detail`, and in `fields` a sentence for each field at fault.
Writes take an `Idempotency-Key`: repeat a call with its key and body, and it has its effect once. What has a `version` is changed
under `If-Match`. Lists are paged by `after`, the `next` of the page before. Times are UTC, money is in minor units."""

Schemas = dict[Any, dict[str, Any]]
Json = dict[str, Any]


def build_openapi(registry: Registry, settings: Settings, *, area: str = "") -> Json:
    """The document of every operation for machines, or of one module's; pages are not part of it."""
    modules = [module for module in registry.modules if area in ("", module.name)]
    operations = [op for module in modules for op in module.routes if op.kind == "api"]
    schemas, components = _schemas(operations)
    paths: dict[str, Json] = {}
    for op in sorted(operations, key=lambda op: (op.path, op.method)):
        described = describe(op, registry.module_of[id(op)], schemas)
        paths.setdefault(plain_path(op.path), {})[op.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Last Light",
            "version": __version__,
            "summary": "The operating system of a night out.",
            "description": DESCRIPTION,
        },
        "servers": [{"url": settings.base_url}],
        "tags": _tags(modules),
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _security_schemes(), "headers": _headers()},
    }


def tags_of(op: Operation, module: Module) -> list[str]:
    """What an operation is listed under: what it says, or its module."""
    return list(op.tags) or [title_of(module)]


def title_of(module: Module) -> str:
    """A module's name for people to read."""
    return module.name.replace("_", " ").capitalize()


def operation_id(op: Operation) -> str:
    """The name of an operation in the document, for generated clients and for links into the explorer."""
    return f"{op.name}_{op.method.lower()}_{_slug(op.path)}"


def plain_path(path: str) -> str:
    """A path as OpenAPI writes it, without the types of its parameters."""
    return PARAMETER.sub(r"{\1}", path)


def describe(op: Operation, module: Module, schemas: Schemas) -> Json:
    """One operation object."""
    found: Json = {
        "operationId": operation_id(op),
        "summary": op.summary,
        "description": op.description,
        "tags": tags_of(op, module),
        "parameters": [*_path_parameters(op, schemas), *_query_parameters(op, schemas), *_header_parameters(op)],
        "responses": _responses(op, module, schemas),
        "security": [] if op.public else [{"bearer": []}, {"cookie": []}],
    }
    body = _request_body(op, schemas)
    if body:
        found["requestBody"] = body
    extras = {"x-permission": op.permission and op.permission.name, "x-public": op.public, "x-signed-in": op.signed_in}
    more = {"x-audited": op.sensitive, "x-module": op.toggle or module.toggle}
    return {**found, **{name: value for name, value in (extras | more).items() if value}}


def _tags(modules: Iterable[Module]) -> list[Json]:
    """Every tag that is used, with the summary of its module where that has no other."""
    found: dict[str, str] = {}
    for module in modules:
        used = {tag for op in module.routes if op.kind == "api" for tag in tags_of(op, module)}
        found |= dict.fromkeys(used, module.summary if len(used) == 1 else "")
    return [{"name": name} | ({"description": words} if words else {}) for name, words in sorted(found.items())]


def _slug(path: str) -> str:
    return re.sub(r"\W+", "_", plain_path(path)).strip("_")


# --- schemas ----------------------------------------------------------------------------------------------------------


def _schemas(operations: Iterable[Operation]) -> tuple[Schemas, Json]:
    """Each type that an operation takes or gives → its schema; and the components that those refer to."""
    kinds: list[Any] = [ProblemBody]
    for op in operations:
        kinds += [p.kind for p in op.parameters if p.source in {"path", "query", "data"}]
        kinds += answered(op.returns)
    unique = list({repr(kind) + str(id(kind)): kind for kind in kinds}.values())
    found, components = msgspec.json.schema_components(unique, ref_template=REFERENCE)
    _remark(components, unique)
    components["Problem"] = components.pop("ProblemBody") | {"title": "Problem"}
    by_kind: Schemas = {id(kind): schema for kind, schema in zip(unique, found, strict=True)}
    by_kind["components"] = components
    return by_kind, components


def _remark(components: Json, kinds: Iterable[Any]) -> None:
    """Give fields the remarks that stand below them in the code, where their declaration gives no description."""
    seen: set[Any] = set()
    by_name = {struct.__name__: struct for kind in kinds for struct in structs_of(kind, seen)}
    for name, schema in components.items():
        struct = Page if name.startswith("Page_") else by_name.get(name)
        for field, remark in (field_remarks(struct) if struct is not None else {}).items():
            if field in schema.get("properties", {}):
                schema["properties"][field].setdefault("description", remark)


def answered(returns: Any) -> list[Any]:
    """The types whose JSON an operation answers with: none for a file, a page or no content."""
    if returns is None or returns is type(None):
        return []
    origin = typing.get_origin(returns)
    if origin is Reply:
        return answered(typing.get_args(returns)[0])
    if returns in (Download, View, Redirect, Reply) or origin is Download:
        return []
    members = typing.get_args(returns) if _is_union(returns) else ()
    if members:
        return [kind for member in members for kind in answered(member)]
    return [returns]


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) is typing.Union or type(kind).__name__ == "UnionType"


def _schema(kind: Any, schemas: Schemas) -> Json:
    return schemas[id(kind)]


# --- requests ---------------------------------------------------------------------------------------------------------


def _path_parameters(op: Operation, schemas: Schemas) -> list[Json]:
    found = (p for p in op.parameters if p.source == "path")
    return [{"name": p.name, "in": "path", "required": True, "schema": _schema(p.kind, schemas)} for p in found]


def _query_parameters(op: Operation, schemas: Schemas) -> list[Json]:
    query = op.parameter("query")
    if query is None:
        return []
    struct = _resolve(_schema(query.kind, schemas), schemas)
    required: list[str] = struct.get("required", [])
    found: list[Json] = []
    for name, schema in struct.get("properties", {}).items():
        plain = {key: value for key, value in schema.items() if key != "description"}
        one: Json = {"name": name, "in": "query", "required": name in required, "schema": plain}
        found.append(one | ({"description": schema["description"]} if "description" in schema else {}))
    return found


def _resolve(schema: Json, schemas: Schemas) -> Json:
    reference: str = schema.get("$ref", "")
    return schemas["components"][reference.rsplit("/", 1)[-1]] if reference else schema


def _header_parameters(op: Operation) -> list[Json]:
    found: list[Json] = []
    if honours_key(op):
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": op.idempotent,
                "description": "A UUID of the caller's own for this effect; the same one when it is sent again.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
            }
        )
    if op.parameter("if_match"):
        found.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "The version that was read, as its ETag shows it.",
                "schema": {"type": "string", "pattern": '^"[0-9]{1,18}"$'},
            }
        )
    return found


def _request_body(op: Operation, schemas: Schemas) -> Json:
    data, raw = op.parameter("data"), op.parameter("body")
    if data is not None:
        return {"required": True, "content": {JSON_TYPE: {"schema": _schema(data.kind, schemas)}}}
    return {"required": True, "content": {"*/*": {}}} if raw is not None else {}


# --- answers ----------------------------------------------------------------------------------------------------------


def _responses(op: Operation, module: Module, schemas: Schemas) -> Json:
    found: Json = {str(_status(op)): _success(op, schemas)}
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in refusals_of(op, module):
        by_status.setdefault(problem.status, []).append(problem)
    for status, problems in by_status.items():
        found.setdefault(str(status), _refusal(problems))
    return found


def _status(op: Operation) -> int:
    return 204 if op.status == 200 and op.returns in (None, type(None)) else op.status


def _success(op: Operation, schemas: Schemas) -> Json:
    found: Json = {"description": http.HTTPStatus(_status(op)).phrase, "headers": _answer_headers(op)}
    kinds = [_schema(kind, schemas) for kind in answered(op.returns)]
    if _gives_file(op.returns):
        found["content"] = {"*/*": {}}
    if kinds:
        found["content"] = {JSON_TYPE: {"schema": kinds[0] if len(kinds) == 1 else {"anyOf": kinds}}}
    return found


def _gives_file(returns: Any) -> bool:
    return returns is Download or any(_gives_file(member) for member in typing.get_args(returns))


def _answer_headers(op: Operation) -> Json:
    names = ["X-Request-Id"]
    names += ["RateLimit", "RateLimit-Policy"] if op.limit != "none" else []
    names += ["Idempotency-Replayed"] if honours_key(op) else []
    if any("version" in getattr(kind, "__struct_fields__", ()) for kind in answered(op.returns)):
        names.append("ETag")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _refusal(problems: list[type[Problem]]) -> Json:
    kinds = [TYPE_BASE + problem.type for problem in problems]
    schema = {"allOf": [{"$ref": REFERENCE.format(name="Problem")}, {"properties": {"type": {"enum": kinds}}}]}
    words = "; ".join(f"`{problem.type}`: {problem.title}" for problem in problems)
    return {"description": words, "content": {MEDIA_TYPE: {"schema": schema}}}


def _security_schemes() -> Json:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of POST /api/auth/login.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": SESSION_COOKIE,
            "description": "The console's session, from POST /api/auth/session.",
        },
    }


def _headers() -> Json:
    words = {
        "X-Request-Id": "The id under which this call is logged.",
        "RateLimit": "What is left of the caller's allowance, and when it is whole again.",
        "RateLimit-Policy": "The allowance that counts this call.",
        "Idempotency-Replayed": "`true` where this is the first answer again.",
        "ETag": 'The version, for If-Match: `"3"`.',
    }
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in words.items()}
