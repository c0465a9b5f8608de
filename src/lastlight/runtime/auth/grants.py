"""What roles add up to: the union over memberships of role permissions, each for the membership's venues. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from lastlight.kernel.ids import VenueId
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import Grants

Held = tuple[Sequence[str], Sequence[UUID] | None]
"""One membership: the permission names of its role, and its venues (None: all of the tenant)."""

WITH_SOME_VENUES = frozenset({"exports.create", "tenant.read"})
"""Permissions over the whole tenant that a membership limited to some venues carries all the same: they hand out nothing by
themselves, because what they list or export is bounded by the venues of another permission."""


def effective(
    known: Mapping[str, Permission], permissions: Iterable[str], venue_ids: Sequence[UUID] | None
) -> dict[str, frozenset[VenueId] | None]:
    """What one membership of a tenant gives. Names that no module declares, and the crew's and guests' own, give nothing."""
    venues = None if venue_ids is None else frozenset(VenueId(v) for v in venue_ids)
    given: dict[str, frozenset[VenueId] | None] = {}
    for name in permissions:
        permission = known.get(name)
        if permission is None or permission.scope not in (Scope.VENUE, Scope.TENANT):
            continue
        if permission.scope is Scope.VENUE:
            given[name] = venues
        elif venues is None or name in WITH_SOME_VENUES:
            given[name] = None
    return given


def member_grants(known: Mapping[str, Permission], memberships: Iterable[Held]) -> Grants:
    """The union of somebody's active memberships in one tenant."""
    held: dict[str, frozenset[VenueId] | None] = {}
    for permissions, venue_ids in memberships:
        for name, venues in effective(known, permissions, venue_ids).items():
            mine = held.get(name, frozenset())
            held[name] = None if mine is None or venues is None else mine | venues
    return Grants(held)


def crew_grants(known: Mapping[str, Permission], memberships: Iterable[Held], *, inside: bool) -> Grants:
    """The crew's union; inside a tenant only what is said of tenants and venues, outside everything but guests' own."""
    scopes = {Scope.VENUE, Scope.TENANT} if inside else {Scope.VENUE, Scope.TENANT, Scope.PLATFORM}
    names = {name for permissions, _ in memberships for name in permissions}
    return Grants({name: None for name in sorted(names) if name in known and known[name].scope in scopes})


def patron_grants(known: Mapping[str, Permission]) -> Grants:
    """A guest of a tenant holds every permission over what is their own, and no other."""
    return Grants({name: None for name, permission in known.items() if permission.scope is Scope.OWN})


def lacking(grants: Grants, wanted: Mapping[str, frozenset[VenueId] | None]) -> list[str]:
    """The names among `wanted` that `grants` do not hold for all of the venues wanted."""
    return [name for name, venues in wanted.items() if grants.covers([name], None if venues is None else list(venues))]
