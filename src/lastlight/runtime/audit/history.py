"""The history of one thing, as a page's rail shows it."""

from typing import Any
from uuid import UUID

import msgspec

from lastlight.runtime.audit.entries import AUDIT_READ
from lastlight.runtime.context import Ctx

HISTORY = """
select a.seq, a.at, a.name, a.payload from audit_entries a
where a.tenant_id = $1 and a.entity = $2 and a.entity_id = $3
order by a.seq desc limit $4
"""
HIDDEN = {"version", "updated_at"}
MOST_FIELDS = 8
MOST_LETTERS = 80


async def entity_history(
    ctx: Ctx, *, entity: str, entity_id: UUID | str, limit: int = 12
) -> list[dict[str, Any]] | None:
    """The newest entries about a thing, as the timeline component takes them; None for who may not read the audit log."""
    if not ctx.allows(AUDIT_READ):
        return None
    rows = await ctx.db.fetch(HISTORY, ctx.tenant_id, entity, str(entity_id), limit)
    return [_entry(row) for row in rows]


def words_of(name: str) -> str:
    """An event's name as words: "venue.key_regenerated" is "key regenerated"."""
    return name.rsplit(".", 1)[-1].replace("_", " ")


def changes_of(before: Any, after: Any) -> tuple[str | None, str | None]:
    """What was and what is, a line a field, without the fields that say nothing to a person: those that stayed as they were, too."""
    if isinstance(before, dict) and isinstance(after, dict):
        before, after = _apart(before, after)  # pyright: ignore[reportUnknownArgumentType] decoded JSON
    return _lines(before), _lines(after)


def _entry(row: Any) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.json.decode(row["payload"]) if row["payload"] else {}
    before, after = changes_of(said.get("before"), said.get("after"))
    return {
        "who": said.get("actor") or "Somebody",
        "what": words_of(row["name"]),
        "at": row["at"],
        "note": said.get("reason") or "",
        "before": before,
        "after": after,
    }


def _apart(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both without the fields that say the same in both."""
    same = {name for name, part in before.items() if name in after and after[name] == part}
    was, is_now = ({name: part for name, part in one.items() if name not in same} for one in (before, after))
    return was, is_now


def _lines(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] decoded JSON
    said = [(name, part) for name, part in fields.items() if name not in HIDDEN and part not in (None, "", [], {})]
    lines = [f"{name.replace('_', ' ')}: {_short(part)}" for name, part in said[:MOST_FIELDS]]
    return "\n".join([*lines, "…"] if len(said) > MOST_FIELDS else lines) or None


def _short(value: Any) -> str:
    """A value for a person: what a thing holds, without the braces around it."""
    text = ", ".join(_leaves(value))
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        fields: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] decoded JSON
        if {"opens", "closes"} <= fields.keys():
            return [f"{fields['opens']}–{fields['closes']}"]
        return [leaf for part in fields.values() for leaf in _leaves(part)]
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType] decoded JSON
        return [leaf for part in items for leaf in _leaves(part)]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [] if value in (None, "") else [str(value)]
