"""Every refusal is counted by its type, and carries the id under which it is logged."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from prometheus_client import REGISTRY

from lastlight.kernel.errors import Invalid
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input, post
from lastlight.runtime.http.app import create_app
from lastlight.runtime.http.system_routes import system_routes
from lastlight.runtime.module import Module
from lastlight.runtime.observability.middleware import ObservabilityMiddleware
from lastlight.runtime.settings import Settings
from tests.support.services import opened_services

pytestmark = pytest.mark.database


class BellIn(Input, frozen=True):
    """A bell to ring."""

    name: str


@post("/api/bells", public="Anybody may ring.", raises=[Invalid], limit="none")
async def ring(ctx: Ctx, data: BellIn) -> None:
    """Ring a bell; the broken one raises."""
    if data.name == "broken":
        raise RuntimeError("password=hunter2")
    raise Invalid(fields={"name": "There is no such bell."})


@pytest.fixture
async def client(database_settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    module = Module(name="bells", summary="Bells.", routes=[ring])
    async with opened_services(database_settings, [module]) as services:
        handled = create_app(services, extra_handlers=system_routes(services))
        app = ObservabilityMiddleware(handled, database_settings)  # pyright: ignore[reportArgumentType] - looser types
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # pyright: ignore[reportArgumentType] - looser types
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
            yield opened


def counted(problem: str) -> float:
    return REGISTRY.get_sample_value("lastlight_problems_total", {"type": problem}) or 0.0


@pytest.mark.parametrize(
    ("path", "body", "problem", "status"),
    [
        ("/api/bells", {"name": "none"}, "invalid", 422),
        ("/api/bells", {"name": "n", "more": 1}, "invalid", 422),
        ("/api/bells", {"name": "broken"}, "internal", 500),
        ("/api/nothing", {}, "not-found", 404),
    ],
)
async def test_a_refusal_is_counted_and_carries_its_id(
    client: httpx.AsyncClient, path: str, body: dict[str, object], problem: str, status: int
) -> None:
    before = counted(problem)
    answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"].endswith(f"/{problem}")
    assert answer.json()["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    assert "hunter2" not in answer.text
    assert counted(problem) - before == 1


async def test_the_metrics_name_their_kind_once(client: httpx.AsyncClient) -> None:
    """A content type that gives a parameter twice is refused by readers that are strict."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    kind, *parameters = answer.headers["content-type"].split("; ")
    names = [parameter.partition("=")[0] for parameter in parameters]
    assert (kind, sorted(names)) == ("text/plain", ["charset", "version"])
