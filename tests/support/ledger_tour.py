"""Books with something in them for the tour of all screens: credits that were bought, spent, held and given back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from lastlight.domains.ledger import (
    CREDITS,
    ORDER_CLEARING,
    PROCESSING_FEES,
    PROVIDER_AVAILABLE,
    PROVIDER_PENDING,
    REVENUE,
    TAX_PAYABLE,
    AccountKind,
    HoldId,
    Leg,
    TransactionId,
    hold,
    open_account,
    open_chart,
    post,
    reverse,
)
from lastlight.kernel.ids import PatronId, TenantId, uuid7
from lastlight.runtime.db.uow import system_ctx
from tests.support.books import moving
from tests.support.live_server import LiveServer


def ledger_things(server: LiveServer) -> dict[str, str]:
    """An account and a transaction of the business that the tour is of."""
    tenant_id = TenantId(UUID(str(server.businesses["kojo-arcade"].id)))
    guest = server.new_guest("Lindiwe Nkosi")
    sql = "select p.id from patrons p join users u on u.id = p.user_id where u.email = $1 and p.tenant_id = $2"
    patron = PatronId(server.sql(sql, guest.email, tenant_id)[0]["id"])
    venue = server.businesses["kojo-arcade"].venues["kojo-rosebank"]
    account, transaction = server.backstage.run(_fill(server, tenant_id, patron, str(venue)))
    return {"account_id": str(account), "transaction_id": str(transaction)}


async def _fill(server: LiveServer, tenant_id: TenantId, patron: PatronId, venue: str) -> tuple[Any, Any]:
    """A guest's evening: 500.00 bought, two orders, one of them given back, and 45.00 on a tab."""
    async with system_ctx(server.backstage.services, tenant_id) as ctx:
        await open_chart(ctx)

        async def own(kind: AccountKind) -> Any:
            return await open_account(ctx, kind=kind, currency="ZAR")

        theirs = await open_account(ctx, kind=CREDITS, currency="ZAR", patron_id=patron)
        pending, clearing, fees = await own(PROVIDER_PENDING), await own(ORDER_CLEARING), await own(PROCESSING_FEES)
        available, sales, tax = await own(PROVIDER_AVAILABLE), await own(REVENUE), await own(TAX_PAYABLE)
        meta = {"venue_id": venue, "patron_id": str(patron)}
        await post(ctx, transaction=moving((pending, theirs, 50_000), (fees, pending, 1_450), kind="credits-bought"))
        await post(ctx, transaction=moving((available, pending, 30_000), kind="settlement"))
        first = uuid7()
        for key, price in ((first, 12_500), (uuid7(), 8_000)):
            vat = price * 15 // 115
            legs = ((theirs, clearing, price), (clearing, sales, price - vat), (clearing, tax, vat))
            await post(ctx, transaction=moving(*legs, key=key, kind="order", meta=meta))
        back = TransactionId(uuid7())
        await reverse(ctx, posted_as=back, of=TransactionId(first), kind="order-returned", meta=meta)
        until = datetime.now(UTC) + timedelta(hours=4)
        leg = Leg(theirs, clearing, 4_500)
        await hold(ctx, hold_id=HoldId(uuid7()), leg=leg, expires_at=until, kind="tab", meta=meta)
    return theirs, first
