"""The outbox: all that a transaction emitted, and the answer under its request's key, by one statement just before its commit."""

from typing import Any

import msgspec

from lastlight.runtime.context import Actor, Ctx, PendingEvent

INSERT = """
insert into outbox (tenant_id, name, version, venue_id, patron_id, audience, data, entity, entity_id, actor, audit)
select e.tenant_id, e.name, e.version, e.venue_id, e.patron_id, e.audience, e.data::jsonb, e.entity, e.entity_id, $10::text::jsonb, e.audit
from unnest($1::uuid[], $2::text[], $3::integer[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $11::text[])
     with ordinality as e (tenant_id, name, version, venue_id, patron_id, audience, data, entity, entity_id, audit, place)
order by e.place
"""
INSERT_AND_KEEP = f"""
with kept as (
    insert into idempotency_keys (tenant_id, principal, key, operation, request_hash, status, body, headers, user_id)
    values ($12, $13, $14, $15, $16, $17, $18, $19, $20)
)
{INSERT}"""  # noqa: S608 - made of our own parts


async def write_outbox(ctx: Ctx) -> None:
    """Write every pending event of the transaction, in the order they were emitted, and keep its answer."""
    events, answer = _events(ctx), _answer(ctx)
    await ctx.db.execute(INSERT_AND_KEEP if answer else INSERT, *events, *answer)


def _answer(ctx: Ctx) -> tuple[Any, ...]:
    """The further parameters of INSERT_AND_KEEP; none without an answer to keep."""
    kept = ctx.answered
    if kept is None:
        return ()
    return (
        ctx.tenant_id,
        kept.principal,
        kept.key,
        kept.operation,
        kept.request_hash,
        kept.status,
        kept.body,
        kept.headers,
        ctx.actor.user_id,
    )


def _events(ctx: Ctx) -> tuple[Any, ...]:
    """The parameters of INSERT."""
    pending = ctx.pending
    return (
        [event.tenant_id or ctx.tenant_id for event in pending],
        [event.name for event in pending],
        [event.version for event in pending],
        [event.venue_id for event in pending],
        [event.patron_id for event in pending],
        [event.audience for event in pending],
        [canonical(event.data) for event in pending],
        [event.entity for event in pending],
        [event.entity_id for event in pending],
        canonical(_who(ctx.actor)),
        [canonical(_audit(ctx, event)) for event in pending],
    )


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text, so it can be hashed."""
    return msgspec.json.encode(value, order="sorted").decode()


def _who(actor: Actor) -> dict[str, Any]:
    origin = (
        "system" if actor.kind == "system" else {"bearer": "api", "cookie": "console", "none": "public"}[actor.channel]
    )
    return {"kind": actor.kind, "id": actor.user_id, "origin": origin}


def _audit(ctx: Ctx, event: PendingEvent) -> dict[str, Any]:
    """What the audit entry keeps under its salt; retention may drop it without breaking the chain."""
    actor = ctx.actor
    return {
        "actor": actor.name,
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
        "ip": actor.ip,
        "user_agent": actor.user_agent,
        "request_id": ctx.request_id,
    }
