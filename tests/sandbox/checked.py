"""Every answer of the sandbox, judged by the schemas; and the SDK's own transport, which lets it be seen."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import stripe

from tests.sandbox.sdk_schemas import known, validator

Json = dict[str, Any]
Answered = tuple[bytes, int, Mapping[str, str]]


@dataclass(slots=True)
class Checks:
    """How many objects were judged, and what was wrong with them."""

    objects: int = 0
    violations: list[str] = field(default_factory=list[str])

    def judge(self, body: bytes | str) -> None:
        """Judge an answer and every object in it, also those inside events."""
        answer = json.loads(body)
        error = answer.get("error")
        if error is not None:
            self._judge("error", error)
        for name, found in objects_in(answer):
            self._judge(name, found)

    def _judge(self, name: str, found: Json) -> None:
        self.objects += 1
        for error in validator(name).iter_errors(found):
            where = "/".join(str(step) for step in error.instance_path)
            self.violations.append(f"{name} {where}: {_short(error)}")


def objects_in(value: Any) -> Iterator[tuple[str, Json]]:
    """Every object of Stripe's in a tree."""
    if isinstance(value, dict):
        tree = cast("Json", value)
        name = tree.get("object")
        if isinstance(name, str) and known(name):
            yield name, tree
        for below in tree.values():
            yield from objects_in(below)
    if isinstance(value, list):
        for below in cast("list[Any]", value):
            yield from objects_in(below)


def _short(error: Any) -> str:
    return str(error.message)[:300]


class CheckedTransport(stripe.HTTPXClient):
    """The SDK's transport, one for all tests; what comes back is judged on its way, for the test that runs."""

    checks = Checks()

    def request(self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None) -> Answered:
        """One request."""
        answer = super().request(method, url, headers, post_data)  # pyright: ignore[reportUnknownMemberType] untyped
        self.checks.judge(answer[0])
        return answer

    async def request_async(self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None) -> Answered:
        """One request."""
        answer = await super().request_async(method, url, headers, post_data)  # pyright: ignore[reportUnknownMemberType] untyped
        self.checks.judge(answer[0])
        return answer
