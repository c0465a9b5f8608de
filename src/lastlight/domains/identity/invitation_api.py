"""The edge of invitations."""

from lastlight.domains.identity import acceptance, invitations
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
from lastlight.runtime.http.listing import Column, Filter, Listing, listing_get

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
    tenant="i.tenant_id",
    venues="i.venue_ids",
    key="i.id",
    columns=(
        Column(name="email", sql="i.email", label="E-mail", sort=True),
        Column(name="name", sql="i.name", label="Name"),
        Column(name="role", sql="r.name", label="Role", sort=True),
        Column(name="venue_ids", sql="i.venue_ids", label="Venues", kind="list"),
        Column(name="status", sql=STATUS_SQL, label="Status", kind="enum", choices=STATUS),
        Column(name="inviter", sql="u.name", label="Invited by"),
        Column(name="expires_at", sql="i.expires_at", label="Stands until", kind="time", sort=True),
        Column(name="created_at", sql="i.created_at", label="Invited", kind="time", sort=True),
        Column(name="sent_at", sql="i.sent_at", label="Sent", kind="time", shown=False),
        Column(name="sent_count", sql="i.sent_count", label="Times sent", kind="number", shown=False),
        Column(name="closed_at", sql="i.closed_at", label="Closed", kind="time", shown=False),
        Column(name="note", sql="i.note", label="Note", shown=False),
        Column(name="id", sql="i.id", label="Id", kind="uuid", shown=False),
        Column(name="role_id", sql="i.role_id", label="Role id", kind="uuid", shown=False),
        Column(name="invited_by", sql="i.invited_by", label="Invited by (id)", kind="uuid", shown=False),
        Column(name="updated_at", sql="i.updated_at", label="Changed", kind="time", shown=False),
        Column(name="version", sql="i.version", label="Version", kind="number", shown=False),
    ),
    filters=(
        Filter(name="status", sql=STATUS_SQL, label="Status", kind="enum", choices=STATUS),
        Filter(name="role_id", sql="i.role_id", label="Role", kind="uuid"),
        Filter(name="created_at", sql="i.created_at", label="Invited", kind="time"),
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


@post(
    "/api/invitations/acceptance",
    public=LINK,
    status=200,
    db="system",
    limit="auth",
    secret=True,
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
