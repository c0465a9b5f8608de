"""The register of examples, and how a function says that it gives some."""

from typing import Any

from tests.support.calls import Example

EXAMPLES: dict[str, Example] = {}
REASON = {"reason": "because the contract says so"}


def example(*names: str) -> Any:
    """Say that a function gives the examples of operations."""

    def keep(function: Example) -> Example:
        EXAMPLES.update(dict.fromkeys(names, function))
        return function

    return keep
