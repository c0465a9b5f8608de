"""The platform's crew in a browser: a business registers, is approved and runs; modules go on and off; mail, jobs and audit are read."""

import secrets
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.browser import toast
from tests.support.guests import wait_until
from tests.support.live_server import LiveServer
from tests.support.mailbox import mailed_link

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NewContext = Callable[..., BrowserContext]
PASSWORD = "a long walk by the sea"


def register(page: Page, name: str, email: str) -> None:
    page.goto("/register")
    page.locator("[name=name]").fill(name)
    page.locator("[name=contact_name]").fill("Priya Naidoo")
    page.locator("[name=contact_email]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("Check your inbox.")).to_be_visible()


def test_a_business_registers_proves_its_address_is_approved_and_starts(
    live_server: LiveServer, console_of: Console, new_context: NewContext
) -> None:
    name, email = f"Sunset {secrets.token_hex(3)}", f"priya-{secrets.token_hex(3)}@sunset.example"
    applicant = new_context().new_page()
    register(applicant, name, email)
    crew = console_of(live_server.person("super_admin"), "/platform/outbox")
    applicant.goto(mailed_link(crew, email, words="Confirm your e-mail address"))
    applicant.get_by_role("button", name="Confirm").click()
    expect(applicant.get_by_text("Your address is confirmed.")).to_be_visible()

    crew.goto(f"/platform/tenants?status=pending&q={name.split()[1]}")
    crew.locator("#tenants tbody a").first.click()
    crew.get_by_role("button", name="Approve").click()
    dialog = crew.get_by_role("dialog")
    expect(dialog).to_contain_text(email)
    dialog.get_by_role("button", name="Approve").click()
    toast(crew, f"{name} is approved. Its owner is told by e-mail.")
    expect(crew.locator("#rail")).to_contain_text("Active")

    applicant.goto("/sign-in")
    applicant.locator("[name=email]").fill(email)
    applicant.locator("[name=password]").fill(PASSWORD)
    applicant.get_by_role("button", name="Sign in", exact=True).click()
    applicant.wait_for_url("**/owner")
    expect(applicant.get_by_text("No venue yet")).to_be_visible()
    expect(applicant.get_by_role("link", name="New venue")).to_be_visible()


def test_a_registration_is_rejected_with_a_reason(
    live_server: LiveServer, console_of: Console, new_context: NewContext
) -> None:
    name, email = f"Shady {secrets.token_hex(3)}", f"shady-{secrets.token_hex(3)}@sunset.example"
    crew = console_of(live_server.person("super_admin"), "/platform/tenants")
    expect(crew.locator(".top [data-live]")).to_have_text("Live")
    register(new_context().new_page(), name, email)
    crew.locator("#tenants tbody a").filter(has_text=name).click()  # the list has changed by itself
    crew.get_by_role("button", name="Reject").click()
    dialog = crew.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("No licence for this address")
    dialog.get_by_role("button", name="Reject").click()
    toast(crew, "The registration is rejected. The applicant is told why.")
    expect(crew.locator("#rail")).to_contain_text("No licence for this address")


def test_modules_go_on_and_off(live_server: LiveServer, console_of: Console) -> None:
    tenant = live_server.businesses["the-low-light"]
    crew = console_of(live_server.person("super_admin"), f"/platform/tenants/{tenant.id}?tab=modules")

    def enabled() -> bool:
        statement = "select enabled from tenant_modules where tenant_id = $1 and module = 'loyalty'"
        return live_server.sql(statement, tenant.id)[0]["enabled"]

    listed = crew.get_by_role("main").get_by_role("listitem")
    expect(listed.filter(has_text="Points, levels and rewards")).to_contain_text("Comes with a later release.")
    expect(listed.filter(has_text="Incidents, SOS and reports.")).not_to_contain_text("later release")
    expect(listed.filter(has_text="Scanners")).to_have_count(0)  # they cannot be switched off: the door needs them
    before = enabled()
    for _ in range(2):
        was = enabled()
        crew.get_by_role("button", name=f"Switch {'off' if was else 'on'} Loyalty").click()
        if was:
            dialog = crew.get_by_role("dialog")
            dialog.get_by_role("button", name="Switch off").click()
            expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
            dialog.get_by_label("Reason").fill("They do not use it")
            dialog.get_by_role("button", name="Switch off").click()
        expect(crew.get_by_role("button", name=f"Switch {'on' if was else 'off'} Loyalty")).to_be_visible()
        assert enabled() is not was
    assert enabled() is before
    expect(crew.locator(".audit li").first).to_contain_text("Sam Adeyemi")


def test_lists_are_searched_sorted_and_filtered_in_the_address(live_server: LiveServer, console_of: Console) -> None:
    crew = console_of(live_server.person("super_admin"), "/platform/tenants")
    crew.get_by_role("searchbox", name="Search tenants").fill("low light")
    expect(crew.locator("#tenants tbody tr")).to_have_count(1)
    expect(crew).to_have_url(f"{live_server.base_url}/platform/tenants?q=low+light")
    crew.get_by_role("searchbox", name="Search tenants").fill("nobody has this name")
    expect(crew.get_by_role("heading", name="Nothing matches")).to_be_visible()
    crew.get_by_role("link", name="Show everything").click()
    expect(crew.locator("#tenants tbody tr").nth(1)).to_be_visible()
    crew.locator("#tenants thead").get_by_role("link", name="Business").click()
    expect(crew.locator("#tenants th[aria-sort]")).to_have_text("Business")
    names = crew.locator("#tenants tbody td.main").all_inner_texts()
    assert names == sorted(names, key=str.casefold)
    crew.locator("#tenants summary").filter(has_text="Status").click()
    crew.locator("#tenants .panel").get_by_role("link", name="Active").click()
    expect(crew.locator("#tenants summary.on")).to_contain_text("Active")


def test_the_audit_log_opens_and_jobs_are_told(live_server: LiveServer, console_of: Console) -> None:
    with closing(live_server.client(live_server.person("owner"))) as client:
        body, key = {"listing": "visits", "format": "csv"}, {"Idempotency-Key": secrets.token_hex(8)}
        assert client.post("/api/exports", json=body, headers=key).is_success  # a job, whichever test comes first
        owner = console_of(live_server.person("owner"), "/owner")
        wait_until(owner, lambda: bool(client.get("/api/audit").json()["items"]))
    owner.goto("/owner/audit")
    owner.locator("#audit tbody a").first.click()
    expect(owner.get_by_role("heading", name="Its place in the chain")).to_be_visible()
    assert len(owner.locator(".secret code").all_inner_texts()[2]) == 64
    crew = console_of(live_server.person("ops"), "/platform/jobs")
    expect(crew.locator("#jobs tbody tr").first).to_be_visible()
    crew.locator("#jobs tbody a").first.click()
    expect(crew.get_by_role("heading", name="Facts")).to_be_visible()


@pytest.mark.parametrize("role", ["moderator", "finance"])
def test_crew_without_a_permission_gets_a_page_that_says_so(
    live_server: LiveServer, console_of: Console, role: str
) -> None:
    page = console_of(live_server.person(role), "/platform/roles/new")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Home")).to_be_visible()
    page.get_by_role("link", name="Home").click()
    expect(page.locator(".side nav a").first).to_be_visible()
