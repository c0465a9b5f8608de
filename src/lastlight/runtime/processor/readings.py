"""The processor's objects, as they come, read into ours: absent and null are empty, and every amount is in our minor units."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from lastlight.runtime.processor.amounts import from_processor
from lastlight.runtime.processor.errors import ProcessorUnreadable
from lastlight.runtime.processor.objects import (
    Balance,
    BalanceOf,
    BalanceTransaction,
    Card,
    Charge,
    Dispute,
    Event,
    PaymentError,
    PaymentIntent,
    Refund,
)

Json = dict[str, Any]
_Read = TypeVar("_Read")


def _reading(read: Callable[[Json], _Read]) -> Callable[[Json], _Read]:
    """What cannot be read is told as such: it was answered, so it is no refusal."""

    @wraps(read)
    def reads(found: Json) -> _Read:
        try:
            return read(found)
        except (KeyError, TypeError, ValueError) as error:
            what = f"{found.get('object') or 'object'} {found.get('id') or ''}".strip()
            raise ProcessorUnreadable(f"The payment processor's {what} cannot be read ({error}).") from error

    return reads


@_reading
def intent_of(found: Json) -> PaymentIntent:
    """A payment intent whose charge was expanded."""
    currency = str(found["currency"])
    charge, error = _whole(found.get("latest_charge")), _whole(found.get("last_payment_error"))
    return PaymentIntent(
        id=found["id"],
        status=found["status"],
        amount=from_processor(found["amount"], currency),
        amount_capturable=from_processor(found.get("amount_capturable") or 0, currency),
        amount_received=from_processor(found.get("amount_received") or 0, currency),
        currency=currency.upper(),
        client_secret=_text(found, "client_secret"),
        capture_method=_text(found, "capture_method"),
        description=_text(found, "description"),
        customer=_id(found.get("customer")),
        next_action_url=_next_action_url(found),
        latest_charge=charge_of(charge) if charge else None,
        last_payment_error=_error_of(error) if error else None,
        metadata=_metadata(found),
        created=found["created"],
        canceled_at=found.get("canceled_at"),
        cancellation_reason=_text(found, "cancellation_reason"),
    )


@_reading
def charge_of(found: Json) -> Charge:
    """A charge whose balance transaction was expanded."""
    currency = str(found["currency"])
    return Charge(
        id=found["id"],
        status=found["status"],
        paid=found["paid"],
        captured=found["captured"],
        amount=from_processor(found["amount"], currency),
        amount_captured=from_processor(found["amount_captured"], currency),
        amount_refunded=from_processor(found["amount_refunded"], currency),
        currency=currency.upper(),
        refunded=found["refunded"],
        disputed=found["disputed"],
        failure_code=_text(found, "failure_code"),
        failure_message=_text(found, "failure_message"),
        payment_intent=_id(found.get("payment_intent")),
        card=_card_of(found),
        balance_transaction=_booked(found.get("balance_transaction")),
        created=found["created"],
    )


@_reading
def balance_transaction_of(found: Json) -> BalanceTransaction:
    """One movement of the balance."""
    currency = str(found["currency"])
    return BalanceTransaction(
        id=found["id"],
        type=found["type"],
        reporting_category=_text(found, "reporting_category"),
        amount=from_processor(found["amount"], currency),
        fee=from_processor(found["fee"], currency),
        net=from_processor(found["net"], currency),
        currency=currency.upper(),
        status=found["status"],
        available_on=found["available_on"],
        created=found["created"],
        source=_id(found.get("source")),
        description=_text(found, "description"),
    )


@_reading
def refund_of(found: Json) -> Refund:
    """A refund whose balance transactions were expanded."""
    currency = str(found["currency"])
    return Refund(
        id=found["id"],
        status=_text(found, "status"),
        amount=from_processor(found["amount"], currency),
        currency=currency.upper(),
        charge=_id(found.get("charge")),
        payment_intent=_id(found.get("payment_intent")),
        reason=_text(found, "reason"),
        balance_transaction=_booked(found.get("balance_transaction")),
        failure_reason=_text(found, "failure_reason"),
        failure_balance_transaction=_booked(found.get("failure_balance_transaction")),
        metadata=_metadata(found),
        created=found["created"],
    )


@_reading
def dispute_of(found: Json) -> Dispute:
    """A dispute, which carries its balance transactions."""
    currency, details = str(found["currency"]), _part(found, "evidence_details")
    return Dispute(
        id=found["id"],
        status=found["status"],
        amount=from_processor(found["amount"], currency),
        currency=currency.upper(),
        charge=_id(found.get("charge")),
        payment_intent=_id(found.get("payment_intent")),
        reason=_text(found, "reason"),
        balance_transactions=tuple(balance_transaction_of(one) for one in found.get("balance_transactions") or ()),
        due_by=details.get("due_by"),
        has_evidence=bool(details.get("has_evidence")),
        submission_count=int(details.get("submission_count") or 0),
        is_charge_refundable=bool(found.get("is_charge_refundable")),
        metadata=_metadata(found),
        created=found["created"],
    )


@_reading
def event_of(found: Json) -> Event:
    """An event with the object that it is about."""
    data: Json = found["data"]["object"]
    return Event(
        id=found["id"],
        type=found["type"],
        created=found["created"],
        account=_text(found, "account"),
        api_version=_text(found, "api_version"),
        livemode=bool(found.get("livemode")),
        object_id=_text(data, "id"),
        object_type=_text(data, "object"),
        data=data,
    )


@_reading
def balance_of(found: Json) -> Balance:
    """The balance, one row a currency."""
    sums: dict[str, dict[str, int]] = {}
    for state in ("pending", "available"):
        for part in found.get(state) or ():
            code = str(part["currency"]).upper()
            sums.setdefault(code, {"pending": 0, "available": 0})[state] = from_processor(part["amount"], code)
    amounts = tuple(BalanceOf(currency=code, **sums[code]) for code in sorted(sums))
    return Balance(amounts=amounts, livemode=bool(found.get("livemode")))


def _error_of(found: Json) -> PaymentError:
    return PaymentError(
        code=_text(found, "code"), decline_code=_text(found, "decline_code"), message=_text(found, "message")
    )


def _card_of(charge: Json) -> Card | None:
    card = _part(_part(charge, "payment_method_details"), "card")
    return Card(brand=_text(card, "brand"), last4=_text(card, "last4")) if card else None


def _booked(found: Any) -> BalanceTransaction | None:
    whole = _whole(found)
    return balance_transaction_of(whole) if whole else None


def _next_action_url(intent: Json) -> str:
    return _text(_part(_part(intent, "next_action"), "redirect_to_url"), "url")


def _metadata(found: Json) -> dict[str, str]:
    return dict(found.get("metadata") or {})


def _id(value: Any) -> str:
    """The id of an object that may have been expanded."""
    whole = _whole(value)
    return str(whole["id"]) if whole else str(value or "")


def _whole(value: Any) -> Json | None:
    """An object that was expanded; None for an id and for nothing."""
    return cast("Json", value) if isinstance(value, dict) else None


def _part(found: Json, name: str) -> Json:
    return _whole(found.get(name)) or {}


def _text(found: Json, name: str) -> str:
    return str(found.get(name) or "")
