"""What people, cards, banks and time do to a business's money, each on the real thing and on the model beside it."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from lastlight.domains.adjustments import actions as adjusting
from lastlight.domains.adjustments.schemas import CreditAdjustmentIn
from lastlight.domains.credits.errors import CreditsShort, SpendReversed
from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.credits.jobs import expire_due
from lastlight.domains.credits.model import CreditEntry, months_later
from lastlight.domains.credits.spending import reverse_spend, spend
from lastlight.domains.payments import RefundTooLarge, SpentAlready, begin_payment, begin_refund
from lastlight.domains.payments.actions import answer_dispute
from lastlight.domains.payments.inbox import verified
from lastlight.domains.payments.jobs import abandon, poll, sweep, take_and_queue
from lastlight.domains.payments.journal import DisagreementError
from lastlight.domains.payments.looking import look_at
from lastlight.domains.payments.model import Hint
from lastlight.kernel.errors import Busy, Problem
from lastlight.kernel.ids import UserId
from lastlight.kernel.money import Money
from lastlight.runtime import processor
from lastlight.runtime.context import Actor, Grants
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from lastlight.runtime.jobs.run import RetryLaterError
from tests.support.money_checks import differences, quiet_differences
from tests.support.money_model import Held, Model, Paid, Spend
from tests.support.money_world import Business, Task, World, opened_business

CURRENCY = "EUR"
LIMIT = 2_000
WHY = "because the story says so"
DAY = 86_400
TIME_PASSES = """
update payments set created_at = created_at - $2::interval, checked_at = checked_at - $2::interval where tenant_id = $1
"""
LOTS_AGE = "update credit_lots set expires_at = expires_at - $2::interval where tenant_id = $1"
MOVEMENTS_AGE = (
    "update provider_movements set available_on = available_on - $2::interval where tenant_id = $1 and not available"
)
EVENTS_PAYMENT = "select payment_id from provider_events where tenant_id = $1 and id = $2"
STAGED = "select intent from staged_actions where tenant_id = $1 and id = $2"
ENDS = "select expires_at from credit_lots where tenant_id = $1 and patron_id = $2 order by created_at, id"
DISPUTE_OF = "select id from disputes where tenant_id = $1 and provider_id = $2"


@dataclass
class Story:
    """The business, its provider, and the model."""

    world: World
    business: Business
    model: Model
    told: Counter[str] = field(default_factory=Counter[str])
    """What came up, so that nobody takes silence for agreement."""
    waiting: list[tuple[UUID, int, int]] = field(default_factory=list[tuple[UUID, int, int]])
    """Adjustments that wait for a second person: which, whose, how much."""

    # --- guests and their cards ---------------------------------------------------------------------------------------

    async def begin(self, guest: int, amount: int) -> Paid:
        """A guest wants to buy credits; the provider is asked when the queue is worked off."""
        async with self.business.ctx() as ctx:
            payment = await begin_payment(
                ctx, purpose=FUNDING, amount=amount, currency=CURRENCY, patron_id=self.business.guests[guest]
            )
        return self.model.payments.setdefault(payment.id, Paid(payment.id, guest, amount))

    async def buy(self, guest: int, amount: int, card: str, told: bool) -> None:
        """A guest pays by card; it reaches us at once, or in another step."""
        payment = await self.begin(guest, amount)
        await self.work()
        await self._pay(payment, card)
        if told:
            await self._hear(payment, 1)

    async def pay(self, which: int, card: str) -> None:
        """A guest types a card, perhaps again, perhaps where it was paid already."""
        if self.model.payments:
            await self._pay(self._payment(which), card)

    async def _pay(self, payment: Paid, card: str) -> None:
        if payment.intent is None:
            return
        try:
            await processor.confirm_intent(
                self.business.services,
                payment.intent,
                key=str(uuid4()),
                payment_method=card,
                return_url="https://example.test",
            )
        except processor.ProcessorError:
            return  # declined, paid already, or no answer: what is true is at the provider

    async def spend(self, guest: int, amounts: Sequence[int]) -> None:
        """A guest spends, in several places at once: as far as it lasts, and never further."""
        outcomes = await _at_once(self._spend(guest, amount) for amount in amounts)
        entries = sorted((one for one in outcomes if isinstance(one, CreditEntry)), key=lambda one: one.number)
        for entry in entries:
            assert -entry.amount <= self.model.can_spend(guest), "more was spent than there was"
            parts = self.model.take(guest, -entry.amount, account="order-clearing", sign=1)
            self.model.spends.append(Spend(entry.id, parts))
        _refused(outcomes, amounts, most=self.model.can_spend(guest), kinds=(CreditsShort,))

    async def _spend(self, guest: int, amount: int) -> CreditEntry:
        async with self.business.ctx() as ctx:
            return await spend(
                ctx,
                patron_id=self.business.guests[guest],
                amount=amount,
                currency=CURRENCY,
                venue_id=None,
                description="Drinks",
            )

    # --- the business ---------------------------------------------------------------------------------------------------

    async def give_back(self, which: int, amounts: Sequence[int]) -> None:
        """A spend is given back in parts, by several people at once; never more of it than is left."""
        if not self.model.spends:
            return
        one = self.model.spends[which % len(self.model.spends)]
        since, guest = self.model.tick, one.parts[0][0].guest
        outcomes = await _at_once(self._give_back(one.id, amount) for amount in amounts)
        for outcome, amount in zip(outcomes, amounts, strict=True):
            if not isinstance(outcome, Exception):
                assert amount <= one.left, "more was given back than was spent"
                self.model.give_back(one, amount)
        if self.model.tick > since + 1:
            rows = await self.world.admin.fetch(ENDS, self.business.tenant_id, self.business.guests[guest])
            self.model.prolonged(guest, since, [row["expires_at"] for row in rows])
        _refused(outcomes, amounts, most=one.left, kinds=(SpendReversed,))

    async def _give_back(self, entry_id: UUID, amount: int) -> None:
        async with self.business.ctx() as ctx:
            await reverse_spend(ctx, entry_id=entry_id, amount=amount, reason=WHY)

    async def adjust(self, guest: int, amount: int) -> None:
        """Somebody gives or takes credits by hand: alone up to the limit, above it another one has to agree."""
        short = amount < 0 and -amount > self.model.can_spend(guest)
        wanted = CreditAdjustmentIn(patron_id=self.business.guests[guest], amount=amount, currency=CURRENCY, reason=WHY)
        try:
            async with self._as(self.business.people[0]) as ctx:
                made = await adjusting.adjust_credits(ctx, data=wanted)
        except CreditsShort:
            assert short, "credits were refused that were there"
            return
        if made.status == "waiting":
            assert abs(amount) > LIMIT
            self.waiting.append((made.id, guest, amount))
            return
        assert not short, "credits were taken that were not there"
        self._adjusted(guest, amount)

    async def decide(self, which: int, agrees: bool) -> None:
        """Another person decides what waits."""
        if not self.waiting:
            return
        made, guest, amount = self.waiting[which % len(self.waiting)]
        short = amount < 0 and -amount > self.model.can_spend(guest)
        try:
            async with self._as(self.business.people[1]) as ctx:
                if agrees:
                    await adjusting.approve(ctx, adjustment_id=made, note=WHY)
                else:
                    await adjusting.decline(ctx, adjustment_id=made, reason=WHY)
        except CreditsShort:
            assert agrees, "declining moves nothing"
            assert short, "credits were refused that were there"
            return
        self.waiting.remove((made, guest, amount))
        if agrees:
            assert not short, "credits were taken that were not there"
            self._adjusted(guest, amount)

    def _adjusted(self, guest: int, amount: int) -> None:
        if amount < 0:
            self.model.take(guest, -amount, account="adjustments", sign=-1)
        else:
            self.model.books["adjustments"] += amount
            self.model.give(guest, amount)

    @asynccontextmanager
    async def _as(self, person: UserId) -> AsyncGenerator[Any]:
        actor = Actor(kind="member", user_id=person, tenant_id=self.business.tenant_id, grants=Grants({}))
        async with unit_of_work(
            self.business.services, WorkScope(actor=actor, tenant_id=self.business.tenant_id)
        ) as ctx:
            yield ctx

    async def refund(self, which: int, amounts: Sequence[int]) -> None:
        """Credits go back to the card, by several people at once: as far as they are unspent and the payment has them."""
        if not self.model.payments:
            return
        payment = self._payment(which)
        outcomes = await _at_once(self._refund(payment.id, amount) for amount in amounts)
        for outcome, amount in zip(outcomes, amounts, strict=True):
            if not isinstance(outcome, Exception):
                assert amount <= self._can_go_back(payment), "more went back than may"
                self.model.begin_refund(payment, outcome, amount)
        _refused(outcomes, amounts, most=self._can_go_back(payment), kinds=(RefundTooLarge, SpentAlready))

    async def _refund(self, payment_id: UUID, amount: int) -> UUID:
        async with self.business.ctx() as ctx:
            return (await begin_refund(ctx, payment_id=payment_id, amount=amount, reason=WHY)).id

    def _can_go_back(self, payment: Paid) -> int:
        lot = payment.lot
        return min(payment.refundable, lot.free if lot and lot.ends > self.model.now else 0)

    async def refund_elsewhere(self, which: int, amount: int) -> None:
        """Somebody refunds at the provider's own pages; we do not know of it yet."""
        if not self.model.payments or (intent := self._payment(which).intent) is None:
            return
        try:
            await processor.create_refund(
                self.business.services,
                key=str(uuid4()),
                intent_id=intent,
                amount=Money(amount, CURRENCY),
                metadata={},
            )
        except processor.ProcessorError:
            return

    async def answer(self, which: int, evidence: str) -> None:
        """A dispute is answered; the bank decides by what was written."""
        open_ones = [
            (payment, key)
            for payment in self.model.payments.values()
            for key, dispute in payment.disputes.items()
            if dispute.status == "needs_response" and key not in payment.answered
        ]
        if not open_ones:
            return
        payment, key = open_ones[which % len(open_ones)]
        dispute_id = await self.world.admin.fetchval(DISPUTE_OF, self.business.tenant_id, key)
        async with self.business.ctx() as ctx:
            await answer_dispute(ctx, dispute_id=dispute_id, evidence=evidence)
        payment.answered.add(key)

    async def dispute(self, which: int, amount: int) -> None:
        """A bank takes back an amount of a charge, whatever the card, as long as something of it is left."""
        near = self.business.near
        charges = [one for one in near.objects("charge") if one["captured"] and self._undisputed(one) > 0]
        if charges:
            charge = charges[which % len(charges)]
            await near.control("dispute", charge=charge["id"], amount=amount)
            self.told["disputed in part"] += amount < charge["amount"]

    def _undisputed(self, charge: dict[str, Any]) -> int:
        disputes = self.business.near.objects("dispute", charge=charge["id"])
        return charge["amount"] - charge["amount_refunded"] - sum(one["amount"] for one in disputes)

    async def amend(self, which: int, amount: int) -> None:
        """A bank says another amount of a dispute that it has not decided, and moves no money."""
        near = self.business.near
        open_ones = [
            one["id"] for one in near.objects("dispute") if one["status"] in {"needs_response", "under_review"}
        ]
        if open_ones:
            await near.control("amend", dispute=open_ones[which % len(open_ones)], amount=amount)
            self.told["amounts said anew"] += 1

    async def funds(self, which: int, amount: int) -> None:
        """A bank takes more of what is disputed, or gives a part back, apart from its verdict."""
        near = self.business.near
        disputes = near.objects("dispute")
        if not disputes:
            return
        one = disputes[which % len(disputes)]
        amount = min(amount, one["_taken"])
        if amount:
            await near.control("funds", dispute=one["id"], amount=amount)
            self.told["taken beside"] += amount < 0
            self.told["back beside"] += amount > 0

    async def settle_in(self, rate: int) -> None:
        """The provider settles in another currency from now on, or at another rate."""
        await self.business.near.control("rules", settles_in="usd", rate=rate)

    async def overturn(self, which: int) -> None:
        """A bank's verdict does not hold any more."""
        near = self.business.near
        decided = [one["id"] for one in near.objects("dispute") if one["status"] in {"won", "lost"}]
        if decided:
            await near.control("overturn", dispute=decided[which % len(decided)])

    # --- the provider, the line to it, and time -------------------------------------------------------------------------

    async def trouble(self, mode: str, count: int) -> None:
        """The provider's next answers are errors, before or after it did what was asked, or get lost."""
        await self.business.near.control("answers", mode=mode, count=count)

    async def deliver(self, which: int, times: int) -> None:
        """One of the provider's events arrives, of whatever age, several times at once."""
        events = self.business.near.objects("event")
        if events:
            body, signed = self.business.near.webhook(events[which % len(events)])
            await asyncio.gather(*(self._received(body, signed) for _ in range(times)))

    async def _received(self, body: bytes, signed: str) -> None:
        async with system_ctx(self.business.services, role="system") as ctx:
            event = verified(ctx, body=body, signature=signed)
            await take_and_queue(ctx, event=event, body=body, swept=False)

    async def hear(self, which: int, times: int) -> None:
        """Something hints at a payment, several times at once."""
        if not self.model.payments:
            return
        await self._hear(self._payment(which), times)

    async def _hear(self, payment: Paid, times: int) -> None:
        services, tenant_id, hint = self.business.services, self.business.tenant_id, Hint("console", "story")
        outcomes = await _at_once(look_at(services, tenant_id, payment_id=payment.id, hint=hint) for _ in range(times))
        # Of several at once the others trust the one that was faster, also where that one has to ask again.
        told = any(isinstance(outcome, DisagreementError) for outcome in outcomes)
        for outcome in outcomes:
            self._looked(payment, outcome if isinstance(outcome, Exception) else None, asked_again=told)

    async def sweep(self) -> None:
        """The sweep for lost webhooks."""
        error = await self.business.carry_out(Task(sweep, {}))
        assert error is None or isinstance(error, processor.ProcessorBusy), error

    async def clock_jobs(self) -> None:
        """What comes by the clock: polls, payments that were left, credits that expire."""
        for job in (poll, abandon, expire_due):
            error = await self.business.carry_out(Task(job, {}))
            assert error is None, error
        for guest in range(len(self.business.guests)):
            self.model.expire(guest)

    async def time_passes(self, days: int) -> None:
        """What is due at the provider happens: disputes, verdicts, refunds that arrive or fail, money that becomes available."""
        await self.business.near.control("clock", seconds=days * DAY)
        for sql in (TIME_PASSES, LOTS_AGE, MOVEMENTS_AGE):
            await self.world.admin.execute(sql, self.business.tenant_id, timedelta(days=days))
        self.model.day += days

    async def work(self) -> None:
        """Carry out what is queued, as a worker does, until nothing is left."""
        while self.business.queue:
            task = self.business.queue.pop(0)
            error = await self.business.carry_out(task)
            over = self.business.taken(task, error)
            await self._worked(task, error, over=over)
            if not over:
                self.business.queue.append(task)

    async def _worked(self, task: Task, error: Exception | None, *, over: bool) -> None:
        """What a job's attempt changes in the model."""
        near, tenant_id = self.business.near, self.business.tenant_id
        if task.job.name == "payments.look":
            return self._looked(self.model.payments[UUID(task.args["payment_id"])], error)
        if task.job.name == "payments.take_event":
            row = await self.world.admin.fetchval(EVENTS_PAYMENT, tenant_id, UUID(task.args["provider_event_id"]))
            return self._looked(self.model.payments[row], error)
        staged = await self.world.admin.fetchval(STAGED, tenant_id, UUID(task.args["staged_id"]))
        if task.job.name == "payments.open" and error is None:
            made = {one["metadata"]["payment_id"]: one["id"] for one in near.objects("payment_intent")}
            self.model.payments[UUID(staged["payment_id"])].intent = made[staged["payment_id"]]
        if task.job.name == "payments.refund" and over:
            self._sent(staged["refund_id"], error)
        return None

    def _sent(self, ours: str, error: Exception | None) -> None:
        there = {one["metadata"].get("refund_id"): one["id"] for one in self.business.near.objects("refund")}
        for payment in self.model.payments.values():
            for refund in payment.refunds:
                if str(refund.ours) == ours and refund.status == "created":
                    refund.status = "pending" if error is None else "given-up"
                    self.told["refunds given up"] += error is not None
                    refund.provider_id = there[ours] if error is None else None

    def _looked(self, payment: Paid, error: Exception | None, *, asked_again: bool = False) -> None:
        if error is None and payment.intent is not None:
            held = self._held(payment.intent)
            assert not self.model.crowded(payment, held), "more went back than was paid"
            assert asked_again or not self.model.disagrees(payment, held), "the provider had not said what came back"
            self.model.look(payment, held)
        elif isinstance(error, DisagreementError):
            self.told["waited for a verdict"] += 1
            assert payment.intent is not None
            held = self._held(payment.intent)
            assert self.model.disagrees(payment, held), error
            self.model.look(payment, held)
        elif isinstance(error, Busy):
            self.told["crowded"] += 1
            assert payment.intent is not None
            assert self.model.crowded(payment, self._held(payment.intent)), "it was too much for a look"
        elif isinstance(error, RetryLaterError):
            assert payment.intent is None, "the provider was given it"
        elif error is not None and not isinstance(error, processor.ProcessorBusy):
            raise error

    def _held(self, intent_id: str) -> Held:
        near = self.business.near
        intent = near.by_id("payment_intent", intent_id)
        charge = near.by_id("charge", intent["latest_charge"]) if intent.get("latest_charge") else {}
        moved = {one["id"]: one for one in near.objects("balance_transaction")}
        lists = {name: near.objects(name, payment_intent=intent_id) for name in ("refund", "dispute")}
        ordered = {
            name: sorted(
                found, key=lambda one: (name == "refund" and one["status"] != "failed", one["created"], one["id"])
            )
            for name, found in lists.items()
        }
        return Held(
            intent, moved.get(charge.get("balance_transaction") or ""), ordered["refund"], ordered["dispute"], moved
        )

    def _payment(self, which: int) -> Paid:
        payments = list(self.model.payments.values())
        return payments[which % len(payments)]

    # --- what must hold -------------------------------------------------------------------------------------------------

    async def agree(self) -> None:
        """The books, the lots and the payments are what the model says."""
        told = await differences(self.world, self.business, self.model)
        assert not told, "\n".join(told)

    async def be_quiet(self) -> None:
        """Nobody does anything more. Polls and the sweep find what no webhook brought, and all books are the provider's."""
        self.business.near.no_more_trouble()
        if any(self.model.disagrees(one, self._held(one.intent)) for one in self.model.payments.values() if one.intent):
            await self.time_passes(70)
        await self.work()
        await self.sweep()
        await self.work()
        await self.world.admin.execute(TIME_PASSES, self.business.tenant_id, timedelta(hours=7))
        await self.clock_jobs()
        await self.work()
        for payment in self.model.payments.values():
            if payment.intent is not None:
                self.model.look(payment, self._held(payment.intent))
        for times in range(2):
            told = await quiet_differences(self.world, self.business, self.model)
            assert not told, "\n".join(told)
            for place in range(len(self.model.payments) if not times else 0):
                await self.hear(place, 1)
        self.told += self.model.counted()


async def _at_once(wanted: Any) -> list[Any]:
    """What became of each, a refusal as it is; anything else that breaks is raised."""
    outcomes = await asyncio.gather(*wanted, return_exceptions=True)
    for one in outcomes:
        if isinstance(one, BaseException) and not isinstance(
            one, Problem | processor.ProcessorBusy | DisagreementError
        ):
            raise one
    return outcomes


def _refused(outcomes: Sequence[Any], amounts: Sequence[int], *, most: int, kinds: tuple[type[Exception], ...]) -> None:
    """Whoever was refused was so for the reason that the model knows, and would be now."""
    for outcome, amount in zip(outcomes, amounts, strict=True):
        if isinstance(outcome, Exception):
            assert isinstance(outcome, kinds), outcome
            assert amount > most or most == 0, f"{amount} was refused of {most}"


def life_days() -> int:
    """How many days credits last that are sold today: a month."""
    now = datetime.now(UTC)
    return (months_later(now, 1) - now).days


@asynccontextmanager
async def opened_story(world: World, *, guests: int = 3) -> AsyncGenerator[Story]:
    """A story about a new business."""
    async with opened_business(world, guests=guests) as business:
        yield Story(world, business, Model(life_days()))
