"""The API's description: the OpenAPI document, whole or of one module, an overview of it all, and the explorer of a module.

The whole document is large, and the explorer draws all that it is given before it shows anything: it reads one module's at a time.
"""

import asyncio
import gzip
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from lastlight.kernel.errors import NotFound
from lastlight.runtime.http import answer
from lastlight.runtime.http.app import request_id, respond
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.policy import CONTENT_SECURITY_POLICY
from lastlight.runtime.module import Module
from lastlight.runtime.openapi import build_openapi, operation_id, plain_path, title_of
from lastlight.runtime.services import Services
from lastlight.ui.static import accepts

DOCUMENT = "/openapi.json"
EXPLORER = "/docs"
# The explorer's own component library writes style attributes; nothing else on the platform may.
POLICY = CONTENT_SECURITY_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
AnyRequest = Request[Any, Any, Any]


def explorer_routes(services: Services) -> list[HTTPRouteHandler]:
    """The handlers, bound to a process's services; each document is made once, when it is first asked for, however many ask at once."""
    areas = {module.name: module for module in services.registry.modules if _edges(module)}
    documents: dict[str, asyncio.Task[tuple[bytes, bytes]]] = {}

    async def read_openapi(request: AnyRequest) -> Response[Any]:
        area = request.query_params.get("area", "")
        if area and area not in areas:
            return _missing()
        if area not in documents:
            documents[area] = asyncio.create_task(asyncio.to_thread(_document, services, area))
        plain, packed = await asyncio.shield(documents[area])
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if not accepts(request.headers.get("accept-encoding", ""), "gzip"):
            return Response(plain, media_type="application/json", headers=headers)
        return Response(packed, media_type="application/json", headers=headers | {"Content-Encoding": "gzip"})

    async def read_docs(request: AnyRequest) -> Response[Any]:
        listed = [_area(areas[name]) for name in sorted(areas)]
        return _page(services, CONTENT_SECURITY_POLICY, areas=listed, area=None, openapi_url=DOCUMENT)

    async def read_area(request: AnyRequest) -> Response[Any]:
        module = areas.get(str(request.path_params["area"]))
        if module is None:
            return _missing()
        address = f"{DOCUMENT}?area={module.name}"
        return _page(services, POLICY, areas=[], area=_area(module), openapi_url=address)

    routes = {DOCUMENT: read_openapi, EXPLORER: read_docs, EXPLORER + "/{area:str}": read_area}
    return [
        HTTPRouteHandler(path, name=fn.__name__, http_method="GET", opt={"system": True})(fn)
        for path, fn in routes.items()
    ]


def _document(services: Services, area: str) -> tuple[bytes, bytes]:
    """A document as it is, and packed."""
    plain = msgspec.json.encode(build_openapi(services.registry, services.settings, area=area))
    return plain, gzip.compress(plain, mtime=0)


def _page(services: Services, policy: str, **context: Any) -> Response[Any]:
    html = services.templates.get_template("layouts/docs.html").render(context)
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return respond(answer.Answer(200, html.encode(), "text/html; charset=utf-8", headers))


def _missing() -> Response[Any]:
    return respond(answer.of_problem(NotFound(f"The API has no such area. {EXPLORER} lists them all."), request_id()))


def _edges(module: Module) -> list[Operation]:
    return [op for op in module.routes if op.kind == "api"]


def _area(module: Module) -> dict[str, Any]:
    """A module as the overview lists it: its operations in the order of their paths, each with its place in the explorer."""
    operations = [
        {
            "method": op.method,
            "path": plain_path(op.path),
            "summary": op.summary,
            "href": f"{EXPLORER}/{module.name}#{operation_id(op)}",
        }
        for op in sorted(_edges(module), key=lambda op: (op.path, op.method))
    ]
    return {"name": module.name, "title": title_of(module), "summary": module.summary, "operations": operations}
