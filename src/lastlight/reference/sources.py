"""The page of the paths that the source documents name, and what answers there."""

from lastlight.apps.named_events import NAMED_EVENTS, SYSTEM_MESSAGES
from lastlight.apps.named_paths import NAMED_PATHS
from lastlight.reference.markdown import code, codes, link, page, table
from lastlight.reference.operations import heading
from lastlight.runtime.module import Registry
from lastlight.runtime.openapi import plain_path

INTRO = """\
Last Light was specified by five documents: **N** an operations and control room, **L** a system architecture, **R** backend functions, **T** a treasury
backend, **V** a completion plan. Each path that one of them names for what is built answers; where our own path is another, it is the same
operation at a second path, with the same permission, refusals and answer. The rows are those of the product's catalogue."""

EVENTS = """\
The documents name kinds of event, not names. A guest's stay is their *session*; here it is a visit, and `session.*` is a sign-in. What the socket itself says is
`system.*` (see [Live](../realtime.md)); everything else stands in the stream."""


def source_routes_page(registry: Registry) -> str:
    """Every path of a document, with the operation that answers there."""
    ours = {(op.method, op.path): op for op in registry.operations}
    rows: list[tuple[str, ...]] = []
    for named in sorted(NAMED_PATHS, key=lambda named: (named.document, named.path, named.method)):
        op = ours[named.method, named.path]
        own = op.same_as or f"{op.method} {plain_path(op.path)}"
        rows.append(
            (
                named.document,
                ", ".join(named.rows),
                codes([f"{named.method} {named.shown}"]),
                code(op.name),
                link(own, page="operations", to=own)
                if op.same_as
                else link("its own", page="operations", to=heading(op)),
            )
        )
    paths = table(["document", "rows", "path", "operation", "our path"], rows)
    return page("Source routes", INTRO, [paths, "## Events", EVENTS, _events()])


def _events() -> str:
    rows = ((named.document, named.word, ", ".join(map(_event, named.events))) for named in NAMED_EVENTS)
    return table(["document", "its word", "our events"], rows)


def _event(name: str) -> str:
    return link(name, page="events") if name not in SYSTEM_MESSAGES else code(name)
