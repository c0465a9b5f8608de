"""Problems for people: the form again with its errors, a toast for a button, or a page that says what to do."""

import typing
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit
from uuid import UUID

import msgspec
from msgspec.structs import FieldInfo

from lastlight.kernel.errors import Broken, Busy, ModuleOff, NotFound, NotSignedIn, Problem, SessionEnded
from lastlight.kernel.ids import TenantId
from lastlight.runtime.auth.authenticate import authenticate, reload_actor
from lastlight.runtime.auth.cookies import session_cookie_name
from lastlight.runtime.auth.errors import SecondFactorDue
from lastlight.runtime.context import Actor
from lastlight.runtime.db.uow import ATTEMPTS, SessionChanged, WorkScope, unit_of_work
from lastlight.runtime.http.answer import ADDRESS_SIGNS, Answer, of_problem
from lastlight.runtime.http.decode import pairs
from lastlight.runtime.http.dispatch import admit
from lastlight.runtime.http.operation import Operation, role_of
from lastlight.runtime.http.problems import problem_body
from lastlight.runtime.http.reply import FormState, RequestInfo, View
from lastlight.runtime.http.request import AnyRequest, kept_body, request_info
from lastlight.runtime.services import Services

SIGN_IN = "/sign-in"
SECURITY = "/account/security"


def wants_page(request: AnyRequest, op: Operation | None) -> bool:
    """Whether a person reads the answer: a page's operation, or a browser that asks for HTML."""
    if op is not None:
        return op.kind == "page"
    return "text/html" in request.headers.get("accept", "")


async def problem_page(services: Services, request: AnyRequest, problem: Problem, op: Operation | None) -> Answer:
    """The page, fragment or redirect that tells a person of a problem.

    What they may do can have changed since they were let in, as it can for the operation itself: it is read again then.
    """
    info = request_info(request, services.settings)
    for _ in range(ATTEMPTS):
        try:
            return await _told(services, request, info, problem, op)
        except SessionChanged:
            await reload_actor(services, await _reader(services, info), public=True)
        except SessionEnded:
            break
    return _led_to(info, SIGN_IN)


def bare_page(services: Services, request: AnyRequest, problem: Problem) -> Answer | None:
    """The page that tells a person of a problem without reading who they are; none for htmx, which tells it itself."""
    info = request_info(request, services.settings)
    if info.htmx:
        return None
    context = {"problem": problem_body(problem, info.request_id), **_ways_on(services, info, problem)}
    view = View("layouts/problem.html", context, problem.status)
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Answer(
        problem.status,
        services.render_bare(services.templates, info, view).encode(),
        "text/html; charset=utf-8",
        headers,
    )


async def _told(
    services: Services, request: AnyRequest, info: RequestInfo, problem: Problem, op: Operation | None
) -> Answer:
    if isinstance(problem, NotSignedIn | SessionEnded) and not (op and op.public):
        return _led_to(info, SIGN_IN)
    if isinstance(problem, SecondFactorDue):
        return _led_to(info, SECURITY)
    context = {"problem": problem_body(problem, info.request_id), "form": _form_state(request, problem, op)}
    again = op is not None and await _may_see_form(services, info, op, problem)
    if info.htmx and (not again or problem.status >= Broken.status):  # no field is at fault, and what is typed stays
        return of_problem(problem, info.request_id)
    if op is not None and again:
        block = op.form_block if info.htmx else ""
        view = View(op.form_page, context, problem.status, block, headers=problem.headers)
        return await _render(services, request, info, op, view)
    shown = {
        "status": problem.status,
        "title": problem.title,
        "detail": problem.detail,
        "request_id": info.request_id,
        **_ways_on(services, info, problem),
        **context,
    }
    # around a refusal stand the reader's own places, not the tenant's that the address names
    view = View("layouts/problem.html", shown, problem.status, headers=problem.headers)
    return await _render(services, request, info, None, view)


async def _may_see_form(services: Services, info: RequestInfo, op: Operation, problem: Problem) -> bool:
    """Whether the form is shown again: only to who may send it, since it is filled with what they may read, and only for
    something that is there, in a module that is switched on."""
    if not op.form_page or isinstance(problem, NotFound | ModuleOff):
        return False
    try:
        admit(op, await _reader(services, info))
    except Problem:
        return False
    return True


def _led_to(info: RequestInfo, page: str) -> Answer:
    """The way to a page that lets somebody in, and from there back to what they wanted to read."""
    came_from = _came_from(info)
    sign = "&" if "?" in page else "?"
    target = page + (f"{sign}next={_quoted(came_from)}" if came_from else "")
    if info.htmx:
        return Answer(200, b"", "text/html; charset=utf-8", {"HX-Redirect": target})
    return Answer(303, b"", "text/html; charset=utf-8", {"Location": target, "Cache-Control": "no-store"})


