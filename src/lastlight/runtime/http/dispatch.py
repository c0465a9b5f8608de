"""From a request to an answer: authenticate, permit, count, decode, one transaction, answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from lastlight.kernel.errors import (
    Busy,
    KeyRequired,
    ModuleOff,
    NotFound,
    NotPermitted,
    NotSignedIn,
    Problem,
    ReadOnly,
    SessionEnded,
    UnsupportedMedia,
    Unsure,
)
from lastlight.kernel.ids import TenantId
from lastlight.runtime import limits
from lastlight.runtime.auth.authenticate import anonymous, authenticate, reload_actor, renewed_cookie
from lastlight.runtime.auth.cookies import known_cookie_name, session_cookie_name
from lastlight.runtime.auth.errors import SecondFactorDue
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.db.bounded import begin_waiting
from lastlight.runtime.db.uow import ATTEMPTS, RETRIED, SessionChanged, WorkScope, stand_back, unit_of_work
from lastlight.runtime.events.catch_up import stream_head
from lastlight.runtime.http import answer, idempotency
from lastlight.runtime.http.decode import convert_text, decode_json, decode_query, pairs, refuse_query
from lastlight.runtime.http.looks import note_look
from lastlight.runtime.http.operation import Operation, Parameter, converter, role_of
from lastlight.runtime.http.reply import Form, RequestInfo
from lastlight.runtime.http.request import (
    AnyRequest,
    read_body,
    read_if_match,
    refuse_cross_site,
    request_info,
    require_json,
)
from lastlight.runtime.module import Module
from lastlight.runtime.services import Services
from lastlight.ui.reader import current_zone, locale_of, reading_as

PAGE_PARAMETERS = ("fragment",)
"""Query parameters of every page: the block to answer with."""


@dataclass(slots=True)
class Call:
    """One call of an operation, as far as it is known."""

    op: Operation
    module: Module
    info: RequestInfo
    actor: Actor
    body: bytes = b""
    arguments: dict[str, Any] | None = None


async def dispatch(services: Services, op: Operation, module: Module, request: AnyRequest) -> answer.Answer:
    """Answer a request to an operation. Raises Problem, which the caller writes."""
    begin_waiting()
    info = request_info(request, services.settings)
    actor = await authenticate(
        services,
        authorization=info.headers.get("authorization"),
        cookie=info.cookies.get(session_cookie_name(services.settings)),
        ip=info.ip,
        user_agent=info.user_agent,
        public=bool(op.public),
    )
    try:
        with reading_as(
            locale=locale_of(actor.locale), zone=current_zone()
        ):  # a refusal names amounts as its reader writes them
            result = await _answered(services, Call(op, module, info, actor), request)
    except Problem as problem:
        await note_look(services, op, info, actor, outcome=problem.type)
        raise
    await note_look(services, op, info, actor, outcome="shown")
    return result


async def _answered(services: Services, call: Call, request: AnyRequest) -> answer.Answer:
    op = call.op
    refuse_cross_site(op, call.actor, call.info.headers, services.settings.base_url)
    call.actor = await _admitted(services, op, call.actor)
    if call.actor.looking is not None and op.looking:
        call.actor = anonymous(call.actor)  # it ends the look, which writes nothing itself
    actor = call.actor
    by_account = op.limit in {"auth", "refresh"}
    rate = {} if by_account else await limits.count(services, op, actor)
    call.body = await _read_body(services, op, request)
    call.arguments = await _arguments(call, request)
    if by_account:
        known = call.info.cookies.get(known_cookie_name(services.settings))
        rate = await limits.count(services, op, actor, arguments=call.arguments, known=known)
    if op.prepare is not None:
        prepared = await op.prepare(services, _sent(call.arguments), actor)
        if op.parameter("prepared") is not None:
            call.arguments["prepared"] = prepared
    result = await run(services, call)
    result.headers.update(rate)
    keep_signed_in(services, call, result)
    return result


def _sent(arguments: Mapping[str, Any]) -> Any:
    """What was sent, for the slow part of an operation: a form that holds, an upload, a body or a query."""
    if "form" in arguments:
        return arguments["form"].require()
    if "body" in arguments:
        return arguments  # an upload: what it is for stands in the query, its type in the request
    return arguments.get("data", arguments.get("query"))


def keep_signed_in(services: Services, call: Call, result: answer.Answer) -> None:
    """Renew the console's cookie now and then, so that its seven days count from the last visit."""
    name = session_cookie_name(services.settings)
    if call.actor.channel == "cookie" and all(cookie.name != name for cookie in result.cookies):
        renewed = renewed_cookie(services, call.info.cookies.get(name))
        result.cookies = [*result.cookies, renewed] if renewed else result.cookies


async def _admitted(services: Services, op: Operation, actor: Actor) -> Actor:
    """The actor whom the guard lets through; who is refused is read anew once, as they may have been given more since."""
    try:
        admit(op, actor)
    except NotPermitted:
        actor = await reload_actor(services, actor)
        admit(op, actor)
    return actor


def admit(op: Operation, actor: Actor) -> None:
    """The guard: refuse who is not signed in, or holds no such permission anywhere."""
    if actor.looking is not None and op.writes and not op.looking:
        raise ReadOnly
    if op.public:
        return
    if actor.user_id is None:
        raise NotSignedIn(headers={"WWW-Authenticate": "Bearer"})
    if op.permission is not None and not actor.grants.allows(op.permission):
        refusal = SecondFactorDue if actor.factor_due else NotPermitted
        raise refusal(extra={"permission": op.permission.name})
    if (op.scope_tenant or op.for_crew) and actor.kind != "crew":
        raise NotPermitted  # only the crew acts inside a tenant that the path names, and uses the platform's console


