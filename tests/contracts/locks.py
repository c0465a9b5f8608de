"""Taking locks off, one at a time: the guard's permission, the tenant in each statement, the policy behind it."""

import re
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from lastlight.kernel.errors import NotSignedIn
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.db.connection import Db
from lastlight.runtime.http import dispatch, problem_pages
from lastlight.runtime.http.operation import Operation
from tests.database.allowed import GLOBAL_TABLES
from tests.support.probes import loosened
from tests.support.world import World

NAMED = re.compile(r"(?<![\w.])(?:\w+\.)?(tenant_id|patron_id) = \$(\d+)")
"""Where a statement says whose rows it means."""
TABLES = re.compile(r"\b(?:from|join|update|into)\s+([a-z_]+)")
POLICIES = """
select p.tablename::text as table_name, p.policyname::text as name, lower(p.permissive) as permissive, lower(p.cmd) as cmd,
       array_to_string(p.roles, ', ') as roles, p.qual, p.with_check
from pg_policies p
where p.schemaname = 'public' and p.tablename <> all ($1::text[]) and (p.policyname = any ($2::text[]) or p.tablename = $3)
  and 'lastlight_app' = any (p.roles)
order by 1, 2
"""


@contextmanager
def without_permission(op: Operation, *, deep: bool = False) -> Generator[None]:
    """The guard lets everybody who is signed in through to one operation; `deep`: what the action asks is granted, too."""
    real = dispatch.admit

    def lenient(asked: Operation, actor: Actor) -> None:
        if asked is not op:
            real(asked, actor)
        elif actor.user_id is None:
            raise NotSignedIn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "admit", lenient)
        patch.setattr(problem_pages, "admit", lenient)
        if deep:
            patch.setattr(Ctx, "allows", _granted)
            patch.setattr(Ctx, "venues", _granted_everywhere)
        yield


def _granted(_ctx: Ctx, _permission: Any, _venue_id: Any = None) -> bool:
    return True


def _granted_everywhere(_ctx: Ctx, _permission: Any) -> None:
    return None


def _nobody(found: re.Match[str]) -> str:
    """Any tenant; and any guest for a guest, while staff choose theirs by the same words."""
    whose, number = found.groups()
    return f"(${number}::uuid is not null)" if whose == "tenant_id" else f"({found[0]} or ll.patron_id() is not null)"


_named: ContextVar[bool] = ContextVar("named", default=False)


@contextmanager
def naming() -> Generator[None]:
    """Inside `without_naming`: what is done here names its tenant as ever, such as the making of an example."""
    token = _named.set(True)
    try:
        yield
    finally:
        _named.reset(token)


@contextmanager
def without_naming() -> Generator[set[str]]:
    """Statements name no tenant and no guest any more: only the policies hold. Gives the tables that are touched."""
    touched: set[str] = set()

    def loose(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(self: Db, sql: str, *args: Any) -> Any:
            if _named.get():
                return real(self, sql, *args)
            touched.update(TABLES.findall(sql))
            return real(self, NAMED.sub(_nobody, sql), *args)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for name in ("fetch", "fetchrow", "execute"):
            patch.setattr(Db, name, loose(getattr(Db, name)))
        yield touched


async def policies(world: World, *names: str, table: str = "") -> list[Any]:
    """The policies for the application of these names on every tenant table, or all of those on one table."""
    return await world.sql(POLICIES, [*GLOBAL_TABLES], list(names), table)


@asynccontextmanager
async def without_policies(world: World, chosen: list[Any]) -> AsyncGenerator[None]:
    """Some policies let everything through; afterwards they stand as before."""
    for policy in chosen:
        await world.watcher.execute(loosened(policy))
    try:
        yield
    finally:
        for policy in chosen:
            await world.watcher.execute(_restored(policy))


def _restored(policy: Any) -> str:
    table, name = policy["table_name"], policy["name"]
    using = f"using ({policy['qual']})" if policy["qual"] else ""
    check = f"with check ({policy['with_check']})" if policy["with_check"] else ""
    return (
        f"drop policy {name} on {table}; create policy {name} on {table} as {policy['permissive']}"
        f" for {policy['cmd']} to {policy['roles']} {using} {check}"
    )
