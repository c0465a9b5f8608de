"""How identity refuses."""

from lastlight.kernel.errors import Problem


class WrongCredentials(Problem):
    """The same for an unknown address, a wrong password and an account without one. What was tried stays in the audit chain."""

    type = "wrong-credentials"
    status = 401
    title = "E-mail or password is wrong"
    default_detail = "Check both, or set a new password with “Forgot password”."
    keeps = True


class RefreshInvalid(Problem):
    """No live session stands behind the refresh token."""

    type = "refresh-invalid"
    status = 401
    title = "This session cannot be continued"
    default_detail = "Sign in again."


class RefreshReused(Problem):
    """A refresh token came a second time: one of the two who hold it is a thief, so the whole session ends."""

    type = "refresh-reused"
    status = 401
    title = "This refresh token was already used"
    default_detail = (
        "To be safe the session was ended everywhere. Sign in again, and change your password if that was not you."
    )
    keeps = True


class NoPlace(Problem):
    """Neither role nor guest there. The same whether or not the business exists."""

    type = "no-place"
    status = 403
    title = "You have no place at this business"
    default_detail = (
        "Check the name of the business, or ask its owner to add you. Guests join with `as` set to `patron`."
    )


class BrowserSession(Problem):
    """A browser's session lives in its cookie; tokens would take it out of there."""

    type = "browser-session"
    status = 409
    title = "This is a browser's session"
    default_detail = "Switch it with PUT /api/auth/session."


class LinkInvalid(Problem):
    """A one-time link that was used, has expired, or never was one."""

    type = "link-invalid"
    status = 410
    title = "This link no longer works"
    default_detail = "It was used already or is too old. Ask for a new one."


class AddressTaken(Problem):
    """Said only to who holds the link that was sent to this very address."""

    type = "address-taken"
    status = 409
    title = "This address has an account already"
    default_detail = "Sign in with that account, or change to another address."


class MemberAlready(Problem):
    """The person holds this role already."""

    type = "member-already"
    status = 409
    title = "This person already has this role"
    default_detail = "Change the venues of the role they have instead of giving it again."


class InvitationOpen(Problem):
    """The address has an open invitation to this role."""

    type = "invitation-open"
    status = 409
    title = "This person is already invited to this role"
    default_detail = "Send the open invitation again, or revoke it first."


class InvitationClosed(Problem):
    """An invitation that was accepted or revoked stays so."""

    type = "invitation-closed"
    status = 409
    title = "This invitation is closed"
    default_detail = "It was accepted or revoked. Invite the person anew."


class LastOwner(Problem):
    """Somebody must be able to hand out roles."""

    type = "last-owner"
    status = 409
    title = "This is the last owner"
    default_detail = "Make somebody else an owner of all venues first."


class SanctionsCrew(Problem):
    """The platform's own people lose their role before anything else."""

    type = "sanctions-crew"
    status = 409
    title = "This person works for the platform"
    default_detail = "Take their role at the platform from them first."


class NothingImposed(Problem):
    """There is nothing to lift."""

    type = "nothing-imposed"
    status = 409
    title = "Nothing is imposed on this person"
    default_detail = "They are in good standing already."


class GrantsTooMuch(Problem):
    """Nobody gives, changes or takes away more than they hold themselves."""

    type = "grants-too-much"
    status = 403
    title = "This is more than you may do yourself"
    default_detail = "Ask somebody who holds these permissions to do it."


class RoleFixed(Problem):
    """Built-in roles are the same everywhere."""

    type = "role-fixed"
    status = 409
    title = "Built-in roles cannot be changed"
    default_detail = "Create a role of your own with the permissions that you want."


class RoleInUse(Problem):
    """People still hold the role."""

    type = "role-in-use"
    status = 409
    title = "People still have this role"
    default_detail = "Give them another role first, then archive this one."


class RoleNameTaken(Problem):
    """Two roles of one business never read the same."""

    type = "role-name-taken"
    status = 409
    title = "There is a role of this name already"
    default_detail = "Choose another name."


ERRORS: tuple[type[Problem], ...] = (
    WrongCredentials,
    RefreshInvalid,
    RefreshReused,
    NoPlace,
    BrowserSession,
    LinkInvalid,
    AddressTaken,
    MemberAlready,
    InvitationOpen,
    InvitationClosed,
    LastOwner,
    SanctionsCrew,
    NothingImposed,
    GrantsTooMuch,
    RoleFixed,
    RoleInUse,
    RoleNameTaken,
)
