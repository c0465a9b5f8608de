"""Whom notices reach: the account behind a guest, and until when its devices hear of us."""

from uuid import UUID

from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.push import drop_of_leaver, drop_of_session

OF_GUEST = "select user_id from patrons where tenant_id = $1 and id = $2"


async def account_of_guest(ctx: Ctx, *, patron_id: UUID) -> UserId | None:
    """The account that a guest signs in with; None for a guest without one."""
    user_id = await ctx.db.fetchval(OF_GUEST, ctx.tenant_id, patron_id)
    return None if user_id is None else UserId(user_id)


@job("identity.forget_devices_of_session", role="system")
async def forget_devices_of_session(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, object]) -> None:
    """Tell nobody anything through a session that has ended."""
    await drop_of_session(ctx, session_id=UUID(str(data["session_id"])))


@job("identity.forget_devices_of_leaver", role="system")
async def forget_devices_of_leaver(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, object]) -> None:
    """Tell somebody nothing more of a business that they have left."""
    await drop_of_leaver(ctx, user_id=UUID(str(data["user_id"])))
