"""How PostgreSQL would read what a page asks: every statement that it sends is explained where and as whom it is sent."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from lastlight.runtime.db.connection import Db
from tests.support.list_plans import MANY

READS = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
TAKES_ALL = {"Sort", "Incremental Sort", "Hash", "Aggregate", "WindowAgg", "Materialize"}
"""The steps of a plan that ask for every row below them before they give the first."""
METHODS = ("fetch", "fetchrow")


@dataclass(slots=True)
class Asked:
    """What was asked meanwhile: how many statements, and those that read all of a large table."""

    large: frozenset[str]
    statements: int = 0
    whole: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """The table, and the beginning of the statement."""

    async def explain(self, connection: Any, sql: str, args: tuple[Any, ...]) -> None:
        """Read the plan for anybody's values: that of a prepared statement, which a large business's is."""
        plan = await connection.fetchval(f"explain (format json, generic_plan) {sql}", *args)
        self.statements += 1
        for table in read_whole(plan[0]["Plan"]) & self.large:
            self.whole.add((table, " ".join(sql.split())))


def read_whole(plan: dict[str, Any], *, stops: bool = False) -> set[str]:
    """The tables of which a plan reads all, or of which it takes more rows than a page may: by whatever index, as a sum over a business would.

    Below a limit a scan `stops` when the page is full, unless all its rows are sorted, hashed or summed first.
    """
    name = plan.get("Relation Name", "")
    dear = plan["Node Type"] == "Seq Scan" or (not stops and plan["Plan Rows"] > MANY)
    found = {name} if name and dear else set[str]()
    stops = plan["Node Type"] == "Limit" or (stops and plan["Node Type"] not in TAKES_ALL)
    for child in plan.get("Plans", ()):
        found |= read_whole(child, stops=stops)
    return found


@contextmanager
def explained(large: frozenset[str]) -> Generator[Asked]:
    """Explain every read of the units of work that run meanwhile, in their own transactions, with their roles and policies."""
    asked = Asked(large)

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        async def run(self: Db, sql: str, *args: Any) -> Any:
            if READS.match(sql):
                await asked.explain(self.connection, sql, args)
            return await real(self, sql, *args)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for name in METHODS:
            patch.setattr(Db, name, wrapped(getattr(Db, name)))
        yield asked
