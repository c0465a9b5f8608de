"""Identity: accounts, sessions, roles and members.

An account is one person everywhere. A session is for one place: the platform as its crew, a tenant as a member or as a guest, or
nowhere yet. Roles are lists of permissions; a membership gives one person one role, for all venues or some. Nobody gives, changes or
takes away more than they hold, and somebody always remains an owner. Whatever changes what somebody may do raises the version of
their sessions, so that it holds from their next request.
"""

from lastlight.domains.identity.acceptance import accept as accept_invitation
from lastlight.domains.identity.acceptance import look_at_invitation, prepare_acceptance
from lastlight.domains.identity.accounts import (
    Verdict,
    ask_email_change,
    change_password,
    check_credentials,
    check_own_password,
    create_user,
    forgot_password,
    open_account,
    prepare_change,
    prepare_email_change,
    prepare_register,
    prepare_reset,
    register,
    reset_password,
)
from lastlight.domains.identity.addresses import send_verification, verify_email
from lastlight.domains.identity.builtin import give_builtin_roles, sync_builtin_roles
from lastlight.domains.identity.colleagues import Colleague, colleagues, require_colleague, works_at
from lastlight.domains.identity.contexts import Place, choose_place, join_as_patron, places_of
from lastlight.domains.identity.crew import admit_to_crew
from lastlight.domains.identity.entrance import (
    Wish,
    ask_for_passkey,
    enter_accepted,
    prepare_second_step,
    second_step,
    sign_in,
)
from lastlight.domains.identity.errors import GrantsTooMuch, LinkInvalid, NoPlace, WrongCredentials
from lastlight.domains.identity.events import MemberAdded, MemberChanged, MemberRemoved, PatronJoined
from lastlight.domains.identity.factor_errors import SecondFactorNeeded
from lastlight.domains.identity.guests_admin import change_patron_standing, read_patron
from lastlight.domains.identity.holding import Holder, holders, holds_permission
from lastlight.domains.identity.invitation_schemas import AcceptIn
from lastlight.domains.identity.looking import way_back
from lastlight.domains.identity.looking_pages import own_again
from lastlight.domains.identity.members import add_membership, change_member, read_member, remove_member
from lastlight.domains.identity.names import clean_email, clean_name
from lastlight.domains.identity.passkey_check import passkey_origin, read_made, read_shown
from lastlight.domains.identity.passkey_schemas import PasskeyId, PasskeyIn, ProofIn, SecondStepIn
from lastlight.domains.identity.passkeys import keep as keep_passkey
from lastlight.domains.identity.passkeys import list_passkeys
from lastlight.domains.identity.passkeys import remove as remove_passkey
from lastlight.domains.identity.passkeys import rename as rename_passkey
from lastlight.domains.identity.permissions import (
    MEMBERS_MANAGE,
    MEMBERS_READ,
    PATRONS_MODERATE,
    PATRONS_READ,
    ROLES_MANAGE,
    ROLES_READ,
)
from lastlight.domains.identity.presets import GUEST, PATRON, Preset, presets_for
from lastlight.domains.identity.profile import change_preferences, rename_self, save_preferences
from lastlight.domains.identity.queries import MEMBERS, PATRONS, ROLES, preferences, read_me, venue_choices
from lastlight.domains.identity.reach import account_of_guest
from lastlight.domains.identity.role_factor import require_second_factor
from lastlight.domains.identity.roles import (
    archive_role,
    change_role,
    create_role,
    list_permissions,
    lock_role,
    read_role,
    role_by_key,
)
from lastlight.domains.identity.schemas import (
    ChangeEmailIn,
    ChangePasswordIn,
    MemberChangeIn,
    MemberOut,
    MeOut,
    PermissionOut,
    PreferencesIn,
    PreferencesOut,
    RegisterIn,
    ResetIn,
    RoleFactorIn,
    RoleIn,
    RoleOut,
)
from lastlight.domains.identity.second_factor import RemovalIn, read_second_factor, renew_recovery_codes
from lastlight.domains.identity.second_factor import confirm as confirm_authenticator
from lastlight.domains.identity.second_factor import prepare_removal as prepare_factor_removal
from lastlight.domains.identity.second_factor import prove as prove_second_factor
from lastlight.domains.identity.second_factor import remove as remove_authenticator
from lastlight.domains.identity.second_factor import set_up as set_up_authenticator
from lastlight.domains.identity.second_factor_check import count_attempt
from lastlight.domains.identity.seeding import seed_member, seed_patron, seed_sanction, seed_user, seeded_id
from lastlight.domains.identity.session_ends import bump_sessions, close, close_presented, revoke_all, revoke_own
from lastlight.domains.identity.session_tokens import Tokens, cookie_token, issue_tokens
from lastlight.domains.identity.sessions import Session, SessionOut, hold_own_session, list_own, open_session, switch
from lastlight.domains.identity.standing_schemas import StandingIn

