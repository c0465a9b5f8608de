"""OpenTelemetry: set up only where a collector is named; elsewhere a span costs one comparison."""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context

from lastlight import __version__
from lastlight.runtime.settings import Settings

_NOTHING: AbstractContextManager[None] = nullcontext()
_tracers: list[trace.Tracer] = []


def configure_tracing(settings: Settings, process: str) -> None:
    """Send the spans of this process to the collector at `otlp_endpoint`, in the background."""
    if not settings.otlp_endpoint:
        return
    # Imported here: a fifth of a second that most processes need not spend.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    about = {"service.name": "lastlight", "service.version": __version__, "lastlight.process": process}
    provider = TracerProvider(resource=Resource.create(about))
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    use_tracer(provider.get_tracer("lastlight", __version__))


def use_tracer(tracer: trace.Tracer | None) -> None:
    """Write spans with `tracer` from now on; None writes none."""
    _tracers[:] = [] if tracer is None else [tracer]


def span(name: str, **attributes: Any) -> AbstractContextManager[Any]:
    """A span around the block; attribute names take `__` for a dot. Never pass a secret or a person's value."""
    if not _tracers:
        return _NOTHING
    named = {key.replace("__", "."): value for key, value in attributes.items() if value is not None}
    return _opened(name, attributes=named)


def server_span(name: str, headers: Mapping[str, str]) -> AbstractContextManager[Any]:
    """The span of a request, below the caller's when it sent `traceparent`."""
    if not _tracers:
        return _NOTHING
    parent: Context = propagate.extract(headers)
    return _opened(name, context=parent, kind=trace.SpanKind.SERVER)


@contextmanager
def _opened(
    name: str,
    *,
    attributes: Mapping[str, Any] | None = None,
    context: Context | None = None,
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
) -> Generator[trace.Span]:
    """A span that fails under the name of its error alone: the message may hold a secret or a person's words."""
    with _tracers[0].start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


def trace_id() -> str:
    """The id of the present trace as 32 hexadecimal digits, or nothing outside of one."""
    if not _tracers:
        return ""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""
