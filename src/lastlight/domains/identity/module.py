"""What identity brings to the platform."""

from lastlight.domains.identity import (
    account_api,
    auth_api,
    invitation_api,
    looking_api,
    passkey_api,
    people_api,
    second_factor_api,
    standing_api,
)
from lastlight.domains.identity.accounts_admin import end_account_sanctions
from lastlight.domains.identity.bulk_pages import BULK_PAGES, BULK_ROUTES
from lastlight.domains.identity.errors import ERRORS, AddressTaken, InvitationOpen, MemberAlready, RoleNameTaken
from lastlight.domains.identity.events import (
    EVENTS,
    MemberChanged,
    MemberRemoved,
    SessionClosed,
    SessionRevoked,
    UserPasswordChanged,
)
from lastlight.domains.identity.factor_errors import FACTOR_ERRORS, PasskeyKnown
from lastlight.domains.identity.factor_reset import FACTOR_RESET_ERRORS, FACTOR_RESET_EVENTS
from lastlight.domains.identity.factor_reset_pages import FACTOR_RESET_PAGES, FACTOR_RESET_ROUTES
from lastlight.domains.identity.guests_admin import end_patron_sanctions
from lastlight.domains.identity.invitation_events import INVITATION_EVENTS
from lastlight.domains.identity.invitation_mail import mail_offer
from lastlight.domains.identity.invitation_pages import INVITATION_PAGES
from lastlight.domains.identity.invitations import expire_invitations
from lastlight.domains.identity.jobs import JOBS, mail_change_of_sign_in
from lastlight.domains.identity.looking import ImpersonatesCrew
from lastlight.domains.identity.looking_events import LOOKING_EVENTS
from lastlight.domains.identity.looking_pages import LOOKING_PAGES
from lastlight.domains.identity.pages import PAGES
from lastlight.domains.identity.passkeys import PasskeyRenamed
from lastlight.domains.identity.permissions import MEMBERS_READ, PATRONS_READ, PERMISSIONS, ROLES_READ, USERS_READ
from lastlight.domains.identity.queries import LISTINGS
from lastlight.domains.identity.reach import forget_devices_of_leaver, forget_devices_of_session
from lastlight.domains.identity.second_factor_check import SEALED, SecondFactorChanged, SecondFactorShown
from lastlight.domains.identity.standing_events import STANDING_EVENTS
from lastlight.domains.identity.standing_pages import STANDING_PAGES
from lastlight.domains.identity.usage import count_members, count_patrons
from lastlight.runtime.auth.errors import AUTH_ERRORS
from lastlight.runtime.module import Module, Nav, Reaction

MODULE = Module(
    name="identity",
    summary="Accounts, sessions, roles and the people who hold them.",
    routes=(
        *auth_api.ROUTES,
        *account_api.ROUTES,
        *people_api.ROUTES,
        *invitation_api.ROUTES,
        *standing_api.ROUTES,
        *second_factor_api.ROUTES,
        *looking_api.ROUTES,
        *passkey_api.ROUTES,
        *FACTOR_RESET_ROUTES,
        *BULK_ROUTES,
    ),
    pages=(*PAGES, *INVITATION_PAGES, *LOOKING_PAGES, *STANDING_PAGES, *FACTOR_RESET_PAGES, *BULK_PAGES),
    permissions=PERMISSIONS,
    sealed=(SEALED,),
    events=(
        *EVENTS,
        *INVITATION_EVENTS,
        *STANDING_EVENTS,
        *LOOKING_EVENTS,
        *FACTOR_RESET_EVENTS,
        SecondFactorChanged,
        SecondFactorShown,
        PasskeyRenamed,
    ),
    errors=(*AUTH_ERRORS, *ERRORS, *FACTOR_ERRORS, *FACTOR_RESET_ERRORS, ImpersonatesCrew),
    constraints={
        "invitations_open_once": InvitationOpen,
        "memberships_role_once": MemberAlready,
        "passkeys_credential_once": PasskeyKnown,
        "roles_name_taken": RoleNameTaken,
        "users_email_taken": AddressTaken,
    },
    jobs=(
        *JOBS,
        mail_offer,
        expire_invitations,
        end_patron_sanctions,
        end_account_sanctions,
        forget_devices_of_session,
        forget_devices_of_leaver,
    ),
    reactions=(
        Reaction(SessionClosed, forget_devices_of_session),
        Reaction(SessionRevoked, forget_devices_of_session),
        Reaction(MemberRemoved, forget_devices_of_leaver),
        Reaction(MemberChanged, forget_devices_of_leaver),
        Reaction(UserPasswordChanged, mail_change_of_sign_in),
        Reaction(SecondFactorChanged, mail_change_of_sign_in),
    ),
    listings=(*LISTINGS, invitation_api.INVITATIONS, standing_api.USERS),
    nav=(
        Nav(app="owner", label="People", href="/owner/people", icon="users", permission=MEMBERS_READ, order=30),
        Nav(app="owner", label="Roles", href="/owner/roles", icon="shield", permission=ROLES_READ, order=40),
        Nav(
            app="management",
            label="People",
            href="/manage/people",
            icon="users",
            permission=MEMBERS_READ,
            group="Team",
            order=48,
        ),
        Nav(
            app="management",
            label="Guests",
            href="/manage/guests",
            icon="contact",
            permission=PATRONS_READ,
            order=28,
        ),
        Nav(
            app="platform", label="Accounts", href="/platform/accounts", icon="contact", permission=USERS_READ, order=30
        ),
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
