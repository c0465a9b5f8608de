"""The second factor in a browser: authenticator app, recovery codes, passkeys (with Chromium's own virtual authenticator), and
roles that require one."""

import base64
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from lastlight.domains.identity.totp import SECONDS, code_of
from tests.support.browser import PHONE, devtools, scrolls_sideways, sign_out, toast, violations
from tests.support.guests import sign_in
from tests.support.live_server import PASSWORD, LiveServer, Person

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
CODE = re.compile(r"^[2-9a-z]{5}-[2-9a-z]{5}$")


@pytest.fixture
def newcomer(live_server: LiveServer) -> Person:
    """Somebody of their own for each test."""
    return live_server.new_member()


@pytest.fixture
def page(new_context: NewContext, live_server: LiveServer) -> Page:
    """A page at the address at which passkeys work: by name, not by number."""
    return at_localhost(new_context, live_server)


def at_localhost(new_context: NewContext, live_server: LiveServer, **options: Any) -> Page:
    page = new_context(**options).new_page()
    page.goto(live_server.base_url.replace("127.0.0.1", "localhost") + "/sign-in")
    return page


def path(page: Page, address: str) -> str:
    return "/".join(page.url.split("/")[:3]) + address


def app_code(secret: str, off: int = 0) -> str:
    plain = secret.replace(" ", "")
    return code_of(base64.b32decode(plain + "=" * (-len(plain) % 8)), int(time.time() // SECONDS) + off)


def authenticator(page: Page, *, verifies: bool = True) -> tuple[Any, str]:
    """A security device that Chromium pretends to have."""
    tools = devtools(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": verifies,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    return tools, tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def set_up_app(page: Page) -> tuple[str, list[str]]:
    """The key of the app and the recovery codes, as the pages show them."""
    card = page.get_by_role("region", name="Authenticator app")
    card.get_by_label("Your password").fill(PASSWORD)
    card.get_by_role("button", name="Set up the app").click()
    secret = page.locator(".secret code").inner_text()
    expect(page.get_by_role("img", name="The key for your authenticator app")).to_be_visible()
    page.locator("[name=code]").fill("000000")
    page.get_by_role("button", name="Switch it on").click()
    expect(page.locator("[name=code]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".secret code")).to_have_text(secret)
    page.locator("[name=code]").fill(app_code(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    return secret, page.locator(".recovery code").all_inner_texts()


def test_an_app_is_set_up_its_codes_are_kept_and_sign_in_asks_for_it(page: Page, newcomer: Person) -> None:
    sign_in(page, newcomer)
    page.wait_for_url("**/staff")
    page.goto(path(page, "/account/security"))
    page.get_by_role("region", name="Authenticator app").get_by_label("Your password").fill("not my password")
    page.get_by_role("button", name="Set up the app").click()
    expect(page.locator("#app-password")).to_have_attribute("aria-invalid", "true")
    secret, codes = set_up_app(page)
    assert len(codes) == 10
    assert all(CODE.match(code) for code in codes)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    kept = download.value.path().read_text()
    assert [code for code in codes if code not in kept] == []
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("region", name="Authenticator app")).to_contain_text("On")
    expect(page.get_by_role("region", name="Recovery codes")).to_contain_text("10 left")
    sign_out(page)

    sign_in(page, newcomer)
    give_app_code(page, secret)
    page.wait_for_url("**/staff")
    sign_out(page)

    sign_in(page, newcomer)
    page.locator("[name=code]").fill(codes[0])
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/staff")
    page.goto(path(page, "/account/security"))
    expect(page.get_by_role("region", name="Recovery codes")).to_contain_text("9 left")
    fresh = renew_codes(page, codes)
    switch_app_off(page, codes[2], fresh)
    expect(page.get_by_role("region", name="Recovery codes")).to_have_count(0)


def give_app_code(page: Page, secret: str) -> None:
    """The second step of a sign-in with the app's code, at first with half of one."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Your second factor")
    page.locator("[name=code]").fill("12345")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("[name=code]")).to_have_attribute("aria-invalid", "true")
    page.locator("[name=code]").fill(app_code(secret, 1))  # the next one: the present one is spent
    page.get_by_role("button", name="Go on").click()


def renew_codes(page: Page, codes: list[str]) -> str:
    """Make new recovery codes with the second of the old ones; one of the new."""
    region = page.get_by_role("region", name="Recovery codes")
    region.get_by_text("Make new ones").click()
    region.get_by_label("Code").fill(codes[1])
    region.get_by_role("button", name="Make new codes").click()
    renewed = page.locator(".recovery code")
    expect(renewed).to_have_count(10)
    assert set(renewed.all_inner_texts()).isdisjoint(codes)
    fresh = renewed.first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    return fresh


def switch_app_off(page: Page, old: str, fresh: str) -> None:
    """Switch the app off: a recovery code of the old ones does not do, a fresh one does."""
    region = page.get_by_role("region", name="Authenticator app")
    region.get_by_text("Switch it off").click()
    region.get_by_label("Your password").fill(PASSWORD)
    region.get_by_label("Code").fill(old)
    region.get_by_role("button", name="Switch the app off").click()
    expect(region.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    region.get_by_label("Your password").fill(PASSWORD)
    region.get_by_label("Code").fill(fresh)
    region.get_by_role("button", name="Switch the app off").click()
    toast(page, "The authenticator app is switched off.")


def test_a_passkey_is_made_named_used_and_removed(page: Page, newcomer: Person) -> None:
    tools, device = authenticator(page)
    sign_in(page, newcomer)
    page.wait_for_url("**/staff")
    page.goto(path(page, "/account/security"))
    card = page.get_by_role("region", name="Passkeys")
    add_laptop(page, card)
    expect(card).to_contain_text("My laptop")
    assert len(tools.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]) == 1
    sign_out(page)

    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/staff")
    sign_out(page)

    sign_in(page, newcomer)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/staff")
    page.goto(path(page, "/account/security"))
    codes = page.get_by_role("region", name="Recovery codes")
    codes.get_by_text("Make new ones").click()
    codes.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    page.get_by_role("link", name="I have kept them").click()
    rename_and_remove(page, card)
    sign_out(page)

    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="choose another way to sign in")).to_be_visible()
    sign_in(page, newcomer)
    page.wait_for_url("**/staff")


def add_laptop(page: Page, card: Locator) -> None:
    """Make a passkey, at first with a wrong password."""
    card.get_by_label("Name").fill("My laptop")
    card.get_by_label("Your password").fill("not my password")
    card.get_by_role("button", name="Add a passkey").click()
    expect(card.get_by_role("alert")).to_contain_text("This is not your password.")
    expect(card.get_by_label("Name")).to_have_value("My laptop")
    card.get_by_label("Your password").fill(PASSWORD)
    card.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    page.get_by_role("link", name="I have kept them").click()


def rename_and_remove(page: Page, card: Locator) -> None:
    """Rename the passkey, then remove it, at first with a wrong password."""
    card.get_by_text("Rename or remove").click()
    card.locator("[name=label]").first.fill("Old laptop")
    card.get_by_role("button", name="Rename", exact=True).click()
    toast(page, "Saved.")
    expect(card).to_contain_text("Old laptop")
    card.get_by_text("Rename or remove").click()
    card.get_by_role("button", name="Remove", exact=True).click()
    removal = card.locator("input[id^=password-of-]")
    removal.fill("not my password")
    card.get_by_role("button", name="Remove", exact=True).click()
    expect(removal).to_have_attribute("aria-invalid", "true")
    removal.fill(PASSWORD)
    card.get_by_role("button", name="Remove", exact=True).click()
    toast(page, "The passkey is removed.")
    expect(card).not_to_contain_text("Old laptop")


def test_who_declines_the_passkey_is_told_and_uses_a_code(page: Page, newcomer: Person) -> None:
    tools, device = authenticator(page)
    sign_in(page, newcomer)
    page.wait_for_url("**/staff")
    page.goto(path(page, "/account/security"))
    card = page.get_by_role("region", name="Passkeys")
    card.get_by_label("Name").fill("My key")
    card.get_by_label("Your password").fill(PASSWORD)
    card.get_by_role("button", name="Add a passkey").click()
    codes = page.locator(".recovery code")
    expect(codes).to_have_count(10)
    code = codes.first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    sign_out(page)
    tools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device})
    authenticator(page)
    sign_in(page, newcomer)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="No passkey was used.")).to_be_visible()
    page.get_by_label("Recovery code").fill(code)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/staff")


def test_a_role_that_requires_it_leads_its_people_to_set_it_up(
    live_server: LiveServer, new_context: NewContext, page: Page
) -> None:
    boss, hand = live_server.new_member("owner", "Bo Owner"), live_server.new_member("staff", "Han Hand")
    sign_in(page, boss)
    page.wait_for_url("**/owner")
    page.goto(path(page, "/owner/roles/new"))
    page.locator("[name=name]").fill("Careful")
    page.get_by_label("See who is in, and past visits").check()
    page.get_by_role("button", name="Create the role").click()
    toast(page, "Careful can be given to people now.")
    careful = page.url
    role_id = careful.rsplit("/", 1)[-1]
    page.get_by_role("button", name="Require a second factor").click()
    expect(page.locator("#role-factor").get_by_role("alert")).to_contain_text("Set up a second factor of your own")
    page.goto(path(page, "/account/security"))
    set_up_app(page)
    page.goto(careful)
    page.get_by_role("button", name="Require a second factor").click()
    toast(page, "Careful asks for a second factor from now on.")
    expect(page.locator(".audit li").first).to_contain_text("second factor: yes")
    live_server.sql(
        """update memberships set role_id = $1
           where tenant_id = $2 and user_id = (select id from users where email = $3)""",
        role_id,
        live_server.businesses["kojo-arcade"].id,
        hand.email,
    )
    theirs = at_localhost(new_context, live_server, viewport=PHONE)
    theirs.goto(path(theirs, "/staff/visits"))
    theirs.wait_for_url(re.compile("/sign-in"))
    sign_in(theirs, hand)
    theirs.wait_for_url(re.compile(r"/account/security\?next="))
    expect(theirs.get_by_text("Your role asks for a second factor.")).to_be_visible()
    assert not scrolls_sideways(theirs)
    set_up_app(theirs)
    assert not scrolls_sideways(theirs)
    theirs.get_by_role("link", name="I have kept them").click()
    theirs.wait_for_url("**/staff/visits")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Visits")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_its_pages_are_for_everybody(
    live_server: LiveServer, new_context: NewContext, newcomer: Person, theme: str, size: str
) -> None:
    options: dict[str, Any] = {"viewport": PHONE} if size == "phone" else {}
    page = at_localhost(new_context, live_server, **options)
    page.context.add_cookies([{"name": "theme", "value": theme, "url": path(page, "/")}])
    authenticator(page)
    sign_in(page, newcomer)
    page.wait_for_url("**/staff")
    page.goto(path(page, "/account/security"))
    seen = violations(page)
    card = page.get_by_role("region", name="Passkeys")
    card.get_by_label("Name").fill("My laptop")
    card.get_by_label("Your password").fill(PASSWORD)
    card.get_by_role("button", name="Add a passkey").click()
    expect(page.locator(".recovery code")).to_have_count(10)
    seen += violations(page)
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("region", name="Authenticator app").get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set up the app").click()
    expect(page.locator(".secret code")).to_be_visible()
    seen += violations(page)
    assert not scrolls_sideways(page)
    page.goto(path(page, "/account/security"))
    card.get_by_text("Rename or remove").click()
    seen += violations(page)
    assert not scrolls_sideways(page)
    page.context.clear_cookies(name="ll_session")
    page.goto(path(page, "/sign-in"))
    sign_in(page, newcomer)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your second factor")
    seen += violations(page)
    assert seen == []
    assert not scrolls_sideways(page)


def test_a_guest_s_app_asks_for_the_second_step(live_server: LiveServer, new_context: NewContext, page: Page) -> None:
    guest = live_server.new_guest("Thabo Factor")
    authenticator(page)
    page.goto(path(page, "/patron/sign-in"))
    sign_in(page, guest)
    page.wait_for_url(re.compile(r"/patron$"))
    page.goto(path(page, "/account/security"))
    card = page.get_by_role("region", name="Passkeys")
    card.get_by_label("Name").fill("My phone")
    card.get_by_label("Your password").fill(PASSWORD)
    card.get_by_role("button", name="Add a passkey").click()
    code = page.locator(".recovery code").first.inner_text()
    for way in ("passkey", "code"):
        page.context.clear_cookies(name="ll_session")
        page.goto(path(page, "/patron/sign-in"))
        sign_in(page, guest)
        if way == "passkey":
            page.get_by_role("button", name="Use a passkey").click()
        else:
            page.get_by_label("Recovery code").fill("wrong")
            page.get_by_role("button", name="Go on").click()
            expect(page.locator("[name=code]")).to_have_attribute("aria-invalid", "true")
            assert violations(page) == []
            page.get_by_label("Recovery code").fill(code)
            page.get_by_role("button", name="Go on").click()
        page.wait_for_url(re.compile(r"/patron$"))
