"""One's own account in a browser: preferences, password, devices, the ways back in, and the habits of every console."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.browser import sign_out, toast
from tests.support.guests import sign_in
from tests.support.live_server import PASSWORD, LiveServer, Person
from tests.support.mailbox import mailed_link

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def newcomer(live_server: LiveServer) -> Person:
    """A barkeeper of their own, so that no test meets another's sessions."""
    return live_server.new_member()


def test_preferences_are_kept_and_the_theme_holds_at_once(console_of: Console, newcomer: Person) -> None:
    page = console_of(newcomer, "/account")
    page.locator("[name=name]").fill("Kim the Keeper")
    page.locator("[name=time_zone]").select_option("Pacific/Auckland")
    page.get_by_label("Light", exact=True).check()
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.locator("[name=time_zone]")).to_have_value("Pacific/Auckland")
    expect(page.locator(".side-foot")).to_contain_text("Kim the Keeper")
    page.locator(".top").get_by_role("button", name="Switch light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_look_of_the_device_is_followed_until_one_says_otherwise(console_of: Console, newcomer: Person) -> None:
    page = console_of(newcomer, "/account")
    html = page.locator("html")
    page.get_by_label("As the device", exact=True).check()
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    for scheme in ("light", "dark", "light"):
        page.emulate_media(color_scheme=scheme)
        expect(html).to_have_attribute("data-theme", scheme)
    page.reload()
    expect(html).to_have_attribute("data-theme", "light")
    page.locator(".top").get_by_role("button", name="Switch light or dark").click()
    page.reload()
    expect(html).to_have_attribute("data-theme", "dark")


def test_a_device_is_signed_out_from_another(console_of: Console, newcomer: Person) -> None:
    lost = console_of(newcomer, "/staff/tasks/new")
    lost.get_by_label("What is to be done").fill("Mop up by the bar")
    page = console_of(newcomer, "/account?tab=sessions")
    rows = page.locator("#main tbody tr")
    expect(rows).to_have_count(2)
    rows.filter(has_not_text="This one").get_by_role("button", name="Sign out").click()
    toast(page, "That device is signed out.")
    expect(rows).to_have_count(1)
    lost.get_by_role("button", name="Create the task").click()
    expect(lost.get_by_role("alert").get_by_role("link", name="Sign in")).to_be_visible()
    expect(lost.get_by_label("What is to be done")).to_have_value("Mop up by the bar")
    lost.goto("/staff/visits")
    expect(lost).to_have_url(re.compile("/sign-in"))
    page.get_by_role("button", name="Sign out everywhere").click()
    page.wait_for_url("**/sign-in")


def test_the_password_changes_and_the_other_devices_end(console_of: Console, newcomer: Person) -> None:
    other = console_of(newcomer, "/staff")
    page = console_of(newcomer, "/account/security")
    page.locator("[name=current_password]").fill("not mine at all")
    page.locator("[name=new_password]").fill("a long walk by the sea")
    page.get_by_role("button", name="Change it").click()
    expect(page.locator("[name=current_password]")).to_have_attribute("aria-invalid", "true")
    page.locator("[name=current_password]").fill(PASSWORD)
    page.locator("[name=new_password]").fill("a long walk by the sea")
    page.get_by_role("button", name="Change it").click()
    toast(page, "Your password is changed.")
    other.goto("/staff")
    expect(other).to_have_url(re.compile("/sign-in"))


def test_an_address_changes_once_its_new_mailbox_says_so(
    live_server: LiveServer, console_of: Console, newcomer: Person
) -> None:
    page = console_of(newcomer, "/account/security")
    form = page.locator("#address")
    form.locator("[name=new_email]").fill(f"new.{newcomer.email}")
    form.locator("[name=password]").fill("not mine at all")
    form.get_by_role("button", name="Send the link").click()
    expect(form.locator("[name=password]")).to_have_attribute("aria-invalid", "true")
    expect(form.locator("[name=new_email]")).to_have_value(f"new.{newcomer.email}")
    form.locator("[name=password]").fill(PASSWORD)
    form.get_by_role("button", name="Send the link").click()
    toast(page, "Follow the link in the new mailbox.")
    crew = console_of(live_server.person("super_admin"), "/platform/outbox")
    page.goto(mailed_link(crew, f"new.{newcomer.email}"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your address is confirmed.")).to_be_visible()
    page.goto("/account")
    expect(page.locator("main").get_by_text(f"new.{newcomer.email}")).to_be_visible()


def test_a_forgotten_password_is_set_anew_by_mail(
    live_server: LiveServer, console_of: Console, new_context: NewContext, newcomer: Person
) -> None:
    page = new_context().new_page()
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgot password").click()
    page.locator("[name=email]").fill(newcomer.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("Check your inbox.")).to_be_visible()
    crew = console_of(live_server.person("super_admin"), "/platform/outbox")
    page.goto(mailed_link(crew, newcomer.email, words="password"))
    page.locator("[name=password]").fill("a long walk by the sea")
    page.get_by_role("button", name="Set the password").click()
    page.wait_for_url("**/sign-in")
    toast(page, "Your password is changed. Sign in with it.")
    sign_in(page, newcomer)
    expect(page.get_by_role("alert")).to_contain_text("E-mail or password is wrong")
    expect(page.locator("[name=email]")).to_have_value(newcomer.email)
    page.locator("[name=password]").fill("a long walk by the sea")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/staff")


def test_sign_in_leads_back_to_where_one_was(new_context: NewContext, newcomer: Person) -> None:
    page = new_context().new_page()
    page.goto("/staff/visits?status=open")
    expect(page).to_have_url(re.compile("/sign-in"))
    sign_in(page, newcomer)
    page.wait_for_url("**/staff/visits?status=open")
    sign_out(page)
    page.goto("/staff")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_what_a_page_still_asks_while_one_signs_out_leads_nowhere_else(console_of: Console, newcomer: Person) -> None:
    page = console_of(newcomer, "/staff")
    expect(page.locator(".live[data-live]")).to_have_attribute("data-state", "live")
    led: list[str] = []
    page.on("request", lambda request: led.append(request.url) if request.is_navigation_request() else None)
    page.evaluate("() => { HTMLFormElement.prototype.submit = () => { window.onTheWay = true; }; }")
    page.locator(".side-foot summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_function("() => window.onTheWay")
    page.context.clear_cookies()
    with page.expect_response(lambda answer: "hx-redirect" in answer.headers):
        page.evaluate("() => document.body.dispatchEvent(new Event('ll:resync'))")
    page.evaluate("() => fetch('/ready')")  # what the answer set off is under way by now
    assert led == []


def test_a_device_whose_memory_does_not_answer_is_signed_out_all_the_same(
    new_context: NewContext, newcomer: Person
) -> None:
    page = new_context().new_page()
    page.goto("/sign-in")
    sign_in(page, newcomer)
    page.wait_for_url("**/staff")
    page.evaluate("() => { indexedDB.databases = () => new Promise(() => undefined); }")
    sign_out(page)
    page.goto("/staff")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_the_palette_the_venue_switch_and_pages_that_are_not_there(
    live_server: LiveServer, console_of: Console
) -> None:
    page = console_of(live_server.person("manager"), "/manage/visits")
    page.keyboard.press("Control+k")
    page.keyboard.type("check")
    page.keyboard.press("Enter")
    page.wait_for_url("**/manage/checkins")
    page.locator(".top summary.ctx").click()
    page.locator(".top .panel").get_by_role("link", name="Kōjō Braamfontein").click()
    expect(page.locator(".top .ctx")).to_contain_text("Kōjō Braamfontein")
    expect(page).to_have_url(re.compile("/manage/checkins"))
    expect(page.locator("#checkins summary").filter(has_text="Venue")).to_have_count(0)
    page.locator(".top summary.ctx").click()
    page.locator(".top .panel").get_by_role("link", name="All venues").click()
    expect(page.locator(".top .ctx")).to_contain_text("All venues")
    page.goto("/manage/no-such-page")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
    page.get_by_role("link", name="Home").click()
    page.wait_for_url("**/manage")
