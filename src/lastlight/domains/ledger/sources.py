"""Where a transaction came from: the domain that posted it says here what that was, and where its page lies on the owner's console."""

from typing import NamedTuple, Protocol

from lastlight.domains.ledger.reading import TransactionOut
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx


class Source(NamedTuple):
    """What a transaction was posted for."""

    what: str
    said: str
    """What it says of itself, in some words."""
    href: str
    permission: Permission
    """What its page asks for."""


class Finder(Protocol):
    """Says what a transaction was posted for, where its domain has posted it."""

    async def __call__(self, ctx: Ctx, *, transaction: TransactionOut) -> list[Source]: ...


class Sources:
    """Who is asked, filled while the modules are imported. Each answers for what it has posted itself, else with nothing."""

    def __init__(self) -> None:
        self._finders: dict[str, Finder] = {}

    def add(self, name: str, finder: Finder) -> Finder:
        """Declare a domain that posts; a name stands for one."""
        if self._finders.setdefault(name, finder) is not finder:
            raise ValueError(f"what {name} posts is declared twice")
        return finder

    async def of(self, ctx: Ctx, *, transaction: TransactionOut) -> list[Source]:
        """What a transaction was posted for; several where one thing led to another."""
        return [
            source
            for _, finder in sorted(self._finders.items())
            for source in await finder(ctx, transaction=transaction)
        ]


SOURCES = Sources()
