"""The page of events: what happened, said once, and who hears it."""

import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from lastlight.kernel.events import Envelope, Event
from lastlight.reference.markdown import code, codes, facts, link, page, prose, table
from lastlight.reference.schemas import kind_of, limits_of, types
from lastlight.runtime.http.remarks import field_remarks
from lastlight.runtime.module import Registry

INTRO = """\
An event is written in the transaction of the change, gets the next sequence number of its tenant, and reaches its audience by socket (at
`/realtime/`) and by `GET /api/events`. Whoever holds the permission that is named, at the event's venue if it has one, hears it; a guest hears
what concerns them. Every event enters the [audit chain](../architecture.md), heard by anybody or not."""


def events_page(registry: Registry) -> str:
    """Every event, by the module that brings it."""
    parts = ["## The envelope", prose(Envelope.__doc__ or ""), _fields(Envelope)]
    for module in registry.modules:
        if module.events:
            parts.append(f"## {module.name}")
            for event in sorted(module.events, key=lambda event: event.event_name):
                parts += _event(event, registry)
    return page("Events", INTRO, [*parts, *_types(registry)])


def _types(registry: Registry) -> Iterable[str]:
    """A section for each type that fields of events are made of."""
    _, known = msgspec.json.schema_components(registry.events.values(), ref_template="#/components/schemas/{name}")
    sections = list(types({"components": {"schemas": known}}))
    return ["## Types", *sections] if sections else []


def _event(event: type[Event], registry: Registry) -> Iterable[str]:
    reactions = sorted(r.job.name for r in registry.reactions if r.event.event_name == event.event_name)
    return (
        f"### {event.event_name}",
        prose(event.__doc__ or ""),
        facts(
            [
                ("Heard by", _audience(event)),
                ("Version", str(event.event_version)),
                ("Webhooks", "may subscribe to it" if event.webhook else ""),
                ("Starts", ", ".join(link(name, page="jobs") for name in reactions)),
            ]
        ),
        _fields(event) or "It carries no data.",
    )


def _audience(event: type[Event]) -> str:
    if event.audience is None:
        return "the guest whom it concerns, if there is one; it enters the audit chain"
    return f"whoever holds {link(event.audience.name, page='permissions')}, and the guest whom it concerns"


def _fields(kind: type[msgspec.Struct]) -> str:
    remarks = field_remarks(kind)
    hints = typing.get_type_hints(kind, include_extras=True)
    rows = ((code(name), _kind(hints[name]), _meaning(hints[name], remarks.get(name, ""))) for name in _names(kind))
    return table(["field", "type", "meaning"], rows)


def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return kind.__struct_fields__


def _schema(kind: Any) -> dict[str, Any]:
    """The schema of one field, with the structs that it holds written out as their names."""
    (schema,), _ = msgspec.json.schema_components([kind], ref_template="{name}")
    return schema


def _kind(kind: Any) -> str:
    schema = _schema(kind)
    structs = [member for member in (schema, *schema.get("anyOf", ())) if "$ref" in member]
    return codes(member["$ref"] for member in structs) or kind_of(schema)


def _meaning(kind: Any, remark: str) -> str:
    return ". ".join(part for part in (remark.rstrip("."), limits_of(_schema(kind))) if part)
