"""What keeps an account one's own: the second factor, its recovery codes, passkeys."""

import io
from typing import Annotated, Any

import msgspec
import segno

from lastlight.apps.account.places import safe_next
from lastlight.domains import identity
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.http import Form, Input, Redirect, RequestInfo, View, page, page_post
from lastlight.runtime.services import Services

OWN = "It is one's own account."
HOME = "/account/security"
PAGE = "account/security.html"
CODES = "account/recovery_codes.html"
Code = Annotated[str, msgspec.Meta(max_length=40)]
Secret = Annotated[str, msgspec.Meta(max_length=200)]
Next = Annotated[str, msgspec.Meta(max_length=500)]
Sent = Annotated[str, msgspec.Meta(max_length=40_000)]


class SecurityQuery(Input, frozen=True, kw_only=True):
    """Where to go on to, for who was led here on the way."""

    next: Next = ""


class SetUpForm(Input, frozen=True, kw_only=True):
    """The password, to begin with an authenticator app."""

    password: Secret
    next: Next = ""


class CodeForm(Input, frozen=True, kw_only=True):
    """A code of the app, or a recovery code."""

    code: Code
    next: Next = ""


class ProofForm(Input, frozen=True, kw_only=True):
    """A code, or what a passkey signed."""

    code: Code = ""
    passkey: Sent = ""
    next: Next = ""


class RemovalForm(Input, frozen=True, kw_only=True):
    """The password, and a code or what a passkey signed, to switch the app off."""

    password: Secret
    code: Code = ""
    passkey: Sent = ""


class PasskeyForm(Input, frozen=True, kw_only=True):
    """A new passkey: its name, and what the browser made."""

    label: Annotated[str, msgspec.Meta(max_length=80)]
    passkey: Sent = ""
    next: Next = ""


class LabelForm(Input, frozen=True, kw_only=True):
    """Another name for a passkey."""

    label: Annotated[str, msgspec.Meta(max_length=80)]


class PasskeyRemovalForm(Input, frozen=True, kw_only=True):
    """The password, to remove a passkey."""

    password: Secret


async def security_facts(ctx: Ctx, **_path: Any) -> dict[str, object]:
    """What the page of security shows."""
    return {
        "tab": "security",
        "next": "",
        "me": await identity.read_me(ctx),
        "factor": await identity.read_second_factor(ctx),
        "passkeys": await identity.list_passkeys(ctx),
        "passkey_origin": identity.passkey_origin(ctx),
    }


@page(HOME, signed_in=OWN, db="system")
async def security_page(ctx: Ctx, query: SecurityQuery) -> View:
    """Show what keeps one's account one's own."""
    return View(PAGE, {**await security_facts(ctx), "next": safe_next(query.next)})


async def _check_password(services: Services, data: SetUpForm, actor: Actor) -> identity.Verdict:
    return await identity.check_own_password(services, actor, password=data.password)


@page_post(
    "/account/authenticator",
    signed_in=OWN,
    db="system",
    limit="auth",
    secret=True,
    prepare=_check_password,
    form_page=PAGE,
    form_context=security_facts,
)
async def authenticator_submit(ctx: Ctx, form: Form[SetUpForm], prepared: identity.Verdict) -> View:
    """Begin with an authenticator app: show what it takes, this once."""
    data = form.require()
    begun = await identity.set_up_authenticator(ctx, verdict=prepared)
    shown = {"svg": qr_svg(begun.uri), "secret": grouped(begun.secret), "next": safe_next(data.next)}
    return View("account/authenticator.html", shown)


async def _no_secret(_ctx: Ctx) -> dict[str, object]:
    return {"svg": "", "secret": "", "next": ""}


@page_post(
    "/account/authenticator/confirmation",
    signed_in=OWN,
    db="system",
    limit="auth",
    secret=True,
    form_page="account/authenticator.html",
    form_context=_no_secret,
)
async def authenticator_confirm(ctx: Ctx, form: Form[CodeForm], request: RequestInfo) -> View | Redirect:
    """Switch the app on with a code of it, and show the recovery codes this once."""
    data = form.require()
    done = await identity.confirm_authenticator(ctx, code=data.code)
    return _codes(done.recovery_codes, data.next, request, "Your authenticator app is set up.")


async def _check_removal(services: Services, data: RemovalForm, actor: Actor) -> identity.Verdict:
    return await identity.prepare_factor_removal(
        services, identity.RemovalIn(password=data.password, code=data.code), actor
    )


@page_post(
    "/account/authenticator/removal",
    signed_in=OWN,
    db="system",
    limit="auth",
    prepare=_check_removal,
    form_page=PAGE,
    form_context=security_facts,
)
async def authenticator_remove(ctx: Ctx, form: Form[RemovalForm], prepared: identity.Verdict) -> Redirect:
    """Switch the app off."""
    await identity.remove_authenticator(ctx, verdict=prepared, data=_proof(form.require()))
    return Redirect(HOME, toast="The authenticator app is switched off.")


