"""JSON schemas in words."""

from collections.abc import Iterator
from typing import Any, cast

from lastlight.reference.markdown import anchor, code, codes, prose, table

Json = dict[str, Any]

NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "yes or no", "null": "null"}
FORMATS = {"uuid": "UUID", "date-time": "time", "date": "date", "uri": "address", "time": "time of day"}
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} long",
    "maxLength": "at most {} long",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "maxProperties": "at most {} names",
    "pattern": "like `{}`",
}


def types(document: Json) -> Iterator[str]:
    """A section for each type that bodies and answers refer to: what it is, and its fields."""
    for name in sorted(_referred(document)):
        schema: Json = document["components"]["schemas"][name]
        needed: list[str] = schema.get("required", [])
        yield f"### {name}"
        yield prose(schema.get("description", ""))
        taken = schema.get("additionalProperties") is False
        yield table(
            ["field", "type", "meaning"],
            (
                (code(field), kind_of(of), _meaning(of, may_miss=taken and field not in needed))
                for field, of in schema.get("properties", {}).items()
            ),
        )


def _referred(value: Any) -> set[str]:
    """The names of all types that a part of the document refers to."""
    if isinstance(value, list):
        return {name for item in cast("list[Any]", value) for name in _referred(item)}
    if not isinstance(value, dict):
        return set()
    found = cast("Json", value)
    reference = str(found.get("$ref", ""))
    own = {reference.rsplit("/", 1)[-1]} if reference.startswith("#/components/schemas/") else set[str]()
    return own | {name for item in found.values() for name in _referred(item)}


def kind_of(schema: Json) -> str:
    """A schema's type in words, with a link where it is a type of its own."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{anchor(name)})"
    if "enum" in schema:
        return codes(value if value != "" else '""' for value in schema["enum"])
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " or ".join(kind_of(member) for member in schema[union])
    if schema.get("type") == "array":
        items: Json | bool = schema.get("items", {})
        return f"list of {kind_of(items)}" if isinstance(items, dict) and items else "list"
    if schema.get("type") == "object":
        values: Json | bool = schema.get("additionalProperties", {})
        return f"object of {kind_of(values)}" if isinstance(values, dict) and values else "object"
    return FORMATS.get(schema.get("format", ""), NAMES.get(schema.get("type", ""), "any value"))


def limits_of(schema: Json) -> str:
    """What bounds its values, and what it is when it is left out."""
    found = [words.format(schema[name]) for name, words in BOUNDS.items() if name in schema]
    for member in schema.get("anyOf", ()):
        found += [words.format(member[name]) for name, words in BOUNDS.items() if name in member]
    if schema.get("default") not in (None, "", [], {}):
        found.append(f"default {code(_literal(schema['default']))}")
    return "; ".join(found)


def _meaning(schema: Json, *, may_miss: bool) -> str:
    words = schema.get("description") or next(
        (member["description"] for member in schema.get("anyOf", ()) if "description" in member), ""
    )
    parts = [words.rstrip("."), limits_of(schema), "may be left out" if may_miss else ""]
    return ". ".join(part for part in parts if part)


def _literal(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
