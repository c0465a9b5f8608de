"""Lists: filters, the newest first, a cursor in either direction."""

import json
from collections.abc import Mapping
from typing import Any, cast

from lastlight.sandbox.desk import Desk
from lastlight.sandbox.events import shown
from lastlight.sandbox.problems import Json, Refusal
from lastlight.sandbox.store import body_of, row, rows

# :filters holds for each path the values of which the object has one; an event's type may be a pattern.
_MATCHES = """
    account = :account and kind = :kind and created between :since and :until
    and not exists (
        select 1 from json_each(:filters) f
        where not exists (
            select 1 from json_each(f.value) v
            where json_extract(body, '$.' || f.key) is v.value
               or (kind = 'event' and json_extract(body, '$.' || f.key) glob v.value)
        )
    )
"""
_AFTER = f"select body from object where {_MATCHES} and seq < :cursor order by seq desc limit :limit"  # noqa: S608 - a constant
_BEFORE = f"select body from object where {_MATCHES} and seq > :cursor order by seq limit :limit"  # noqa: S608 - a constant
_END = 2**62


def page(desk: Desk, kind: str, params: Json, url: str, *, fields: Mapping[str, Any] | None = None) -> Json:
    """One page of a kind; `fields` are filters by path, each a value or a list of them."""
    filters = {name: _listed(one) for name, one in (fields or {}).items() if one is not None}
    limit = params.get("limit", 10)
    backwards = "ending_before" in params
    values: dict[str, object] = {
        "account": desk.account,
        "kind": kind,
        "filters": json.dumps(filters),
        "limit": limit + 1,
        "cursor": _cursor(desk, kind, params),
        **_bounds(params.get("created") or {}),
    }
    found = [body_of(one) for one in desk.db.execute(_BEFORE if backwards else _AFTER, values)]
    data = found[:limit][::-1] if backwards else found[:limit]
    return {"object": "list", "data": data, "has_more": len(found) > limit, "url": url}


def everything(desk: Desk, kind: str, **fields: object) -> list[Json]:
    """All objects of a kind with these values, the newest first."""
    sql = "select body from object where account = ? and kind = ? order by seq desc"
    found = map(body_of, rows(desk.db, sql, desk.account, kind))
    return [one for one in found if all(one.get(name) == value for name, value in fields.items())]


def whole_list(data: list[Json], url: str) -> Json:
    """A list inside an object."""
    return {"object": "list", "data": [shown(one) for one in data], "has_more": False, "url": url}


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _cursor(desk: Desk, kind: str, params: Json) -> int:
    if "starting_after" in params and "ending_before" in params:
        raise Refusal("You can pass either starting_after or ending_before, not both.", param="ending_before")
    for name in ("starting_after", "ending_before"):
        if name in params:
            sql = "select seq from object where account = ? and kind = ? and id = ?"
            found = row(desk.db, sql, desk.account, kind, params[name])
            if found is None:
                raise Refusal(f"No such object: '{params[name]}'", code="resource_missing", param=name)
            return found["seq"]
    return _END


def _bounds(created: Mapping[str, int]) -> dict[str, object]:
    return {
        "since": max(created.get("gte", 0), created.get("gt", -1) + 1),
        "until": min(created.get("lte", _END), created.get("lt", _END) - 1),
    }
