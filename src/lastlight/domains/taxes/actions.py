"""Writes of tax categories and rates. Days that are over keep the rates that they had: rates are started, ended, followed, withdrawn."""

from datetime import date, timedelta
from uuid import UUID

import msgspec
from msgspec import UNSET

from lastlight.domains.taxes.errors import (
    TaxCategoryArchived,
    TaxCategoryExempt,
    TaxRateOver,
    TaxRateWithdrawnAlready,
)
from lastlight.domains.taxes.events import (
    TaxCategoryChanged,
    TaxCategoryCreated,
    TaxRateEnded,
    TaxRateStarted,
    TaxRateWithdrawn,
)
from lastlight.domains.taxes.model import (
    TaxCategory,
    TaxCategoryId,
    TaxRate,
    TaxRateId,
    category_problems,
    name_problems,
)
from lastlight.domains.taxes.queries import (
    find_category,
    find_rate,
    hold_category,
    hold_rate,
    require_business,
    today_of,
)
from lastlight.domains.taxes.schemas import TaxCategoryChange, TaxCategoryIn, TaxRateIn, TaxRateSuccessorIn
from lastlight.domains.venues import read_venue
from lastlight.kernel.errors import Conflict, Invalid, Stale
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx

DAY = timedelta(days=1)
FIRST, LAST = date(2000, 1, 1), date(2200, 1, 1)
"""Days outside of these are slips of the keyboard."""
INSERT_CATEGORY = "insert into tax_categories (tenant_id, id, code, name, exempt) values ($1, $2, $3, $4, $5)"
UPDATE_CATEGORY = """
update tax_categories set name = $3, archived_at = case when $4 then coalesce(archived_at, now()) end
where tenant_id = $1 and id = $2
"""
INSERT_RATE = """
insert into tax_rates (tenant_id, id, tax_category_id, venue_id, name, millionths, included, place, valid_from, valid_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
END_RATE = "update tax_rates set valid_until = $3 where tenant_id = $1 and id = $2"
WITHDRAW_RATE = "update tax_rates set withdrawn_at = now() where tenant_id = $1 and id = $2"


async def create_category(
    ctx: Ctx, *, data: TaxCategoryIn, tax_category_id: TaxCategoryId | None = None
) -> TaxCategory:
    """Name a kind of item for the tax office."""
    require_business(ctx)
    found = category_problems(code=data.code, name=data.name)
    if found:
        raise Invalid(fields=found)
    tax_category_id = tax_category_id or TaxCategoryId(uuid7())
    name = data.name.strip()
    await ctx.db.execute(INSERT_CATEGORY, ctx.tenant_id, tax_category_id, data.code, name, data.exempt)
    ctx.emit(
        TaxCategoryCreated(tax_category_id=tax_category_id, code=data.code, name=name),
        entity=("tax_category", tax_category_id),
        after={"code": data.code, "name": name, "exempt": data.exempt},
    )
    return await find_category(ctx, tax_category_id=tax_category_id)


async def change_category(ctx: Ctx, *, tax_category_id: UUID, data: TaxCategoryChange, version: int) -> TaxCategory:
    """Rename a category, archive it, or take it back; Stale when it is no longer the version that was read."""
    before = await hold_category(ctx, tax_category_id=tax_category_id)
    if before.version != version:
        raise Stale
    old = {"name": before.name, "archived": before.archived_at is not None}
    new = {
        "name": old["name"] if data.name is UNSET else data.name.strip(),
        "archived": old["archived"] if data.archived is UNSET else data.archived,
    }
    found = name_problems(str(new["name"]))
    if found:
        raise Invalid(fields=found)
    changed = [name for name in old if old[name] != new[name]]
    if not changed:
        return before
    await ctx.db.execute(UPDATE_CATEGORY, ctx.tenant_id, tax_category_id, new["name"], new["archived"])
    after = await find_category(ctx, tax_category_id=tax_category_id)
    ctx.emit(
        TaxCategoryChanged(tax_category_id=after.id, version=after.version, fields=changed),
        entity=("tax_category", after.id),
        before={name: old[name] for name in changed},
        after={name: new[name] for name in changed},
    )
    return after


async def start_rate(ctx: Ctx, *, data: TaxRateIn, rate_id: TaxRateId | None = None) -> TaxRate:
    """Write down a rate that applies from today or a later business day on. A venue's own replace those of the business there."""
    require_business(ctx)
    category = await hold_category(ctx, tax_category_id=data.tax_category_id)
    if category.archived_at is not None:
        raise TaxCategoryArchived
    if category.exempt:
        raise TaxCategoryExempt
    if data.venue_id is not None and (await read_venue(ctx, venue_id=data.venue_id)).status == "archived":
        raise Conflict("This venue is archived. Make it active again first.")
    today = await today_of(ctx, venue_id=data.venue_id)
    start = data.valid_from or today
    _require_rate(data, start)
    if start < today:
        raise TaxRateOver(f"Choose {today} or a later day as its first; earlier ones are over.")
    rate_id = rate_id or TaxRateId(uuid7())
    name = data.name.strip()
    values = (category.id, data.venue_id, name, data.millionths, data.included, data.place, start, data.valid_until)
    await ctx.db.execute(INSERT_RATE, ctx.tenant_id, rate_id, *values)
    made = await find_rate(ctx, rate_id=rate_id)
    _emit_started(ctx, made)
    return made


