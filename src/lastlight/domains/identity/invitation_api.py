"""The edge of invitations."""

from lastlight.domains.identity import acceptance, invitations
from lastlight.domains.identity.credential_post import credential_post
from lastlight.domains.identity.errors import (
    GrantsTooMuch,
    InvitationClosed,
    InvitationOpen,
    LinkInvalid,
    MemberAlready,
)
from lastlight.domains.identity.invitation_schemas import (
    AcceptedOut,
    AcceptIn,
    InvitationId,
    InvitationIn,
    InvitationOut,
    InvitationSeen,
    InvitationTokenIn,
)
from lastlight.domains.identity.permissions import MEMBERS_MANAGE
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import delete, get, post
from lastlight.runtime.http.columns import ID, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing, listing_get

TAGS = ("Invitations",)
LINK = "the link in the e-mail is the credential"
STATUS = (("open", "Open"), ("accepted", "Accepted"), ("revoked", "Revoked"), ("expired", "Expired"))
STATUS_SQL = "case when i.status = 'open' and i.expires_at <= now() then 'expired' else i.status end"

INVITATIONS: Listing[InvitationOut] = Listing(
    name="invitations",
    label="Invitations",
    row=InvitationOut,
    permission=MEMBERS_MANAGE,
    source="""invitations i
        join roles r on r.tenant_id = i.tenant_id and r.id = i.role_id
        left join users u on u.id = i.invited_by""",
    of="i",
    venues="i.venue_ids",
    columns=(
        Column("email", "E-mail", sort=True),
        Column("name", "Name"),
        Column("role", "Role", sql="r.name", sort=True),
        Column("venue_ids", "Venues", kind="list"),
        Column("status", "Status", sql=STATUS_SQL, kind="enum", choices=STATUS),
        Column("inviter", "Invited by", sql="u.name"),
        Column("expires_at", "Stands until", kind="time", sort=True),
        Column("created_at", "Invited", kind="time", sort=True),
        Column("sent_at", "Sent", kind="time", shown=False),
        Column("sent_count", "Times sent", kind="number", shown=False),
        Column("closed_at", "Closed", kind="time", shown=False),
        Column("note", "Note", shown=False),
        ID,
        ref("role_id", "Role id"),
        ref("invited_by", "Invited by (id)"),
        Column("updated_at", "Changed", kind="time", shown=False),
        VERSION,
    ),
    filters=(
        Filter("status"),
        Filter("role_id", "Role"),
        Filter("created_at"),
    ),
    search=("i.email", "i.name", "r.name"),
    sort="-created_at",
)


@get("/api/invitations/{invitation_id:uuid}", permission=MEMBERS_MANAGE, tags=TAGS, raises=(NotFound,))
async def read_invitation(ctx: Ctx, invitation_id: InvitationId) -> InvitationOut:
    """One invitation."""
    return await invitations.read_invitation(ctx, invitation_id=invitation_id)


@post(
    "/api/invitations",
    permission=MEMBERS_MANAGE,
    status=201,
    tags=TAGS,
    raises=(Invalid, NotFound, GrantsTooMuch, MemberAlready, InvitationOpen),
)
async def invite(ctx: Ctx, data: InvitationIn) -> InvitationOut:
    """Invite somebody by e-mail to a role, for all or some venues. They hold nothing before they accept."""
    return await invitations.invite(ctx, data=data)


@post(
    "/api/invitations/{invitation_id:uuid}/resend",
    permission=MEMBERS_MANAGE,
    status=200,
    tags=TAGS,
    raises=(NotFound, Stale, GrantsTooMuch, MemberAlready, InvitationClosed, InvitationOpen),
)
async def resend_invitation(ctx: Ctx, invitation_id: InvitationId, if_match: int) -> InvitationOut:
    """Send a new link for another seven days; the earlier one no longer works."""
    return await invitations.resend(ctx, invitation_id=invitation_id, version=if_match)


@delete(
    "/api/invitations/{invitation_id:uuid}",
    permission=MEMBERS_MANAGE,
    tags=TAGS,
    raises=(NotFound, Stale, InvitationClosed),
)
async def revoke_invitation(ctx: Ctx, invitation_id: InvitationId, if_match: int) -> None:
    """Take an invitation back; its link no longer works."""
    await invitations.revoke_invitation(ctx, invitation_id=invitation_id, version=if_match)


@post("/api/invitations/lookup", public=LINK, status=200, db="system", limit="auth", tags=TAGS, raises=(LinkInvalid,))
async def look_at_invitation(ctx: Ctx, data: InvitationTokenIn) -> InvitationSeen:
    """What an invitation offers, to who holds its link."""
    return await acceptance.look_at_invitation(ctx, token=data.token)


@credential_post(
    "/api/invitations/acceptance",
    public=LINK,
    tags=TAGS,
    raises=(LinkInvalid, Invalid, MemberAlready),
    prepare=acceptance.prepare_acceptance,
)
async def accept_invitation(ctx: Ctx, data: AcceptIn, prepared: str | None) -> AcceptedOut:
    """Take the role; without a proven account, with a name and a password for the new one."""
    return await acceptance.accept(ctx, data=data, password_hash=prepared)


ROUTES = (
    listing_get("/api/invitations", INVITATIONS, tags=TAGS),
    read_invitation,
    invite,
    resend_invitation,
    revoke_invitation,
    look_at_invitation,
    accept_invitation,
)
