"""Sealed columns, declared once: how many rows lie under which key, and sealing them again under the current one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from lastlight.runtime.context import Ctx
from lastlight.runtime.secrets import SealBrokenError, Secrets

log = structlog.get_logger(__name__)
BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A column of secrets that lie sealed under the secret key. Every name in it is ours; values are parameters only."""

    table: str
    column: str
    label: str
    """What they are, in words."""
    purpose: str
    key: tuple[str, ...]
    """The columns that find a row."""
    place: Callable[..., bytes]
    """What binds a sealed secret to its row, from the key's columns in their order."""

    @property
    def counts(self) -> str:
        """How many rows lie under each key."""
        # composed: of the declaration's own names; every tenant: a rotation concerns all
        return f"select encode(substring({self.column} from 2 for 4), 'hex') as key_id, count(*) as n from {self.table} group by 1"  # noqa: S608

    @property
    def stale(self) -> str:
        """Some rows that lie under another key than the current one, held until the end of the transaction."""
        names = ", ".join((*self.key, self.column))
        ordered = ", ".join(self.key)
        # composed: of the declaration's own names; its values are parameters
        return f"""select {names} from {self.table} where substring({self.column} from 2 for 4) <> $1
                   order by {ordered} limit {BATCH} offset $2 for update"""  # noqa: S608

    @property
    def write(self) -> str:
        """Put a secret that was sealed again in its row's place."""
        found = " and ".join(f"{name} = ${place}" for place, name in enumerate(self.key, start=2))
        # composed: of the declaration's own names; its values are parameters
        return f"update {self.table} set {self.column} = $1 where {found}"  # noqa: S608


async def count_sealed(ctx: Ctx, declared: Sequence[Sealed]) -> dict[str, dict[str, int]]:
    """For each key's id, how many secrets of what kind lie under it. Needs the system's role: it reads every tenant."""
    found: dict[str, dict[str, int]] = {}
    for one in declared:
        for row in await ctx.db.fetch(one.counts):
            found.setdefault(row["key_id"], {})[one.label] = row["n"]
    return found


async def reseal_some(ctx: Ctx, one: Sealed, *, skip: int) -> tuple[int, int]:
    """Seal the next rows of a column again: how many it was, and how many could not be opened. Both 0: none is left."""
    keeper: Secrets = ctx.services.secrets
    rows = await ctx.db.fetch(one.stale, bytes.fromhex(keeper.key_id()), skip)
    done = lost = 0
    for row in rows:
        key: list[Any] = [row[name] for name in one.key]
        place = one.place(*key)
        try:
            plain = keeper.decrypt(one.purpose, bytes(row[one.column]), place)
        except SealBrokenError:
            log.exception("a sealed secret cannot be opened", table=one.table)
            lost += 1
            continue
        await ctx.db.execute(one.write, keeper.encrypt(one.purpose, plain, place), *key)
        done += 1
    return done, lost
