"""Without a network: what is done is signed and kept on the phone, sent once it can be, and nothing of it is lost or left behind."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import NewContext
from tests.support.browser import devtools
from tests.support.guests import (
    PHONE_OPTIONS,
    checkins_of,
    is_late,
    open_app,
    rows,
    sign_in,
    type_code,
    until_settled,
    visits_of,
    wait_until,
)
from tests.support.live_server import LiveServer, Person

pytestmark = pytest.mark.browser


@pytest.fixture
def guest(live_server: LiveServer) -> Person:
    """Somebody whose first night it is."""
    return live_server.new_guest()


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    """The guest's phone."""
    return new_context(**PHONE_OPTIONS)


def check_in_offline(page: Page, code: str | Callable[[], str]) -> None:
    """Lose the network, then check in."""
    page.context.set_offline(True)
    type_code(page, code)
    expect(page.locator(".pass .badge")).to_have_text("Saved on this phone")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("You're offline.")).to_be_visible()
    expect(page.get_by_role("link", name="1 unsent")).to_be_visible()


def test_an_offline_check_in_counts_from_the_time_that_the_phone_signed(
    live_server: LiveServer, phone: BrowserContext, guest: Person
) -> None:
    page = open_app(phone, guest, ready=True)
    until_settled(page)
    ago = timedelta(minutes=4)
    phone.set_offline(True)
    page.reload()  # no answer is under way any more that would tell the phone the time
    expect(page.get_by_text("You're offline.")).to_be_visible()
    then = datetime.now(UTC) - ago
    page.clock.set_system_time(then)
    check_in_offline(page, lambda: live_server.code("kojo-rosebank", at=datetime.now(UTC) - ago))
    page.clock.set_system_time(datetime.now(UTC))
    assert checkins_of(live_server, guest) == []
    phone.set_offline(False)
    expect(page.get_by_text("All caught up.")).to_be_visible()
    expect(page.locator(".pass .badge")).to_have_text("Checked in")
    (checkin,) = checkins_of(live_server, guest)
    assert checkin["arrived_at"] == checkin["claimed_at"]
    assert abs(checkin["claimed_at"] - then) < timedelta(minutes=2)
    assert checkin["received_at"] - checkin["arrived_at"] > timedelta(minutes=3)
    assert checkin["proof_key_id"] is not None
    (key,) = rows(page, "keys")
    assert list(key["registered"].values()) == [str(checkin["proof_key_id"])]
    assert page.evaluate(PRIVATE_KEY_LEAVES) == "InvalidAccessError"
    assert rows(page, "commands") == []


def test_an_offline_check_in_with_a_dead_code_is_refused_and_told(
    live_server: LiveServer, phone: BrowserContext, guest: Person
) -> None:
    page = open_app(phone, guest, ready=True)
    check_in_offline(page, live_server.code("kojo-rosebank", at=datetime.now(UTC) - timedelta(minutes=9)))
    phone.set_offline(False)
    expect(page.get_by_text("1 saved action was refused.")).to_be_visible()
    page.get_by_role("link", name="See why").click()
    refused = page.locator("li.rejected")
    expect(refused).to_contain_text("This code has expired.")
    expect(refused).to_contain_text("Scan the one it shows now.")
    refused.get_by_role("button", name="Dismiss").click()
    expect(refused).to_have_count(0)
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("button", name="Scan to check in")).to_be_visible()
    assert (visits_of(live_server, guest), rows(page, "commands")) == ([], [])


def test_two_tabs_show_the_same_and_send_it_once(live_server: LiveServer, phone: BrowserContext, guest: Person) -> None:
    first = open_app(phone, guest, ready=True)
    second = phone.new_page()
    second.goto("/patron/activity")
    expect(second.get_by_text("Nothing yet")).to_be_visible()
    check_in_offline(first, live_server.code("kojo-rosebank"))
    expect(second.locator("li.pending")).to_have_count(1)
    phone.set_offline(False)
    expect(first.locator(".pass .badge")).to_have_text("Checked in")
    expect(second.locator("li.pending")).to_have_count(0)
    expect(second.get_by_text("Checked in", exact=True)).to_be_visible()
    assert len(checkins_of(live_server, guest)) == 1


def test_a_whole_night_without_a_network_survives_a_reload(
    live_server: LiveServer, phone: BrowserContext, guest: Person
) -> None:
    page = open_app(phone, guest, ready=True)
    check_in_offline(page, live_server.code("kojo-rosebank"))
    page.reload()
    expect(page.locator(".pass .badge")).to_have_text("Saved on this phone")
    page.get_by_role("button", name="Check out").click()
    expect(page.get_by_role("link", name="2 unsent")).to_be_visible()
    page.get_by_role("link", name="Activity", exact=True).click()
    expect(page.locator("li.pending")).to_have_count(2)
    phone.set_offline(False)
    expect(page.locator("li.pending")).to_have_count(0)
    (visit,) = visits_of(live_server, guest)
    assert (visit["status"], visit["closed_by"]) == ("closed", "guest")
    assert visit["close_claimed_at"] is not None


