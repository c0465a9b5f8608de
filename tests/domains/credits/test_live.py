"""RTM-04 over money: a card payment as sockets hear it, from the wish to the refund; everybody hears what is theirs, nobody else does."""

import dataclasses
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.credits.module import MODULE as CREDITS
from lastlight.domains.credits.spending import spend
from lastlight.domains.payments import Payment, begin_payment
from lastlight.kernel.ids import PatronId
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.settings import Settings
from tests.support.door import MODULES
from tests.support.paying import Shop, opened_shop
from tests.support.processors import sandbox_beside
from tests.support.sockets import Client, Person, Site, connected, serving, sign_in, until
from tests.support.streams import new_tenant, relaying

pytestmark = pytest.mark.database


@dataclass(frozen=True, slots=True)
class Ears:
    """A business that sells credits, the guest who buys, and who listens."""

    shop: Shop
    site: Site
    guest: Person

    async def bought(self, amount: int) -> Payment:
        """Credits of the guest, bought by card."""
        assert self.guest.patron_id is not None
        patron_id = PatronId(self.guest.patron_id)
        async with self.shop.ctx() as ctx:
            begun = await begin_payment(ctx, purpose=FUNDING, amount=amount, currency="EUR", patron_id=patron_id)
        opened = await self.shop.until(begun.id, lambda one: one.status != "created")
        await self.shop.pay(opened)
        await self.shop.look(opened)
        return await self.shop.until(begun.id, lambda one: one.status == "captured")

    async def spent(self, amount: int) -> None:
        """Credits of the guest, spent."""
        assert self.guest.patron_id is not None
        patron_id = PatronId(self.guest.patron_id)
        async with self.shop.ctx() as ctx:
            await spend(ctx, patron_id=patron_id, amount=amount, currency="EUR", venue_id=None, description="Drinks")


@pytest_asyncio.fixture
async def ears(database_settings: Settings, tmp_path: Path) -> AsyncGenerator[Ears]:
    with sandbox_beside(tmp_path) as beside:
        settings = dataclasses.replace(database_settings, **beside.another().settings())
        modules = (*MODULES, PUSH, CREDITS)
        async with (
            opened_shop(settings, *modules) as shop,
            relaying(shop.services),
            serving(shop.services) as site,
        ):
            yield Ears(shop, site, await sign_in(shop.services, shop.tenant_id, patron=True))


def names(client: Client) -> list[str]:
    return [name for _, name in client.events()]


def told(client: Client, name: str) -> list[dict[str, Any]]:
    return [envelope["data"] for envelope in client.said(name)]


async def test_each_hears_of_a_purchase_a_spend_and_a_refund_what_is_theirs(ears: Ears) -> None:
    services, tenant_id = ears.shop.services, ears.shop.tenant_id
    members = [
        await sign_in(services, tenant_id, permissions)
        for permissions in (["payments.read"], ["credits.read"], ["ledger.read"], ["checkins.read"])
    ]
    strangers = [
        await sign_in(services, tenant_id, patron=True),
        await sign_in(services, await new_tenant(services), ["payments.read", "credits.read", "ledger.read"]),
    ]
    async with AsyncExitStack() as stack:
        everybody = [ears.guest, *members, *strangers]
        clients = [
            await stack.enter_async_context(connected(ears.site, person.token(services))) for person in everybody
        ]
        guest, payments, purses, ledger, *deaf = clients
        payment = await ears.bought(10_000)
        await ears.spent(3_500)
        refund = await ears.shop.refund(payment, 4_000)
        await ears.shop.until_refund(refund, "succeeded")
        await until(lambda: "payment.refunded" in names(guest) and "payment.refunded" in names(payments))
        await until(lambda: len(told(purses, "credit.balance")) == 3 == len(told(guest, "credit.balance")))
        await until(lambda: [one["kind"] for one in told(ledger, "transaction.posted")].count("card-refund") == 1)
        life = ["payment.created", "payment.changed", "payment.captured", "payment.refund_begun", "payment.refunded"]
        assert names(payments) == life
        assert [name for name in names(guest) if name != "credit.balance"] == life
        balances = [(one["kind"], one["amount"], one["balance"]) for one in told(purses, "credit.balance")]
        assert balances == [("bought", 10_000, 10_000), ("spent", -3_500, 6_500), ("refunded", -4_000, 2_500)]
        assert told(guest, "credit.balance") == told(purses, "credit.balance")
        kinds = [one["kind"] for one in told(ledger, "transaction.posted")]
        assert kinds == ["card-charge", "credits-spent", "credits-refunded", "card-refund"]
        assert set(names(ledger)) == {"transaction.posted"}
        assert [names(client) for client in deaf] == [[], [], []]
