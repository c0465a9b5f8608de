"""Module: what a domain declares, and the registry made of all of them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lastlight.kernel.errors import Problem
from lastlight.kernel.events import Event
from lastlight.kernel.flags import FeatureFlag
from lastlight.kernel.permissions import Permission

if TYPE_CHECKING:
    from lastlight.runtime.context import Ctx
    from lastlight.runtime.drills.declaration import Drill
    from lastlight.runtime.http.listing import Listing
    from lastlight.runtime.http.operation import Operation
    from lastlight.runtime.http.reply import RequestInfo
    from lastlight.runtime.jobs.declaration import Job
    from lastlight.runtime.keys.sealed import Sealed
    from lastlight.runtime.push.notice import NoticeKind
    from lastlight.runtime.tenant_settings import TenantSetting


T = TypeVar("T")
D = TypeVar("D", "Nav", "Job")


class RegistryError(Exception):
    """The modules do not fit together; the app refuses to start."""


class NavCount(Protocol):
    """Reads the number beside a place; the request tells the venue that the reader has picked."""

    async def __call__(self, ctx: "Ctx", *, request: "RequestInfo") -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Nav:
    """One place in an app's sidebar, shown to holders of the permission."""

    app: str
    label: str
    href: str
    icon: str
    permission: Permission | None = None
    group: str = ""
    order: int = 100
    count: NavCount | None = None
    count_events: tuple[str, ...] = ()
    """The events after which the count is another one."""
    hot: bool = False
    toggle: str | None = None
    also: tuple[str, ...] = ()
    """Addresses elsewhere that belong to this place, too: it is marked as the current one on their pages."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """A job that answers an event: it is queued with `event_id`, `seq` and `data` once the event is in its stream."""

    event: type[Event]
    job: "Job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What one domain, or one mechanism with routes of its own, brings to the platform."""

    name: str
    summary: str = ""
    toggle: str | None = None
    """The tenant module that switches it off (TEN-07), with its operations, jobs and nav; None for what is always on."""
    routes: "Sequence[Operation]" = ()
    pages: "Sequence[Operation]" = ()
    permissions: Sequence[Permission] = ()
    events: Sequence[type[Event]] = ()
    errors: Sequence[type[Problem]] = ()
    constraints: Mapping[str, type[Problem]] = field(default_factory=dict[str, type[Problem]])
    jobs: "Sequence[Job]" = ()
    reactions: Sequence[Reaction] = ()
    listings: "Sequence[Listing[Any]]" = ()
    nav: Sequence[Nav] = ()
    settings: "Sequence[TenantSetting[Any]]" = ()
    notices: "Sequence[NoticeKind]" = ()
    """What it tells people by push, each kind of which they may switch off."""
    flags: Sequence[FeatureFlag] = ()
    """The features that its code asks for, which the crew may give to a share of the businesses or take away."""
    drills: "Sequence[Drill]" = ()
    sealed: "Sequence[Sealed]" = ()
    """Columns of secrets that lie sealed under the secret key, so that a rotation finds them."""
    usage: "Mapping[str, Callable[[Ctx], Awaitable[int]]]" = field(
        default_factory=dict[str, "Callable[[Ctx], Awaitable[int]]"]
    )
    """Figures of a tenant's use for the platform's console: label → count, run inside that tenant."""


class Registry:
    """Everything the modules declare, checked when it is made."""

    def __init__(self, modules: Sequence[Module]) -> None:
        self.modules = tuple(modules)
        self.operations = tuple(op for module in modules for op in (*module.routes, *module.pages))
        self.module_of = {id(op): module for module in modules for op in (*module.routes, *module.pages)}
        self.permissions = _unique("permission", ((p.name, p) for m in modules for p in m.permissions))
        self.events = _unique("event", ((e.event_name, e) for m in modules for e in m.events))
        self.constraints = _unique("constraint", ((name, p) for m in modules for name, p in m.constraints.items()))
        self.jobs = _unique("job", ((job.name, _switched(m, job)) for m in modules for job in m.jobs))
        self.listings = _unique("listing", ((listing.name, listing) for m in modules for listing in m.listings))
        self.drills = _unique("drill", ((drill.name, drill) for m in modules for drill in m.drills))
        self.settings = _unique("setting", ((s.key, s) for m in modules for s in m.settings))
        self.flags = _unique("feature flag", ((flag.key, flag) for m in modules for flag in m.flags))
        self.notices = _unique("notice", ((kind.key, kind) for m in modules for kind in m.notices))
        self.nav = tuple(sorted((_switched(m, n) for m in modules for n in m.nav), key=lambda n: n.order))
        self.sealed = tuple(sealed for m in modules for sealed in m.sealed)
        self.reactions = tuple(reaction for m in modules for reaction in m.reactions)
        self.jobs_of_event = _grouped((r.event.event_name, r.job) for r in self.reactions)
        self._check()

    def _check(self) -> None:
        seen: set[tuple[str, str]] = set()
        for op in self.operations:
            place = f"{op.method} {op.path}"
            if (op.method, op.path) in seen:
                raise RegistryError(f"{place} is declared twice")
            seen.add((op.method, op.path))
            if sum(bool(x) for x in (op.permission, op.public, op.signed_in)) != 1:
                raise RegistryError(f"{place} must declare one of permission=, public= and signed_in=")
            if op.permission and op.permission.name not in self.permissions:
                raise RegistryError(f"{place} asks for {op.permission.name}, which no module declares")
        for kind in self.notices.values():
            if kind.permission and kind.permission.name not in self.permissions:
                raise RegistryError(f"notice {kind.key} is for {kind.permission.name}, which no module declares")
        for module in self.modules:
            self._check_module(module)

    def _check_module(self, module: Module) -> None:
        for event in module.events:
            if event.audience and event.audience.name not in self.permissions:
                raise RegistryError(f"event {event.event_name} is for {event.audience.name}, which no module declares")
        for reaction in module.reactions:
            if reaction.event.event_name not in self.events:
                raise RegistryError(f"{module.name} reacts to {reaction.event.event_name}, which no module declares")
            if reaction.job.name not in self.jobs:
                raise RegistryError(f"{module.name} reacts with {reaction.job.name}, which no module declares")


def _grouped(pairs: "Iterable[tuple[str, Job]]") -> "Mapping[str, Sequence[Job]]":
    grouped: dict[str, list[Job]] = {}
    for name, job in pairs:
        grouped.setdefault(name, []).append(job)
    return grouped


def _switched(module: Module, item: D) -> D:
    """A job or a place in the nav, which its module's toggle switches off as well unless it names another."""
    return replace(item, toggle=module.toggle) if module.toggle and not item.toggle else item


def _unique(what: str, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, item in pairs:
        if name in found and found[name] is not item:
            raise RegistryError(f"{what} {name} is declared twice")
        found[name] = item
    return found
