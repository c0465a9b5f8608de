"""The remarks under the fields of a class, which Python itself forgets: read from its source."""

import ast
import inspect
import textwrap
from functools import cache
from typing import Any


@cache
def field_remarks(kind: type[Any]) -> dict[str, str]:
    """Field → the string below it, of the class and of those it stands on; nothing for a class made without source."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("lastlight."):
            found |= _own_remarks(base)
    return found


def _own_remarks(kind: type[Any]) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):
        return {}
    made = ast.parse(source).body[0]
    if not isinstance(made, ast.ClassDef):
        return {}
    return {
        before.target.id: " ".join(after.value.value.split())
        for before, after in zip(made.body, made.body[1:], strict=False)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
