"""Refusals as Stripe words them: status, type, code, parameter."""

from typing import Any

Json = dict[str, Any]

DOCS = "https://docs.stripe.com/error-codes/"


class Refusal(Exception):
    """An answer that is an error; `keeps` says that what was written on the way stands, as with a declined card."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        keeps: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps = keeps
        named = {"code": code, "param": param, "doc_url": DOCS + code.replace("_", "-") if code else ""}
        self.error: Json = {"message": message, "type": kind} | {k: v for k, v in named.items() if v} | more


class BadRequest(Refusal):
    """A request that never began: nothing of it is kept under its idempotency key."""


def missing(kind: str, identifier: str, *, param: str = "id") -> Refusal:
    """There is no such object in this account."""
    shown = kind.replace("_", " ") if kind in {"webhook_endpoint", "balance_transaction"} else kind.replace("_", "")
    return Refusal(f"No such {shown}: '{identifier}'", status=404, code="resource_missing", param=param)


def unauthorized(message: str, *, code: str = "") -> BadRequest:
    """The key is absent, wrong, or may not do this."""
    return BadRequest(message, status=401, code=code)