def test_the_worker_sends_the_outbox_when_no_page_is_open(
    live_server: LiveServer, phone: BrowserContext, guest: Person
) -> None:
    page = open_app(phone, guest, ready=True)
    check_in_offline(page, live_server.code("kojo-rosebank"))
    page.close()
    phone.set_offline(False)
    other = phone.new_page()
    other.goto("/health")
    registrations: list[str] = []
    protocol = devtools(other)

    def hear(told: dict[str, Any]) -> None:
        registrations.extend(found["registrationId"] for found in told["registrations"])

    protocol.on("ServiceWorker.workerRegistrationUpdated", hear)
    protocol.send("ServiceWorker.enable")
    wait_until(other, lambda: bool(registrations))
    wake = {"origin": live_server.base_url, "registrationId": registrations[0], "tag": "last-light-outbox"}
    protocol.send("ServiceWorker.dispatchSyncEvent", {**wake, "lastChance": False})
    wait_until(other, lambda: is_late(live_server, guest))


def test_a_session_that_was_ended_elsewhere_asks_to_sign_in_and_loses_nothing(
    live_server: LiveServer, phone: BrowserContext, guest: Person
) -> None:
    page = open_app(phone, guest, ready=True)
    check_in_offline(page, live_server.code("kojo-rosebank"))
    with closing(live_server.client(guest)) as elsewhere:
        assert elsewhere.post("/api/auth/logout-all").status_code == 204
    phone.set_offline(False)
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    expect(page.locator(".pass .badge")).to_have_text("Saved on this phone")
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_label("E-mail")).to_have_value(guest.email)
    sign_in(page, guest)
    expect(page.locator(".pass .badge")).to_have_text("Checked in")
    assert len(checkins_of(live_server, guest)) == 1


def test_a_session_that_is_ended_while_the_app_is_open_shows_the_entrance_by_itself(
    live_server: LiveServer, phone: BrowserContext, guest: Person
) -> None:
    page = open_app(phone, guest)
    with closing(live_server.client(guest)) as elsewhere:
        assert elsewhere.post("/api/auth/logout-all").status_code == 204
    expect(page.get_by_role("heading", name="Your night starts here")).to_be_visible()


def test_signing_out_leaves_nothing_on_the_phone(live_server: LiveServer, phone: BrowserContext, guest: Person) -> None:
    page = open_app(phone, guest, ready=True)
    type_code(page, live_server.code("kojo-rosebank"))
    expect(page.get_by_role("button", name="Check out")).to_be_visible()
    page.get_by_role("link", name="Profile", exact=True).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Your night starts here")).to_be_visible()
    for store in ("commands", "snapshots", "keys"):
        assert rows(page, store) == [], store
    assert not any(guest.email in str(kept) or guest.name in str(kept) for kept in rows(page, "device"))
    kept = page.evaluate(CACHED_ADDRESSES)
    assert kept
    assert [address for address in kept if not address.startswith(("/static/", "/patron"))] == []
    assert {cookie.get("name") for cookie in phone.cookies()} <= {"theme", "ll_known"}, "known browsers open nothing"
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", name="Your night starts here")).to_be_visible()
    assert guest.name.split(maxsplit=1)[0] not in page.content()
    revoked = live_server.sql(
        "select count(*) from patron_keys k join patrons p on p.tenant_id = k.tenant_id and p.id = k.patron_id"
        " join users u on u.id = p.user_id where u.email = $1 and k.revoked_at is null",
        guest.email,
    )
    assert revoked[0]["count"] == 0


def test_signing_out_with_something_unsent_warns_first(
    live_server: LiveServer, phone: BrowserContext, guest: Person
) -> None:
    page = open_app(phone, guest, ready=True)
    page.route("**/api/checkin/verify", lambda route: route.fulfill(status=503, body="{}"))
    type_code(page, live_server.code("kojo-rosebank"))
    expect(page.get_by_role("link", name="1 unsent")).to_be_visible()
    page.get_by_role("link", name="Profile", exact=True).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    warning = page.get_by_role("dialog", name="1 action is still unsent")
    warning.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("link", name="1 unsent")).to_be_visible()


PRIVATE_KEY_LEAVES = """() => new Promise((resolve) => {
    const opening = indexedDB.open('last-light-patron');
    opening.onsuccess = () => {
        const all = opening.result.transaction('keys').objectStore('keys').getAll();
        all.onsuccess = () => {
            opening.result.close();
            crypto.subtle.exportKey('pkcs8', all.result[0].pair.privateKey).then(() => resolve('it left'), (e) => resolve(e.name));
        };
    };
})"""
CACHED_ADDRESSES = """async () => {
    const found = [];
    for (const name of await caches.keys())
        for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
    return found;
}"""
