"""Writes over HTTP that fail at every single step, each asked again with its key: what every such trial shares.

A trial says which writes there are and how one of them is asked; here stand the places, the retry and what became of it.
"""

from collections import Counter
from typing import Any
from uuid import UUID

import httpx

from lastlight.simulator.client import Account, Api, ApiRefused, UnreachableError
from tests.support.failing_site import FailingSite
from tests.support.sockets import until

ANSWER = ("decided", "started", "sent")
MOST = 80
"""No request sends so many statements: the search for its last one ends here at the latest."""
NEVER = "never"


class DyingWrites:
    """One site, a client that asks again, and what it was told."""

    writes: tuple[str, ...] = ()

    def __init__(self, site: FailingSite, http: httpx.AsyncClient) -> None:
        self.site, self.http = site, http
        self.api = Api(http)
        self.deaths = 0
        self.said: Counter[str] = Counter()
        """What first answers were, where they were refusals."""
        self.refused: Counter[str] = Counter()
        """Refusals that stood however often it was asked."""

    async def write(self, name: str, at: str) -> bool:
        """One write of a kind that fails at a place, and its retry; whether it got as far as that place."""
        raise NotImplementedError

    async def before(self, name: str) -> None:
        """What a kind of writes needs before the first of them."""

    async def between(self, name: str) -> None:
        """What stands between two writes of a kind, so that the next one finds what the first did."""

    async def dead(self) -> None:
        """Right after a failure, before anybody asks again."""

    async def ask(self, token: str, path: str, body: Any, *, key: UUID, at: str) -> Any:
        """Ask once, fail at the place, ask again with the same key until it is answered; what was told, None where it was refused."""
        text = f"{key}~{at}"
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": text}
        told = None
        try:
            answer = await self.http.post(path, json=body, headers=headers)
            told = answer.json() if answer.is_success else None
            if told is None:
                self.said[answer.json()["type"].rsplit("/", 1)[-1]] += 1
        except httpx.TransportError:
            pass
        if told is None:
            await self.dead()
            told = await self._again(token, path, body, text)
        return told

    async def reached(self, key: UUID, at: str) -> bool:
        """Whether the request with a key failed at its place; counted."""
        trace = self.site.folder / f"died-{key}"
        if at in ANSWER:
            await until(trace.exists)  # it may die a moment after the answer is here
        self.deaths += trace.exists()
        return trace.exists()

    async def _again(self, token: str, path: str, body: Any, key: str) -> Any:
        try:
            account = Account("somebody@example.test", "", "", access=token)
            return await self.api.call(account, "POST", path, body, key=key)  # pyright: ignore[reportArgumentType] any text
        except (ApiRefused, UnreachableError) as refusal:
            self.refused[f"{path} {refusal}"] += 1
            return None


async def fail_everywhere(trial: DyingWrites, kinds: tuple[str, ...], *, every: int, first: int = 1) -> int:
    """Each kind of failure at every statement of each write (or each `every`-th from the `first`); how many places there were."""
    places = 0
    for name in trial.writes:
        await trial.before(name)
        for number in range(first, MOST, every):
            reached = False
            for kind in kinds:
                reached |= await trial.write(name, f"{number}:{kind}")
                await trial.between(name)
            places += reached
            if not reached and number > 2:
                break
        else:
            raise AssertionError(f"{name} sends more than {MOST} statements")
    return places


async def fail_at_the_answer(trial: DyingWrites, *, writes: tuple[str, ...] = ()) -> None:
    """Die on each step between the operation's end and the answer's last byte."""
    for place in ANSWER:
        for name in writes or trial.writes:
            await trial.write(name, place)
