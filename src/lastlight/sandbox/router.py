"""Every operation of the API, and which of them a request means."""

import re

from lastlight.sandbox.problems import BadRequest
from lastlight.sandbox.resources import (
    balance,
    charges,
    customers,
    disputes,
    event_log,
    payment_intent_routes,
    payment_methods,
    refunds,
    setup_intents,
    topups,
    webhook_endpoints,
)
from lastlight.sandbox.routes import Route

ROUTES: tuple[Route, ...] = (
    *balance.ROUTES,
    *charges.ROUTES,
    *customers.ROUTES,
    *disputes.ROUTES,
    *event_log.ROUTES,
    *payment_intent_routes.ROUTES,
    *payment_methods.ROUTES,
    *refunds.ROUTES,
    *setup_intents.ROUTES,
    *topups.ROUTES,
    *webhook_endpoints.ROUTES,
)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(path.replace("{id}", r"([A-Za-z0-9_]+)"))


_PATTERNS = tuple((route, _pattern(route.path)) for route in ROUTES)


def route_of(method: str, path: str) -> tuple[Route, str]:
    """The operation and the id in its path; raises what Stripe says of a path that it does not know."""
    for route, pattern in _PATTERNS:
        if route.method == method and (match := pattern.fullmatch(path)) is not None:
            return route, (match.groups() or ("",))[0]
    raise BadRequest(
        f"Unrecognized request URL ({method}: {path}). The sandbox serves the operations that docs/sandbox.md lists.",
        status=404,
    )
