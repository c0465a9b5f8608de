"""What the sandbox takes, compared with the parameter types of the installed SDK."""

import ast
from collections.abc import Iterator
from pathlib import Path

from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Choice, Each, Group, Moment, Shape, Text, Truth, Whole, Words
from tests.sandbox.sdk_sources import ROOT, alternatives, arguments_of, classes_of, fields_of, literals, name_of


def module_of(route: Route) -> Path:
    """The SDK's module that declares an operation's parameters."""
    things, operation = route.name.split(".")
    thing = things if things == "balance" else things.removesuffix("s")
    return ROOT / "params" / f"_{thing}_{operation}_params.py"


def differences(route: Route) -> list[str]:
    """Where an operation takes what the SDK's type does not allow, or needs what it leaves open."""
    path = module_of(route)
    wanted = f"{''.join(word.title() for word in path.stem.strip('_').split('_'))}"
    return list(_group(route.params, classes_of(path)[wanted], path, route.name))


def _group(shape: Group, owner: ast.ClassDef, path: Path, where: str) -> Iterator[str]:
    fields = dict(fields_of(owner))
    for name, inner in shape.fields.items():
        if name not in fields:
            yield f"{where}.{name}: the SDK knows no such parameter"
        else:
            yield from _shape(inner, fields[name], path, f"{where}.{name}")
    for name, annotation in fields.items():
        must = name_of(annotation) != "NotRequired"
        if must != (name in shape.required):
            yield f"{where}.{name}: required by the {'SDK' if must else 'sandbox'} only"


def _shape(shape: Shape, annotation: ast.expr, path: Path, where: str) -> Iterator[str]:
    members = alternatives(annotation)
    names = {name_of(one) for one in members}
    words = {value for one in members for value in literals(one)}
    groups = [classes_of(path)[name] for name in names if name in classes_of(path)]
    match shape:
        case Text(unset=unset):
            yield from _said("str" in names and not (words - {""}), where, "no text")
            yield from _said(not unset or "" in words, where, "cannot be unset")
        case Choice(words=chosen, unset=unset):
            yield from _said(
                bool(words) and set(chosen) <= words, where, f"{set(chosen) - words} are not among its words"
            )
            yield from _said(not unset or "" in words, where, "cannot be unset")
        case Whole():
            yield from _said("int" in names, where, "no whole number")
        case Truth():
            yield from _said("bool" in names, where, "no truth")
        case Words(unset=unset):
            yield from _said("Dict" in names, where, "no texts by name")
            yield from _said(not unset or "" in words, where, "cannot be unset")
        case Each(of=inner):
            yield from _each(inner, members, path, where)
        case Moment():
            yield from _said("int" in names and len(groups) == 1, where, "no time")
        case Group(unset=unset):
            yield from _said(len(groups) == 1, where, "no hash")
            yield from _said(not unset or "" in words, where, "cannot be unset")
            for owner in groups:
                yield from _group(shape, owner, path, where)


def _each(inner: Shape, members: list[ast.expr], path: Path, where: str) -> Iterator[str]:
    lists = [one for one in members if isinstance(one, ast.Subscript) and name_of(one) == "List"]
    yield from _said(len(lists) == 1, where, "no list")
    for one in lists:
        yield from _shape(inner, arguments_of(one)[0], path, f"{where}[]")


def _said(fine: bool, where: str, what: str) -> Iterator[str]:
    if not fine:
        yield f"{where}: {what}"
