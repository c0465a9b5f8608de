"""The edge of looks: beginning one, and ending it."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from lastlight.domains.identity import looking
from lastlight.domains.identity.errors import BrowserSession, NoPlace
from lastlight.domains.identity.looking import ImpersonatesCrew, Look
from lastlight.domains.identity.queries import own_look
from lastlight.domains.identity.schemas import LookingOut
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import RoleId, UserId, VenueId
from lastlight.runtime.auth.looking import IMPERSONATE, PREVIEW
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input, RequestInfo, get, post

TAGS = ("Looking",)
STOPPING = "Whoever looks may always stop; the look's own token is the credential."


class PreviewIn(Input, frozen=True, kw_only=True):
    """Which role, and at which venues; none stands for all of them."""

    role_id: RoleId
    venue_ids: list[VenueId] | None = None


class ImpersonationIn(Input, frozen=True, kw_only=True):
    """Where one looks as somebody, as what they are there, why, and for how many minutes."""

    tenant: Annotated[str, msgspec.Meta(min_length=1, max_length=48)]
    as_: Literal["member", "patron"] = msgspec.field(name="as", default="member")
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500, description="Why; the business reads it.")]
    minutes: Literal[15, 30, 60] = 15


class LookOut(msgspec.Struct, frozen=True, kw_only=True):
    """The token that only reads. It is not refreshed: when it ends, so does the look."""

    access_token: str
    expires_in: int
    ends_at: datetime
    token_type: str = "Bearer"  # noqa: S105 - the scheme, not a secret


@post(
    "/api/preview",
    permission=PREVIEW,
    status=201,
    db="system",
    secret=True,
    tags=TAGS,
    raises=(BrowserSession, Invalid, NotFound),
)
async def preview_role(ctx: Ctx, data: PreviewIn) -> LookOut:
    """Get a token that sees what a role would see, and writes nothing, for half an hour."""
    _require_bearer(ctx)
    return _given(ctx, await looking.start_preview(ctx, role_id=data.role_id, venue_ids=data.venue_ids))


@post(
    "/api/admin/users/{user_id:uuid}/impersonation",
    permission=IMPERSONATE,
    status=201,
    db="system",
    secret=True,
    tags=TAGS,
    raises=(BrowserSession, Invalid, NotFound, NoPlace, ImpersonatesCrew),
)
async def impersonate(ctx: Ctx, user_id: UserId, data: ImpersonationIn) -> LookOut:
    """Get a token that sees what somebody at a business sees, and writes nothing; the business has it on record."""
    _require_bearer(ctx)
    look = await looking.start_impersonation(
        ctx, user_id=user_id, tenant=data.tenant, as_=data.as_, reason=data.reason, minutes=data.minutes
    )
    return _given(ctx, look)


@get("/api/looking", signed_in="It says only what one's own session is.", tags=TAGS)
async def read_looking(ctx: Ctx) -> LookingOut:
    """Whether this session only looks, as whom, and until when."""
    return own_look(ctx) or LookingOut()


@post(
    "/api/looking/end",
    public=STOPPING,
    looking=STOPPING,
    status=204,
    db="system",
    tags=TAGS,
    raises=(NotFound, BrowserSession),
)
async def end_looking(ctx: Ctx, request: RequestInfo) -> None:
    """End the look whose access token is sent."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        raise BrowserSession("In a browser a look ends by its button, which leads back to your own session.")
    await looking.end_presented(ctx, authorization=authorization, cookie=None)


def _require_bearer(ctx: Ctx) -> None:
    if ctx.actor.channel != "bearer":
        raise BrowserSession("In a browser use the button on the role's or the account's page.")


def _given(ctx: Ctx, look: Look) -> LookOut:
    token, seconds = looking.look_token(ctx, look=look)
    return LookOut(access_token=token, expires_in=seconds, ends_at=look.ends_at)


ROUTES = (preview_role, impersonate, read_looking, end_looking)
