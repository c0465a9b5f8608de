"""The history of one thing, as a page's rail shows it: amounts in its reader's spelling, however they were kept."""

from typing import Any, cast
from uuid import UUID

import msgspec

from lastlight.kernel.money import Money
from lastlight.runtime.audit.entries import AUDIT_READ
from lastlight.runtime.context import Ctx
from lastlight.ui.formats import money

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
    was, is_now = (_in_money(one) if isinstance(one, dict) else None for one in (before, after))
    if was is not None and is_now is not None:
        was, is_now = _apart(was, is_now)
    return _lines(was), _lines(is_now)


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


def _in_money(value: Any) -> dict[str, Any]:
    """Facts with an amount in minor units beside its currency, as one amount; other facts as they are."""
    fields = cast("dict[str, Any]", value)
    amount, currency = fields.get("amount"), fields.get("currency")
    if not isinstance(amount, int) or not isinstance(currency, str) or not currency:
        return fields
    return {name: part for name, part in fields.items() if name != "currency"} | {"amount": money(amount, currency)}


def _lines(fields: dict[str, Any] | None) -> str | None:
    said = [
        (name, part) for name, part in (fields or {}).items() if name not in HIDDEN and part not in (None, "", [], {})
    ]
    lines = [f"{name.replace('_', ' ')}: {_short(part)}" for name, part in said[:MOST_FIELDS]]
    return "\n".join([*lines, "…"] if len(said) > MOST_FIELDS else lines) or None


def _short(value: Any) -> str:
    """A value for a person: what a thing holds, without the braces around it."""
    text = ", ".join(_leaves(value))
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        fields = _in_money(value)
        if {"opens", "closes"} <= fields.keys():
            return [f"{fields['opens']}–{fields['closes']}"]
        return [leaf for part in fields.values() for leaf in _leaves(part)]
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType] decoded JSON
        return [leaf for part in items for leaf in _leaves(part)]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if value in (None, ""):
        return []
    kept = Money.kept(value) if isinstance(value, str) else None
    return [money(kept.amount, kept.currency) if kept else str(value)]
