"""What each operation takes: nothing that the SDK's types do not allow, and nothing unknown or of another kind."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from lastlight.sandbox.expansion import EXPANDABLE
from lastlight.sandbox.router import ROUTES
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Choice, Each, Group, Moment, Shape, Text, Truth, Whole, Words
from tests.sandbox.conftest import Wire
from tests.sandbox.sdk_parameters import differences
from tests.sandbox.sdk_schemas import expandable_fields


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_an_operation_takes_what_the_sdk_may_send(route: Route) -> None:
    assert differences(route) == []


def test_a_difference_is_found() -> None:
    route = next(one for one in ROUTES if one.name == "refunds.create")
    wrong = Group({"amount": Text(), "reason": Choice(("regret",)), "colour": Text(), "metadata": Each(Text())})
    assert differences(Route(route.name, route.method, route.path, route.operation, wrong)) == [
        "refunds.create.amount: no text",
        "refunds.create.reason: {'regret'} are not among its words",
        "refunds.create.colour: the SDK knows no such parameter",
        "refunds.create.metadata: no list",
    ]


def test_what_can_be_expanded_can_be_expanded_at_stripe() -> None:
    assert {kind: fields - expandable_fields(kind) for kind, fields in EXPANDABLE.items()} == {
        kind: set[str]() for kind in EXPANDABLE
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_an_unknown_or_wrongly_typed_parameter_is_refused(route: Route, wire: Wire) -> None:
    path = route.path.replace("{id}", "some_id")
    unknown = wire(route.method, path, "colour=blue")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "parameter_unknown")
    for name, value in wrong_values(route.params):
        refused = wire(route.method, path, urlencode([*required_values(route.params, name), (name, value)]))
        error = refused.json()["error"]
        assert (refused.status_code, error["type"]) == (400, "invalid_request_error"), (name, value)
        assert error["param"].partition("[")[0] == name.partition("[")[0], (name, error)
    assert wire("GET", "/v1/events").json()["data"] == []


def required_values(group: Group, without: str) -> list[tuple[str, str]]:
    """The parameters that must be there, right, so that only one is wrong."""
    right: dict[str, tuple[str, str]] = {"enabled_events": ("enabled_events[]", "*")}
    return [right.get(name, (name, "1")) for name in sorted(group.required) if name != without.partition("[")[0]]


def wrong_values(group: Group, prefix: str = "") -> Iterator[tuple[str, str]]:
    """For each parameter a value that it may not have; hashes are entered."""
    for name, shape in group.fields.items():
        where = f"{prefix}[{name}]" if prefix else name
        yield from ((where + suffix, value) for suffix, value in _wrong(shape))
        if isinstance(shape, Group):
            yield from wrong_values(shape, where)


def _wrong(shape: Shape) -> list[tuple[str, str]]:
    match shape:
        case Text():
            return [("[a]", "1"), ("[]", "1")]
        case Whole():
            return [("", "many"), ("", "1.5"), ("[]", "1")]
        case Truth():
            return [("", "1"), ("", "yes")]
        case Choice():
            return [("", "nothing-of-it"), ("[]", "1")]
        case Each():
            return [("", "alone"), ("[a]", "1")]
        case Words():
            return [("", "words"), ("[a][b]", "1")]
        case Moment():
            return [("", "yesterday"), ("[since]", "1")]
        case Group():
            return [("", "words"), ("[colour]", "blue")]
