"""Routes that are no operations: health, readiness, metrics, the API's description, built assets."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from lastlight.kernel.errors import NotFound
from lastlight.runtime.db.migrate import newest_migration
from lastlight.runtime.http import answer
from lastlight.runtime.http.app import request_id, respond
from lastlight.runtime.http.explorer import explorer_routes
from lastlight.runtime.observability.health import health, ready
from lastlight.runtime.observability.metrics import render_metrics
from lastlight.runtime.services import Services
from lastlight.ui.static import serve_static

AnyRequest = Request[Any, Any, Any]


def system_routes(services: Services) -> list[HTTPRouteHandler]:
    """The handlers, bound to a process's services."""
    newest = newest_migration()

    async def read_health(request: AnyRequest) -> Response[Any]:
        return _json(200, health())

    async def read_ready(request: AnyRequest) -> Response[Any]:
        ok, details = await ready(services.pools, newest=newest)
        return _json(200 if ok else 503, {"ready": ok, **details})

    async def read_metrics(request: AnyRequest) -> Response[Any]:
        body, media_type = render_metrics()
        return respond(answer.Answer(200, body, media_type, {"Cache-Control": "no-store"}))

    async def read_static(request: AnyRequest) -> Response[Any]:
        return _static(request, str(request.path_params["name"]))

    async def read_service_worker(request: AnyRequest) -> Response[Any]:
        return _static(request, request.url.path.removeprefix("/"))

    async def read_favicon(request: AnyRequest) -> Response[Any]:
        return Response(
            b"", status_code=302, headers={"Location": services.templates.globals["asset"]("favicon-patron.svg")}
        )

    return [
        _route("/health", read_health),
        _route("/ready", read_ready),
        _route("/metrics", read_metrics),
        *explorer_routes(services),
        _route("/static/{name:str}", read_static),
        _route(["/sw.js", "/door-sw.js", "/staff-sw.js"], read_service_worker),
        _route("/favicon.ico", read_favicon),
    ]


def _route(path: str | list[str], fn: Callable[..., Any]) -> HTTPRouteHandler:
    return HTTPRouteHandler(path, http_method="GET", name=fn.__name__, opt={"system": True})(fn)


def _json(status: int, value: Any) -> Response[Any]:
    body = msgspec.json.encode(value)
    return Response(body, status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"})


def _static(request: AnyRequest, name: str) -> Response[Any]:
    headers = request.headers
    found = serve_static(name, headers.get("accept-encoding", ""), headers.get("if-none-match", ""))
    if found is None:
        return respond(answer.of_problem(NotFound("There is no such file."), request_id()))
    media_type = found.headers.get("Content-Type", "application/octet-stream")
    rest = {key: value for key, value in found.headers.items() if key.lower() != "content-type"}
    return Response(found.body, status_code=found.status, media_type=media_type, headers=rest)
