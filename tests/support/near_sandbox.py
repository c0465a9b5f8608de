"""A sandbox inside the test's own process: the same application and wire protocol, without a socket between."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from lastlight.runtime.processor.transport import opened
from lastlight.runtime.services import Services
from lastlight.runtime.stripe_account import configured
from lastlight.sandbox.app import Message, Sandbox
from lastlight.sandbox.courier import signature
from lastlight.sandbox.desk import desk_of, keep_settings
from lastlight.sandbox.events import snapshot_body
from lastlight.sandbox.store import body_of, rows, transaction

BASE = "http://127.0.0.1:8420"
Facts = dict[str, Any]


class Wire(httpx.AsyncClient):
    """Requests that are handed to an application in this process as a server would; an answer without a body is one that got lost."""

    def __init__(self, app: Sandbox) -> None:
        super().__init__(transport=httpx.MockTransport(lambda _: httpx.Response(501)))
        self._app = app

    async def request(self, method: str, url: Any, **sent_along: Any) -> httpx.Response:
        """One request and its answer; bytes and plain JSON are sent, nothing else of the client's is needed."""
        given, wish = sent_along.get("content"), sent_along.get("json")
        body = given.encode() if isinstance(given, str) else given or (json.dumps(wish).encode() if wish else b"")
        target, sent = urlsplit(str(url)), list[Message]()
        scope = {
            "type": "http",
            "method": method.upper(),
            "path": unquote(target.path),
            "query_string": target.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent_along["headers"].items()],
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        start, *parts = sent
        if not parts:
            raise httpx.ReadError("the answer was lost")
        content = b"".join(part["body"] for part in parts)
        return httpx.Response(start["status"], headers=start["headers"], content=content)


@dataclass(frozen=True)
class NearSandbox:
    """One account of a sandbox that runs here."""

    app: Sandbox
    http: httpx.AsyncClient
    secret_key: str = field(default_factory=lambda: f"sk_test_{secrets.token_hex(12)}")
    webhook_secret: str = field(default_factory=lambda: f"whsec_{secrets.token_hex(16)}")

    def another(self) -> "NearSandbox":
        """The same sandbox, with an account of its own."""
        return NearSandbox(self.app, self.http)

    def settings(self) -> dict[str, Any]:
        """The settings of a platform that pays through this account."""
        return {
            "stripe_api_base": BASE,
            "stripe_secret_key": self.secret_key,
            "stripe_publishable_key": self.secret_key.replace("sk_", "pk_"),
            "stripe_webhook_secrets": (self.webhook_secret,),
        }

    async def reached_by(self, services: Services) -> None:
        """Let the services' processor speak to this account, and not pause before it asks again."""
        client, transport = opened(configured(services.settings), self.http)
        transport.sleep_async = lambda secs: asyncio.sleep(0)
        services.memory["processor"] = client

    async def control(self, name: str, **wish: Any) -> dict[str, Any]:
        """Use one of the sandbox's controls."""
        headers = {"authorization": f"Bearer {self.secret_key}"}
        answer = await self.http.post(f"{BASE}/_sandbox/{name}", headers=headers, json=wish)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def objects(self, kind: str, **wanted: str) -> list[Facts]:
        """What the provider holds of a kind, the oldest first, read from where it keeps it."""
        sql = "select body from object where account = ? and kind = ?"
        sql += "".join(f" and json_extract(body, '$.{name}') = ?" for name in wanted)
        found = rows(self._db, f"{sql} order by seq", self._account, kind, *wanted.values())
        return [body_of(one) for one in found]

    def by_id(self, kind: str, identifier: str) -> Facts:
        """One of them."""
        sql = "select body from object where account = ? and kind = ? and id = ?"
        return body_of(rows(self._db, sql, self._account, kind, identifier)[0])

    def webhook(self, event: Facts) -> tuple[bytes, str]:
        """The bytes and the signature with which an event is brought."""
        body = snapshot_body(event)
        return body, signature(body, [self.webhook_secret], int(time.time()))

    def no_more_trouble(self) -> None:
        """Whatever was wished for the next answers is over."""
        with transaction(self._db):
            keep_settings(desk_of(self._db, self._account, BASE), answers=None)

    @property
    def _account(self) -> str:
        return self.secret_key.removeprefix("sk_test_")

    @property
    def _db(self) -> Any:
        assert self.app._opened is not None  # pyright: ignore[reportPrivateUsage] - read where it keeps it
        return self.app._opened[0]  # pyright: ignore[reportPrivateUsage]


@asynccontextmanager
async def near_sandbox() -> AsyncGenerator[NearSandbox]:
    """Run a sandbox that remembers nothing after the block."""
    sandbox = Sandbox(Path(":memory:"), BASE)
    said: asyncio.Queue[Message] = asyncio.Queue()
    answered: asyncio.Queue[Message] = asyncio.Queue()
    life = asyncio.create_task(sandbox({"type": "lifespan"}, said.get, answered.put))
    await said.put({"type": "lifespan.startup"})
    assert (await answered.get())["type"] == "lifespan.startup.complete"
    async with Wire(sandbox) as http:
        try:
            yield NearSandbox(sandbox, http)
        finally:
            await said.put({"type": "lifespan.shutdown"})
            await life
