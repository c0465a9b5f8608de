"""The one client of a process: opened with the first call, closed with the services."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from lastlight.runtime.processor.errors import ProcessorBusy
from lastlight.runtime.services import Services
from lastlight.runtime.stripe_account import Configuration, configured

if TYPE_CHECKING:
    from stripe import StripeClient, StripeObject
    from stripe._v1_services import V1Services

LONGEST_SECONDS = 45.0
"""The longest that one call takes with all its repetitions; shorter than a staged action may."""
_MEMORY = "processor"

Json = dict[str, Any]


def configuration_of(services: Services) -> Configuration:
    """Which processor the services speak to."""
    return configured(services.settings)


async def ask(services: Services, call: "Callable[[V1Services], Awaitable[StripeObject]]") -> Json:
    """What the processor answers to one call, as plain values. Raises ProcessorError and nothing of the SDK's."""
    import stripe  # noqa: PLC0415 - see transport.py

    from lastlight.runtime.processor.transport import plain, raise_translated  # noqa: PLC0415

    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await plain(call(_client(services).v1))
    except stripe.StripeError as error:
        raise_translated(error)
    except TimeoutError:
        raise ProcessorBusy("The payment processor took too long.", unsure=True) from None


def _client(services: Services) -> "StripeClient":
    kept: StripeClient | None = services.memory.get(_MEMORY)
    if kept is not None:
        return kept
    from lastlight.runtime.processor.transport import opened  # noqa: PLC0415 - see there

    client, transport = opened(configuration_of(services))
    services.memory[_MEMORY] = client

    async def close() -> None:
        services.memory.pop(_MEMORY, None)
        await transport.close_async()

    services.closers.append(close)
    return client
