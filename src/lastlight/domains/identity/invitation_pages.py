"""Invitations on screens: who is invited, as what, and what became of it; inviting, sending again, taking back."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.identity import invitations
from lastlight.domains.identity.invitation_api import INVITATIONS
from lastlight.domains.identity.invitation_schemas import InvitationId, InvitationIn
from lastlight.domains.identity.permissions import MEMBERS_MANAGE
from lastlight.domains.identity.queries import ROLES, venue_choices
from lastlight.kernel.ids import RoleId, VenueId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post

NEW = "identity/invite.html"
ONE = "identity/invitation.html"
REVOKE = "identity/invitation_revoke.html"


class InviteForm(Input, frozen=True, kw_only=True):
    """Whom to invite to which role, where. No venue ticked: all of them."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    role_id: UUID
    venue_ids: list[UUID] = msgspec.field(default_factory=list[UUID])
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 7


class InvitationVersionForm(Input, frozen=True, kw_only=True):
    """The version that was read."""

    version: int


async def who_and_where(ctx: Ctx) -> dict[str, Any]:
    """The roles and venues that somebody may be given here."""
    found = await ROLES.page(ctx, ROLES.parse(limit=200))
    return {
        "roles": [(str(role.id), role.name) for role in found.items],
        "venues": [(str(venue.id), venue.name) for venue in await venue_choices(ctx)],
    }


def invitation_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of invitations inside one console."""
    home = f"{prefix}/people"
    listed = f"{home}/invitations"
    one = f"{listed}/{{invitation_id:uuid}}"

    @page(listed, permission=MEMBERS_MANAGE, listing=INVITATIONS)
    async def invitations_page(ctx: Ctx, query: Any) -> View:
        """List the invitations, open and closed."""
        view = await INVITATIONS.view(ctx, query)
        shown = {"view": view, "home": home, "tab": "invitations", "paged": bool(query.after)}
        return View("identity/invitations.html", {**shown, **await who_and_where(ctx)})

    async def blank(ctx: Ctx) -> dict[str, Any]:
        return {"home": home, **await who_and_where(ctx)}

    @page(f"{home}/invite", permission=MEMBERS_MANAGE)
    async def invite_page(ctx: Ctx) -> View:
        """Ask whom to invite."""
        return View(NEW, await blank(ctx))

    @page_post(f"{home}/invite", permission=MEMBERS_MANAGE, form_page=NEW, form_context=blank)
    async def invite_submit(ctx: Ctx, form: Form[InviteForm]) -> Redirect:
        """Invite somebody by e-mail."""
        data = form.require()
        wanted = InvitationIn(
            email=data.email,
            name=data.name,
            role_id=RoleId(data.role_id),
            venue_ids=[VenueId(venue) for venue in data.venue_ids] or None,
            note=data.note,
            days=data.days,
        )
        made = await invitations.invite(ctx, data=wanted)
        return Redirect(listed, toast=f"An e-mail is on its way to {made.email}.")

    async def facts(ctx: Ctx, *, invitation_id: UUID) -> dict[str, Any]:
        found = await invitations.read_invitation(ctx, invitation_id=invitation_id)
        history = await entity_history(ctx, entity="invitation", entity_id=invitation_id)
        return {"home": home, "invitation": found, "history": history, **await who_and_where(ctx)}

    @page(one, permission=MEMBERS_MANAGE)
    async def invitation_page(ctx: Ctx, invitation_id: InvitationId) -> View:
        """Show one invitation and what became of it."""
        return View(ONE, await facts(ctx, invitation_id=invitation_id))

    @page_post(f"{one}/resend", permission=MEMBERS_MANAGE, form_page=ONE, form_context=facts)
    async def invitation_resend(ctx: Ctx, invitation_id: InvitationId, form: Form[InvitationVersionForm]) -> Redirect:
        """Send a new link; the earlier one no longer works."""
        sent = await invitations.resend(ctx, invitation_id=invitation_id, version=form.require().version)
        return Redirect(f"{listed}/{invitation_id}", toast=f"A new link is on its way to {sent.email}.")

    @page(f"{one}/revocation", permission=MEMBERS_MANAGE)
    async def invitation_revocation(ctx: Ctx, invitation_id: InvitationId) -> View:
        """Ask whether an invitation is to be taken back."""
        return View(REVOKE, await facts(ctx, invitation_id=invitation_id), block="dialog")

    @page_post(
        f"{one}/revocation", permission=MEMBERS_MANAGE, form_page=REVOKE, form_block="dialog", form_context=facts
    )
    async def invitation_revoke_submit(
        ctx: Ctx, invitation_id: InvitationId, form: Form[InvitationVersionForm]
    ) -> Redirect:
        """Take an invitation back; its link no longer works."""
        await invitations.revoke_invitation(ctx, invitation_id=invitation_id, version=form.require().version)
        return Redirect(listed, toast="The invitation is taken back. Its link no longer works.")

    return (
        invitations_page,
        invite_page,
        invite_submit,
        invitation_page,
        invitation_resend,
        invitation_revocation,
        invitation_revoke_submit,
    )


INVITATION_PAGES = (
    *invitation_pages("/owner"),
    *invitation_pages("/manage"),
    *invitation_pages("/platform"),
)
