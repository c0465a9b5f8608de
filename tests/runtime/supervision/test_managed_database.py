"""A managed server that cannot carry the platform is refused in one sentence."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision import managed_database
from lastlight.runtime.supervision.managed_database import check_managed_database
from tests.support.programs import unused_port

pytestmark = pytest.mark.database


def changed(url: str, *, user: str | None = None, password: str | None = None, database: str | None = None) -> str:
    """The address with another user, password or database."""
    parts = urlsplit(url)
    netloc = f"{user or parts.username}:{password or parts.password}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{database}" if database else parts.path))


async def refusal(url: str) -> str:
    """The sentence with which the address is refused."""
    with pytest.raises(StartError) as refused:
        await check_managed_database(url)
    return str(refused.value)


async def test_an_administrator_of_a_current_server_is_accepted(empty_database: Settings) -> None:
    await check_managed_database(empty_database.admin_dsn())


async def test_a_wrong_password_or_user(empty_database: Settings) -> None:
    place = urlsplit(empty_database.admin_dsn())
    told = f"LASTLIGHT_DATABASE_URL: 127.0.0.1:{place.port} refuses the user {{!r}} or its password."
    assert await refusal(changed(empty_database.admin_dsn(), password="wrong")) == told.format("postgres")
    assert await refusal(changed(empty_database.admin_dsn(), user="nobody_known")) == told.format("nobody_known")


async def test_a_database_that_is_not_there(empty_database: Settings) -> None:
    place = urlsplit(empty_database.admin_dsn())
    assert await refusal(changed(empty_database.admin_dsn(), database="not_made")) == (
        f"LASTLIGHT_DATABASE_URL: 127.0.0.1:{place.port} has no database 'not_made': create it first."
    )


async def test_nothing_answers() -> None:
    port = unused_port()
    assert (await refusal(f"postgresql://a:b@127.0.0.1:{port}/x")).startswith(
        f"LASTLIGHT_DATABASE_URL: nothing usable answers at 127.0.0.1:{port} ("
    )
    assert await refusal("postgresql://a:b@no-such-host.invalid/x") == (
        "LASTLIGHT_DATABASE_URL: the host 'no-such-host.invalid' is not known."
    )


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_something_else_answers(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed_database, "_CONNECT_SECONDS", 2)

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sentence = await refusal(f"postgresql://a:b@127.0.0.1:{port}/x")
    assert sentence.startswith("LASTLIGHT_DATABASE_URL: ")
    assert f"127.0.0.1:{port}" in sentence
    assert "\n" not in sentence


@pytest.fixture
async def plain_account(empty_database: Settings) -> AsyncGenerator[str]:
    """The address of an account without any right."""
    connection = await asyncpg.connect(empty_database.admin_dsn())
    name = f"plain_{secrets.token_hex(4)}"  # the server is that of all tests
    await connection.execute(f"create role {name} login password 'plain'")
    yield changed(empty_database.admin_dsn(), user=name, password="plain")
    database = await connection.fetchval("select current_database()")
    await connection.execute(f'revoke all on database "{database}" from {name}')
    await connection.execute(f"drop role {name}")
    await connection.close()


async def test_an_account_without_rights(plain_account: str, empty_database: Settings) -> None:
    name = urlsplit(plain_account).username
    assert f"the account '{name}' may not create roles" in await refusal(plain_account)
    connection = await asyncpg.connect(empty_database.admin_dsn())
    await connection.execute(f"alter role {name} createrole")
    assert "may not create schemas" in await refusal(plain_account)
    database = await connection.fetchval("select current_database()")
    await connection.execute(f'grant create on database "{database}" to {name}')
    await connection.close()
    await check_managed_database(plain_account)


async def test_an_old_server(empty_database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed_database, "LEAST_VERSION", 99)
    assert await refusal(empty_database.admin_dsn()) == (
        "LASTLIGHT_DATABASE_URL: the server is PostgreSQL 18; Last Light needs 99 or newer."
    )
