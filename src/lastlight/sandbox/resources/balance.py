"""The balance and the transactions that it is the sum of."""

from typing import Any

from lastlight.sandbox.desk import Desk, add, get, save, schedule
from lastlight.sandbox.events import emit
from lastlight.sandbox.listing import page
from lastlight.sandbox.money import MILLION, exchanged, settlement
from lastlight.sandbox.problems import Json
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Moment, Text, group, listed
from lastlight.sandbox.store import body_of, rows

DAY = 86_400


def available_after_two_days(now: int) -> int:
    """The midnight (UTC) that ends the waiting of a charge made now."""
    return (now // DAY + 2) * DAY


def book(
    desk: Desk,
    kind: str,
    source: str,
    *,
    amount: int,
    currency: str,
    category: str = "",
    fee: int = 0,
    fee_name: str = "Stripe processing fees",
    available_on: int | None = None,
    description: str | None = None,
) -> Json:
    """Write a balance transaction: signed minor units; available now unless `available_on` lies ahead.

    Amount and fee are in `currency`, and are exchanged where the account settles in another one; top-ups never are.
    """
    when = desk.now if available_on is None else available_on
    settled, rate = (currency, None) if kind == "topup" else settlement(desk.settings, currency)
    amount, fee = exchanged(amount, rate), exchanged(fee, rate)
    details = [{"amount": fee, "application": None, "currency": settled, "description": fee_name, "type": "stripe_fee"}]
    booked = add(
        desk,
        "balance_transaction",
        amount=amount,
        available_on=when,
        balance_type="payments",
        currency=settled,
        description=description,
        exchange_rate=rate / MILLION if rate else None,
        fee=fee,
        fee_details=details if fee else [],
        net=amount - fee,
        reporting_category=category or kind,
        source=source,
        status="pending" if when > desk.now else "available",
        type=kind,
    )
    if when > desk.now:
        schedule(desk, when, "available", "")
    return booked


def make_available(desk: Desk, _: str) -> None:
    """Move what has waited long enough from pending to available."""
    sql = "select body from object where account = ? and kind = 'balance_transaction' and json_extract(body, '$.status') = 'pending'"
    due = [one for one in map(body_of, rows(desk.db, sql, desk.account)) if one["available_on"] <= desk.now]
    for booked in due:
        booked["status"] = "available"
        save(desk, booked)
    if due:
        emit(desk, "balance.available", balance(desk, {}, ""))


def balance(desk: Desk, params: Json, identifier: str) -> Json:
    """The sums of the account by currency."""
    sql = """
        select json_extract(body, '$.currency') currency, json_extract(body, '$.status') status, sum(json_extract(body, '$.net')) net
        from object where account = ? and kind = 'balance_transaction' group by 1, 2 order by 1
    """
    sums = {(one["currency"], one["status"]): int(one["net"]) for one in rows(desk.db, sql, desk.account)}
    currencies = sorted({currency for currency, _ in sums}) or ["usd"]

    def part(status: str) -> list[dict[str, Any]]:
        amounts = [(currency, sums.get((currency, status), 0)) for currency in currencies]
        return [{"amount": a, "currency": c, "source_types": {"card": a}} for c, a in amounts]

    return {"object": "balance", "available": part("available"), "livemode": False, "pending": part("pending")}


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One transaction."""
    return get(desk, "balance_transaction", identifier)


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Transactions; no payout exists here, so none belongs to one."""
    wanted = {name: params.get(name) for name in ("type", "source")}
    wanted["currency"] = params["currency"].lower() if "currency" in params else None
    wanted["_payout"] = params.get("payout")
    return page(desk, "balance_transaction", params, "/v1/balance_transactions", fields=wanted)


ROUTES = (
    Route("balance.retrieve", "GET", "/v1/balance", balance, group()),
    Route("balance_transactions.retrieve", "GET", "/v1/balance_transactions/{id}", retrieve, group()),
    Route(
        "balance_transactions.list",
        "GET",
        "/v1/balance_transactions",
        index,
        listed(created=Moment(), currency=Text(), payout=Text(), source=Text(), type=Text()),
    ),
)
