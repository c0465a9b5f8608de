"""`expand`: an id in an answer is replaced by the object that it names."""

from collections.abc import Mapping
from typing import Any, cast

from lastlight.sandbox.desk import KINDS, Desk, find
from lastlight.sandbox.events import shown
from lastlight.sandbox.listing import everything, whole_list
from lastlight.sandbox.problems import Json, Refusal

EXPANDABLE: Mapping[str, frozenset[str]] = {
    "balance_transaction": frozenset({"source"}),
    "charge": frozenset(
        {"balance_transaction", "customer", "failure_balance_transaction", "payment_intent", "refunds"}
    ),
    "dispute": frozenset({"charge", "payment_intent"}),
    "payment_intent": frozenset({"customer", "latest_charge", "payment_method"}),
    "payment_method": frozenset({"customer"}),
    "refund": frozenset({"balance_transaction", "charge", "failure_balance_transaction", "payment_intent"}),
    "setup_intent": frozenset({"customer", "payment_method", "latest_attempt"}),
    "topup": frozenset({"balance_transaction"}),
    "customer": frozenset({"invoice_settings.default_payment_method", "default_source", "sources"}),
}
"""What may be expanded; a field that is always null here may be named all the same."""
_DEEPEST = 4


def expanded(desk: Desk, answer: Json, paths: list[str]) -> Json:
    """The answer with every path expanded; raises the refusal of a path that cannot be."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            raise Refusal(f"You cannot expand more than {_DEEPEST} levels of a property: {path}", param="expand")
        answer = _expand(desk, answer, steps, path)
    return answer


def _expand(desk: Desk, value: Json, steps: list[str], path: str) -> Json:
    if value.get("object") == "list":
        if steps[0] != "data" or len(steps) == 1:
            raise _cannot(path)
        return value | {"data": [_expand(desk, one, steps[1:], path) for one in value["data"]]}
    kind, name = str(value.get("object")), steps[0]
    if value.get("deleted"):
        return value
    if name not in EXPANDABLE.get(kind, frozenset()):
        name = ".".join(steps[:2])
        if len(steps) < 2 or name not in EXPANDABLE.get(kind, frozenset()):
            raise _cannot(path)
        inner: Json = value[steps[0]]
        return value | {steps[0]: inner | {steps[1]: _filled(desk, inner.get(steps[1]), steps[2:], path)}}
    if (kind, name) == ("charge", "refunds"):
        refunds = everything(desk, "refund", charge=value["id"])
        below: Any = value.get(name) or whole_list(refunds, f"/v1/charges/{value['id']}/refunds")
        return value | {name: _expand(desk, below, steps[1:], path) if len(steps) > 1 else below}
    return value | {name: _filled(desk, value.get(name), steps[1:], path)}


def _filled(desk: Desk, value: Any, steps: list[str], path: str) -> Any:
    if isinstance(value, str):
        kind = KINDS[value.partition("_")[0]]
        found = find(desk, kind, value)
        value = shown(found) if found is not None else value
    if steps and isinstance(value, dict):
        return _expand(desk, cast("Json", value), steps, path)
    return value


def _cannot(path: str) -> Refusal:
    return Refusal(f"This property cannot be expanded ({path}).", param="expand[0]")
