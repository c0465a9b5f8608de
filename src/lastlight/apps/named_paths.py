"""The paths that the source documents name, each with the operation that answers there.

Where a document's path is not our own, the operation answers at both: `modules.py` adds what `second_paths` makes of this table.
`docs/reference/source-routes.md` is generated from it. Paths of what is not built yet are not in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lastlight.runtime.http import Operation, also_at
from lastlight.runtime.http.operation import PATH_PARAMETER
from lastlight.runtime.module import Module, RegistryError


@dataclass(frozen=True, slots=True)
class NamedPath:
    """One path of a document: which document names it, for which rows, and which operation of ours it is."""

    document: str
    """N operations room, L system architecture, R backend functions, T treasury backend, V completion plan."""
    rows: tuple[str, ...]
    method: str
    path: str
    """As we spell it, with typed parameters."""
    operation: str

    @property
    def shown(self) -> str:
        """The path with its parameters as OpenAPI writes them."""
        return PATH_PARAMETER.sub(r"{\1}", self.path)


NAMED_PATHS: tuple[NamedPath, ...] = (
    NamedPath("N", ("VEN-01",), "GET", "/api/admin/venues", "list_crew_venues"),
    NamedPath("N", ("VEN-01",), "POST", "/api/admin/venues", "create_venue"),
    NamedPath("N", ("VEN-01",), "PUT", "/api/admin/venues/{venue_id:uuid}", "replace_venue"),
    NamedPath("N", ("VEN-04",), "POST", "/api/admin/venues/{venue_id:uuid}/regenerate-qr", "regenerate_key"),
    NamedPath("N", ("CHK-05",), "GET", "/api/admin/checkins", "list_crew_checkins"),
    NamedPath("N", ("CHK-04",), "POST", "/api/admin/checkins/{checkin_id:uuid}/revoke", "revoke_checkin"),
    NamedPath("N", ("TEN-13",), "GET", "/api/admin/users/{user_id:uuid}", "read_account"),
    NamedPath("N", ("TEN-13",), "POST", "/api/admin/users/{user_id:uuid}/suspend", "suspend_account"),
    NamedPath("N", ("CHK-01", "CHK-02"), "POST", "/api/checkin/verify", "create_checkin"),
    NamedPath("N", ("VEN-08",), "POST", "/webhooks/hardware", "hear_device"),
    NamedPath("N", ("CHK-05",), "POST", "/api/admin/reports/export", "create_export"),
    NamedPath("L", ("CHK-02", "CHK-07"), "POST", "/api/sessions/checkin", "create_checkin"),
    NamedPath("L", ("CHK-10",), "POST", "/api/emergency/sos", "press_sos"),
    NamedPath("R", ("RTM-01", "RTM-03"), "GET", "/functions/v1/realtime-events", "read_event_stream"),
    NamedPath("T", ("TEN-02",), "POST", "/api/auth/register", "register"),
    NamedPath("T", ("TEN-02",), "POST", "/api/auth/login", "login"),
    NamedPath("T", ("TEN-02",), "POST", "/api/auth/refresh", "refresh"),
    NamedPath("T", ("PLT-01",), "GET", "/api/admin/health", "read_system_status"),
)


def second_paths(modules: Sequence[Module], named: Iterable[NamedPath] = NAMED_PATHS) -> Module:
    """The operations at the documents' paths where those are not their own already."""
    owner = {id(op): module for module in modules for op in module.routes}
    standing = {(op.method, op.path): op for module in modules for op in module.routes}
    by_name: dict[str, Operation] = {}
    for op in standing.values():
        by_name.setdefault(op.name, op)
    made: list[Operation] = []
    for one in named:
        op = by_name.get(one.operation)
        there = standing.get((one.method, one.path))
        if op is None or op.method != one.method or (there is not None and there.name != one.operation):
            raise RegistryError(f"{one.method} {one.shown} is not {one.operation}, or there is no such operation")
        if there is None:
            module = owner[id(op)]
            made.append(replace(also_at(op, one.path), toggle=op.toggle or module.toggle or ""))
    return Module(
        name="named_paths", summary="Second paths of operations, which the source documents name.", routes=made
    )
