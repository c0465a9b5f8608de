"""Credits and adjustments of the contract world, added to THINGS when this is imported."""

from typing import Any
from uuid import UUID, uuid4

from lastlight.domains import ledger
from lastlight.domains.checkins.entrance import EntryPrice, charge_entry
from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.credits.spending import spend
from lastlight.domains.ledger import Leg, Transaction, TransactionId
from lastlight.domains.payments.queries import lock_payment
from lastlight.kernel.ids import PatronId, uuid7
from lastlight.runtime.db.uow import system_ctx
from tests.support.place_things import boss_of, tenant_of
from tests.support.purses import PAYMENT
from tests.support.things import ELSEWHERE, THINGS, checked_in
from tests.support.world import Somebody, World

AMOUNT = 20_000


async def patron_of(world: World, who: Somebody) -> PatronId:
    """The guest that somebody is, or else one whom no other probe needs."""
    own = await world.sql(
        "select id from patrons where tenant_id = $1 and user_id = $2", tenant_of(world, who).id, who.user_id
    )
    return own[0]["id"] if who.kind == "patron" and own else await THINGS["patron_id"](world, who)


async def bought(
    world: World, who: Somebody, *, patron_id: PatronId | None = None, currency: str = "ZAR", amount: int = AMOUNT
) -> UUID:
    """A purchase by card that has gone through; the payment."""
    payment_id, tenant = uuid7(), tenant_of(world, who)
    patron_id = patron_id or await patron_of(world, who)
    await world.sql(PAYMENT, tenant.id, payment_id, patron_id, tenant.venues[0], amount, currency)
    async with system_ctx(world.people.services, tenant.id) as ctx:
        payment = await lock_payment(ctx, payment_id=payment_id)
        account = await FUNDING.receives(ctx, payment)
        card = await ledger.open_account(ctx, kind=ledger.PROVIDER_PENDING, currency=currency)
        leg = Leg(card, account, amount)
        await ledger.post(ctx, transaction=Transaction(TransactionId(uuid7()), "card-captured", [leg]))
        await FUNDING.paid(ctx, payment)
    return payment_id


async def credit_spend(world: World, who: Somebody, *, place: int = 0, patron_id: PatronId | None = None) -> UUID:
    """A spend at a venue that can be given back."""
    guest, tenant = PatronId(patron_id or await THINGS["patron_id"](world, who)), tenant_of(world, who)
    await bought(world, who, patron_id=guest)
    async with system_ctx(world.people.services, tenant.id) as ctx:
        entry = await spend(
            ctx,
            patron_id=guest,
            amount=500,
            currency="ZAR",
            venue_id=tenant.venues[place],
            description=world.unique("Drinks"),
        )
    return entry.id


async def charged_checkin(world: World, who: Somebody, *, owed: bool = False, place: int = 0) -> UUID:
    """A check-in that was paid with credits, or whose price is owed."""
    made, tenant = await checked_in(world, who, place=place), tenant_of(world, who)
    checkin, patron_id = made.checkin, made.checkin.patron_id
    await bought(world, who, patron_id=patron_id)
    price = EntryPrice(amount=700, currency="ZAR", tax_category="untaxed", each_time=True)
    async with system_ctx(world.people.services, tenant.id) as ctx:
        await charge_entry(ctx, checkin=checkin, price=price, today=checkin.business_day, on_credit=False)
    if owed:
        sql = "update entry_charges set status = 'unpaid', entry_id = null where checkin_id = $1"
        await world.sql(sql, checkin.id)
    return checkin.id


async def adjustment(world: World, who: Somebody, *, by: Any = None) -> Any:
    """A request that waits, made by somebody whom no other probe needs."""
    body = {
        "patron_id": str(await THINGS["patron_id"](world, who)),
        "amount": 90_000,
        "currency": "ZAR",
        "reason": world.unique("A broken machine"),
    }
    headers = {"Idempotency-Key": str(uuid4())}
    path, boss = "/api/credits/adjustments", boss_of(world, who)
    made = (await world.make("POST", path, boss, json=body, headers=headers))["id"]
    asker = by or await THINGS["user_id"](world, who)
    await world.sql("update adjustments set requested_by = $2 where id = $1", made, asker)
    return made


async def _roof_spend(world: World, who: Somebody) -> Any:
    return await credit_spend(world, who, place=1)


THINGS.update(spend_id=credit_spend, credit_entry_id=credit_spend, adjustment_id=adjustment)
THINGS.setdefault("payment_id", bought)
ELSEWHERE.update(spend_id=_roof_spend)
