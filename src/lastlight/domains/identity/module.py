"""What identity brings to the platform."""

from lastlight.domains.identity import (
    api_auth,
    api_people,
    invitation_api,
    passkey_api,
    second_factor_api,
    standing_api,
)
from lastlight.domains.identity.accounts_admin import end_account_sanctions
from lastlight.domains.identity.errors import ERRORS, AddressTaken, InvitationOpen, MemberAlready, RoleNameTaken
from lastlight.domains.identity.events import EVENTS
from lastlight.domains.identity.factor_errors import FACTOR_ERRORS, PasskeyKnown
from lastlight.domains.identity.guests_admin import end_patron_sanctions
from lastlight.domains.identity.invitation_events import INVITATION_EVENTS
from lastlight.domains.identity.invitation_mail import mail_offer
from lastlight.domains.identity.invitations import expire_invitations
from lastlight.domains.identity.jobs import JOBS
from lastlight.domains.identity.pages import PAGES
from lastlight.domains.identity.passkeys import PasskeyRenamed
from lastlight.domains.identity.permissions import MEMBERS_READ, PERMISSIONS, ROLES_READ
from lastlight.domains.identity.queries import LISTINGS
from lastlight.domains.identity.second_factor_check import SecondFactorChanged
from lastlight.domains.identity.standing_events import STANDING_EVENTS
from lastlight.domains.identity.usage import count_members, count_patrons
from lastlight.runtime.auth.errors import AUTH_ERRORS
from lastlight.runtime.module import Module, Nav

MODULE = Module(
    name="identity",
    summary="Accounts, sessions, roles and the people who hold them.",
    routes=(
        *api_auth.ROUTES,
        *api_people.ROUTES,
        *invitation_api.ROUTES,
        *standing_api.ROUTES,
        *second_factor_api.ROUTES,
        *passkey_api.ROUTES,
    ),
    pages=PAGES,
    permissions=PERMISSIONS,
    events=(*EVENTS, *INVITATION_EVENTS, *STANDING_EVENTS, SecondFactorChanged, PasskeyRenamed),
    errors=(*AUTH_ERRORS, *ERRORS, *FACTOR_ERRORS),
    constraints={
        "invitations_open_once": InvitationOpen,
        "memberships_role_once": MemberAlready,
        "passkeys_credential_once": PasskeyKnown,
        "roles_name_taken": RoleNameTaken,
        "users_email_taken": AddressTaken,
    },
    jobs=(*JOBS, mail_offer, expire_invitations, end_patron_sanctions, end_account_sanctions),
    listings=(*LISTINGS, invitation_api.INVITATIONS, standing_api.USERS),
    nav=(
        Nav(app="owner", label="People", href="/owner/people", icon="users", permission=MEMBERS_READ, order=30),
        Nav(app="owner", label="Roles", href="/owner/roles", icon="shield", permission=ROLES_READ, order=40),
        Nav(
            app="platform",
            label="Crew",
            href="/platform/people",
            icon="users",
            permission=MEMBERS_READ,
            group="House",
            order=70,
        ),
        Nav(
            app="platform",
            label="Roles",
            href="/platform/roles",
            icon="shield",
            permission=ROLES_READ,
            group="House",
            order=80,
        ),
    ),
    usage={"People": count_members, "Guests": count_patrons},
)
