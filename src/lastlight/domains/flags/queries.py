"""Reads of feature flags."""

import msgspec

from lastlight.domains.flags.model import FeatureFlagRow, Flag, Spread, TenantFlag, falls_on
from lastlight.domains.flags.permissions import FLAGS_READ
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.columns import Column, Filter
from lastlight.runtime.http.listing import Listing

STATES = (("on", "On"), ("part", "On for a share"), ("off", "Off"), ("killed", "Killed"))
STATE = """case when f.killed_at is not null then 'killed' when not f.enabled or f.percentage = 0 then 'off'
         when f.percentage < 100 then 'part' else 'on' end"""
SPREADS = (("tenant", "Businesses"), ("user", "People"))

FLAGS = """
select key, description, enabled, percentage, spread, killed_at, killed_reason, created_at, updated_at, version
from feature_flags where $1::text is null or key = $1 order by key
"""
ANSWERS = """
select f.key, f.description, f.spread, f.killed_at is null and coalesce(o.enabled, f.enabled) as enabled,
       coalesce(o.percentage, f.percentage) as percentage
from feature_flags f
left join tenant_flags o on o.tenant_id = $1 and o.key = f.key
where $2::text is null or f.key = $2
order by f.key
"""
OF_TENANT = """
select f.key, o.enabled, o.percentage, coalesce(o.reason, '') as reason, f.enabled as platform_enabled,
       f.percentage as platform_percentage, f.killed_at is not null as killed, f.spread, f.description, coalesce(o.version, 0) as version
from feature_flags f
left join tenant_flags o on o.tenant_id = $1 and o.key = f.key
where $2::text is null or f.key = $2
order by f.key
"""


BUSINESSES = """
select t.id as tenant_id, t.name, o.enabled, o.percentage, coalesce(o.reason, '') as reason
from tenants t left join tenant_flags o on o.tenant_id = t.id and o.key = $1
where t.kind = 'business' and t.status = 'active' and t.name ilike $2
order by o.key is null, t.name, t.id limit 100
"""

FLAGS_LIST: Listing[FeatureFlagRow] = Listing(
    name="feature_flags",
    label="Feature flags",
    row=FeatureFlagRow,
    permission=FLAGS_READ,
    source="feature_flags f",
    of="md5(f",
    tenant="'00000000-0000-0000-0000-000000000000'::uuid",
    key="md5(f.key)::uuid",
    columns=(
        Column("key", "Key", sql="f.key", sort=True),
        Column("description", "What it is", sql="f.description"),
        Column("state", "State", sql=STATE, kind="enum", sort=True, choices=STATES),
        Column("percentage", "Share", sql="f.percentage", kind="number", sort=True),
        Column("spread", "Spread over", sql="f.spread", kind="enum", choices=SPREADS),
        Column(
            "answers", "Own answers", sql="(select count(*) from tenant_flags o where o.key = f.key)", kind="number"
        ),
        Column("updated_at", "Changed", sql="f.updated_at", kind="time", sort=True),
        Column("enabled", "Enabled", sql="f.enabled", kind="bool", shown=False),
        Column("killed_at", "Killed", sql="f.killed_at", kind="time", shown=False),
        Column("killed_reason", "Why killed", sql="f.killed_reason", shown=False),
        Column("created_at", "Created", sql="f.created_at", kind="time", shown=False),
        Column("version", "Version", sql="f.version", kind="number", shown=False),
    ),
    filters=(
        Filter("state"),
        Filter("spread"),
    ),
    search=("f.key", "f.description"),
    sort="key",
)


class _Business(msgspec.Struct, frozen=True):
    """A business beside a flag."""

    tenant_id: TenantId
    name: str
    enabled: bool | None
    percentage: int | None
    reason: str


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a flag is on for a business, for which share of its people, and whether that is its own answer."""

    tenant_id: TenantId
    name: str
    on: bool
    share: int | None
    own: bool
    reason: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What stands for a business: its own answer where it has one, else the platform's."""

    key: str
    description: str
    spread: Spread
    enabled: bool
    percentage: int


async def enabled(ctx: Ctx, *, key: str) -> bool:
    """Whether a feature is on for whoever this transaction serves; where no such flag is written down, as its module declares it."""
    answer = await ctx.db.row(Answer, ANSWERS, ctx.tenant_id, key)
    return _on(ctx, answer) if answer is not None else _declared(ctx, key)


async def enabled_keys(ctx: Ctx) -> list[str]:
    """The keys of all that is on for whoever this transaction serves."""
    return [answer.key for answer in await ctx.db.rows(Answer, ANSWERS, ctx.tenant_id, None) if _on(ctx, answer)]


async def answers(ctx: Ctx) -> list[tuple[Answer, bool]]:
    """What stands for the transaction's business, and whether it is on for whoever asks."""
    return [(answer, _on(ctx, answer)) for answer in await ctx.db.rows(Answer, ANSWERS, ctx.tenant_id, None)]


async def businesses_of(ctx: Ctx, *, key: str, q: str = "") -> list[Reached]:
    """The running businesses that a flag falls on or not: those with an answer of their own first. At most a hundred."""
    flag = await read_flag(ctx, key=key)
    words = "%" + q.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await ctx.db.rows(_Business, BUSINESSES, key, words)
    return [_reached(flag, row) for row in rows]


def _reached(flag: Flag, row: _Business) -> Reached:
    answer = flag.enabled if row.enabled is None else row.enabled
    percentage = flag.percentage if row.percentage is None else row.percentage
    enabled = flag.killed_at is None and answer
    by_user = flag.spread == "user" and 0 < percentage < 100
    on = (enabled and by_user) or falls_on(flag.key, subject=str(row.tenant_id), enabled=enabled, percentage=percentage)
    return Reached(
        tenant_id=row.tenant_id,
        name=row.name,
        on=on,
        share=percentage if by_user and enabled else None,
        own=row.enabled is not None,
        reason=row.reason,
    )


async def read_flag(ctx: Ctx, *, key: str) -> Flag:
    """A flag of the platform; NotFound when there is none."""
    return await ctx.db.one(Flag, FLAGS, key)


async def list_tenant_flags(ctx: Ctx) -> list[TenantFlag]:
    """Every flag as it stands for the transaction's business."""
    return await ctx.db.rows(TenantFlag, OF_TENANT, ctx.tenant_id, None)


async def read_tenant_flag(ctx: Ctx, *, key: str) -> TenantFlag:
    """A flag as it stands for the transaction's business; NotFound when there is no such flag."""
    found = await ctx.db.row(TenantFlag, OF_TENANT, ctx.tenant_id, key)
    if found is None:
        raise NotFound
    return found


def _declared(ctx: Ctx, key: str) -> bool:
    flag = ctx.services.registry.flags.get(key)
    if flag is None:
        return False
    names = ("key", "description", "spread", "enabled", "percentage")
    return _on(ctx, Answer(**{name: getattr(flag, name) for name in names}))


def _on(ctx: Ctx, answer: Answer) -> bool:
    """Where users are rolled out one by one, work without a user counts as its business."""
    by_user = answer.spread == "user" and ctx.actor.user_id is not None
    subject = str(ctx.actor.user_id if by_user else ctx.tenant_id)
    return falls_on(answer.key, subject=subject, enabled=answer.enabled, percentage=answer.percentage)
