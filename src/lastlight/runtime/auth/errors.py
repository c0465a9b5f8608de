"""Why credentials, or the one who presents them, are refused."""

from lastlight.kernel.errors import NotPermitted, Problem


class TokenInvalid(Problem):
    """The token is none of ours: another signature, issuer, audience, type or shape. Nothing says which."""

    type = "token-invalid"
    status = 401
    title = "This token is not valid"
    default_detail = "Sign in again and send the access token as it was given: Authorization: Bearer <token>."


class TokenExpired(Problem):
    """The token was ours, and its time is over."""

    type = "token-expired"
    status = 401
    title = "This token has expired"
    default_detail = "Get a new one with POST /api/auth/refresh, or sign in again."


class AccountSuspended(Problem):
    """The platform has suspended the person."""

    type = "account-suspended"
    status = 403
    title = "This account is suspended"
    default_detail = "Write to support if you think that this is a mistake."


class TenantPending(Problem):
    """The business waits for the platform's approval."""

    type = "tenant-pending"
    status = 403
    title = "This business waits for approval"
    default_detail = "We look at each registration ourselves; you get an e-mail as soon as it is decided."


class TenantSuspended(Problem):
    """The platform has suspended the business."""

    type = "tenant-suspended"
    status = 403
    title = "This business is suspended"
    default_detail = "Its owner finds the reason in our e-mail; write to support to have it lifted."


class TenantClosed(Problem):
    """The business was rejected or has left the platform."""

    type = "tenant-closed"
    status = 403
    title = "This business is not on Last Light"
    default_detail = "Sign in to another business, or register this one again."


class GuestBanned(Problem):
    """The business has banned its guest: nothing of it is theirs to see while that holds."""

    type = "guest-banned"
    status = 403
    title = "This business has banned you"
    default_detail = "Speak to its people if you think that this is a mistake. Your other places are as they were."


class MembershipEnded(Problem):
    """No active membership is left in the tenant that the session is for."""

    type = "membership-ended"
    status = 403
    title = "You no longer have a role here"
    default_detail = "Ask an owner or a manager of the business to give you one."


class SecondFactorDue(NotPermitted):
    """A role of theirs requires a second factor, which this session has not shown: until then the role gives nothing."""

    type = "second-factor-due"
    title = "Your role asks for a second factor"
    default_detail = "Set one up under Account, Security, or show it there; what your role allows opens at once."


AUTH_ERRORS: tuple[type[Problem], ...] = (
    TokenInvalid,
    TokenExpired,
    AccountSuspended,
    TenantPending,
    TenantSuspended,
    TenantClosed,
    GuestBanned,
    MembershipEnded,
    SecondFactorDue,
)
