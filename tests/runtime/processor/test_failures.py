"""Everything that can go wrong comes as one of our errors; a call without an answer is repeated under its key, and done once."""

import asyncio
import socket
import traceback
from dataclasses import replace

import pytest

from lastlight.kernel.money import Money
from lastlight.runtime import processor
from lastlight.runtime.processor import client, readings, transport
from lastlight.runtime.processor.transport import RETRIES
from lastlight.runtime.services import Services
from lastlight.runtime.staged import RefusedError
from tests.support.processors import SandboxBeside, paying_services


async def create(services: Services, key: str = "k") -> processor.PaymentIntent:
    """A wish to be paid."""
    return await processor.create_intent(services, key=key, amount=Money(2500, "ZAR"), description="", metadata={})


async def made(services: Services) -> int:
    """How many intents the processor has."""
    return len([one async for one in processor.list_events(services, types=["payment_intent.created"])])


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "message"),
    [
        ("chargeDeclined", "card_declined", "generic_decline", "Your card was declined."),
        ("chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
        ("chargeDeclinedExpiredCard", "expired_card", "", "Your card has expired."),
    ],
)
async def test_a_declined_card(services: Services, card: str, code: str, decline_code: str, message: str) -> None:
    intent = await create(services)
    for _ in range(2):  # the repetition gets the same answer
        with pytest.raises(processor.Declined) as refusal:
            await processor.confirm_intent(services, intent.id, key="c", payment_method=f"pm_card_{card}")
        declined = refusal.value
        assert (declined.code, declined.decline_code, declined.message) == (code, decline_code, message)
        assert (declined.intent_id, declined.charge_id[:3], declined.request_id[:4]) == (intent.id, "ch_", "req_")
        assert isinstance(declined, RefusedError), "a staged action gives up on it"
    after = await processor.retrieve_intent(services, intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error == processor.PaymentError(code=code, decline_code=decline_code, message=message)
    assert after.latest_charge is not None
    assert (after.latest_charge.status, after.latest_charge.failure_code) == ("failed", code)


async def test_what_is_not_there(services: Services) -> None:
    for call in (
        processor.retrieve_intent(services, "pi_nobody"),
        processor.retrieve_charge(services, "ch_nobody"),
        processor.retrieve_refund(services, "re_nobody"),
        processor.retrieve_dispute(services, "du_nobody"),
        processor.create_refund(services, key="r", intent_id="pi_nobody", metadata={}),
    ):
        with pytest.raises(processor.Missing):
            await call


async def test_a_refused_parameter(services: Services) -> None:
    with pytest.raises(processor.ProcessorRefused) as refusal:
        await processor.create_intent(
            services,
            key="k",
            amount=Money(2500, "ZAR"),
            description="",
            metadata={},
            customer="",
            statement_suffix="x" * 23,
        )
    assert not isinstance(refusal.value, processor.Missing)
    assert refusal.value.param == "statement_descriptor_suffix"


@pytest.mark.parametrize("mode", ["lost", "error_after", "error"])
async def test_a_call_without_an_answer_is_repeated_and_done_once(
    services: Services, beside: SandboxBeside, mode: str
) -> None:
    beside.control("answers", mode=mode, count=RETRIES, path="/v1/payment_intents")
    intent = await create(services)
    assert intent.status == "requires_payment_method"
    assert await made(services) == 1


@pytest.mark.parametrize("mode", ["lost", "error_after"])
async def test_without_any_answer_it_is_unsure_and_the_same_key_finds_out(
    services: Services, beside: SandboxBeside, mode: str
) -> None:
    beside.control("answers", mode=mode, count=RETRIES + 1, path="/v1/payment_intents")
    with pytest.raises(processor.ProcessorBusy) as busy:
        await create(services)
    assert busy.value.unsure
    assert not isinstance(busy.value, RefusedError), "a staged action tries again"
    assert await made(services) == 1, "it was done all the same"
    await create(services)
    assert await made(services) == 1
    await create(services, "another")
    assert await made(services) == 2, "negative control: another key does it again"


async def test_too_many_calls(services: Services, beside: SandboxBeside) -> None:
    beside.control("answers", mode="rate_limit", count=RETRIES + 1, path="/v1/payment_intents")
    with pytest.raises(processor.ProcessorBusy) as busy:
        await create(services)
    assert not busy.value.unsure
    assert await made(services) == 0


async def test_a_slow_answer_is_not_waited_for_for_ever(
    services: Services, beside: SandboxBeside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LONGEST_SECONDS", 0.5)
    beside.control("answers", mode="slow", seconds=2, path="/v1/payment_intents")
    with pytest.raises(processor.ProcessorBusy) as busy:
        await create(services)
    assert busy.value.unsure
    assert client.LONGEST_SECONDS < 60 < (transport.ANSWER_SECONDS * (RETRIES + 1)) + 15


async def test_a_repetition_while_the_first_call_is_under_way(services: Services, beside: SandboxBeside) -> None:
    beside.control("answers", mode="slow", seconds=1, path="/v1/payment_intents")
    one, two = await asyncio.gather(create(services), create(services))
    assert one.id == two.id
    assert await made(services) == 1


async def test_nobody_is_there(services: Services) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    gone = paying_services(replace(services.settings, stripe_api_base=f"http://127.0.0.1:{port}"))
    with pytest.raises(processor.ProcessorBusy) as busy:
        await create(gone)
    assert busy.value.unsure
    for closer in gone.closers:
        await closer()


async def test_a_key_that_is_not_taken_and_no_secret_in_any_error(services: Services) -> None:
    secret = "sk_test_wrong-and-secret"
    wrong = paying_services(replace(services.settings, stripe_secret_key=secret))
    with pytest.raises(processor.ProcessorMisconfigured) as refusal:
        await create(wrong)
    told = "".join(traceback.format_exception(refusal.value))
    assert "LASTLIGHT_STRIPE_SECRET_KEY" in told
    assert "stripe._error" not in told
    for text in (told, repr(refusal.value), repr(wrong.settings), repr(processor.configuration_of(wrong))):
        assert "wrong-and-secret" not in text
    for closer in wrong.closers:
        await closer()


async def test_one_client_a_process_closed_with_the_services(services: Services) -> None:
    await create(services, "a")
    kept = services.memory["processor"]
    await create(services, "b")
    assert services.memory["processor"] is kept
    assert len(services.closers) == 1
    await services.closers[0]()
    assert "processor" not in services.memory
    await create(services, "c")
    assert services.memory["processor"] is not kept


async def test_an_answer_that_cannot_be_read_is_no_refusal(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> int:
        raise ValueError("it is not known how the processor counts XXX")

    monkeypatch.setattr(readings, "from_processor", unknown)
    with pytest.raises(
        processor.ProcessorUnreadable, match=r"payment_intent pi_\w+ cannot be read \(it is not known"
    ) as error:
        await create(services)
    assert not isinstance(error.value, RefusedError), "it was done: giving up on it would be wrong"
    assert await made(services) == 1