async def _count_code(services: Services, data: ProofForm, actor: Actor) -> None:
    await identity.count_attempt(services, user_id=actor.user_id, code=data.code)


def _proof(data: ProofForm | RemovalForm) -> identity.ProofIn:
    return identity.ProofIn(code=data.code, passkey=identity.read_shown(data.passkey) if data.passkey else None)


@page_post(
    "/account/recovery-codes",
    signed_in=OWN,
    db="system",
    limit="auth",
    secret=True,
    prepare=_count_code,
    form_page=PAGE,
    form_context=security_facts,
)
async def codes_renew(ctx: Ctx, form: Form[ProofForm], request: RequestInfo) -> View | Redirect:
    """Replace the recovery codes, and show the new ones this once."""
    made = await identity.renew_recovery_codes(ctx, data=_proof(form.require()))
    return _codes(made.recovery_codes, "", request, "")


@page_post(
    "/account/proof",
    signed_in=OWN,
    db="system",
    limit="auth",
    prepare=_count_code,
    form_page=PAGE,
    form_context=security_facts,
)
async def proof_submit(ctx: Ctx, form: Form[ProofForm]) -> Redirect:
    """Show one's second factor in this session."""
    data = form.require()
    await identity.prove_second_factor(ctx, data=_proof(data))
    return Redirect(safe_next(data.next) or HOME, toast="Thank you. Everything that is yours is open again.")


@page_post(
    "/account/passkeys",
    signed_in=OWN,
    db="system",
    limit="auth",
    secret=True,
    form_page=PAGE,
    form_context=security_facts,
)
async def passkey_submit(ctx: Ctx, form: Form[PasskeyForm], request: RequestInfo) -> View | Redirect:
    """Keep the passkey that the browser made; with an account's first factor come its recovery codes."""
    data = form.require()
    kept = await identity.keep_passkey(
        ctx, data=identity.PasskeyIn(label=data.label, passkey=identity.read_made(data.passkey))
    )
    return _codes(kept.recovery_codes, data.next, request, f"“{kept.passkey.label}” signs you in from now on.")


@page_post(
    "/account/passkeys/{passkey_id:uuid}",
    signed_in=OWN,
    db="system",
    form_page=PAGE,
    form_context=security_facts,
)
async def passkey_rename(ctx: Ctx, passkey_id: identity.PasskeyId, form: Form[LabelForm]) -> Redirect:
    """Give a passkey another name."""
    await identity.rename_passkey(ctx, passkey_id=passkey_id, label=form.require().label)
    return Redirect(HOME, toast="Saved.")


async def _check_passkey_removal(services: Services, data: PasskeyRemovalForm, actor: Actor) -> identity.Verdict:
    return await identity.check_own_password(services, actor, password=data.password)


@page_post(
    "/account/passkeys/{passkey_id:uuid}/removal",
    signed_in=OWN,
    db="system",
    limit="auth",
    prepare=_check_passkey_removal,
    form_page=PAGE,
    form_context=security_facts,
)
async def passkey_remove(
    ctx: Ctx, passkey_id: identity.PasskeyId, form: Form[PasskeyRemovalForm], prepared: identity.Verdict
) -> Redirect:
    """Remove a passkey; it no longer signs in."""
    form.require()
    await identity.remove_passkey(ctx, passkey_id=passkey_id, verdict=prepared)
    return Redirect(HOME, toast="The passkey is removed. It signs nobody in any more.")


def qr_svg(uri: str) -> str:
    """An authenticator app's address as a code to scan, dark on light with its quiet zone."""
    drawn = io.BytesIO()
    segno.make_qr(uri, error="m").save(
        drawn, kind="svg", xmldecl=False, omitsize=True, border=4, dark="#120d15", light="#ffffff"
    )
    return drawn.getvalue().decode()


def grouped(secret: str) -> str:
    """A key in groups of four, as people type it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _codes(codes: list[str], following: str, request: RequestInfo, done: str) -> View | Redirect:
    """The recovery codes, this once; on without them where some are left from before."""
    onwards = safe_next(following) or HOME
    if not codes:
        return Redirect(onwards, toast=done)
    return View(CODES, {"codes": codes, "next": onwards}, block="page" if request.htmx else "", toast=done)


SECURITY_PAGES = (
    security_page,
    authenticator_submit,
    authenticator_confirm,
    authenticator_remove,
    codes_renew,
    proof_submit,
    passkey_submit,
    passkey_rename,
    passkey_remove,
)
