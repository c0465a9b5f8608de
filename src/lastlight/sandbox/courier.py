"""Webhooks out: signed, each endpoint's in their order, tried again until they arrive."""

import asyncio
import contextlib
import hashlib
import hmac
import sqlite3
import time

import httpx
import structlog

from lastlight.sandbox.agenda import run_due
from lastlight.sandbox.desk import desk_of, find
from lastlight.sandbox.events import BACKOFF, snapshot_body
from lastlight.sandbox.resources.webhook_endpoints import secrets_of
from lastlight.sandbox.store import row, rows, transaction

TICK_SECONDS = 0.25
_PATIENCE_SECONDS = 10.0

log = structlog.get_logger("lastlight.sandbox")


def signature(body: bytes, secrets: list[str], now: int) -> str:
    """The header `Stripe-Signature`: real time, and one `v1` for each secret in force."""
    signed = [hmac.new(one.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest() for one in secrets]
    return ",".join([f"t={now}", *(f"v1={one}" for one in signed)])


class Courier:
    """Lets time pass for every account, and brings the events that are due to their endpoints."""

    def __init__(self, db: sqlite3.Connection, base: str) -> None:
        self._db = db
        self._base = base
        self._client = httpx.AsyncClient(timeout=_PATIENCE_SECONDS, follow_redirects=False, trust_env=False)
        self._rounds: dict[str, asyncio.Task[None]] = {}
        self._beat: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look at the clock."""
        self._beat = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """End; what did not arrive is brought after the next start."""
        tasks = [*self._rounds.values(), *([self._beat] if self._beat else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    def wake(self) -> None:
        """Something may be due: an endpoint without a round gets one."""
        for found in rows(self._db, "select distinct account, endpoint from delivery where state = 'queued'"):
            endpoint = found["endpoint"]
            if endpoint not in self._rounds and self._next(found["account"], endpoint) is not None:
                task = asyncio.create_task(self._round(found["account"], endpoint))
                self._rounds[endpoint] = task
                task.add_done_callback(lambda _, endpoint=endpoint: self._rounds.pop(endpoint, None))

    async def settle(self, account: str) -> None:
        """Wait until nothing is due for an account."""
        self.wake()
        sql = "select distinct endpoint from delivery where account = ?"
        while running := [
            self._rounds[one["endpoint"]] for one in rows(self._db, sql, account) if one["endpoint"] in self._rounds
        ]:
            await asyncio.wait(running)
            await asyncio.sleep(0)

    async def _tick(self) -> None:
        while True:
            with contextlib.suppress(sqlite3.OperationalError):
                self._let_time_pass()
            self.wake()
            await asyncio.sleep(TICK_SECONDS)

    def _let_time_pass(self) -> None:
        for found in rows(self._db, "select distinct account from task"):
            desk = desk_of(self._db, found["account"], self._base)
            sql = "select 1 from task where account = ? and due <= ?"
            if row(self._db, sql, found["account"], desk.now) is not None:
                with transaction(self._db):
                    run_due(desk)

    def _next(self, account: str, endpoint: str) -> sqlite3.Row | None:
        sql = "select * from delivery where endpoint = ? and state = 'queued' and due <= ? order by place, seq limit 1"
        return row(self._db, sql, endpoint, desk_of(self._db, account, self._base).now)

    async def _round(self, account: str, endpoint: str) -> None:
        while (delivery := self._next(account, endpoint)) is not None:
            await self._bring(account, delivery)

    async def _bring(self, account: str, delivery: sqlite3.Row) -> None:
        desk = desk_of(self._db, account, self._base)
        endpoint = find(desk, "webhook_endpoint", delivery["endpoint"])
        event = find(desk, "event", delivery["event"])
        if endpoint is None or event is None or endpoint["status"] != "enabled":
            self._note(delivery, state="dropped", status=None, due=delivery["due"])
            return
        body = snapshot_body(event)
        signed = signature(body, secrets_of(endpoint, desk.now), int(time.time()))
        headers = {"content-type": "application/json; charset=utf-8", "stripe-signature": signed}
        status: int | None = None
        try:
            status = (await self._client.post(endpoint["url"], content=body, headers=headers)).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.info(
                "webhook not delivered", endpoint=endpoint["id"], event_id=event["id"], reason=type(error).__name__
            )
        if status is not None and 200 <= status < 300:
            self._note(delivery, state="delivered", status=status, due=delivery["due"])
            return
        tried: int = delivery["attempts"]
        left = tried < len(BACKOFF)
        due: int = desk.now + BACKOFF[tried] if left else delivery["due"]
        self._note(delivery, state="queued" if left else "failed", status=status, due=due)

    def _note(self, delivery: sqlite3.Row, *, state: str, status: int | None, due: int) -> None:
        with transaction(self._db):
            self._db.execute(
                "update delivery set state = ?, status = ?, due = ?, attempts = attempts + 1 where seq = ?",
                (state, status, due, delivery["seq"]),
            )
