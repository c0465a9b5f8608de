"""What runs here and its keys, on screens of the crew: by fingerprints only, sealed again by a job, and nobody else sees them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import toast, wrong_in_themes
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NARROW = {"width": 360, "height": 780}


def test_keys_are_shown_by_fingerprints_and_sealed_again(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("super_admin"), "/platform/project")
    expect(page.get_by_text("This deployment")).to_be_visible()
    page.get_by_role("link", name="Keys", exact=True).first.click()
    current = live_server.backstage.services.secrets.key_id()
    expect(page.locator("#sealed tbody tr").filter(has_text=current)).to_contain_text("Current")
    assert live_server.settings.secret_key not in page.content()
    lost = "00000000"
    venue = live_server.new_venue("Kōjō Lost Key")
    live_server.sql(
        "update venue_keys set secret = overlay(secret placing decode($1, 'hex') from 2 for 4) where venue_id = $2",
        lost,
        venue,
    )
    page.goto("/platform/keys")
    expect(page.locator("#sealed tbody tr").filter(has_text=lost)).to_contain_text("Not among our keys")
    page.get_by_role("button", name="Seal again now").click()
    page.get_by_role("dialog").get_by_role("button", name="Seal again").click()
    toast(page, "A job seals them again now.")
    expect(page.locator("#rail")).to_contain_text("lost: 1")
    live_server.sql("delete from venue_keys where venue_id = $1", venue)
    page.get_by_role("button", name="Replace the key of notifications").click()
    page.get_by_role("dialog").get_by_role("button", name="Replace it").click()
    toast(page, "Browsers subscribe with a new key from now on.")
    earlier = page.locator("#push-keys tbody tr").filter(has_text="Earlier")
    count = live_server.sql("select count(*) as n from push_keys where retired_at is not null")[0]["n"]
    expect(earlier).to_have_count(count)
    page.get_by_role("button", name="Replace the key of notifications").click()
    page.get_by_role("dialog").get_by_role("button", name="Replace it").click()
    expect(earlier).to_have_count(count + 1)
    earlier.first.get_by_role("button", name="Destroy").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Destroy it").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("It stood in a log")
    dialog.get_by_role("button", name="Destroy it").click()
    toast(page, "The key is destroyed.")
    expect(earlier).to_have_count(count)
    expect(page.locator("#rail")).to_contain_text("It stood in a log")


def test_signing_everybody_out_asks_why_and_can_be_left(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("super_admin"), "/platform/keys")
    standing = "select count(*) as n from sessions where revoked_at is null"
    before = live_server.sql(standing)[0]["n"]
    page.get_by_role("button", name="Sign everybody out").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Sign everybody out").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert live_server.sql(standing)[0]["n"] == before


def test_nobody_else_of_the_crew_sees_keys(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("ops"), "/platform/keys")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your role does not allow this")
    page.goto("/platform/tenants")
    expect(page.get_by_role("link", name="Keys", exact=True)).to_have_count(0)


def test_they_fit_a_phone_in_both_themes(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("super_admin"), "/platform/project", viewport=NARROW, reduced_motion="reduce")
    assert wrong_in_themes(page) == []
    page.goto("/platform/keys")
    assert wrong_in_themes(page) == []
