"""Histories of card payments at the provider, and their webhooks: signed, brought in any order, any number of times, as late as one likes.

A history has six acts, each of which the provider tells by one event. What is brought is what it would send, to the byte.
"""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID, uuid4

import httpx

from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.payments import begin_payment
from lastlight.kernel.money import Money
from lastlight.runtime import processor
from lastlight.runtime.http.app import create_app
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.door import House
from tests.support.paying import until
from tests.support.processors import SandboxBeside
from tests.support.purses import findings
from tests.support.services import make_tenant
from tests.support.tills import CURRENCY, Till, hire, opened_till

AMOUNT, BACK = 10_000, 2_500
PATH = "/webhooks/stripe"
PATIENT = 20
DISPUTED_AFTER = 600
"""Seconds of the provider's clock from a charge to its dispute, so that acts stand in their order."""
STORY = (
    "payment_intent.created",
    "payment_intent.succeeded",
    "charge.updated",
    "refund.created",
    "refund.updated",
    "charge.dispute.created",
)


@dataclass(slots=True)
class Post:
    """The platform's own web application, and the account at the provider that it is told about."""

    till: Till
    beside: SandboxBeside
    web: httpx.AsyncClient

    @property
    def services(self) -> Services:
        """What the platform runs on."""
        return self.till.services

    async def bring(self, body: bytes, signature: str | None = None) -> int:
        """Bring an event as the provider does; the status of the answer."""
        said = self.signed(body) if signature is None else signature
        headers = {"content-type": "application/json", **({"stripe-signature": said} if said else {})}
        status = 503
        for _ in range(PATIENT):
            status = (await self.web.post(PATH, content=body, headers=headers)).status_code
            if status != 503:  # no connection came free: the provider brings it again
                break
        return status

    def signed(self, body: bytes, *, at: float | None = None, secret: str = "", scheme: str = "v1") -> str:
        """A signature as the provider makes it."""
        moment = int(time.time() if at is None else at)
        key = (secret or self.beside.webhook_secret).encode()
        return f"t={moment},{scheme}={hmac.new(key, f'{moment}.'.encode() + body, hashlib.sha256).hexdigest()}"

    async def newcomer(self) -> Till:
        """Another business with a guest, in the same services."""
        house = House(self.services, await make_tenant(self.services.settings, f"story-{uuid4().hex[:12]}"))
        await house.add_venue()
        return await hire(self.services, house)

    async def told(self, *names: str) -> list[dict[str, Any]]:
        """What the provider tells of those types, newest first, as it is."""
        return cast(
            "list[dict[str, Any]]", (await self._ask("GET", "events", params={"types[]": names, "limit": 50}))["data"]
        )

    async def change(self, path: str, **values: Any) -> Any:
        """Change a thing at the provider's, as somebody on its pages would."""
        return await self._ask("POST", path, data=values)

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as provider:
            head = {"authorization": f"Bearer {self.beside.secret_key}"}
            answer = await provider.request(method, f"{self.beside.base}/v1/{path}", headers=head, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def inbox(self) -> int:
        """How many rows all inboxes hold."""
        return (await self.till.house.sql("select count(*) as n from provider_events"))[0]["n"]


@dataclass(slots=True)
class History:
    """One payment of a guest, as far as it has been played, and the events of its acts."""

    post: Post
    till: Till
    payment_id: UUID | None = None
    ids: dict[str, str] = field(default_factory=dict[str, str])
    events: list[bytes] = field(default_factory=list[bytes])

    async def play(self, acts: int) -> None:
        """Go on until so many acts are over."""
        while len(self.events) < acts:
            name = STORY[len(self.events)]
            await getattr(self, f"_{name.replace('.', '_')}")()
            self.events.append(await self._event(name))

    async def _event(self, name: str) -> bytes:
        """The event by which the provider tells an act, as the bytes that it sends."""

        async def look() -> dict[str, Any] | None:
            for event in await self.post.told(name):
                if self._is_ours(event["data"]["object"]):
                    return event
            return None

        event = await until(look)
        self.ids[name] = event["data"]["object"]["id"]
        return json.dumps(event | {"pending_webhooks": 1}, indent=2).encode()

    def _is_ours(self, thing: dict[str, Any]) -> bool:
        if "payment_intent.created" not in self.ids:
            return thing["metadata"].get("payment_id") == str(self.payment_id)
        return self.ids["payment_intent.created"] in {thing["id"], thing.get("payment_intent")}

    async def _payment_intent_created(self) -> None:
        async with self.till.house.system() as ctx:
            payment = await begin_payment(
                ctx, purpose=FUNDING, amount=AMOUNT, currency=CURRENCY, patron_id=self.till.patron_id
            )
        self.payment_id = payment.id

    async def _payment_intent_succeeded(self) -> None:
        made = await processor.confirm_intent(
            self.post.services,
            self.ids["payment_intent.created"],
            key=str(uuid4()),
            payment_method="pm_card_createDispute",
            return_url="https://example.test",
        )
        assert made.latest_charge is not None
        self.ids["charge"] = made.latest_charge.id

    async def _charge_updated(self) -> None:
        await self.post.change(f"charges/{self.ids['charge']}", description="Seen by somebody")

    async def _refund_created(self) -> None:
        intent_id = self.ids["payment_intent.created"]
        await processor.create_refund(
            self.post.services, key=str(uuid4()), intent_id=intent_id, amount=Money(BACK, CURRENCY), metadata={}
        )

    async def _refund_updated(self) -> None:
        await self.post.change(f"refunds/{self.ids['refund.created']}", **{"metadata[seen]": "yes"})

    async def _charge_dispute_created(self) -> None:
        self.post.beside.control("clock", seconds=DISPUTED_AFTER)

    async def state(self) -> dict[str, Any]:
        """How all of it stands in the end: the payment, what went back, what is disputed, the credits, the books, the inbox."""
        await self.till.settled()
        tenant = self.till.house.tenant_id

        async def rows(columns: str, table: str) -> list[tuple[Any, ...]]:
            found = await self.till.house.sql(f"select {columns} from {table} where tenant_id = $1", tenant)
            return sorted(tuple(row) for row in found)

        found: dict[str, Any] = {
            "payment": await rows("status, captured, refunding, refunded, disputed, last4, failure_code", "payments"),
            "refunds": await rows("amount, released, status, outside", "refunds"),
            "disputes": await rows("amount, status, lost", "disputes"),
            "steps": await rows("step", "payment_steps"),
            "credits": await rows("kind, amount, froze", "credit_entries"),
            "lots": await rows("amount, remaining, frozen", "credit_lots"),
            "inbox": await rows("kind, state", "provider_events"),
            "movements": await rows("kind, amount, fee", "provider_movements"),
            "postings": await rows("kind, amount", "ledger_postings"),
        }
        return found | {"findings": await findings(self.till.house)}


async def in_order(post: Post, order: Sequence[int], *, waiting: Sequence[bool]) -> dict[str, Any]:
    """Play a history and bring its events in an order, each as soon as it has happened; the state in the end.

    Where `waiting` says so, what was brought is worked off before the next is.
    """
    history = History(post, await post.newcomer())
    for act, waits in zip(order, waiting, strict=True):
        await history.play(act + 1)
        status = await post.bring(history.events[act])
        assert status == 200, f"{STORY[act]} is answered {status}"
        if waits:
            await history.till.settled()
    return await history.state()


@asynccontextmanager
async def opened_post(settings: Settings) -> AsyncGenerator[Post]:
    """The web application with a worker beside it, and an account at which disputes come late enough."""
    beside = SandboxBeside(settings.stripe_api_base, settings.stripe_secret_key, "", settings.stripe_webhook_secrets[0])
    beside.control("rules", later_seconds=DISPUTED_AFTER)
    async with opened_till(settings) as till:
        transport = httpx.ASGITransport(app=cast("Any", create_app(till.services)), client=("203.0.113.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as web:
            yield Post(till, beside, web)


__all__ = ["STORY", "History", "Post", "in_order", "opened_post"]
