"""Whether answers are what the OpenAPI document says: the status is declared, the type is declared, the body fits its schema."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from lastlight.runtime.http.operation import Operation
from lastlight.runtime.module import Registry
from lastlight.runtime.openapi import build_openapi, plain_path
from lastlight.runtime.settings import Settings

LOOKED_AT = 3
"""How many answers of one operation with one status are compared with the schema, word for word."""


class Conformance:
    """The document, and the answers that were compared with it."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self.document: dict[str, Any] = msgspec.to_builtins(build_openapi(registry, settings))
        self.seen: Counter[tuple[str, int]] = Counter()
        self.validators: dict[tuple[str, str], Draft202012Validator] = {}

    def faults(self, op: Operation, answer: Any) -> list[str]:
        """What about an answer is not as the document says; pages are not in it."""
        if op.kind != "api":
            return []
        place = (f"{op.method} {op.path}", answer.status_code)
        self.seen[place] += 1
        if self.seen[place] > LOOKED_AT:
            return []
        declared: Mapping[str, Any] = self.document["paths"][plain_path(op.path)][op.method.lower()]["responses"]
        described = declared.get(str(answer.status_code))
        if described is None:
            return [f"{place[0]} answers {answer.status_code}, which the reference does not list"]
        return [f"{place[0]}: {fault}" for fault in self._of_content(place[0], described, answer)]

    def _of_content(self, name: str, described: Mapping[str, Any], answer: Any) -> list[str]:
        media = answer.headers.get("content-type", "").split(";", 1)[0]
        content: Mapping[str, Any] = described.get("content", {})
        if not answer.content:
            return [f"{answer.status_code} has no body, which the reference promises"] if content else []
        found = content.get(media, content.get("*/*"))
        if found is None:
            return [f"{answer.status_code} has a body of {media}, which the reference does not list"]
        if "schema" not in found or "json" not in media:
            return []
        body: Any = msgspec.json.decode(answer.content)
        validator = self._validator(f"{name} {answer.status_code}", media, found["schema"])
        return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(body)]  # pyright: ignore[reportUnknownMemberType] untyped library

    def _validator(self, name: str, media: str, schema: Mapping[str, Any]) -> Draft202012Validator:
        key = (name, media)
        if key not in self.validators:
            whole = {**schema, "components": self.document["components"]}
            self.validators[key] = Draft202012Validator(whole)
        return self.validators[key]
