"""The installed SDK's source as trees: its classes by module, and what an annotation means."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import stripe

ROOT = Path(stripe.__file__).parent


@cache
def classes_of(module: Path) -> dict[str, ast.ClassDef]:
    """The classes at the top of a module."""
    return {node.name: node for node in ast.parse(module.read_text()).body if isinstance(node, ast.ClassDef)}


def fields_of(owner: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """The annotated fields of a class, constants aside."""
    for node in owner.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id != "OBJECT_NAME":
            annotation = unquoted(node.annotation)
            if not (isinstance(annotation, ast.Subscript) and name_of(annotation.value) == "ClassVar"):
                yield node.target.id, annotation


def unquoted(annotation: ast.expr) -> ast.expr:
    """An annotation, also where it is written as a text."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def name_of(annotation: ast.expr) -> str:
    """The last name of `a.b`, or `a`, or of a generic the generic's."""
    match annotation:
        case ast.Name():
            return annotation.id
        case ast.Attribute():
            return annotation.attr
        case ast.Subscript():
            return name_of(annotation.value)
        case _:
            return ""


def arguments_of(annotation: ast.Subscript) -> list[ast.expr]:
    """What stands in a generic's brackets."""
    inner = annotation.slice
    return [unquoted(one) for one in (inner.elts if isinstance(inner, ast.Tuple) else [inner])]


def alternatives(annotation: ast.expr) -> list[ast.expr]:
    """The members of a union, however it is written; `Optional[x]` is `x` and None."""
    annotation = unquoted(annotation)
    if isinstance(annotation, ast.BinOp):
        return [*alternatives(annotation.left), *alternatives(annotation.right)]
    if isinstance(annotation, ast.Subscript) and name_of(annotation) in {
        "Union",
        "Optional",
        "NotRequired",
        "Required",
    }:
        found = [member for one in arguments_of(annotation) for member in alternatives(one)]
        return [*found, ast.Constant(None)] if name_of(annotation) == "Optional" else found
    return [annotation]


def literals(annotation: ast.expr) -> list[object]:
    """The values of `Literal[…]`, none for anything else."""
    if isinstance(annotation, ast.Subscript) and name_of(annotation) == "Literal":
        return [ast.literal_eval(one) for one in arguments_of_literal(annotation)]
    return []


def arguments_of_literal(annotation: ast.Subscript) -> list[ast.expr]:
    """The values as they are written: a text in `Literal` is a value, not an annotation."""
    return annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
