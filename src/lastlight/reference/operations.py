"""The page of operations: every edge with whom it is for, what it takes, gives and refuses."""

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any

from lastlight.kernel.errors import Problem
from lastlight.reference.markdown import code, codes, facts, link, page, prose, table
from lastlight.reference.schemas import kind_of, limits_of, types
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.refusals import honours_key, refusals_of
from lastlight.runtime.module import Module, Registry
from lastlight.runtime.openapi import answered, build_openapi, plain_path
from lastlight.runtime.settings import Settings

Json = dict[str, Any]

INTRO = """\
Every edge of the platform, by module: the API, the types that it speaks, then the pages. Bodies and answers are JSON; unknown fields are
refused. A refusal is a [problem](errors.md). Lists are paged by `after`, the `next` of the page before. What has a `version` is changed
under `If-Match`. Machines read `/openapi.json`, people try it out at `/docs`."""
LIMITS = {
    "user": "counted for the user, or for the address while nobody is signed in",
    "auth": "counted for address and account together, and for the address",
    "refresh": "counted for the session",
    "none": "",
}


def operations_page(registry: Registry) -> str:
    """Every operation, the types of the API, and every page."""
    document = build_openapi(registry, Settings())
    of_all, of_signed_in = _common(registry)
    parts = [
        "## What every call may meet",
        facts([("Every call", _links(of_all)), ("Every call of somebody signed in", _links(of_signed_in))]),
        "The operations below name only what they may refuse with on top of that.",
    ]
    for module in registry.modules:
        edges = [op for op in module.routes if op.kind == "api"]
        if edges:
            parts += [f"## {module.name}", module.summary]
            for op in sorted(edges, key=_place):
                known = of_all if op.public else of_all | of_signed_in
                parts += _operation(op, module, document, known)
    parts += ["## Types", *types(document)]
    return page("Operations", INTRO, [*parts, "## Pages", _pages(registry)])


def heading(op: Operation) -> str:
    """An operation's name on the page: its method and path."""
    return f"{op.method} {plain_path(op.path)}"


def audience(op: Operation) -> str:
    """Whom it is for, with the reason where that is not one permission."""
    if op.permission is not None:
        return f"{link(op.permission.name, page='permissions', to=op.permission.name)}"
    return f"anybody: {op.public}" if op.public else f"everybody who is signed in: {op.signed_in}"


def _place(op: Operation) -> tuple[str, str]:
    return op.path, op.method


def _common(registry: Registry) -> tuple[set[type[Problem]], set[type[Problem]]]:
    """The problems that every call may end with, and those that every call of somebody signed in may end with besides."""
    edges = [(op, set(refusals_of(op, registry.module_of[id(op)]))) for op in registry.operations if op.kind == "api"]
    of_all = reduce(set[type[Problem]].__and__, (found for _, found in edges))
    return of_all, reduce(set[type[Problem]].__and__, (found for op, found in edges if not op.public)) - of_all


def _links(problems: Iterable[type[Problem]]) -> str:
    found = sorted(problems, key=lambda problem: (problem.status, problem.type))
    return ", ".join(link(problem.type, page="errors") for problem in found)


def _operation(op: Operation, module: Module, document: Json, known: set[type[Problem]]) -> Iterator[str]:
    described: Json = document["paths"][plain_path(op.path)][op.method.lower()]
    yield f"### {heading(op)}"
    yield prose(op.description)
    yield facts(
        [
            ("For", audience(op)),
            ("Takes", _body(described)),
            ("Gives", _answer(op, described)),
            ("Idempotency", _idempotency(op)),
            ("Concurrency", "`If-Match` with the version that was read" if op.parameter("if_match") else ""),
            ("Rate limit", f"{code(op.limit)}, {LIMITS[op.limit]}" if op.limit != "none" else "none"),
            ("Audited as", code(op.sensitive) if op.sensitive else ""),
            ("Acts inside", f"the business that {code(op.scope_tenant)} names" if op.scope_tenant else ""),
            ("Switched off with", code(op.toggle or module.toggle) if op.toggle or module.toggle else ""),
            ("Refuses with", _links(set(refusals_of(op, module)) - known)),
        ]
    )
    yield table(["parameter", "in", "type", "meaning"], map(_parameter, _plain_parameters(described)))


def _plain_parameters(described: Json) -> Iterator[Json]:
    """The parameters of the path and the query; headers are told among the facts."""
    return (parameter for parameter in described["parameters"] if parameter["in"] != "header")


def _parameter(parameter: Json) -> tuple[str, str, str, str]:
    needed = "" if parameter["required"] else " (optional)"
    limits = limits_of(parameter["schema"])
    meaning = ". ".join(part for part in (parameter.get("description", "").rstrip("."), limits) if part)
    return code(parameter["name"]), parameter["in"] + needed, kind_of(parameter["schema"]), meaning


def _body(described: Json) -> str:
    content: Json = described.get("requestBody", {}).get("content", {})
    return " or ".join("a file" if "schema" not in of else kind_of(of["schema"]) for of in content.values())


def _answer(op: Operation, described: Json) -> str:
    status = next(iter(described["responses"]))
    content: Json = described["responses"][status].get("content", {})
    kinds = [kind_of(of["schema"]) if "schema" in of else "a file" for of in content.values()]
    tagged = any("version" in getattr(kind, "__struct_fields__", ()) for kind in answered(op.returns))
    return f"{status} {' or '.join(kinds)}".strip() + (", with its `ETag`" if tagged else "")


def _idempotency(op: Operation) -> str:
    if op.idempotent:
        return "an `Idempotency-Key` is required"
    return "an `Idempotency-Key` is honoured" if honours_key(op) else ""


def _pages(registry: Registry) -> str:
    pages = [op for op in registry.operations if op.kind == "page"]
    return table(["page", "what", "for"], map(_page_row, sorted(pages, key=_place)))


def _page_row(op: Operation) -> tuple[str, str, str]:
    return code(heading(op)), prose(op.description).split("\n", 1)[0], audience(op)


def paths_of(operations: Iterable[Operation]) -> str:
    """Operations by name, each linked to its description where it has one."""
    found = sorted(operations, key=_place)
    return ", ".join(
        link(heading(op), page="operations", to=heading(op)) if op.kind == "api" else codes([heading(op)])
        for op in found
    )
