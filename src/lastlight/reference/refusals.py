"""The page of errors: every problem that an answer may be."""

import http
import importlib
import pkgutil
from collections.abc import Iterator

import lastlight
from lastlight.kernel.errors import Problem
from lastlight.reference.markdown import code, codes, facts, page, prose
from lastlight.reference.operations import paths_of
from lastlight.runtime.http.problems import TYPE_BASE
from lastlight.runtime.http.refusals import refusals_of
from lastlight.runtime.module import Registry

MANY = 12
"""From so many operations on, their number says more than their names."""


def errors_page(registry: Registry) -> str:
    """Every problem by its status and type."""
    intro = f"""\
Every refusal is `application/problem+json` (RFC 9457): `type` is `{TYPE_BASE}` and the name below, `title` says what it is, `detail` what to do,
`instance` is `urn:request:` and the request's id, and `fields` holds a sentence for each field at fault, by its path. People see the same as a page, at the form's
field, or as a toast. No problem tells whether another business's thing exists."""
    parts: list[str] = []
    status = 0
    for problem in problems():
        if problem.status != status:
            status = problem.status
            parts.append(f"## {status} {http.HTTPStatus(status).phrase}")
        parts += _problem(problem, registry)
    return page("Errors", intro, parts)


def problems() -> list[type[Problem]]:
    """Every problem that the code declares, by status and type."""
    for module in pkgutil.walk_packages(lastlight.__path__, "lastlight."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = {kind for kind in _below(Problem) if kind.__module__.startswith("lastlight.")}
    return sorted(found, key=lambda kind: (kind.status, kind.type))


def _below(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _problem(problem: type[Problem], registry: Registry) -> tuple[str, str, str]:
    of = [
        op for op in registry.operations if problem in refusals_of(op, registry.module_of[id(op)]) and op.kind == "api"
    ]
    constraints = sorted(name for name, kind in registry.constraints.items() if kind is problem)
    known = [
        ("Title", f"{problem.title}."),
        ("Advice", problem.default_detail),
        ("Constraint", codes(constraints)),
        ("Kept", "what the request wrote before is kept" if problem.keeps else ""),
        ("Given by", f"{len(of)} operations" if len(of) > MANY else paths_of(of)),
    ]
    return f"### {problem.type}", prose(_own_words(problem)), facts(known)


def _own_words(problem: type[Problem]) -> str:
    return str(problem.__dict__.get("__doc__") or "")


def undescribed() -> list[str]:
    """The problems whose class says nothing about when they are given."""
    return [code(problem.type) for problem in problems() if not _own_words(problem)]
