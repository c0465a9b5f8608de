"""One's own password and e-mail address, on the page of what keeps an account one's own."""

from typing import Annotated

import msgspec

from lastlight.apps.account.security import OWN, PAGE, security_facts
from lastlight.domains import identity
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.http import Form, Input, Redirect, page_post
from lastlight.runtime.services import Services


class PasswordForm(Input, frozen=True, kw_only=True):
    """The password as it is and as it shall be."""

    current_password: Annotated[str, msgspec.Meta(max_length=200)]
    new_password: Annotated[str, msgspec.Meta(max_length=200)]


class AddressForm(Input, frozen=True, kw_only=True):
    """Another e-mail address, and the password."""

    new_email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=200)]


async def _check_change(services: Services, data: PasswordForm, actor: Actor) -> tuple[identity.Verdict, str]:
    wanted = identity.ChangePasswordIn(current_password=data.current_password, new_password=data.new_password)
    return await identity.prepare_change(services, wanted, actor)


@page_post(
    "/account/password",
    signed_in=OWN,
    db="system",
    limit="auth",
    prepare=_check_change,
    form_page=PAGE,
    form_context=security_facts,
)
async def password_submit(ctx: Ctx, form: Form[PasswordForm], prepared: tuple[identity.Verdict, str]) -> Redirect:
    """Change one's password; every other session ends."""
    form.require()
    await identity.change_password(ctx, verdict=prepared[0], password_hash=prepared[1])
    return Redirect("/account/security", toast="Your password is changed. Your other devices are signed out.")


async def _check_address(services: Services, data: AddressForm, actor: Actor) -> identity.Verdict:
    wanted = identity.ChangeEmailIn(new_email=data.new_email, password=data.password)
    return await identity.prepare_email_change(services, wanted, actor)


@page_post(
    "/account/email",
    signed_in=OWN,
    db="system",
    limit="auth",
    prepare=_check_address,
    form_page=PAGE,
    form_context=security_facts,
)
async def email_submit(ctx: Ctx, form: Form[AddressForm], prepared: identity.Verdict) -> Redirect:
    """Send a link to another address of one's own."""
    await identity.ask_email_change(ctx, email=form.require().new_email, verdict=prepared)
    return Redirect("/account/security", toast="Follow the link in the new mailbox. Until then nothing changes.")


@page_post("/account/email/link", signed_in=OWN, db="system", limit="auth")
async def email_link(ctx: Ctx) -> Redirect:
    """Send the link that proves one's address again."""
    await identity.send_verification(ctx)
    return Redirect("/account/security", toast="A link is on its way.")


CREDENTIAL_PAGES = (password_submit, email_submit, email_link)