async def end_rate(ctx: Ctx, *, rate_id: UUID, valid_until: date | None, version: int) -> TaxRate:
    """Give a rate its last business day, another one, or none; only days that are not over may change."""
    before = await _held(ctx, rate_id=rate_id, version=version)
    today = await today_of(ctx, venue_id=before.venue_id)
    _require_day(valid_until, field="valid_until")
    if valid_until == before.valid_until:
        return before
    if valid_until is not None and valid_until < before.valid_from:
        raise Invalid(fields={"valid_until": f"It begins on {before.valid_from}; withdraw it if it is not to apply."})
    changing = min(day for day in (valid_until, before.valid_until) if day is not None) + DAY
    if changing < today:
        raise TaxRateOver(f"Choose {today - DAY} or a later day as its last; what was before is over.")
    await ctx.db.execute(END_RATE, ctx.tenant_id, rate_id, valid_until)
    after = await find_rate(ctx, rate_id=rate_id)
    _emit_ended(ctx, before, after)
    return after


async def follow_rate(ctx: Ctx, *, rate_id: UUID, data: TaxRateSuccessorIn, version: int) -> TaxRate:
    """End a rate the day before, and start the one that follows it: of the same name, at the same place, until the same day."""
    before = await _held(ctx, rate_id=rate_id, version=version)
    if data.valid_from <= before.valid_from:
        raise Invalid(fields={"valid_from": f"Choose a day after {before.valid_from}, on which this one begins."})
    if before.valid_until is not None and data.valid_from > before.valid_until:
        raise Invalid(fields={"valid_from": f"This one ends on {before.valid_until} already; add a rate of its own."})
    await end_rate(ctx, rate_id=rate_id, valid_until=data.valid_from - DAY, version=version)
    following = TaxRateIn(
        tax_category_id=before.tax_category_id,
        venue_id=before.venue_id,
        name=before.name,
        millionths=data.millionths,
        included=before.included if data.included is UNSET else data.included,
        place=before.place,
        valid_from=data.valid_from,
        valid_until=before.valid_until,
    )
    return await start_rate(ctx, data=following)


async def withdraw_rate(ctx: Ctx, *, rate_id: UUID, version: int) -> TaxRate:
    """Take a rate back before its first business day is over: it never counted."""
    before = await _held(ctx, rate_id=rate_id, version=version)
    if before.valid_from < await today_of(ctx, venue_id=before.venue_id):
        raise TaxRateOver("It has been in force on days that are over; end it instead.")
    await ctx.db.execute(WITHDRAW_RATE, ctx.tenant_id, rate_id)
    after = await find_rate(ctx, rate_id=rate_id)
    ctx.emit(
        TaxRateWithdrawn(
            rate_id=after.id, tax_category_id=after.tax_category_id, venue_id=after.venue_id, version=after.version
        ),
        entity=("tax_rate", after.id),
        venue_id=after.venue_id,
        before=_facts(before),
    )
    return after


async def _held(ctx: Ctx, *, rate_id: UUID, version: int) -> TaxRate:
    rate = await hold_rate(ctx, rate_id=rate_id)
    if rate.version != version:
        raise Stale
    if rate.withdrawn_at is not None:
        raise TaxRateWithdrawnAlready
    return rate


def _require_rate(data: TaxRateIn, start: date) -> None:
    if not 1 <= len(data.name.strip()) <= 40:
        raise Invalid(
            fields={"name": "Give the tax a name of 1 to 40 characters, as it stands on receipts, such as VAT."}
        )
    _require_day(start, field="valid_from")
    _require_day(data.valid_until, field="valid_until")
    if data.valid_until is not None and data.valid_until < start:
        raise Invalid(fields={"valid_until": "Choose a last day that is not before the first, or leave it empty."})


def _require_day(day: date | None, *, field: str) -> None:
    if day is not None and not FIRST <= day < LAST:
        raise Invalid(fields={field: "Choose a day that is nearer."})


def _facts(rate: TaxRate) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(rate)
    return {name: value for name, value in plain.items() if name not in {"id", "version", "withdrawn_at"}}


def _emit_started(ctx: Ctx, rate: TaxRate) -> None:
    ctx.emit(
        TaxRateStarted(
            rate_id=rate.id,
            tax_category_id=rate.tax_category_id,
            venue_id=rate.venue_id,
            millionths=rate.millionths,
            valid_from=rate.valid_from,
        ),
        entity=("tax_rate", rate.id),
        venue_id=rate.venue_id,
        after=_facts(rate),
    )


def _emit_ended(ctx: Ctx, before: TaxRate, after: TaxRate) -> None:
    ctx.emit(
        TaxRateEnded(
            rate_id=after.id,
            tax_category_id=after.tax_category_id,
            venue_id=after.venue_id,
            valid_until=after.valid_until,
            version=after.version,
        ),
        entity=("tax_rate", after.id),
        venue_id=after.venue_id,
        before={"valid_until": str(before.valid_until or "")},
        after={"valid_until": str(after.valid_until or "")},
    )