async def run(services: Services, call: Call) -> answer.Answer:
    """Run the operation in its transaction; again, whole, after a deadlock or when the session's permissions changed."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with unit_of_work(services, _scope(call)) as ctx:
                return await _in_transaction(ctx, call)
        except SessionChanged:
            if attempt == ATTEMPTS:
                raise SessionEnded from None
            call.actor = await reload_actor(services, call.actor, public=bool(call.op.public))
            admit(call.op, call.actor)
        except SessionEnded:
            if not call.op.public or call.actor.session_id is None:
                raise
            call.actor = anonymous(call.actor)
        except Unsure as problem:
            if call.op.writes:
                raise
            raise Busy from problem  # it only read
        except RETRIED:
            if attempt == ATTEMPTS:
                raise
            await stand_back(attempt)
    raise SessionEnded


async def _in_transaction(ctx: Ctx, call: Call) -> answer.Answer:
    op = call.op
    toggle = op.toggle or call.module.toggle
    if toggle:
        await require_module(ctx, toggle)
    if op.sensitive:
        ctx.record(op.sensitive, entity=("operation", call.info.path))
    if op.kind == "page" and op.method == "GET" and ctx.actor.user_id is not None:
        ctx.drawn_at = await stream_head(ctx)
    key = ctx.idempotency_key
    if not key:
        return await answer.make(ctx, op, call.info, await op.fn(**_given(ctx, call)))
    digest = idempotency.request_hash(op.method, call.info.path, call.info.query, call.body)
    kept = await idempotency.claim(ctx, key=key, operation=op.name, digest=digest)
    if kept is not None:
        return answer.replayed(kept)
    result = await answer.make(ctx, op, call.info, await op.fn(**_given(ctx, call)))
    if isinstance(result.body, bytes):
        plain = {name: value for name, value in result.headers.items() if name not in answer.NEVER_KEPT}
        kept = idempotency.Kept(result.status, result.body, {**plain, "Content-Type": result.media_type})
        await idempotency.keep(ctx, key=key, operation=op.name, digest=digest, answer=kept)
    return result


def _given(ctx: Ctx, call: Call) -> dict[str, Any]:
    given = dict(call.arguments or {})
    for parameter in call.op.parameters:
        if parameter.source == "ctx":
            given[parameter.name] = ctx
    return given


async def require_module(ctx: Ctx, toggle: str) -> None:
    """Refuse when the tenant has switched the module off."""
    enabled = await ctx.db.fetchval(
        "select enabled from tenant_modules where tenant_id = $1 and module = $2", ctx.tenant_id, toggle
    )
    if not enabled:
        raise ModuleOff(f"The module {toggle} is switched off for this business; the platform can switch it on.")


def _scope(call: Call) -> WorkScope:
    op, actor = call.op, call.actor
    tenant_id, role = actor.tenant_id, role_of(op, actor)
    if op.scope_tenant:
        tenant_id = TenantId(UUID(str((call.arguments or {})[op.scope_tenant])))
    honoured = op.idempotent or (op.writes and not op.public and not op.secret)
    raw = call.info.headers.get("idempotency-key") if honoured else None
    if op.idempotent and raw is None:
        raise KeyRequired
    return WorkScope(
        actor=actor,
        tenant_id=tenant_id,
        role=role,
        request_id=call.info.request_id,
        idempotency_key=idempotency.read_key(raw) if raw is not None else "",
    )


async def _read_body(services: Services, op: Operation, request: AnyRequest) -> bytes:
    if not op.writes:
        return b""
    return await read_body(request, op.body_limit or services.settings.request_body_limit)


async def _arguments(call: Call, request: AnyRequest) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for parameter in call.op.parameters:
        if parameter.source not in {"ctx", "prepared"}:
            given[parameter.name] = await _argument(call, parameter, request)
    if call.op.parameter("query") is None and call.op.kind == "api":
        refuse_query(call.info.query)
    structlog.contextvars.bind_contextvars(operation=call.op.name)
    return given


async def _argument(call: Call, parameter: Parameter, request: AnyRequest) -> Any:
    match parameter.source:
        case "path":
            return _path_value(call.op, parameter, request.path_params[parameter.name])
        case "query":
            ignore = PAGE_PARAMETERS if call.op.kind == "page" else ()
            return decode_query(request.scope["query_string"], parameter.kind, ignore=ignore)
        case "data":
            require_json(call.info.headers)
            return decode_json(call.body, parameter.kind)
        case "form":
            return _form(call, parameter)
        case "if_match":
            return read_if_match(call.info.headers)
        case "body":
            return call.body
        case _:
            return call.info


def _path_value(op: Operation, parameter: Parameter, value: Any) -> Any:
    """Litestar has already parsed it by the path's own type."""
    if isinstance(value, str) and "\x00" in value:
        raise NotFound
    if isinstance(value, str) and f"{{{parameter.name}:uuid}}" in op.path:
        return converter("uuid")(value)
    return value


def _form(call: Call, parameter: Parameter) -> Form[Any]:
    media = call.info.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if call.body and media != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("Send the form as application/x-www-form-urlencoded.")
    texts = pairs(call.body)
    values = {name: found[-1] for name, found in texts.items()}
    kind = parameter.kind.__args__[0]
    try:
        return Form(values, convert_text(texts, kind), {})
    except answer.Invalid as problem:
        return Form(values, None, problem.fields)
