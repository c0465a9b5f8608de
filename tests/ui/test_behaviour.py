"""What the kit does in a real browser, under the content policy: palette, menus, dialogs, forms, lists, drawer."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.support.browser import DESK, PHONE, STAYS_SAID, violations, watched_context

pytestmark = pytest.mark.browser


def test_the_palette_finds_and_goes(page: Page, site: str) -> None:
    page.goto(f"{site}/gallery")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search or run a command")
    expect(box).to_be_focused()
    box.fill("switch to light")
    expect(page.locator("dialog [role=option]:visible")).to_have_count(1)
    box.fill("no such thing")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    box.fill("switch to")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(chosen).to_have_count(1)
    expect(box).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    box.fill("switch to light")
    page.keyboard.press("Enter")
    page.wait_for_url("**theme=light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_the_theme_stays(page: Page, site: str) -> None:
    page.goto(f"{site}/gallery")
    page.locator(".top").get_by_role("button", name="Switch light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    cookies = {cookie.get("name"): cookie.get("value") for cookie in page.context.cookies()}
    assert cookies["theme"] == "light"


def test_a_menu_closes_by_key_and_by_a_click_beside(page: Page, site: str) -> None:
    page.goto(f"{site}/gallery")
    menu = page.locator(".top details.menu")
    menu.locator("summary").click()
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("link", name="All venues")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    page.get_by_role("heading", name="Gallery").click()
    expect(menu).not_to_have_attribute("open", "")


def test_a_dialog_holds_the_focus_and_gives_it_back(page: Page, site: str) -> None:
    page.goto(f"{site}/gallery")
    button = page.get_by_role("button", name="Refund …")
    button.click()
    dialog = page.get_by_role("dialog", name="Refund R 1 240,00 to card ending 4417?")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Keep the charge").click()
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_a_refused_form_comes_back_with_its_error(page: Page, site: str) -> None:
    page.goto(f"{site}/form")
    reason = page.get_by_label("Reason")
    page.get_by_role("button", name="Refund").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why, finance reads this.")
    expect(reason).to_be_focused()
    expect(reason).to_have_attribute("aria-invalid", "true")
    reason.fill("Wrong bottle opened")
    page.get_by_role("button", name="Refund").click()
    expect(page.locator(".toast")).to_contain_text("Refund sent")


def ask_refund(page: Page, site: str, reason: str) -> None:
    """Open the form, give a reason, send it."""
    page.goto(f"{site}/form")
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Refund").click()


@pytest.mark.parametrize(
    ("reason", "sentence"), [("conflict", "Somebody was faster."), ("refused", "Refunds are paused.")]
)
def test_a_problem_becomes_a_toast_and_leaves_the_form(page: Page, site: str, reason: str, sentence: str) -> None:
    ask_refund(page, site, reason)
    expect(page.locator(".toast")).to_contain_text(sentence)
    expect(page.get_by_label("Reason")).to_have_value(reason)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".toast")).to_have_count(0)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("unsure", "It is not known whether this was done. Look before you do it again."),
        ("a proxy's", "No answer came, so it is not known whether this was done. Look before you do it again."),
    ],
)
def test_an_unknown_outcome_asks_to_look_first(page: Page, site: str, reason: str, sentence: str) -> None:
    ask_refund(page, site, reason)
    expect(page.locator(".toast .text")).to_have_text(sentence)
    expect(page.get_by_label("Reason")).to_have_value(reason)


def test_a_lost_answer_of_what_was_sent_asks_to_look_first(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.add_init_script(STAYS_SAID)
    page.goto(f"{site}/form", wait_until="networkidle")
    page.route("**/form", lambda route: route.abort())
    page.get_by_label("Reason").fill("Wrong bottle")
    page.get_by_role("button", name="Refund").click()
    expect(page.locator(".toast")).to_contain_text(
        "it is not known whether this was done. Look before you do it again."
    )
    expect(page.get_by_label("Reason")).to_have_value("Wrong bottle")
    page.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_toast_stands_above_an_open_dialog_and_outlives_it(
    browser: Browser, site: str, theme: str, size: ViewportSize
) -> None:
    with watched_context(browser, viewport=size, reduced_motion="reduce") as context:
        page = context.new_page()
        page.add_init_script(STAYS_SAID)
        page.goto(f"{site}/in-a-dialog?theme={theme}")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("conflict")
        dialog.get_by_role("button", name="Refund").click()
        said = page.locator(".toast")
        expect(said).to_contain_text("Somebody was faster.")
        page.wait_for_timeout(300)  # it has come in
        assert violations(page) == []
        assert not meet(page, said, dialog.get_by_role("button", name="Refund")), "what one presses stays free"
        said.get_by_role("button", name="Dismiss").click()  # refused by the browser for what lies beneath or is inert
        expect(said).to_have_count(0)
        dialog.get_by_role("button", name="Refund").click()
        expect(said).to_have_count(1)
        dialog.get_by_role("button", name="Keep the charge").click()
        expect(dialog).to_have_count(0)
        expect(said).to_be_visible()
        said.get_by_role("button", name="Dismiss").click()
        expect(said).to_have_count(0)


def test_a_toast_outlives_a_dialog_that_is_taken_off_the_page(page: Page, site: str) -> None:
    page.goto(f"{site}/in-a-dialog")
    page.get_by_label("Reason").fill("conflict")
    page.get_by_role("dialog").get_by_role("button", name="Refund").click()
    expect(page.locator("dialog .toast")).to_have_count(1)
    page.evaluate("document.querySelector('dialog[open]').remove()")
    expect(page.locator("body > #toasts > .toast")).to_contain_text("Somebody was faster.")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('ll:toast', {detail: {text: 'Once more'}}))")
    expect(page.locator(".toast").filter(has_text="Once more")).to_have_count(1)


def meet(page: Page, one: Locator, other: Locator) -> bool:
    """Whether two things of a page lie upon each other."""
    a, b = one.bounding_box(), other.bounding_box()
    assert a is not None
    assert b is not None
    return (
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_toast_leaves_the_button_of_a_form_free(browser: Browser, site: str, size: ViewportSize) -> None:
    with watched_context(browser, viewport=size) as context:
        page = context.new_page()
        page.add_init_script(STAYS_SAID)
        page.goto(f"{site}/form")
        page.get_by_label("Reason").fill("conflict")
        button = page.get_by_role("button", name="Refund")
        # where a longer form has it: at the lower edge of the screen
        button.evaluate(
            "node => { node.form.style.paddingTop = `${innerHeight - node.getBoundingClientRect().bottom - 16}px`; }"
        )
        button.click()
        expect(page.locator(".toast")).to_contain_text("Somebody was faster.")
        assert not meet(page, page.locator(".toast"), button)


def test_a_form_is_sent_once(page: Page, site: str) -> None:
    page.goto(f"{site}/form")
    page.get_by_label("Reason").fill("Twice")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.evaluate(
        "() => { const form = document.getElementById('refund'); form.requestSubmit(); form.requestSubmit(); }"
    )
    expect(page.locator(".toast")).to_have_count(1)
    page.wait_for_timeout(300)
    assert len(sent) == 1


def test_a_dead_network_is_said(browser: Browser, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(STAYS_SAID)
    page.goto(f"{site}/form", wait_until="networkidle")
    context.set_offline(offline=True)
    page.get_by_label("Reason").fill("Wrong bottle")
    page.get_by_role("button", name="Refund").click()
    expect(page.locator(".toast")).to_contain_text("No connection.")
    context.close()


def test_rows_are_chosen_by_ranges(page: Page, site: str) -> None:
    page.goto(f"{site}/gallery")
    boxes = page.locator("form[data-controller=selection] tbody .check")
    bar = page.get_by_role("region", name="Selected zones")
    expect(bar).to_be_hidden()
    boxes.nth(0).click()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 selected")
    every = page.get_by_role("row", name="Zone").get_by_role("checkbox", name="Select all")
    assert every.evaluate("box => box.indeterminate") is True
    every.click()
    expect(bar).to_contain_text("5 selected")
    page.get_by_role("button", name="Clear selection").click()
    expect(bar).to_be_hidden()


def test_a_chart_draws_and_has_a_table(page: Page, site: str) -> None:
    page.goto(f"{site}/gallery")
    chart = page.locator("#g-revenue")
    expect(chart.locator(".canvas svg")).to_be_visible()
    chart.get_by_text("Show as a table").click()
    expect(chart.get_by_role("row")).to_have_count(21)
    before = chart.locator(".canvas svg").inner_html()
    page.locator(".top").get_by_role("button", name="Switch light or dark").click()
    expect(chart.locator(".canvas svg")).not_to_have_js_property("innerHTML", before)


def test_dates_of_a_filter_become_moments(page: Page, site: str) -> None:
    page.goto(f"{site}/gallery")
    form = page.locator("form[data-controller=dates]")
    form.evaluate("form => form.setAttribute('action', '/gallery')")
    page.locator("summary", has_text="Arrived").click()
    form.get_by_label("From").fill("2025-11-30")
    form.get_by_label("To").fill("2025-11-30")
    form.get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile("opened_at_to"))
    assert "opened_at_from=2025-11-30T00%3A00%3A00%2B02%3A00" in page.url
    assert "opened_at_to=2025-12-01T00%3A00%3A00%2B02%3A00" in page.url
    assert "status=open" in page.url


def test_a_phone_has_a_drawer(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.goto(f"{site}/gallery")
    panel = page.locator(".side")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(panel).to_be_visible()
    expect(panel.get_by_role("link", name="Last Light Management")).to_be_focused()
    assert page.locator("[data-drawer-target=rest]").evaluate("rest => rest.inert") is True
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Menu", exact=True)).to_be_focused()
    page.close()


def test_something_to_copy(browser: Browser, site: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.add_init_script(STAYS_SAID)
    page.goto(f"{site}/gallery")
    page.get_by_role("button", name="Copy API key").click()
    expect(page.locator("#toasts .toast")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("llk_live_")
    context.close()


def test_relative_times_move_on(page: Page, site: str) -> None:
    page.clock.install()
    page.goto(f"{site}/gallery")
    since = page.locator("time[data-since]").first
    expect(since).to_have_text("14m")
    page.clock.fast_forward("02:00:00")
    expect(since).to_have_text("2h 14m")


def test_the_first_page_is_light(browser: Browser, site: str) -> None:
    """The prototype's dashboard took 13 requests and 266 KiB; a page with charts must stay below."""
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    client: Any = context.new_cdp_session(page)
    client.send("Network.enable")
    sizes: list[float] = []

    def weigh(event: dict[str, Any]) -> None:
        sizes.append(event["encodedDataLength"])

    client.on("Network.loadingFinished", weigh)
    page.goto(f"{site}/live", wait_until="load")
    page.locator("#arrivals[data-ready]").wait_for()
    assert len(sizes) <= 13
    assert sum(sizes) / 1024 < 290
    context.close()
