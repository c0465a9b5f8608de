"""The edge of the second factor."""

from lastlight.domains.identity import second_factor
from lastlight.domains.identity.accounts import Verdict
from lastlight.domains.identity.credential_post import credential_post
from lastlight.domains.identity.factor_errors import (
    PasskeyRefused,
    PasskeysUnavailable,
    SecondFactorActive,
    SecondFactorNeeded,
    SecondFactorWrong,
)
from lastlight.domains.identity.passkey_schemas import ProofIn
from lastlight.domains.identity.second_factor import (
    CodeIn,
    PasswordIn,
    RecoveryOut,
    RemovalIn,
    SecondFactorOut,
    SetUpOut,
    prepare_code,
    prepare_password,
    prepare_removal,
)
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get

OWN = "it touches only what is their own"
TAGS = ("Second factor",)
WRONG = (NotFound, SecondFactorNeeded, SecondFactorWrong)
SHOWN = (*WRONG, PasskeyRefused, PasskeysUnavailable)


@get("/api/me/second-factor", signed_in=OWN, db="system", tags=TAGS)
async def read_second_factor(ctx: Ctx) -> SecondFactorOut:
    """Whether one's second factor is set up, shown in this session, and required by a role."""
    return await second_factor.read_second_factor(ctx)


@credential_post(
    "/api/me/second-factor",
    signed_in=OWN,
    status=201,
    tags=TAGS,
    raises=(Invalid, SecondFactorActive, SecondFactorNeeded),
    prepare=prepare_password,
)
async def set_up_second_factor(ctx: Ctx, data: PasswordIn, prepared: Verdict) -> SetUpOut:
    """Begin to set up an authenticator app: the secret that it takes. A code of it confirms."""
    return await second_factor.set_up(ctx, verdict=prepared)


@credential_post(
    "/api/me/second-factor/confirmation",
    signed_in=OWN,
    tags=TAGS,
    raises=(*WRONG, SecondFactorActive),
)
async def confirm_second_factor(ctx: Ctx, data: CodeIn) -> RecoveryOut:
    """Switch the app on; the answer shows the recovery codes this one time, none where some are left."""
    return await second_factor.confirm(ctx, code=data.code)


@credential_post(
    "/api/me/second-factor/recovery-codes",
    signed_in=OWN,
    tags=TAGS,
    raises=SHOWN,
    prepare=prepare_code,
)
async def renew_recovery_codes(ctx: Ctx, data: ProofIn) -> RecoveryOut:
    """Replace one's recovery codes, with a code of the app, one of the old ones, or a passkey."""
    return await second_factor.renew_recovery_codes(ctx, data=data)


@credential_post(
    "/api/me/second-factor/removal",
    signed_in=OWN,
    status=204,
    tags=TAGS,
    raises=(Invalid, *SHOWN),
    prepare=prepare_removal,
)
async def remove_second_factor(ctx: Ctx, data: RemovalIn, prepared: Verdict) -> None:
    """Remove one's authenticator app, with the password and a code or a passkey."""
    await second_factor.remove(ctx, verdict=prepared, data=data)


@credential_post(
    "/api/me/second-factor/proof",
    signed_in=OWN,
    status=204,
    tags=TAGS,
    raises=SHOWN,
    prepare=prepare_code,
)
async def prove_second_factor(ctx: Ctx, data: ProofIn) -> None:
    """Show one's second factor in this session, with a code or a passkey: roles that require it open."""
    await second_factor.prove(ctx, data=data)


ROUTES = (
    read_second_factor,
    set_up_second_factor,
    confirm_second_factor,
    renew_recovery_codes,
    remove_second_factor,
    prove_second_factor,
)
