"""What must hold of a business's money: after each step the books are the model's, and when all is quiet the provider's."""

from collections import Counter
from uuid import UUID

import msgspec

from lastlight.domains.credits.verify import verify_credits
from lastlight.domains.ledger.verify import verify_books
from lastlight.runtime import processor
from tests.support.money_model import Model
from tests.support.money_world import Business, World

OF_ALL = """
with moves as (
    select src as account, -amount as cr from ledger_postings where tenant_id = $1
    union all select dst, amount from ledger_postings where tenant_id = $1
)
select jsonb_build_object(
    'books', (select jsonb_agg(jsonb_build_array(b.code, b.currency, b.patron_id, b.balance)) from (
        select a.code, a.currency, a.patron_id, sum(case a.side when 'credit' then m.cr else -m.cr end)::bigint as balance
        from moves m join ledger_accounts a on a.tenant_id = $1 and a.id = m.account group by a.code, a.currency, a.patron_id) b),
    'held', (select jsonb_agg(jsonb_build_array(patron_id, cr - dr, dr_pending)) from ledger_accounts
             where tenant_id = $1 and code = 'credits'),
    'accounts', (select jsonb_agg(jsonb_build_array(patron_id, balance, frozen)) from credit_accounts where tenant_id = $1),
    'lots', (select jsonb_agg(jsonb_build_array(patron_id, remaining, frozen)) from credit_lots where tenant_id = $1 and remaining > 0),
    'payments', (select jsonb_agg(jsonb_build_array(id, captured, refunding, refunded, disputed)) from payments where tenant_id = $1)
)
"""
DEBITS = ("provider", "processing-fees", "dispute-fees", "losses", "adjustments", "disputes-held")
CREDITS = ("order-clearing", "refunds-payable", "breakage", "exchange")
ABROAD = ("provider USD", "processing-fees USD", "dispute-fees USD")
PROVIDERS = ("provider-pending", "provider-available")


class Found(msgspec.Struct):
    """What the database says of a business; None for what has no row."""

    books: list[tuple[str, str, str | None, int]] | None
    held: list[tuple[str, int, int]] | None
    accounts: list[tuple[str, int, int]] | None
    lots: list[tuple[str, int, int]] | None
    payments: list[tuple[UUID, int, int, int, int]] | None


async def differences(world: World, business: Business, model: Model) -> list[str]:
    """Where the database says otherwise than the model, account by account, lot by lot, payment by payment."""
    found = msgspec.convert(await world.admin.fetchval(OF_ALL, business.tenant_id), Found)
    names = {str(patron): guest for guest, patron in enumerate(business.guests)}
    guests = [_has(model, guest) for guest in range(len(names))]
    due = Counter(model.books)
    due.update({f"credits of {guest}": balance for guest, (balance, _) in enumerate(guests)})
    seen = Counter[str]()
    for code, currency, patron, balance in found.books or []:
        name = "provider" if code in PROVIDERS else f"{code} of {names[patron]}" if patron else code
        seen[name if currency == "EUR" else f"{name} {currency}"] += balance
    told = [
        f"{code} is {seen[code]}, the model says {due[code]}"
        for code in sorted({*seen, *due})
        if seen[code] != due[code]
    ]
    for name, rows in (("ledger", found.held), ("credits", found.accounts)):
        has = {names[patron]: (balance, frozen) for patron, balance, frozen in rows or []}
        told += [
            f"{name} of {guest}: {has.get(guest, (0, 0))}, the model says {expected}"
            for guest, expected in enumerate(guests)
            if has.get(guest, (0, 0)) != expected
        ]
    lots = sorted((names[patron], remaining, frozen) for patron, remaining, frozen in found.lots or [])
    expected = sorted((lot.guest, lot.remaining, lot.frozen) for lot in model.lots if lot.remaining)
    told += [f"lots {lots}, the model says {expected}"] if lots != expected else []
    sums = {payment: tuple(rest) for payment, *rest in found.payments or []}
    wanted = {one.id: one.sums() for one in model.payments.values()}
    told += [f"payment {key}: {sums.get(key)}, due {one}" for key, one in wanted.items() if sums.get(key) != one]
    return told + _impossible(model)


def _has(model: Model, guest: int) -> tuple[int, int]:
    """What a guest has, and what of it is in dispute."""
    lots = model.of(guest)
    return sum(lot.remaining for lot in lots), sum(lot.frozen for lot in lots)


def _impossible(model: Model) -> list[str]:
    """What the model itself may never say: below nothing, more back than was paid, debits that are not credits."""
    told = [f"lot {lot.number} is below nothing" for lot in model.lots if min(lot.remaining, lot.frozen, lot.free) < 0]
    for one in model.payments.values():
        captured, refunding, refunded, _ = one.sums()
        told += [f"payment {one.id} gives back more than was paid"] if refunding + refunded > captured else []
    owed = sum(lot.remaining for lot in model.lots) + sum(model.books[code] for code in CREDITS)
    off = sum(model.books[code] for code in DEBITS) - owed
    abroad = sum(model.books[code] for code in ABROAD) - model.books["exchange USD"]
    return told + [f"{one} off in all" for one in (off, abroad) if one]


async def quiet_differences(world: World, business: Business, model: Model) -> list[str]:
    """The same once nothing is under way, held against the provider itself, and what `lastlight verify` finds."""
    told = await differences(world, business, model)
    kept = {
        one.currency: (one.pending, one.available)
        for one in (await processor.retrieve_balance(business.services)).amounts
    }
    for currency, name in (("EUR", "provider"), ("USD", "provider USD")):
        pending, available = kept.get(currency, (0, 0))
        if model.books[name] != pending + available:
            told.append(f"the provider keeps {currency} {pending + available}, the books say {model.books[name]}")
    if model.books["refunds-payable"]:
        told.append(f"{model.books['refunds-payable']} is on its way though nothing is")
    return told + _charged(business, model) + await _verified(world, business)


def _charged(business: Business, model: Model) -> list[str]:
    """Nobody was charged twice, nor for what no payment of ours asked; nobody got back more than they paid."""
    intents = {one["id"]: one["metadata"].get("payment_id", "") for one in business.near.objects("payment_intent")}
    charges = [one for one in business.near.objects("charge") if one["status"] == "succeeded"]
    times = Counter(intents[one["payment_intent"]] for one in charges)
    told = [f"payment {key} was charged {number} times" for key, number in times.items() if number > 1]
    told += [f"two intents of payment {key}" for key, number in Counter(intents.values()).items() if number > 1]
    paid = {str(one.id): one.amount for one in model.payments.values() if one.lot}
    charged = {intents[one["payment_intent"]]: one["amount_captured"] for one in charges}
    told += [f"charged {charged}, paid for {paid}"] if charged != paid else []
    back = Counter[str]()
    named = Counter[str]()
    for one in business.near.objects("refund"):
        back[one["charge"]] += one["amount"] if one["status"] != "failed" else 0
        named[one["metadata"].get("refund_id", one["id"])] += 1
    told += [f"refund {key} was made {number} times" for key, number in named.items() if number > 1]
    return told + [f"{one['id']} gave back too much" for one in charges if back[one["id"]] > one["amount"]]


async def _verified(world: World, business: Business) -> list[str]:
    async with world.looker.transaction(isolation="repeatable_read", readonly=True):
        books = await verify_books(world.looker, business.tenant_id)
        return [*books.findings, *await verify_credits(world.looker, business.tenant_id)]
