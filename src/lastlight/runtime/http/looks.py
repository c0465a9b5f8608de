"""What the crew looks at with somebody's eyes, on the record of the business: each page and operation, shown or refused.

The look's own transaction is read-only, so the record has one of its own; nothing is shown before that is committed.
"""

from lastlight.runtime.auth.looking import answerable
from lastlight.runtime.context import Actor
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.http.reply import RequestInfo
from lastlight.runtime.services import Services

SEEN = "impersonation.seen"
OPENS_BY_ITSELF = "{token:"
"""An address that holds its own permission."""


async def note_look(services: Services, op: Operation, info: RequestInfo, actor: Actor, *, outcome: str) -> None:
    """Put on record what an operation showed to one of the crew in somebody's place; nothing for anybody else."""
    # whoever reads the record is not to open what was opened
    path = op.path if OPENS_BY_ITSELF in op.path else info.path
    await note(
        services, actor, what=f"{info.method} {path}"[:500], name=op.name, outcome=outcome, request=info.request_id
    )


async def note(services: Services, actor: Actor, *, what: str, name: str, outcome: str, request: str) -> None:
    """The same for anything that has no operation, such as a socket."""
    if actor.looking is None or actor.looking.kind != "impersonation" or actor.user_id is None:
        return
    scope = WorkScope(actor=answerable(actor), tenant_id=actor.tenant_id, role="app", request_id=request)
    async with unit_of_work(services, scope) as ctx:
        ctx.record(
            SEEN,
            entity=("user", actor.user_id),
            reason=actor.looking.reason,
            after={"saw": what, "operation": name, "outcome": outcome, "as": actor.name},
        )
