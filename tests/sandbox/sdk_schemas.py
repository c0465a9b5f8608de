"""JSON Schemas of Stripe's objects, derived from the annotations of the installed SDK.

Strict: no field that the SDK does not declare, none missing that is not optional there; of a field declared as `Literal | str`
only the literals are taken.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import jsonschema_rs

from tests.sandbox.sdk_sources import ROOT, alternatives, arguments_of, classes_of, fields_of, literals, name_of

Json = dict[str, Any]
_PLAIN: dict[str, Json] = {
    "int": {"type": "integer"},
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "float": {"type": "number"},
    "Decimal": {"type": "string"},
    "Any": {},
    "object": {},
    "StripeObject": {"type": "object"},
    "UntypedStripeObject": {"type": "object"},
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object's class stands."""

    path: Path
    node: ast.ClassDef


@cache
def _places() -> dict[str, Place]:
    """Each object's class, by the name that objects carry."""
    found: dict[str, Place] = {}
    for path in sorted(ROOT.rglob("_*.py")):
        if "params" in path.parts:
            continue
        for node in classes_of(path).values():
            name = _object_name(node)
            if name:
                found.setdefault(name, Place(path, node))
    return found


@cache
def _object_names() -> dict[str, str]:
    """The name that objects carry, by their class's name."""
    return {place.node.name: name for name, place in _places().items()}


def _object_name(node: ast.ClassDef) -> str:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and name_of(line.target) == "OBJECT_NAME" and line.value is not None:
            return str(ast.literal_eval(line.value))
    return ""


def known(object_name: str) -> bool:
    """Whether the SDK has a class for objects of this name."""
    return object_name in _places()


@cache
def validator(object_name: str) -> jsonschema_rs.Validator:
    """What judges objects of this name alone; `error` is the body of a refusal.

    An object inside another is only checked for its name there: it is judged by its own schema.
    """
    node = (
        classes_of(ROOT / "_error_object.py")["ErrorObject"] if object_name == "error" else _places()[object_name].node
    )
    return jsonschema_rs.validator_for(json.dumps(_of_class(node, (node,))))


def expandable_fields(object_name: str) -> set[str]:
    """The fields of an object that `expand` fills in, those of parts of it as `part.field`."""
    node = _places()[object_name].node
    return set(_expandable(node, (node,), ""))


def _expandable(node: ast.ClassDef, scope: tuple[ast.ClassDef, ...], prefix: str) -> Iterator[str]:
    for name, annotation in fields_of(node):
        for member in alternatives(annotation):
            if name_of(member) in {"ExpandableField", "ListObject"}:
                yield prefix + name
            nested = _nested(scope, name_of(member))
            if nested is not None and not prefix:
                yield from _expandable(nested, (*scope, nested), f"{name}.")


def _of_class(node: ast.ClassDef, scope: tuple[ast.ClassDef, ...]) -> Json:
    fields = dict(fields_of(node))
    renamed = _renamed(node)
    required = [name for name, a in fields.items() if not any(_is_none(one) for one in alternatives(a))]
    whole: Json = {
        "type": "object",
        "properties": {renamed.get(name, name): _of(a, scope) for name, a in fields.items()},
        "required": [renamed.get(name, name) for name in required],
        "additionalProperties": False,
    }
    return {"anyOf": [whole, _stub()]} if "deleted" in fields else whole


def _of(annotation: ast.expr, scope: tuple[ast.ClassDef, ...]) -> Json:
    members = alternatives(annotation)
    if any(literals(one) for one in members):
        members = [one for one in members if name_of(one) != "str"]
    schemas = [_of_member(one, scope) for one in members]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _of_member(annotation: ast.expr, scope: tuple[ast.ClassDef, ...]) -> Json:
    if _is_none(annotation):
        return {"type": "null"}
    if values := literals(annotation):
        return {"enum": values}
    if isinstance(annotation, ast.Subscript):
        return _of_generic(annotation, scope)
    return _of_name(name_of(annotation), scope)


def _of_generic(annotation: ast.Subscript, scope: tuple[ast.ClassDef, ...]) -> Json:
    last = _of(arguments_of(annotation)[-1], scope)
    match name_of(annotation):
        case "List" | "list" | "Sequence":
            return {"type": "array", "items": last}
        case "Dict" | "dict" | "UntypedStripeObject":
            return {"type": "object", "additionalProperties": last}
        case "ExpandableField":
            return {"anyOf": [{"type": "string"}, last]}
        case "ListObject":
            return _list_of(last)
        case other:
            raise LookupError(f"{scope[0].name}: {other}[…]")


def _of_name(name: str, scope: tuple[ast.ClassDef, ...]) -> Json:
    if name in _PLAIN:
        return _PLAIN[name]
    nested = _nested(scope, name)
    if nested is not None:
        return _of_class(nested, (*scope, nested))
    named: Json = {"const": _object_names()[name]} if name in _object_names() else {"type": "string"}
    return {"type": "object", "properties": {"object": named}, "required": ["object"]}


def _nested(scope: tuple[ast.ClassDef, ...], name: str) -> ast.ClassDef | None:
    """The class of this name as the code around it sees it: the innermost one first."""
    for owner in reversed(scope):
        for node in owner.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return node
    return None


def _renamed(node: ast.ClassDef) -> dict[str, str]:
    for line in node.body:
        if isinstance(line, ast.Assign) and name_of(line.targets[0]) == "_field_remappings":
            return cast("dict[str, str]", ast.literal_eval(line.value))
    return {}


def _is_none(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Constant) and annotation.value is None


def _stub() -> Json:
    """What is left of an object that was deleted."""
    fields: Json = {"id": {"type": "string"}, "object": {"type": "string"}, "deleted": {"const": True}}
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}


def _list_of(schema: Json) -> Json:
    fields: Json = {
        "object": {"const": "list"},
        "data": {"type": "array", "items": schema},
        "has_more": {"type": "boolean"},
        "url": {"type": "string"},
    }
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}
