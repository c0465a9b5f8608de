"""Structured logs: one JSON object a line, or lines for people; every line carries the ids of its request."""

import logging
import sys
from logging.handlers import WatchedFileHandler
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from lastlight.runtime.observability.redaction import hide_secrets
from lastlight.runtime.settings import Settings, SettingsError

_QUIET = {"asyncio": logging.WARNING, "uvicorn.error": logging.WARNING, "httpx": logging.WARNING}


def configure_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log line of this process, ours and the libraries', through one chain to `stream`, or stderr.

    Where a file takes the log, the terminal keeps to warnings and errors.
    """
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
    terminal = logging.StreamHandler(stream or sys.stderr)
    terminal.setFormatter(_formatter(settings, before, colours=sys.stderr.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [terminal]
    if settings.log_file:
        terminal.setLevel(max(level, logging.WARNING))
        kept = _file(settings.log_file)
        kept.setFormatter(_formatter(settings, before, colours=False))
        root.handlers.append(kept)
    root.setLevel(level)
    _look_up_less()
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, level))


def _look_up_less() -> None:
    """Spare what the standard library looks up for every line and no format of ours shows: a fifth of a line's time."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _file(path: str) -> logging.Handler:
    try:
        return WatchedFileHandler(path, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"LASTLIGHT_LOG_FILE: {path} cannot be written ({error.strerror}).") from None


def _formatter(settings: Settings, before: list[Processor], *, colours: bool) -> logging.Formatter:
    rendered: list[Processor] = (
        [structlog.processors.JSONRenderer()]
        if settings.log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)]
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
