"""Taxes on the owner's console: a category, its rates, a change on a day, a withdrawal, the calculator; told, live, on a phone."""

import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import toast, wrong_in_themes
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NARROW = {"width": 360, "height": 780}


@pytest.fixture
def owner(live_server: LiveServer, console_of: Console) -> Callable[..., Page]:
    """Open a page as the owner."""

    def open_page(path: str, **options: object) -> Page:
        return console_of(live_server.person("owner"), path, **options)

    return open_page


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#main [name={name}]")


def in_days(days: int) -> str:
    """A day for a date field; far enough from midnight for every venue."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def new_category(page: Page, name: str) -> None:
    page.goto("/owner/taxes/categories/new")
    field(page, "name").fill(name)
    page.get_by_role("button", name="Create").click()
    toast(page, f"{name} is there. Give it a rate.")


def new_rate(page: Page, tax: str, percent: str, venue: str = "") -> None:
    page.get_by_role("link", name="Add a rate").click()
    if venue:
        field(page, "venue_id").select_option(label=venue)
    field(page, "name").fill(tax)
    field(page, "percent").fill(percent)
    page.get_by_role("button", name="Add the rate").click()
    toast(page, f"{tax} applies from")


def rates(page: Page) -> Locator:
    return page.locator("#rates tbody tr")


def vat_is_changed_and_back(page: Page) -> None:
    """Another rate from a day on, refused for a day that is over; the new one is withdrawn again."""
    vat = rates(page).filter(has_text="VAT")
    vat.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New rate").fill("16")
    dialog.get_by_label("From").fill("2020-01-01")
    dialog.get_by_role("button", name="Change it").click()
    expect(dialog.get_by_label("From")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("From").fill(in_days(30))
    dialog.get_by_role("button", name="Change it").click()
    toast(page, "VAT is 16 % from")
    planned = rates(page).filter(has_text="Planned")
    expect(planned).to_contain_text("16 %")
    planned.get_by_role("button", name="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw it").click()
    toast(page, "VAT is withdrawn.")


def test_a_rate_is_added_changed_ended_and_withdrawn(owner: Callable[..., Page], live_server: LiveServer) -> None:
    name = f"Snacks {secrets.token_hex(3)}"
    page = owner("/owner/taxes/categories/new")
    page.get_by_role("button", name="Create").click()
    expect(field(page, "name")).to_have_attribute("aria-invalid", "true")
    expect(field(page, "code")).not_to_have_attribute("aria-invalid", "true")
    new_category(page, name)
    page.get_by_role("link", name="Add a rate").click()
    field(page, "name").fill("VAT")
    field(page, "percent").fill("lots")
    page.get_by_role("button", name="Add the rate").click()
    expect(page.get_by_text("Give a rate from 0 to 100 per cent")).to_be_visible()
    expect(field(page, "name")).to_have_value("VAT")
    field(page, "percent").fill("15")
    page.get_by_role("button", name="Add the rate").click()
    toast(page, "VAT applies from")
    expect(rates(page).first).to_contain_text("In force")
    new_rate(page, "City tax", "8.875", "Kōjō Rosebank")
    expect(rates(page)).to_have_count(2)
    vat_is_changed_and_back(page)
    city = rates(page).filter(has_text="City tax")
    city.get_by_role("button", name="End").click()
    page.get_by_role("dialog").get_by_label("Last day").fill(in_days(3))
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    toast(page, "City tax ends on")
    sql = """select r.name, r.millionths, r.valid_until, r.withdrawn_at is not null as gone from tax_rates r
             join tax_categories c on c.tenant_id = r.tenant_id and c.id = r.tax_category_id where c.name = $1 order by r.millionths"""
    found = [(row["name"], row["millionths"], row["valid_until"], row["gone"]) for row in live_server.sql(sql, name)]
    before = date.fromisoformat(in_days(29))
    assert found == [
        ("City tax", 88_750, date.fromisoformat(in_days(3)), False),
        ("VAT", 150_000, before, False),
        ("VAT", 160_000, None, True),
    ]


def test_the_first_page_says_what_applies_where_and_hears_of_changes(owner: Callable[..., Page]) -> None:
    name = f"Drinks {secrets.token_hex(3)}"
    page, watching = owner("/owner/taxes/categories/new"), owner("/owner/taxes")
    new_category(page, name)
    row = watching.locator("#force tbody tr").filter(has_text=name)
    expect(row).to_contain_text("No rate yet")
    new_rate(page, "VAT", "15")
    expect(row).to_contain_text("VAT 15 %, in the price")
    new_rate(page, "Town tax", "2.5", "Kōjō Rosebank")
    watching.reload()
    expect(row).to_contain_text("Town tax 2,5 %")


def test_the_calculator_answers_and_says_what_is_missing(owner: Callable[..., Page]) -> None:
    name = f"Games {secrets.token_hex(3)}"
    page = owner("/owner/taxes/categories/new")
    new_category(page, name)
    here = page.url
    page.goto("/owner/taxes/calculation")
    field(page, "category").select_option(label=name)
    field(page, "amount").fill("115")
    page.get_by_role("button", name="Calculate").click()
    expect(page.get_by_role("alert")).to_contain_text("has no tax rate")
    page.goto(here)
    new_rate(page, "VAT", "15")
    page.goto("/owner/taxes/calculation")
    field(page, "category").select_option(label=name)
    field(page, "amount").fill("115")
    field(page, "quantity").fill("2")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator("#calculation dl")).to_contain_text("200,00")
    expect(page.locator("#calculation dl")).to_contain_text("30,00")
    expect(page.locator("#calculation dl")).to_contain_text("230,00")
    field(page, "amount").fill("much")
    page.get_by_role("button", name="Calculate").click()
    expect(field(page, "amount")).to_have_attribute("aria-invalid", "true")


def test_a_stale_name_is_told_and_an_archived_category_comes_back(owner: Callable[..., Page]) -> None:
    name = f"Rooms {secrets.token_hex(3)}"
    page = owner("/owner/taxes/categories/new")
    new_category(page, name)
    other = owner(page.url)
    field(page, "name").fill(f"{name} two")
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    field(other, "name").fill(f"{name} three")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("alert").filter(has_text="changed")).to_be_visible()
    expect(field(other, "name")).to_have_value(f"{name} three")
    page.get_by_role("button", name="Archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive it").click()
    toast(page, "is archived.")
    page.get_by_role("button", name="Take back from the archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Take it back").click()
    toast(page, "is offered again.")


def test_taxes_fit_a_phone_in_both_themes(owner: Callable[..., Page]) -> None:
    name = f"Entry {secrets.token_hex(3)}"
    page = owner("/owner/taxes/categories/new", viewport=NARROW, reduced_motion="reduce")
    new_category(page, name)
    new_rate(page, "VAT", "15")
    asked = "/owner/taxes/calculation?category=untaxed&amount=12.50"
    for path in (page.url, "/owner/taxes", "/owner/taxes/rates", asked, "/owner/taxes/rates/new"):
        page.goto(path)
        assert wrong_in_themes(page) == []


def test_who_may_only_read_is_offered_no_change(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("manager"), "/owner/taxes")
    expect(page.locator("h1")).to_have_text("Taxes")
    expect(page.get_by_role("link", name="Add a category")).to_have_count(0)
