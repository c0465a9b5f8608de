"""What can go wrong with the processor, in the few kinds that a caller treats differently. No message holds a secret."""

from lastlight.runtime.staged import RefusedError


class ProcessorError(Exception):
    """Anything that went wrong; `request_id` is what the processor's support asks for, where there is one."""

    def __init__(self, message: str, *, request_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id


class ProcessorRefused(ProcessorError, RefusedError):
    """Refused for good: repeating it, under this key or another, would not help. A staged action gives up on it at once."""

    def __init__(self, message: str, *, code: str = "", param: str = "", request_id: str = "") -> None:
        super().__init__(message, request_id=request_id)
        self.code = code
        self.param = param


class Missing(ProcessorRefused):
    """The processor knows no such object, or not in this account."""


class UnusableAmount(ProcessorRefused):
    """An amount that cannot be charged: too small, too large, in a currency or a fraction that cards do not take.

    `smallest` and `largest` are minor units of the kernel, where a bound is the reason.
    """

    def __init__(self, message: str, *, smallest: int | None = None, largest: int | None = None) -> None:
        super().__init__(message, code="amount_unusable", param="amount")
        self.smallest = smallest
        self.largest = largest


class Declined(ProcessorError, RefusedError):
    """The payer's bank said no (402). The message is meant for the payer; the next try needs another card and another key."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        decline_code: str = "",
        intent_id: str = "",
        charge_id: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.code = code
        self.decline_code = decline_code
        self.intent_id = intent_id
        self.charge_id = charge_id


class ProcessorBusy(ProcessorError):
    """No answer, or none that counts: 429, 5xx, a lost connection, too long. It may be repeated, under the same key.

    `unsure` says that the processor may have done it; without it nothing was done.
    """

    def __init__(self, message: str, *, unsure: bool, request_id: str = "") -> None:
        super().__init__(message, request_id=request_id)
        self.unsure = unsure


class ProcessorMisconfigured(ProcessorError):
    """The processor does not take our key, or the key may not do this: somebody who runs the platform must see to it."""


class ProcessorUnreadable(ProcessorError):
    """An answer that we do not understand. The call was carried out; reading its object again shows whether it is understood by then."""


class SignatureRefused(ProcessorError):
    """A webhook that is not to be believed; the message says why, and may be answered to whoever sent it."""
