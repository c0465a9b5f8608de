"""Sessions that only look: an owner previews a role, one of the crew sees with somebody's eyes. Neither writes anything.

The database holds them to it: their transactions begin read-only, and `ll.enter` refuses such a session in any other.
"""

from lastlight.kernel.ids import VenueId
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import Actor, Grants

PREVIEW = Permission("roles.preview", "See the consoles as a role would, without changing anything", Scope.TENANT)
IMPERSONATE = Permission(
    "users.impersonate",
    "See with the eyes of somebody at a business: read-only, with a reason, on record",
    Scope.PLATFORM,
)


def narrowed(wanted: Grants, own: Grants) -> Grants:
    """What both hold, each permission for the venues that are in both: a preview never shows more than its owner may see."""
    held: dict[str, frozenset[VenueId] | None] = {}
    for name, venues in wanted.held.items():
        if name not in own.held:
            continue
        mine = own.held[name]
        both = mine if venues is None else venues if mine is None else venues & mine
        if both is None or both:
            held[name] = both
    return Grants(held)


def answerable(actor: Actor) -> Actor:
    """Who answers for what an actor that only looks does: themselves in a preview, the one of the crew in somebody's place."""
    look = actor.looking
    if look is None:
        return actor
    kind = "crew" if look.kind == "impersonation" else actor.kind
    return Actor(
        kind=kind,
        user_id=look.by_id,
        tenant_id=actor.tenant_id,
        name=look.by_name,
        channel=actor.channel,
        ip=actor.ip,
        user_agent=actor.user_agent,
    )
