"""Asking for an export: which list, who may, and the query in the shape in which the list itself takes it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from lastlight.kernel.errors import Invalid
from lastlight.runtime.context import Ctx
from lastlight.runtime.exports.events import EXPORTS_CREATE
from lastlight.runtime.http.decode import convert_text
from lastlight.runtime.http.dispatch import require_module
from lastlight.runtime.http.listing import Listing

PAGING = ("after", "limit", "count")
"""What pages a list has nothing to say to an export, which takes all of it."""
Scalar = str | bool | int | float | None
Query = dict[str, Scalar | list[Scalar]]


async def check_may_export(ctx: Ctx, listing: Listing[Any]) -> None:
    """Refuse who may not export, or may not read the list, or whose business has switched its module off."""
    ctx.require(EXPORTS_CREATE)
    if listing.permission is not None:
        ctx.require(listing.permission)
    for module in ctx.services.registry.modules:
        if module.toggle and any(mine is listing for mine in module.listings):
            await require_module(ctx, module.toggle)


def read_query(listing: Listing[Any], query: Mapping[str, Any]) -> Any:
    """A query as the list takes it from an address; Invalid below `query` for what it does not know."""
    texts = {name: _texts(value) for name, value in query.items() if name not in PAGING}
    try:
        return convert_text({name: found for name, found in texts.items() if found}, listing.query_type)
    except Invalid as problem:
        raise Invalid(fields={f"query.{path}": sentence for path, sentence in problem.fields.items()}) from problem


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        entries: list[Any] = value  # pyright: ignore[reportUnknownVariableType] decoded JSON
        return [text for entry in entries for text in _texts(entry)]
    if value is None:
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [value if isinstance(value, str) else msgspec.json.encode(value).decode()]
