"""Webhooks: who sent them, and when."""

from collections.abc import Sequence

from lastlight.runtime.processor.errors import ProcessorUnreadable, SignatureRefused
from lastlight.runtime.processor.objects import Event
from lastlight.runtime.processor.readings import event_of

TOLERANCE_SECONDS = 300
"""How far the time of a signature may be from ours, in either direction."""
_LONGEST_HEADER = 4096


def verified_event(body: bytes, signature: str, *, now: float, secrets: Sequence[str]) -> Event:
    """The event that the raw bytes of a webhook say, once their signature holds. Raises SignatureRefused.

    All secrets are tried, also after one fits, so that the time taken does not tell which. `now` is our time in seconds: the SDK looks only
    for signatures that are too old, and by the machine's clock.
    """
    signed_at = _signed_at(signature)
    if abs(now - signed_at) > TOLERANCE_SECONDS:
        late = "old" if signed_at < now else "far in the future"
        raise SignatureRefused(f"The signature is too {late}: check the clocks, and send it again.")
    if not any([_fits(body, signature, secret) for secret in secrets]):  # noqa: C419 - each is tried
        raise SignatureRefused("The signature does not fit the body and any of our secrets.")
    return _event(body)


def _signed_at(signature: str) -> int:
    if not signature:
        raise SignatureRefused("The header Stripe-Signature is missing.")
    if len(signature) > _LONGEST_HEADER or not signature.isascii():
        raise SignatureRefused("The header Stripe-Signature cannot be read.")
    times = [part.removeprefix("t=") for part in signature.split(",") if part.startswith("t=")]
    if len(times) != 1 or not times[0].isdecimal() or len(times[0]) > 12:
        raise SignatureRefused("The header Stripe-Signature cannot be read.")
    return int(times[0])


def _fits(body: bytes, signature: str, secret: str) -> bool:
    import stripe  # noqa: PLC0415 - see transport.py

    try:
        stripe.WebhookSignature.verify_header(body, signature, secret)  # pyright: ignore[reportUnknownMemberType] - untyped there
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def _event(body: bytes) -> Event:
    import stripe  # noqa: PLC0415 - see transport.py

    try:
        found = stripe.Webhook.construct_event_without_verification(body)
        return event_of(found.to_dict())
    except (ProcessorUnreadable, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SignatureRefused("The body is signed, but it is no event.") from error