def _came_from(info: RequestInfo) -> str:
    """The page that somebody is on or wanted to read: never a part of a page, which they would see without the rest of it."""
    current = _split(info.headers.get("hx-current-url", ""))
    if info.htmx and current is not None and info.headers.get("hx-boosted") != "true":
        return _path_of(current)
    if info.method != "GET":
        return ""
    return info.path + (f"?{info.query}" if info.query else "")


def _ways_on(services: Services, info: RequestInfo, problem: Problem) -> dict[str, str]:
    """Where to go on from a page that says that we could not: to the page itself, where to ask once more may help; after
    something was sent, which no link sends again, to the page that it was sent from.
    """
    if problem.status != Busy.status:
        return {}
    if info.method == "GET":
        return {"retry_url": _here(_came_from(info))}
    sent_from = _split(info.headers.get("referer", ""))
    ours = {info.headers.get("host"), urlsplit(services.settings.base_url).netloc}
    if sent_from is None or sent_from.netloc not in ours:
        return {}
    return {"back_url": _here(_path_of(sent_from))}


def _split(address: str) -> SplitResult | None:
    """An address that a browser told; none where it told none, or nobody can read it."""
    try:
        return urlsplit(address) if address else None
    except ValueError:
        return None


def _path_of(parts: SplitResult) -> str:
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _here(path: str) -> str:
    """A path as an address of this host: two slashes, or what a browser reads as such, would lead to another."""
    return "/" + quote(path.lstrip("/\\"), safe=ADDRESS_SIGNS)


def _quoted(text: str) -> str:
    return quote(text, safe="/")


def _form_state(request: AnyRequest, problem: Problem, op: Operation | None) -> FormState:
    texts: dict[str, list[str]] = {}
    if request.method != "GET":
        try:
            texts = _offered(op, pairs(kept_body(request)))
        except Problem:
            texts = {}
    return FormState(values={name: found[-1] for name, found in texts.items()}, lists=texts, errors=problem.fields)


def _offered(op: Operation | None, texts: dict[str, list[str]]) -> dict[str, list[str]]:
    """What was sent, without choices that the form does not offer: it is drawn again with those that it has."""
    form = op.parameter("form") if op is not None else None
    if form is None:
        return texts
    fields = {field.encode_name: field for field in msgspec.structs.fields(typing.get_args(form.kind)[0])}
    return {name: found for name, found in texts.items() if name not in fields or _has(fields[name], found)}


def _has(field: FieldInfo, texts: list[str]) -> bool:
    choices = _choices(field.type)
    return not choices or all(text in choices or (text == "" and field.default is None) for text in texts)


def _choices(kind: Any) -> set[str]:
    """The texts that a field takes if it takes only some."""
    if typing.get_origin(kind) is typing.Literal:
        return {str(choice) for choice in typing.get_args(kind)}
    members = [arg for arg in typing.get_args(kind) if arg not in (type(None), msgspec.UnsetType)]
    found = [_choices(arg) for arg in members if not isinstance(arg, msgspec.Meta)]
    return set[str]().union(*found) if found and all(found) else set()


async def _render(
    services: Services, request: AnyRequest, info: RequestInfo, op: Operation | None, view: View
) -> Answer:
    actor = await _reader(services, info)
    scope = WorkScope(
        actor=actor,
        tenant_id=_tenant(op, actor, request),
        role=role_of(op, actor),
        request_id=info.request_id,
    )
    async with unit_of_work(services, scope) as ctx:
        extra: dict[str, Any] = {}
        if op is not None and op.form_context is not None and view.template == op.form_page:
            extra = await op.form_context(ctx, **request.path_params)
        shown = View(view.template, {**extra, **view.context}, view.status, view.block)
        html: str = await services.render(ctx, op, info, shown)
    headers = {"Cache-Control": "no-store", **view.headers}
    return Answer(view.status, html.encode(), "text/html; charset=utf-8", headers)


def _tenant(op: Operation | None, actor: Actor, request: AnyRequest) -> TenantId:
    if op is None or not op.scope_tenant or actor.kind != "crew":
        return actor.tenant_id
    return TenantId(UUID(str(request.path_params[op.scope_tenant])))


async def _reader(services: Services, info: RequestInfo) -> Actor:
    return await authenticate(
        services,
        authorization=info.headers.get("authorization"),
        cookie=info.cookies.get(session_cookie_name(services.settings)),
        ip=info.ip,
        user_agent=info.user_agent,
        public=True,
    )
