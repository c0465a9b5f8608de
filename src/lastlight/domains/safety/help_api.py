"""A guest's call for help at the edge."""

from uuid import UUID

from lastlight.domains.safety import help as guests_help
from lastlight.domains.safety.emergency_api import key_as_id
from lastlight.domains.safety.errors import HelpNotOffered, HelpOutside, HelpTooOften, SosIdTaken
from lastlight.domains.safety.help_model import HelpCall, HelpIn, HelpState
from lastlight.domains.safety.permissions import SAFETY_HELP
from lastlight.kernel.errors import NotFound
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post

TAGS = ("Guests' help",)


@get("/api/patron/help", permission=SAFETY_HELP, tags=TAGS)
async def read_help(ctx: Ctx) -> HelpState:
    """Read whether one may call for help from the phone, and how one's call stands: who has heard it, who comes."""
    return await guests_help.read_help(ctx)


@post(
    "/api/patron/help",
    permission=SAFETY_HELP,
    raises=[HelpNotOffered, HelpOutside, HelpTooOften, SosIdTaken],
    status=201,
    idempotent=True,
    tags=TAGS,
)
async def press_help(ctx: Ctx, data: HelpIn) -> HelpCall:
    """Call the staff for help, from where one is checked in; while a call stands, this says more about it."""
    return await guests_help.press_help(ctx, data=data, help_id=key_as_id(ctx.idempotency_key))


@post("/api/patron/help/{help_id:uuid}/withdrawal", permission=SAFETY_HELP, raises=[NotFound], tags=TAGS)
async def withdraw_help(ctx: Ctx, help_id: UUID) -> HelpCall:
    """Say that one needs no help any more; staff look in before they end the call."""
    return await guests_help.withdraw_help(ctx, help_id=help_id)


HELP_ROUTES = (read_help, press_help, withdraw_help)
