"""The official SDK, and the way its requests take. Imported when the first call is made: it costs a start half a tenth of a second."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from typing import Any, NoReturn, cast

import httpx
import msgspec
import stripe

from lastlight.runtime.processor.errors import (
    Declined,
    Missing,
    ProcessorBusy,
    ProcessorError,
    ProcessorMisconfigured,
    ProcessorRefused,
)
from lastlight.runtime.stripe_account import API_VERSION, Configuration

RETRIES = 2
"""How often the SDK repeats a call that got no answer, under the same idempotency key."""
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
CONNECTIONS = 20

NOTHING = b"{}"

Answered = tuple[bytes, int, Mapping[str, str]]

_bodies: ContextVar[list[bytes] | None] = ContextVar("bodies", default=None)


class Transport(stripe.HTTPClient):
    """Requests over httpx, with bounded patience and a bounded number of connections. A sandbox is not reached through a proxy."""

    name = "httpx"

    def __init__(self, *, sandbox: bool, http: httpx.AsyncClient | None = None) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - the SDK's own types
        self._http = http or httpx.AsyncClient(
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=CONNECTIONS),
            follow_redirects=False,
            trust_env=not sandbox,
        )

    async def request_async(self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None) -> Answered:
        """One attempt; whatever keeps it from an answer is a lost connection, which the SDK may repeat."""
        try:
            answer = await self._http.request(method, url, headers=headers, content=post_data)
        except httpx.HTTPError as error:
            raise stripe.APIConnectionError(type(error).__name__, should_retry=True) from None
        bodies = _bodies.get()
        if bodies is None or not answer.is_success:
            return answer.content, answer.status_code, answer.headers
        bodies.append(answer.content)
        return NOTHING, answer.status_code, answer.headers

    def sleep_async(self, secs: float) -> Any:
        """The pause before a repetition."""
        return asyncio.sleep(secs)

    async def close_async(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()


async def plain(call: Awaitable[stripe.StripeObject]) -> dict[str, Any]:
    """What the SDK's call was answered, as plain values. Raises the SDK's errors.

    It is read here, not by the SDK, which builds an object for each value of an answer: that takes longer than the rest of a call.
    """
    bodies: list[bytes] = []
    token = _bodies.set(bodies)
    try:
        await call
        return msgspec.json.decode(bodies[-1], type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise stripe.APIError("The answer cannot be read.") from None
    finally:
        _bodies.reset(token)


def opened(
    configuration: Configuration, http: httpx.AsyncClient | None = None
) -> tuple[stripe.StripeClient, Transport]:
    """A client for one process, which reaches the processor through `http` where that is given. The SDK's own log would show what is sent, so it is silenced."""
    logging.getLogger("stripe").setLevel(logging.WARNING)
    transport = Transport(sandbox=configuration.sandbox, http=http)
    client = stripe.StripeClient(
        configuration.secret_key,
        base_addresses={"api": configuration.api_base},
        stripe_version=API_VERSION,
        max_network_retries=RETRIES,
        http_client=transport,
    )
    return client, transport


def raise_translated(error: stripe.StripeError) -> NoReturn:
    """Raise our own error for one of the SDK's, which carries headers and bodies that are nobody's business."""
    raise _translated(error) from None


def _translated(error: stripe.StripeError) -> ProcessorError:
    request_id = error.request_id or ""
    if isinstance(error, stripe.CardError):
        return _declined(error, request_id)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return ProcessorMisconfigured(
            f"The payment processor does not take LASTLIGHT_STRIPE_SECRET_KEY for this call ({error.http_status}).",
            request_id=request_id,
        )
    if isinstance(error, stripe.RateLimitError):
        return ProcessorBusy("The payment processor has too much to do.", unsure=False, request_id=request_id)
    if isinstance(error, stripe.IdempotencyError):
        return ProcessorRefused(
            "This idempotency key was used for another call before.", code="idempotency_error", request_id=request_id
        )
    if isinstance(error, stripe.InvalidRequestError):
        kind = Missing if error.http_status == 404 or error.code == "resource_missing" else ProcessorRefused
        message = error.user_message or "The payment processor refused the call."
        param = str(error.param or "")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - untyped there
        return kind(message, code=error.code or "", param=param, request_id=request_id)
    if isinstance(error, stripe.APIConnectionError):
        return ProcessorBusy(f"The payment processor gave no answer ({error.user_message}).", unsure=True)
    return ProcessorBusy(
        f"The payment processor could not answer ({error.http_status or 'unreadable'}).",
        unsure=True,
        request_id=request_id,
    )


def _declined(error: stripe.CardError, request_id: str) -> Declined:
    told = _part(error.json_body, "error")
    return Declined(
        error.user_message or "The card was declined.",
        code=error.code or "",
        decline_code=str(told.get("decline_code") or ""),
        intent_id=str(_part(told, "payment_intent").get("id") or ""),
        charge_id=str(told.get("charge") or ""),
        request_id=request_id,
    )


def _part(value: object, name: str) -> dict[str, Any]:
    """A part of a body that may be anything."""
    part: Any = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}
