"""Examples of the operations of credits and adjustments."""

from tests.contracts.example import REASON, example
from tests.support.calls import Given
from tests.support.credit_things import adjustment, bought, charged_checkin, credit_spend, patron_of
from tests.support.place_things import tenant_of
from tests.support.things import THINGS
from tests.support.world import Somebody, World


async def guest(world: World, who: Somebody) -> Somebody:
    """A guest of their own."""
    return await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])


@example("buy_credits")
async def buy_credits(world: World, who: Somebody) -> Given:
    return Given(data={"amount": 10_000}, who=await guest(world, who))


@example("read_credit_receipt", "refund_own_credits")
async def own_purchase(world: World, who: Somebody) -> Given:
    patron = await guest(world, who)
    paid = await bought(world, patron, patron_id=await patron_of(world, patron))
    return Given(path={"payment_id": paid}, who=patron)


@example("read_own_credit_entry")
async def own_entry(world: World, who: Somebody) -> Given:
    patron = await guest(world, who)
    spent = await credit_spend(world, patron, patron_id=await patron_of(world, patron))
    return Given(path={"credit_entry_id": spent}, who=patron)


@example("spend_credits")
async def spend_credits(world: World, who: Somebody) -> Given:
    patron_id = await THINGS["patron_id"](world, who)
    await bought(world, who, patron_id=patron_id)
    venue_id = str(tenant_of(world, who).venues[0])
    given = {"patron_id": str(patron_id), "currency": "ZAR", "venue_id": venue_id}
    lines = [{"description": "Lemonade", "amount": 350, "quantity": 2}]
    return Given(data={**given, "lines": lines, "description": world.unique("Drinks")})


@example("reverse_credit_spend")
async def reverse_credit_spend(world: World, who: Somebody) -> Given:
    return Given(data=REASON)


@example("refund_credits")
async def refund_credits(world: World, who: Somebody) -> Given:
    patron_id = await THINGS["patron_id"](world, who)
    paid = await bought(world, who, patron_id=patron_id)
    return Given(data={"payment_id": str(paid), **REASON})


@example("refund_checkin")
async def refund_checkin(world: World, who: Somebody) -> Given:
    return Given(path={"checkin_id": await charged_checkin(world, who)}, data={"amount": 300, **REASON})


@example("entry_refund_dialog", "read_entry_charge")
async def entry_refund_dialog(world: World, who: Somebody) -> Given:
    return Given(path={"checkin_id": await charged_checkin(world, who)})


@example("entry_refund_submit")
async def entry_refund_submit(world: World, who: Somebody) -> Given:
    return Given(path={"checkin_id": await charged_checkin(world, who)}, data={"amount": "3.00", "left": 700, **REASON})


@example("collect_entry_charge", "entry_collection_submit", "entry_waiver_dialog")
async def owed_entry(world: World, who: Somebody) -> Given:
    return Given(path={"checkin_id": await charged_checkin(world, who, owed=True)})


@example("waive_entry_charge", "entry_waiver_submit")
async def waive_entry(world: World, who: Somebody) -> Given:
    return Given(path={"checkin_id": await charged_checkin(world, who, owed=True)}, data=REASON)


@example("set_entry_price")
async def set_entry_price(world: World, who: Somebody) -> Given:
    return Given(data={"amount": 500, "each_time": True})


@example("entrance_submit")
async def entrance_submit(world: World, who: Somebody) -> Given:
    return Given(data={"amount": "5", "tax_category": "untaxed"})


@example("adjust_credits")
async def adjust_credits(world: World, who: Somebody) -> Given:
    patron_id = await THINGS["patron_id"](world, who)
    return Given(data={"patron_id": str(patron_id), "amount": 100, "currency": "ZAR", **REASON})


@example("adjust_ledger")
async def adjust_ledger(world: World, who: Somebody) -> Given:
    return Given(data={"source": "losses", "destination": "revenue", "amount": 100, "currency": "ZAR", **REASON})


@example("decline_adjustment")
async def decline_adjustment(world: World, who: Somebody) -> Given:
    return Given(data=REASON)


@example("withdraw_adjustment")
async def withdraw_adjustment(world: World, who: Somebody) -> Given:
    return Given(path={"adjustment_id": await adjustment(world, who, by=who.user_id)})


@example("guest_credits_refund_submit")
async def refund_form(world: World, who: Somebody) -> Given:
    patron_id = await THINGS["patron_id"](world, who)
    paid = await bought(world, who, patron_id=patron_id)
    return Given(path={"patron_id": patron_id}, data={"of": f"{paid}:ZAR:20000", "amount": "5", **REASON})


@example("credit_reversal_submit")
async def reversal_form(world: World, who: Somebody) -> Given:
    return Given(data={"amount": "1", **REASON})


@example("credit_adjustment_submit")
async def adjustment_form(world: World, who: Somebody) -> Given:
    return Given(data={"direction": "more", "amount": "5", "currency": "ZAR", **REASON})


@example("adjustment_decline_submit")
async def decline_form(world: World, who: Somebody) -> Given:
    return Given(data=REASON)


@example("adjustment_withdrawal_submit")
async def withdrawal_form(world: World, who: Somebody) -> Given:
    return Given(path={"adjustment_id": await adjustment(world, who, by=who.user_id)})


@example("ledger_adjustment_submit")
async def ledger_form(world: World, who: Somebody) -> Given:
    given = {"source": "losses", "destination": "revenue", "amount": "1", "currency": "ZAR"}
    return Given(data={**given, **REASON})
