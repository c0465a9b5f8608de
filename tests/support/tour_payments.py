"""Card payments for screens: a guest of the first business who bought credits, with a dispute and an event that failed."""

from typing import Any
from uuid import UUID

from lastlight.domains.credits.funding import FUNDING
from lastlight.kernel.ids import PatronId, TenantId
from tests.support.live_server import LiveServer
from tests.support.payment_things import authorised, brought, captured, disputed

FAILED = "update provider_events set error = 'The card provider holds another payment under this id.' where id = $1"


def paid_by_card(server: LiveServer, name: str = "Card Guest") -> UUID:
    """A payment of a new guest that is captured."""
    return server.backstage.run(captured(server.backstage.services, _business(server), **_whose(server, name)))


def payment_things(server: LiveServer) -> dict[str, str]:
    """The ids of a payment, of a dispute that waits for an answer, and of an event that failed."""
    services, tenant_id, run = server.backstage.services, _business(server), server.backstage.run
    paid = paid_by_card(server)
    run(authorised(services, tenant_id))
    dispute_id = run(disputed(services, tenant_id, **_whose(server, "Doubting Guest")))
    event_id = failed_event(server)
    return {"payment_id": str(paid), "dispute_id": str(dispute_id), "provider_event_id": str(event_id)}


def disputed_payment(server: LiveServer) -> UUID:
    """A dispute that waits for an answer."""
    work = disputed(server.backstage.services, _business(server), **_whose(server, "Doubting Guest"))
    return server.backstage.run(work)


def failed_event(server: LiveServer) -> UUID:
    """An event of the provider that could not be worked off."""
    work = brought(server.backstage.services, _business(server), state="failed", **_whose(server, "Event Guest"))
    event_id = server.backstage.run(work)
    server.sql(FAILED, event_id)
    return event_id


def _business(server: LiveServer) -> TenantId:
    return server.businesses["kojo-arcade"].id


def _whose(server: LiveServer, name: str) -> dict[str, Any]:
    guest = server.new_guest(name)
    sql = "select p.id from patrons p join users u on u.id = p.user_id where p.tenant_id = $1 and u.email = $2"
    [row] = server.sql(sql, _business(server), guest.email)
    venue_id = server.businesses["kojo-arcade"].venues["kojo-rosebank"]
    return {"patron_id": PatronId(row["id"]), "venue_id": venue_id, "purpose": FUNDING}
