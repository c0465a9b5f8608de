"""The web application: the registry's operations as Litestar routes, and the few routes that are no operations."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from itertools import product
from typing import Any, Self

import structlog
from litestar import Litestar, Request, Response, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import Cookie as LitestarCookie
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from lastlight.kernel.errors import Busy, Malformed, MethodNotAllowed, NotFound, Problem, TooLarge
from lastlight.runtime.http import answer
from lastlight.runtime.http.dispatch import dispatch
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.packing import pack
from lastlight.runtime.http.policy import CONTENT_SECURITY_POLICY
from lastlight.runtime.http.problem_pages import bare_page, problem_page, wants_page
from lastlight.runtime.http.problems import as_problem
from lastlight.runtime.http.request import AnyRequest
from lastlight.runtime.module import Module
from lastlight.runtime.observability.metrics import PROBLEMS
from lastlight.runtime.services import Services

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=()",
    "X-Frame-Options": "DENY",
}


def create_app(
    services: Services,
    *,
    extra_handlers: Sequence[Any] = (),
    on_start: Sequence[Callable[[], Any]] = (),
    on_stop: Sequence[Callable[[], Any]] = (),
) -> Litestar:
    """A Litestar application of every operation in the registry; `extra_handlers` are assets, health and the like."""
    registry = services.registry
    routes = _Operations(_route(services, op, registry.module_of[id(op)]) for op in registry.operations)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncGenerator[None]:
        for start in on_start:
            await start()
        yield
        for stop in on_stop:
            await stop()

    settings = services.settings
    cors = CORSConfig(
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-Request-Id"],
        expose_headers=["ETag", "X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"],
    )
    return Litestar(
        route_handlers=[routes, *extra_handlers],
        openapi_config=None,
        cors_config=cors if settings.cors_origins else None,
        lifespan=[lifespan],
        logging_config=None,
        exception_handlers={Exception: _failed(services)},
        request_max_body_size=None,
        debug=False,
    )


class _Operations(Router):
    """All operations, registered with the application in one go.

    One by one, Litestar walks all that are there again for each that comes: half of the time that a web process took to start.
    """

    def __init__(self, handlers: Iterable[HTTPRouteHandler]) -> None:
        super().__init__("/", route_handlers=[])  # pyright: ignore[reportUnknownMemberType] - Litestar's own types
        self._by_path: dict[str, dict[Any, HTTPRouteHandler]] = {}
        for handler in handlers:
            handler.owner = self
            for path, method in product(handler.paths, handler.http_methods):
                assert method not in self._by_path.setdefault(path, {}), f"{method} {path} is declared twice"
                self._by_path[path][method] = handler

    def __deepcopy__(self, memo: object) -> Self:
        """Litestar copies a router that it registers; this one is registered once."""
        return self

    @property
    def route_handler_method_map(self) -> Any:
        """The handlers by path and method."""
        return self._by_path


def _route(services: Services, op: Operation, module: Module) -> HTTPRouteHandler:
    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        try:
            result = await dispatch(services, op, module, request)
            return respond(await pack(result, _accept_encoding(request), secret=op.secret), page=op.kind == "page")
        except Exception as error:  # noqa: BLE001 - the one place where an error of an operation becomes its answer
            return await _refusal(services, request, as_problem(error), op)

    handle.__name__ = f"{op.name}_{op.method.lower()}"
    # Litestar refuses a handler that answers 204; ours sets its own status
    declared = 200 if op.status == 204 else op.status
    method: Any = op.method
    route = HTTPRouteHandler(
        op.path, http_method=method, status_code=declared, name=f"{op.method} {op.path}", opt={"operation": op}
    )
    return route(handle)


async def _refusal(services: Services, request: AnyRequest, problem: Problem, op: Operation | None) -> Response[Any]:
    PROBLEMS.labels(problem.type).inc()
    if wants_page(request, op):
        try:
            result = await problem_page(services, request, problem, op)
            return respond(await pack(result, _accept_encoding(request)), page=True)
        except Exception as error:  # noqa: BLE001 - a page that cannot be drawn still answers
            undrawn = as_problem(error)
            if isinstance(undrawn, Busy):  # what became of the request is told, not that nobody can read who asks
                return await _bare_refusal(services, request, problem)
            problem = undrawn
    return respond(answer.of_problem(problem, request_id()))


async def _bare_refusal(services: Services, request: AnyRequest, problem: Problem) -> Response[Any]:
    """The page of a problem while the database is away; htmx makes a toast of the problem itself."""
    result = bare_page(services, request, problem) or answer.of_problem(problem, request_id())
    return respond(await pack(result, _accept_encoding(request)), page=True)


def _accept_encoding(request: AnyRequest) -> str:
    return request.headers.get("accept-encoding", "")


def request_id() -> str:
    """The id that the observability middleware gave this request."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def _failed(services: Services) -> Callable[[AnyRequest, Exception], Any]:
    """What goes wrong outside an operation: no such path, no such method, a request that Litestar cannot read."""

    def handle(request: AnyRequest, error: Exception) -> Response[Any]:
        problem = _outside(error)
        if wants_page(request, None):
            return _Drawn(_refusal(services, request, problem, None))
        PROBLEMS.labels(problem.type).inc()
        return respond(answer.of_problem(problem, request_id()))

    return handle


class _Drawn(Response[Any]):
    """A response that is still being made when it is asked for: Litestar's exception handlers cannot wait."""

    def __init__(self, coming: Coroutine[Any, Any, Response[Any]]) -> None:
        super().__init__(content=None)
        self._coming = coming

    def to_asgi_response(self, **options: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - it answers by itself
        """An ASGI application that waits for the response, then sends it."""

        async def send_it(scope: Any, receive: Any, send: Any) -> None:
            response: Any = await self._coming
            await response.to_asgi_response(**options)(scope, receive, send)

        return send_it


def _outside(error: Exception) -> Problem:
    if isinstance(error, NotFoundException):
        return NotFound("There is nothing at this address.")
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed(headers=dict(error.headers or {}))
    if isinstance(error, HTTPException) and error.status_code == 413:
        return TooLarge()
    if isinstance(error, HTTPException) and 400 <= error.status_code < 500:
        return Malformed("The request could not be read.")
    return as_problem(error)


def respond(result: answer.Answer, *, page: bool = False) -> Response[Any]:
    """An Answer as a Litestar response."""
    headers = {**SECURITY_HEADERS, "X-Request-Id": request_id(), **result.headers}
    if page or result.media_type.startswith("text/html"):
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    cookies = [_cookie(cookie) for cookie in result.cookies]
    media_type = result.media_type.removesuffix("; charset=utf-8")  # Litestar names the charset of every text
    if isinstance(result.body, bytes):
        return Response(result.body, status_code=result.status, media_type=media_type, headers=headers, cookies=cookies)
    return Stream(result.body, status_code=result.status, media_type=media_type, headers=headers, cookies=cookies)


def _cookie(cookie: Any) -> LitestarCookie:
    return LitestarCookie(
        key=cookie.name,
        value=cookie.value,
        max_age=cookie.max_age,
        httponly=cookie.http_only,
        path=cookie.path,
        samesite="lax",
        secure=cookie.secure,
    )
