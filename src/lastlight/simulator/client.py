"""The public API as the simulator's doors and guests use it. Nothing here knows the database."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import msgspec

from lastlight.kernel.ids import uuid7

TRANSIENT = (429, 502, 503, 504)
ATTEMPTS = 8
LONGEST_WAIT = 30.0

Signer = Callable[[str, str, bytes], dict[str, str]]


class UnreachableError(Exception):
    """The platform did not answer, however often it was asked."""


class ApiRefused(Exception):
    """The platform refused a request: its problem type and sentence, and whatever else it told."""

    def __init__(self, status: int, problem: str, detail: str, told: Mapping[str, Any] | None = None) -> None:
        self.status, self.problem, self.detail, self.told = status, problem, detail, told or {}
        super().__init__(f"{status} {problem}: {detail}")


@dataclass(slots=True)
class Account:
    """Somebody who signs in: tokens are fetched when first needed and refreshed when they end."""

    email: str
    password: str
    tenant: str
    access: str = ""
    refresh: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Api:
    """A client of one platform. `retried` counts requests that were sent again, with the same key."""

    http: httpx.AsyncClient
    attempts: int = ATTEMPTS
    longest_wait: float = LONGEST_WAIT
    """Seconds before the next attempt at most, whatever the platform asks for."""
    sent: int = 0
    retried: int = 0

    async def call(
        self,
        account: Account | None,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: UUID | None = None,
        version: int | None = None,
        sign: Signer | None = None,
    ) -> Any:
        """One request, repeated while the platform is away or busy; its JSON. Raises ApiRefused or UnreachableError.

        `version` is what If-Match says; `sign` gives the headers of a device over method, path and body, anew for each attempt.
        """
        headers = {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"Idempotency-Key": str(key)} if key is not None else {}
        headers |= {"If-Match": f'"{version}"'} if version is not None else {}
        content = b"" if body is None else msgspec.json.encode(body)
        for attempt in range(self.attempts):
            if account is not None:
                headers["Authorization"] = f"Bearer {await self._token(account)}"
            if sign is not None:
                headers |= sign(method, path, content)
            answer = await self._send(method, path, content, headers)
            if answer is not None and answer.status_code == 401 and account is not None and attempt < 2:
                account.access = ""
                continue
            if answer is not None and not _passes(answer):
                return self._read(answer)
            self.retried += 1
            await asyncio.sleep(min(self.longest_wait, _pause(answer, attempt)))
        raise UnreachableError(f"{self.http.base_url} does not answer: is the platform running there?")

    async def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response | None:
        self.sent += 1
        try:
            return await self.http.request(method, path, content=body, headers=headers)
        except httpx.TransportError:
            return None

    async def _token(self, account: Account) -> str:
        async with account.lock:
            if account.access:
                return account.access
            if account.refresh:
                try:
                    return self._keep(
                        account, await self.call(None, "POST", "/api/auth/refresh", {"refresh_token": account.refresh})
                    )
                except ApiRefused:
                    account.refresh = ""
            body = {"email": account.email, "password": account.password}
            body |= {"tenant": account.tenant} if account.tenant else {}
            return self._keep(account, await self.call(None, "POST", "/api/auth/login", body))

    def _keep(self, account: Account, tokens: Any) -> str:
        account.access, account.refresh = tokens["access_token"], tokens["refresh_token"]
        return account.access

    def _read(self, answer: httpx.Response) -> Any:
        if answer.is_success:
            return answer.json() if answer.content else None
        try:
            told: dict[str, Any] = answer.json()
        except ValueError:
            told = {}
        raise ApiRefused(answer.status_code, told.get("type", "").rsplit("/", 1)[-1], told.get("detail", ""), told)


def _passes(answer: httpx.Response) -> bool:
    """Whether a refusal is one of the moment: the platform is away or busy, or still at work on the first request of a key."""
    in_flight = answer.status_code == 409 and "Retry-After" in answer.headers
    return in_flight or answer.status_code in TRANSIENT


def _pause(answer: httpx.Response | None, attempt: int) -> float:
    """Seconds until the next attempt: what the platform asks for, else a little longer each time."""
    wanted = "" if answer is None else answer.headers.get("Retry-After", "")
    return float(wanted) if wanted.isdigit() else min(5.0, 0.2 * 2**attempt)


def new_key() -> UUID:
    """An Idempotency-Key."""
    return uuid7()