__all__ = [
    "GUEST",
    "MEMBERS",
    "MEMBERS_MANAGE",
    "MEMBERS_READ",
    "PATRON",
    "PATRONS",
    "PATRONS_MODERATE",
    "PATRONS_READ",
    "ROLES",
    "ROLES_MANAGE",
    "ROLES_READ",
    "AcceptIn",
    "ChangeEmailIn",
    "ChangePasswordIn",
    "Colleague",
    "GrantsTooMuch",
    "Holder",
    "LinkInvalid",
    "MeOut",
    "MemberAdded",
    "MemberChangeIn",
    "MemberChanged",
    "MemberOut",
    "MemberRemoved",
    "NoPlace",
    "PasskeyId",
    "PasskeyIn",
    "PatronJoined",
    "PermissionOut",
    "Place",
    "PreferencesIn",
    "PreferencesOut",
    "Preset",
    "ProofIn",
    "RegisterIn",
    "RemovalIn",
    "ResetIn",
    "RoleFactorIn",
    "RoleIn",
    "RoleOut",
    "SecondFactorNeeded",
    "SecondStepIn",
    "Session",
    "SessionOut",
    "StandingIn",
    "Tokens",
    "Verdict",
    "Wish",
    "WrongCredentials",
    "accept_invitation",
    "account_of_guest",
    "add_membership",
    "admit_to_crew",
    "archive_role",
    "ask_email_change",
    "ask_for_passkey",
    "bump_sessions",
    "change_member",
    "change_password",
    "change_patron_standing",
    "change_preferences",
    "change_role",
    "check_credentials",
    "check_own_password",
    "choose_place",
    "clean_email",
    "clean_name",
    "close",
    "close_presented",
    "colleagues",
    "confirm_authenticator",
    "cookie_token",
    "count_attempt",
    "create_role",
    "create_user",
    "enter_accepted",
    "forgot_password",
    "give_builtin_roles",
    "hold_own_session",
    "holders",
    "holds_permission",
    "issue_tokens",
    "join_as_patron",
    "keep_passkey",
    "list_own",
    "list_passkeys",
    "list_permissions",
    "lock_role",
    "look_at_invitation",
    "open_account",
    "open_session",
    "own_again",
    "passkey_origin",
    "places_of",
    "preferences",
    "prepare_acceptance",
    "prepare_change",
    "prepare_email_change",
    "prepare_factor_removal",
    "prepare_register",
    "prepare_reset",
    "prepare_second_step",
    "presets_for",
    "prove_second_factor",
    "read_made",
    "read_me",
    "read_member",
    "read_patron",
    "read_role",
    "read_second_factor",
    "read_shown",
    "register",
    "remove_authenticator",
    "remove_member",
    "remove_passkey",
    "rename_passkey",
    "rename_self",
    "renew_recovery_codes",
    "require_colleague",
    "require_second_factor",
    "reset_password",
    "revoke_all",
    "revoke_own",
    "role_by_key",
    "save_preferences",
    "second_step",
    "seed_member",
    "seed_patron",
    "seed_sanction",
    "seed_user",
    "seeded_id",
    "send_verification",
    "set_up_authenticator",
    "sign_in",
    "switch",
    "sync_builtin_roles",
    "venue_choices",
    "verify_email",
    "way_back",
    "works_at",
]
