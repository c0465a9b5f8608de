"""Credits and adjustments for screens: guests of the first business who have some, spent some, and of whom some wait for a second person."""

from typing import Any
from uuid import UUID, uuid4

from lastlight.domains import ledger
from lastlight.domains.adjustments import seed_adjustments
from lastlight.domains.credits import seed_credits
from lastlight.kernel.ids import PatronId, TenantId, UserId
from lastlight.runtime.db.uow import system_ctx
from tests.support.live_server import LiveServer

GUESTS = ("Aisha Naidoo", "Thabo Mokoena", "Lerato Dlamini", "Zinhle Dube", "Kagiso Sithole")
PATRON = "select p.id from patrons p join users u on u.id = p.user_id where p.tenant_id = $1 and u.email = $2"


def patron_of(server: LiveServer, email: str) -> PatronId:
    """The guest of the first business with this address."""
    return PatronId(server.sql(PATRON, _business(server), email)[0]["id"])


def guest_with_credits(server: LiveServer, owner: Any, name: str = "Purse Guest", *, amount: int = 10_000) -> PatronId:
    """A new guest to whom the owner gave credits."""
    patron_id = patron_of(server, server.new_guest(name).email)
    adjust(owner, patron_id, amount)
    return patron_id


def adjust(client: Any, patron_id: UUID, amount: int) -> str:
    """Ask for an adjustment of a guest's credits; its id."""
    body = {"patron_id": str(patron_id), "amount": amount, "currency": "ZAR", "reason": "A machine was broken"}
    made = client.post("/api/credits/adjustments", json=body, headers={"Idempotency-Key": str(uuid4())})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def spend(client: Any, server: LiveServer, patron_id: UUID, amount: int) -> str:
    """Credits that a guest spends at the first venue; the entry."""
    venue_id = str(server.businesses["kojo-arcade"].venues["kojo-rosebank"])
    body = {
        "patron_id": str(patron_id),
        "amount": amount,
        "currency": "ZAR",
        "venue_id": venue_id,
        "description": "Air hockey",
    }
    made = client.post("/api/credits/spends", json=body, headers={"Idempotency-Key": str(uuid4())})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def credit_things(server: LiveServer, owner: Any) -> dict[str, str]:
    """A spend, and an adjustment that waits; the demonstration's stories beside them."""
    guests = [patron_of(server, server.new_guest(name).email) for name in GUESTS]
    asker, decider = (
        UserId(server.sql("select id from users where email = $1", server.person(role).email)[0]["id"])
        for role in ("manager", "owner")
    )
    server.backstage.run(_stories(server, guests, asker, decider))
    patron_id = guest_with_credits(server, owner)
    spent = spend(owner, server, patron_id, 2_500)
    return {"spend_id": spent, "credit_entry_id": spent, "adjustment_id": adjust(owner, patron_id, 90_000)}


async def _stories(server: LiveServer, guests: list[PatronId], asker: UserId, decider: UserId) -> None:
    venues = list(server.businesses["kojo-arcade"].venues.values())
    async with system_ctx(server.backstage.services, _business(server)) as ctx:
        await ledger.open_chart(ctx)
        await seed_credits(ctx, venue_ids=venues, patron_ids=guests, currency="ZAR")
        await seed_adjustments(ctx, seed="tour", patron_ids=guests, by=asker, decider=decider, currency="ZAR")


def _business(server: LiveServer) -> TenantId:
    return server.businesses["kojo-arcade"].id
