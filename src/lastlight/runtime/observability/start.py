"""Everything a process does to be observed, in one call."""

from lastlight.runtime.observability.errors import configure_errors
from lastlight.runtime.observability.logs import configure_logs
from lastlight.runtime.observability.tracing import configure_tracing
from lastlight.runtime.settings import Settings


def observe(settings: Settings, process: str) -> None:
    """Set up logs, error reports and traces; `process` is the command that runs."""
    configure_logs(settings)
    configure_errors(settings, process)
    configure_tracing(settings, process)
