"""How second factors and passkeys refuse."""

from lastlight.kernel.errors import Problem


class SecondFactorNeeded(Problem):
    """The password was right, and the account asks for a second factor; `ticket` lets one go on with it for five minutes."""

    type = "second-factor-needed"
    status = 401
    title = "Your second factor is needed"
    default_detail = "Send the code of your authenticator app, or one of your recovery codes, as `code`."


class SecondFactorWrong(Problem):
    """The code is none that counts now: mistyped, too old, or used before. What was tried stays in the audit chain."""

    type = "second-factor-wrong"
    status = 401
    title = "This code does not count"
    default_detail = "Type the code that your app shows now; each counts once. Check that your phone's clock is right."
    keeps = True


class SecondFactorActive(Problem):
    """An authenticator app is set up already."""

    type = "second-factor-active"
    status = 409
    title = "A second factor is set up already"
    default_detail = "Remove it first, with your password and a code."


class SecondFactorFirst(Problem):
    """Whoever requires a second factor of others has shown their own, and a business always has an owner who can."""

    type = "second-factor-first"
    status = 409
    title = "Set up a second factor of your own first"
    default_detail = "Set one up under Account, Security, and show it; then require it of the role."


class SignInLate(Problem):
    """Between the password and the second factor too much time went by, or the password changed."""

    type = "sign-in-late"
    status = 401
    title = "This sign-in took too long"
    default_detail = "Sign in again with your password."


class PasskeyRefused(Problem):
    """The same for an unknown passkey, a spent challenge, another site and a wrong signature; the audit chain keeps which."""

    type = "passkey-refused"
    status = 401
    title = "This passkey does not work here"
    default_detail = "Try again, or choose another way to sign in."
    keeps = True


class PasskeyNotKept(Problem):
    """What the browser sent makes no passkey; nothing says which check failed, the audit chain keeps it."""

    type = "passkey-not-kept"
    status = 409
    title = "This passkey could not be kept"
    default_detail = "Begin again. If it stays, use another browser or security key."
    keeps = True


class PasskeyKnown(Problem):
    """A credential belongs to one account."""

    type = "passkey-known"
    status = 409
    title = "This passkey is known already"
    default_detail = "Use it to sign in, or add another one."


class PasskeysFull(Problem):
    """One account keeps so many."""

    type = "passkeys-full"
    status = 409
    title = "This account has as many passkeys as it can hold"
    default_detail = "Remove one that you do not use any more."


class PasskeysUnavailable(Problem):
    """Browsers allow passkeys on https and on localhost, under a name, never under a bare address."""

    type = "passkeys-unavailable"
    status = 409
    title = "Passkeys do not work at this address"
    default_detail = "The platform must be served over https, under a name: see LASTLIGHT_BASE_URL."


FACTOR_ERRORS: tuple[type[Problem], ...] = (
    SecondFactorNeeded,
    SecondFactorWrong,
    SecondFactorActive,
    SecondFactorFirst,
    SignInLate,
    PasskeyRefused,
    PasskeyNotKept,
    PasskeyKnown,
    PasskeysFull,
    PasskeysUnavailable,
)
