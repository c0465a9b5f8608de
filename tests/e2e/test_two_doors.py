"""Two doors without a network let one guest in: each is told of the other as soon as it hears of it."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewContext
from tests.support.doors import TABLET, open_door, pass_holder, said, wedge
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser


def test_both_doors_are_told_that_they_let_one_guest_in(live_server: LiveServer, new_context: NewContext) -> None:
    venue = live_server.new_venue("Two doors")
    first, second = new_context(**TABLET), new_context(**TABLET)
    front, back = open_door(first, live_server, venue, ready=True), open_door(second, live_server, venue, ready=True)
    holder = pass_holder(live_server, live_server.new_guest("Ayanda Nkosi"))
    for context, page in ((first, front), (second, back)):
        context.set_offline(True)
        wedge(page, holder.show())
        assert said(page) == "Come in"
        page.get_by_role("button", name="Next guest").click()
    first.set_offline(False)
    expect(front.locator(".d-net")).to_have_attribute("data-state", "live")
    expect(front.locator(".d-net")).not_to_contain_text("waits")
    expect(front.locator(".d-notice")).to_have_count(0)
    second.set_offline(False)
    expect(back.locator(".d-notice")).to_contain_text("Let in twice: Ayanda Nkosi")
    front.get_by_role("button", name="This device").click()
    front.get_by_role("button", name="Ask the server now").click()
    front.get_by_role("button", name="Back to the door").click()
    notice = front.locator(".d-notice")
    expect(notice).to_contain_text("Let in twice: Ayanda Nkosi came in here at")
    notice.get_by_role("button", name="Seen").click()
    expect(notice).to_have_count(0)
    front.reload()
    expect(front.locator(".d-net")).to_have_attribute("data-state", "live")
    expect(front.locator(".d-count")).to_contain_text("1")
    expect(notice).to_have_count(0)
