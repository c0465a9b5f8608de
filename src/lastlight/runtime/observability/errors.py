"""Unexpected errors go to Sentry where a project is named; without a person, a body, a header or a secret."""

from typing import Any, cast

from lastlight import __version__
from lastlight.runtime.observability.redaction import clean, path_only
from lastlight.runtime.settings import Settings

_TAGS = ("request_id", "trace_id", "operation", "route", "job", "job_id")
_KNOWN_OTHERWISE = frozenset({"exc_info", "level", "logger", "timestamp", "stack_info"})


def configure_errors(settings: Settings, process: str) -> None:
    """Report what is logged as an error, and what ends the process."""
    if not settings.sentry_dsn:
        return
    # Imported here: a third of a second that most processes need not spend.
    import sentry_sdk  # noqa: PLC0415
    from sentry_sdk.integrations.atexit import AtexitIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.dedupe import DedupeIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.logging import LoggingIntegration  # noqa: PLC0415

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=f"lastlight@{__version__}",
        server_name=process,
        default_integrations=False,
        integrations=[
            LoggingIntegration(),
            ExcepthookIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=_send_quietly),
        ],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=cast("Any", without_people),
        before_breadcrumb=cast("Any", without_secrets),
    )


def without_secrets(crumb: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """A breadcrumb as the log line's message, without secrets."""
    line = _told(getattr(hint.get("log_record"), "msg", None))
    told = {"message": line["logentry"]["message"], "data": line["extra"]} if line else {}
    kept: dict[str, Any] = clean(crumb | told, depth=12)
    return kept


def _told(line: Any) -> dict[str, Any]:
    """A log line as a report's message, its tags to search by, and the rest; so that equal messages are one issue."""
    if not isinstance(line, dict):
        return {}
    said = {str(name): value for name, value in cast("dict[Any, Any]", line).items()}
    message = str(said.pop("event", ""))
    tags = {name: str(said.pop(name)) for name in _TAGS if name in said}
    rest = {name: value for name, value in said.items() if name not in _KNOWN_OTHERWISE}
    return {"logentry": {"message": message, "formatted": message}, "tags": tags, "extra": rest}


def _send_quietly(_pending: int, _timeout: float) -> None:
    """Sentry sends what it still holds at the end of the process; the terminal need not hear of it."""


def without_people(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """A report without its person, request body, headers and cookies, and without secrets anywhere."""
    event.pop("user", None)
    event |= _told(getattr(hint.get("log_record"), "msg", None))
    request = event.pop("request", None)
    kept: dict[str, Any] = clean(event, depth=12)
    if isinstance(request, dict):
        asked = cast("dict[str, Any]", request)
        kept["request"] = {"method": asked.get("method"), "url": path_only(str(asked.get("url", "")))}
    return kept
