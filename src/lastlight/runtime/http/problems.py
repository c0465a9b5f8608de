"""Problems on the wire: RFC 9457 JSON for machines."""

from typing import Any

import asyncpg
import msgspec
import structlog

from lastlight.kernel.errors import Broken, Busy, Invalid, Problem
from lastlight.runtime.db.uow import RETRIED, is_unavailable

log = structlog.get_logger(__name__)

TYPE_BASE = "https://lastlight.dev/problems/"
MEDIA_TYPE = "application/problem+json"


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """RFC 9457: type, title, status, detail, instance; and the fields at fault, by path."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    fields: dict[str, str] = {}


def problem_body(problem: Problem, request_id: str) -> dict[str, Any]:
    """The members of a problem's JSON object, extensions included."""
    body = ProblemBody(
        type=TYPE_BASE + problem.type,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=f"urn:request:{request_id}",
        fields=problem.fields,
    )
    return {**problem.extra, **msgspec.to_builtins(body)}


def as_problem(error: Exception) -> Problem:
    """Any exception as a problem; what nobody foresaw is logged with its traceback and told as `internal`."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RETRIED):
        log.warning("gave up after deadlocks", error=f"{type(error).__name__}: {error}")
        return Busy("Others were changing the same thing, and nothing was changed here. Try again in a few seconds.")
    if isinstance(error, asyncpg.QueryCanceledError) or is_unavailable(error):
        log.warning("database unavailable", error=f"{type(error).__name__}: {error}")
        return Busy()
    if isinstance(error, asyncpg.DataError):
        return Invalid("A value is outside what can be stored; check numbers and times.")
    log.error("unexpected error", exc_info=error)
    return Broken()
