"""A route: a path of the API, the function behind it, the parameters that it takes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lastlight.sandbox.desk import Desk
from lastlight.sandbox.problems import Json
from lastlight.sandbox.shapes import Group, Text

Operation = Callable[[Desk, Json, str], Json]
"""Takes the desk, the parameters that were read, and the id in the path (empty where there is none)."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation; `open` says that a publishable key may call it, for an intent with its client_secret."""

    name: str
    method: str
    path: str
    operation: Operation
    params: Group
    open: bool = False

    def params_for(self, *, publishable: bool) -> Group:
        """What it takes: a page names the secret, which the SDKs of servers do not know."""
        if not publishable:
            return self.params
        return replace(self.params, fields={**self.params.fields, "client_secret": Text()})
