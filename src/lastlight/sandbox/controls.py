"""The controls of the sandbox, under `/_sandbox/`: time, webhooks, answers, fees. They take and give JSON, for a secret key."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

import msgspec

from lastlight.sandbox import store
from lastlight.sandbox.agenda import run_due
from lastlight.sandbox.desk import LATER_SECONDS, Desk, desk_of, keep_settings
from lastlight.sandbox.events import shown
from lastlight.sandbox.money import FEE, MILLION, currency
from lastlight.sandbox.problems import BadRequest, Json
from lastlight.sandbox.resources import disputes
from lastlight.sandbox.resources.webhook_endpoints import roll_secret

PREFIX = "/_sandbox/"
_YEAR_AND_A_BIT = 400 * 86_400


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """How far the clock goes forward."""

    seconds: int


class Webhooks(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of the next `count` deliveries; `seconds` is for `delay`."""

    mode: Literal["reorder", "duplicate", "drop", "fail", "delay"]
    count: int = 1
    seconds: int = 60


class Answers(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of the next `count` requests whose path begins with `path`; `seconds` is for `slow`."""

    mode: Literal["error", "rate_limit", "error_after", "lost", "slow"]
    count: int = 1
    seconds: float = 1.0
    path: str = "/v1/"


class Rules(msgspec.Struct, forbid_unknown_fields=True):
    """The fee, the seconds that pass before what follows by itself (refunds, disputes, verdicts, top-ups), and what is settled in."""

    basis_points: int | None = None
    fixed: int | None = None
    dispute: int | None = None
    later_seconds: int | None = None
    settles_in: str | None = None
    """Another currency than the payment's; the empty text: the payment's own."""
    rate: int | None = None
    """What a million of a payment's minor units are in that currency."""


class Dispute(msgspec.Struct, forbid_unknown_fields=True):
    """A charge, or a part of it, that the payer's bank takes back, or first asks about."""

    charge: str
    amount: int | None = None
    inquiry: bool = False


class Overturn(msgspec.Struct, forbid_unknown_fields=True):
    """A dispute whose verdict does not hold."""

    dispute: str


class Amend(msgspec.Struct, forbid_unknown_fields=True):
    """Another amount of a dispute."""

    dispute: str
    amount: int


class Funds(msgspec.Struct, forbid_unknown_fields=True):
    """Money that moves apart from a verdict: below zero it is taken, above zero it comes back."""

    dispute: str
    amount: int


class Roll(msgspec.Struct, forbid_unknown_fields=True):
    """A new secret for an endpoint; the one before is kept for a while."""

    endpoint: str
    keep_seconds: int = 86_400


_Wish = TypeVar("_Wish")


def _read(body: bytes, wish: type[_Wish]) -> _Wish:
    try:
        return msgspec.json.decode(body, type=wish)
    except msgspec.MsgspecError as error:
        raise BadRequest(f"The control cannot be read: {error}") from None


def clock(desk: Desk, body: bytes) -> Json:
    """The account's time."""
    return {"now": desk.now}


def advance(desk: Desk, body: bytes) -> Json:
    """Let time pass: what is due happens, waiting money becomes available, deliveries are tried again."""
    seconds = _read(body, Advance).seconds
    if not 0 <= seconds <= _YEAR_AND_A_BIT:
        raise BadRequest(f"The clock goes forward only, by up to {_YEAR_AND_A_BIT} seconds.", param="seconds")
    desk.db.execute("update account set ahead = ahead + ? where id = ?", (seconds, desk.account))
    later = desk_of(desk.db, desk.account, desk.base)
    return {"happened": run_due(later), "now": later.now}


def webhooks(desk: Desk, body: bytes) -> Json:
    """Treat the next deliveries in a special way."""
    wish = _read(body, Webhooks)
    if wish.count < 1:
        raise BadRequest("The count is at least 1.", param="count")
    keep_settings(desk, webhooks=msgspec.to_builtins(wish))
    return desk.settings["webhooks"]


def answers(desk: Desk, body: bytes) -> Json:
    """Treat the next requests in a special way."""
    wish = _read(body, Answers)
    if wish.count < 1 or not 0 <= wish.seconds <= 60:
        raise BadRequest("The count is at least 1, and nobody waits longer than 60 seconds.", param="count")
    keep_settings(desk, answers=msgspec.to_builtins(wish))
    return desk.settings["answers"]


def take_answer_rule(desk: Desk, path: str) -> Answers | None:
    """What becomes of this request, which counts as one of the next."""
    kept = desk.settings.get("answers")
    if not kept or not path.startswith(kept["path"]):
        return None
    rule = msgspec.convert(kept, Answers)
    left = rule.count - 1
    keep_settings(desk, answers=kept | {"count": left} if left else None)
    return rule


def rules(desk: Desk, body: bytes) -> Json:
    """Change the fee, the pace or the settlement; an empty body only tells them."""
    wish = _read(body or b"{}", Rules)
    given = {k: v for k, v in msgspec.to_builtins(wish).items() if isinstance(v, int)}
    if any(value < 0 for value in given.values()) or wish.rate == 0:
        raise BadRequest("A rule is never negative, and a rate is above zero.")
    later = given.pop("later_seconds", desk.settings.get("later_seconds", LATER_SECONDS))
    rate = given.pop("rate", desk.settings.get("rate", MILLION))
    settles_in = desk.settings.get("settles_in", "")
    if wish.settles_in is not None:
        settles_in = currency(wish.settles_in) if wish.settles_in else ""
    fee = {**FEE, **desk.settings.get("fee", {}), **given}
    keep_settings(desk, fee=fee, later_seconds=later, settles_in=settles_in, rate=rate)
    return {**fee, "later_seconds": later, "settles_in": settles_in, "rate": rate}


def dispute(desk: Desk, body: bytes) -> Json:
    """Dispute a charge, or a part of it, now."""
    wish = _read(body, Dispute)
    return shown(disputes.dispute_charge(desk, wish.charge, amount=wish.amount, inquiry=wish.inquiry))


def overturn(desk: Desk, body: bytes) -> Json:
    """Give a decided dispute the other verdict."""
    return shown(disputes.overturn(desk, _read(body, Overturn).dispute))


def amend(desk: Desk, body: bytes) -> Json:
    """Say another amount of a dispute that is not decided."""
    wish = _read(body, Amend)
    return shown(disputes.amend(desk, wish.dispute, amount=wish.amount))


def funds(desk: Desk, body: bytes) -> Json:
    """Take more of a dispute, or give a part of it back."""
    wish = _read(body, Funds)
    return shown(disputes.move_funds(desk, wish.dispute, amount=wish.amount))


def roll(desk: Desk, body: bytes) -> Json:
    """Roll the secret of a webhook endpoint."""
    wish = _read(body, Roll)
    return shown(roll_secret(desk, wish.endpoint, wish.keep_seconds))


def deliveries(desk: Desk, body: bytes) -> Json:
    """Every delivery, in the order in which they are or were to be made."""
    sql = (
        "select seq, endpoint, event, state, attempts, due, status from delivery where account = ? order by place, seq"
    )
    return {"data": [dict(one) for one in store.rows(desk.db, sql, desk.account)]}


def settle(desk: Desk, body: bytes) -> Json:
    """Nothing more to do here: the server waits for the courier before it answers."""
    return deliveries(desk, body)


def reset(desk: Desk, body: bytes) -> Json:
    """Forget everything of the account."""
    store.reset(desk.db, desk.account)
    return {"reset": True}


CONTROLS: Mapping[tuple[str, str], Callable[[Desk, bytes], Json]] = {
    ("GET", "clock"): clock,
    ("POST", "clock"): advance,
    ("POST", "webhooks"): webhooks,
    ("POST", "answers"): answers,
    ("POST", "rules"): rules,
    ("POST", "dispute"): dispute,
    ("POST", "amend"): amend,
    ("POST", "funds"): funds,
    ("POST", "overturn"): overturn,
    ("POST", "roll_secret"): roll,
    ("GET", "deliveries"): deliveries,
    ("POST", "settle"): settle,
    ("POST", "reset"): reset,
}


def control(desk: Desk, method: str, path: str, body: bytes) -> Json:
    """Carry out one control; what is due by then happens first."""
    run_due(desk)
    function = CONTROLS.get((method, path.removeprefix(PREFIX)))
    if function is None:
        known = ", ".join(f"{verb} {PREFIX}{name}" for verb, name in CONTROLS)
        raise BadRequest(f"There is no such control. There are: {known}.", status=404)
    return function(desk, body)
