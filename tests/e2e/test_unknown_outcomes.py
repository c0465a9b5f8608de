"""What a client sends anew because nobody knew whether it was done keeps its key: the door's letting in by hand, an export."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewContext
from tests.support.browser import lose_answers, toast
from tests.support.doors import TABLET, open_door, pass_holder, said, wedge
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
EXPORTS = "select count(*) as n from jobs where kind = 'exports.make'"


def test_a_guest_is_let_in_by_hand_once(live_server: LiveServer, new_context: NewContext) -> None:
    tablet, staff = new_context(**TABLET), live_server.person("staff")
    venue = live_server.new_venue("Kōjō Adults unsure", age_limit=18)
    young = live_server.new_guest("Bandile Unsure", birth_date=datetime.now(UTC).date() - timedelta(days=17 * 365))
    holder = pass_holder(live_server, young)
    body = {"email": staff.email, "password": staff.password, "tenant": staff.tenant, "as": "member"}
    assert tablet.request.post("/api/auth/session", data=body).ok
    page = open_door(tablet, live_server, venue)
    wedge(page, holder.show())
    assert said(page) == "Too young"
    keys = lose_answers(page, "**/api/checkins/overrides", times=1)
    page.get_by_role("button", name="Let in by hand").click()
    page.get_by_role("button", name="With a member of staff").click()
    page.get_by_role("button", name="Let in", exact=True).click()
    expect(page.get_by_text("It is not known whether this was done. Send it again as it is")).to_be_visible()
    page.get_by_role("button", name="Let in", exact=True).click()
    expect(page.locator(".d-answer h2")).to_have_text("Let in by hand")
    assert (len(keys), len(set(keys))) == (2, 1)
    made = "select count(*) as n from checkins where patron_id = $1 and method = 'override'"
    assert live_server.sql(made, UUID(holder.patron_id))[0]["n"] == 1


def test_an_export_is_made_once(live_server: LiveServer, console_of: Callable[..., Page]) -> None:
    page = console_of(live_server.person("owner"), "/owner/venues")
    before = live_server.sql(EXPORTS)[0]["n"]
    keys = lose_answers(page, "**/api/exports", times=1)
    page.locator("[data-controller~=export] summary").first.click()
    page.get_by_role("button", name="CSV").first.click()
    toast(page, "The export is being made.")
    assert (len(keys), len(set(keys))) == (2, 1)
    assert live_server.sql(EXPORTS)[0]["n"] == before + 1
