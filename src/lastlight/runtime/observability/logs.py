"""Structured logs: one JSON object a line, or lines for people; every line carries the ids of its request."""

import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from lastlight.runtime.observability.redaction import hide_secrets
from lastlight.runtime.settings import Settings

_QUIET = {"asyncio": logging.WARNING, "uvicorn.error": logging.WARNING, "httpx": logging.WARNING}


def configure_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log line of this process, ours and the libraries', through one chain to `stream`, or stderr."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(settings, before))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, level))


def _formatter(settings: Settings, before: list[Processor]) -> logging.Formatter:
    rendered: list[Processor] = (
        [structlog.processors.JSONRenderer()]
        if settings.log_format == "json"
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _errors_as_text,
            hide_secrets,
            *rendered,
        ],
    )


def _errors_as_text(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Turn the error into text before the secrets are hidden, so that its text is searched too."""
    return structlog.processors.format_exc_info(logger, method, event)


def bind_request(**ids: Any) -> None:
    """Put ids on every further log line of this request or job."""
    structlog.contextvars.bind_contextvars(**ids)


def clear_request() -> None:
    """Take all ids off."""
    structlog.contextvars.clear_contextvars()
