"""Notifications from the button to the shown notice: the browser subscribes, an SOS is pressed, the push service decrypts, Chromium shows.

Chromium of a test cannot reach its maker's push service. So the subscription is the test's own, with keys that the test holds; what our
worker sends to it is decrypted here and given to the service worker as the push service would (DevTools' own delivery).
"""

import json
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, Worker, expect

from tests.support.browser import CHROMIUM, PHONE, Chromiums, chromiums, devtools, scrolls_sideways, toast, violations
from tests.support.guests import PHONE_OPTIONS, open_app, wait_until
from tests.support.live_server import LiveServer, Person
from tests.support.push_service import Browser, Postman, as_text

pytestmark = pytest.mark.browser
PLACE = "Bar for trials"
TRIED = "/account/notifications"
Console = Callable[..., Page]
NewContext = Callable[..., BrowserContext]

# What the browser's maker would do: hand out one subscription for each worker, and remember it.
SUBSCRIBE = """
((mine) => {
    const made = (key) => ({
        endpoint: mine.endpoint,
        options: { applicationServerKey: Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)).buffer },
        toJSON: () => ({ endpoint: mine.endpoint, keys: mine.keys }),
        unsubscribe: async () => { localStorage.removeItem('test-push'); return true; },
    });
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
        if (mine.refuses) throw new DOMException('Registration failed - push service error', 'AbortError');
        localStorage.setItem('test-push', applicationServerKey);
        return made(applicationServerKey);
    };
    PushManager.prototype.getSubscription = async () => {
        const key = localStorage.getItem('test-push');
        return key ? made(key) : null;
    };
})(%s);
"""
SHOWN = """
async (scope) => {
    const worker = await navigator.serviceWorker.getRegistration(scope);
    const shown = await worker.getNotifications();
    return shown.map(({ title, body, tag, data, silent, requireInteraction }) => ({ title, body, tag, data, silent, requireInteraction }));
}
"""
ACTIVE = """
async (scope) => {
    const until = Date.now() + 20_000;
    while (true) {
        const active = (await navigator.serviceWorker.getRegistration(scope))?.active;
        if (active?.state === 'activated') return active.scriptURL;
        if (Date.now() > until) throw new Error(`no worker is active for ${scope}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
"""
COUNT = """
() => {
    self.heard = 0;
    self.addEventListener('push', () => { self.heard += 1; });
}
"""
HEARD = "() => self.heard"
TOUCH = """
async () => {
    const opened = [];
    const real = self.clients.openWindow;
    self.clients.openWindow = async (url) => { opened.push(url); return null; };
    const [notification] = await self.registration.getNotifications();
    const waits = [];
    const event = new NotificationEvent('notificationclick', { notification });
    event.waitUntil = (work) => waits.push(work);
    self.dispatchEvent(event);
    await Promise.all(waits);
    self.clients.openWindow = real;
    return opened;
}
"""
CONSOLE_SCOPE = "/static/push/"


@pytest.fixture
def postman() -> Generator[Postman]:
    with Postman() as running:
        yield running


@pytest.fixture(scope="module")
def chromiums_of_module() -> Generator[Chromiums]:
    """The whole Chromium: the lighter one hears no push."""
    with chromiums(program=CHROMIUM) as made:
        yield made


@pytest.fixture
def device(postman: Postman) -> Browser:
    """A browser of the push service that no other test has."""
    return postman.new_browser(uuid4().hex)


@pytest.fixture
def colleague(live_server: LiveServer) -> Person:
    """A barkeeper of their own."""
    return live_server.new_member()


def give(context: BrowserContext, device: Browser, *, refuses: bool = False) -> None:
    """Let a browser profile subscribe to the test's push service, and allow notifications."""
    keys = {"p256dh": as_text(device.public), "auth": as_text(device.auth)}
    context.add_init_script(SUBSCRIBE % json.dumps({"endpoint": device.endpoint, "keys": keys, "refuses": refuses}))
    context.grant_permissions(["notifications"])


def open_notifications(console_of: Console, person: Person, device: Browser, **options: Any) -> Page:
    """The page of one's own notifications, in a browser that can be told."""
    page = console_of(person, "/account", **options)
    give(page.context, device)
    page.goto("/account/notifications")
    return page


def switch_on(page: Page) -> None:
    page.get_by_role("button", name="Switch on here").click()
    expect(page.get_by_role("button", name="Switch off here")).to_be_visible()
    expect(page.locator("#devices")).to_contain_text("This one")


def told(page: Page, postman: Postman, device: Browser, count: int = 1, *, of: str = "") -> dict[str, Any]:
    """What the push service has decrypted for a device, once there is so much of it: all of it, or of one call for help.

    Calls of other tests may be told again meanwhile, because nobody has answered them, and the platform's own alerts too.
    """
    for _ in range(200):
        said = [one for one in postman.said_to(device) if of in one["url"]]
        if len(said) >= count:
            assert postman.refused == []
            return said[count - 1]
        page.wait_for_timeout(100)
    raise AssertionError(f"nothing came in time: {postman.calls}, {postman.refused}")


def deliver(page: Page, live_server: LiveServer, scope: str, text: str) -> list[dict[str, Any]]:
    """Give a message to the service worker of a scope; what it shows then.

    DevTools does not say whether a message arrived, and under load one may be lost on its way. So the worker counts what it
    hears: a message that it has not heard is delivered again, one that it has heard must be shown.
    """
    session = devtools(page)
    known: dict[str, str] = {}
    errors: list[str] = []

    def note(event: Any) -> None:
        known.update({one["scopeURL"]: one["registrationId"] for one in event["registrations"]})

    def complain(event: Any) -> None:
        errors.append(event["errorMessage"]["errorMessage"])

    session.on("ServiceWorker.workerRegistrationUpdated", note)
    session.on("ServiceWorker.workerErrorReported", complain)
    session.send("ServiceWorker.enable")
    address = live_server.base_url + scope
    script: str = page.evaluate(ACTIVE, scope)
    wait_until(page, lambda: address in known and any(one.url == script for one in page.context.service_workers))
    worker = worker_of(page, script)
    worker.evaluate(COUNT)
    message = {"origin": live_server.base_url, "registrationId": known[address], "data": text}
    for _ in range(4):
        session.send("ServiceWorker.deliverPushMessage", message)
        for _ in range(100):
            shown: list[dict[str, Any]] = page.evaluate(SHOWN, scope)
            if shown:
                assert worker.evaluate(HEARD) > 0  # the count counts
                return shown
            page.wait_for_timeout(50)
        if heard := worker.evaluate(HEARD):
            raise AssertionError(f"the worker heard {heard} and showed nothing: {errors}")
    raise AssertionError(f"the worker heard nothing: {errors}")


def sound(page: Page) -> None:
    """The page is accessible, and nothing of it lies beside the screen."""
    assert violations(page) == []
    assert not scrolls_sideways(page)


def worker_of(page: Page, script: str) -> Worker:
    return next(worker for worker in page.context.service_workers if worker.url.endswith(script))


@pytest.fixture(autouse=True)
def calls_end(live_server: LiveServer) -> Generator[None]:
    """No call for help of a test here is heard in the next one."""
    yield
    with closing(live_server.client(live_server.businesses["kojo-arcade"].people["manager"])) as client:
        for row in live_server.sql("select id from sos_calls where place = $1 and resolved_at is null", PLACE):
            said = client.post(f"/api/emergency/sos/{row['id']}/resolution", json={"reason": "It was a trial."})
            assert said.status_code == 200, said.text


def press_sos(live_server: LiveServer, *, silent: bool = False) -> str:
    """The manager calls for help at the first venue; the call's id."""
    business = live_server.businesses["kojo-arcade"]
    venue_id = next(iter(business.venues.values()))
    body = {"venue_id": str(venue_id), "severity": "emergency", "place": PLACE, "silent": silent}
    with closing(live_server.client(business.people["manager"])) as client:
        answer = client.post("/api/emergency/sos", json=body, headers={"Idempotency-Key": str(uuid4())})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]


def test_an_sos_is_heard_on_a_locked_phone_and_its_touch_leads_to_it(
    console_of: Console, live_server: LiveServer, postman: Postman, device: Browser, colleague: Person
) -> None:
    page = open_notifications(console_of, colleague, device)
    switch_on(page)
    sos_id = press_sos(live_server)
    said = told(page, postman, device, of=sos_id)
    assert said["title"] == "SOS, emergency: Kōjō Rosebank"
    [notice] = deliver(page, live_server, CONSOLE_SCOPE, json.dumps(said))
    assert (notice["title"], notice["body"]) == ("SOS, emergency: Kōjō Rosebank", f"{PLACE}. Open it to answer.")
    assert (notice["silent"], notice["requireInteraction"]) == (False, True)
    [opened] = worker_of(page, "/static/push-worker.js").evaluate(TOUCH)
    page.goto(opened)
    expect(page).to_have_url(f"{live_server.base_url}/staff/safety/sos/{sos_id}")
    expect(page.locator("#main")).to_contain_text(PLACE)


def test_a_silent_sos_rings_nowhere(
    console_of: Console, live_server: LiveServer, postman: Postman, device: Browser, colleague: Person
) -> None:
    page = open_notifications(console_of, colleague, device)
    switch_on(page)
    sos_id = press_sos(live_server, silent=True)
    said = told(page, postman, device, of=sos_id)
    [notice] = deliver(page, live_server, CONSOLE_SCOPE, json.dumps(said))
    assert notice["silent"] is True


def test_a_device_is_tried_out_then_removed_and_told_nothing_more(
    console_of: Console, live_server: LiveServer, postman: Postman, device: Browser, colleague: Person
) -> None:
    page = open_notifications(console_of, colleague, device, viewport=PHONE)
    expect(page.locator("#devices")).to_contain_text("No device yet")
    sound(page)
    switch_on(page)
    page.locator("#devices").get_by_role("button", name="Test").click()
    said = told(page, postman, device, of=TRIED)
    assert (said["title"], said["url"]) == ("Notifications work", TRIED)
    noted = "select 1 from push_subscriptions where endpoint = $1 and last_success_at is not null"
    wait_until(page, lambda: bool(live_server.sql(noted, device.endpoint)))  # after the push service has answered
    page.reload()
    expect(page.locator("#devices")).to_contain_text("Last told")
    sound(page)
    page.get_by_role("button", name="Switch off here").click()
    expect(page.get_by_role("button", name="Switch on here")).to_be_visible()
    expect(page.locator("#devices")).to_contain_text("No device yet")
    sos_id = press_sos(live_server)
    page.wait_for_timeout(1_500)
    assert [said for said in postman.said_to(device) if sos_id in said["url"]] == []


def test_a_kind_that_is_switched_off_is_not_told(
    console_of: Console, live_server: LiveServer, postman: Postman, device: Browser, colleague: Person
) -> None:
    page = open_notifications(console_of, colleague, device)
    switch_on(page)
    page.get_by_label("SOS calls").uncheck()
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    expect(page.get_by_label("SOS calls")).not_to_be_checked()
    sos_id = press_sos(live_server)
    page.locator("#devices").get_by_role("button", name="Test").click()
    assert told(page, postman, device, of=TRIED)["kind"] == "trial"
    page.wait_for_timeout(1_000)
    assert [said for said in postman.said_to(device) if sos_id in said["url"]] == []


def subscriptions(page: Page) -> list[Any]:
    """The browsers through which whoever is signed in here is told."""
    return page.context.request.get("/api/me/push-subscriptions").json()["items"]


def test_a_new_session_of_the_same_person_keeps_the_browser_on_and_another_persons_does_not(
    console_of: Console, live_server: LiveServer, device: Browser, colleague: Person
) -> None:
    page = open_notifications(console_of, colleague, device)
    switch_on(page)
    for person, kept in ((live_server.new_member(), 0), (colleague, 1)):
        body = {"email": person.email, "password": person.password, "tenant": person.tenant, "as": "member"}
        assert page.context.request.delete("/api/auth/session").ok
        assert page.context.request.post("/api/auth/session", data=body).ok
        page.goto("/staff")
        page.wait_for_load_state("networkidle")
        wait_until(page, lambda wanted=kept: len(subscriptions(page)) == wanted)
        page.goto("/account/notifications")
        expect(page.get_by_role("button", name="Switch off here" if kept else "Switch on here")).to_be_visible()
        assert len(subscriptions(page)) == kept


def test_what_the_browser_refuses_is_said(console_of: Console, device: Browser, colleague: Person) -> None:
    page = console_of(colleague, "/account")
    give(page.context, device, refuses=True)
    page.goto("/account/notifications")
    page.get_by_role("button", name="Switch on here").click()
    toast(page, "push service could not be reached")
    expect(page.get_by_role("button", name="Switch on here")).to_be_enabled()


def test_a_blocked_browser_is_told_how_to_lift_it(console_of: Console, colleague: Person) -> None:
    page = console_of(colleague, "/account", viewport=PHONE)
    page.context.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    page.goto("/account/notifications")
    expect(page.get_by_text("Set Notifications to Allow.")).to_be_visible()
    expect(page.get_by_role("button", name="Switch on here")).to_be_hidden()
    sound(page)


def test_a_guest_is_asked_whether_all_is_well_on_a_closed_app(
    new_context: NewContext, live_server: LiveServer, postman: Postman, device: Browser
) -> None:
    context = new_context(**PHONE_OPTIONS)
    give(context, device)
    guest = live_server.new_guest()
    page = open_app(context, guest)
    page.goto("/patron/profile")
    page.get_by_role("button", name="Switch on here").click()
    expect(page.get_by_role("button", name="Switch off here")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    assert told(page, postman, device)["url"] == "/patron/profile"
    visit_id = arrive(live_server, guest)
    with closing(live_server.client(live_server.person("manager"))) as client:
        body = {"visit_id": visit_id, "question": "Zinhle, is that man bothering you?", "minutes": 5}
        answer = client.post("/api/safety/checks", json=body)
        assert answer.status_code == 201, answer.text
    said = told(page, postman, device, 2)
    assert (said["title"], said["body"]) == ("Are you all right?", "Kōjō Rosebank asks. Tap to answer.")
    [notice] = deliver(page, live_server, "/", json.dumps(said))
    assert (notice["title"], notice["data"]["kind"]) == ("Are you all right?", "safety_checks")


def arrive(live_server: LiveServer, guest: Person) -> str:
    """The guest checks in at the first venue; the visit's id."""
    with closing(live_server.client(guest)) as client:
        body = {
            "code": live_server.code("kojo-rosebank"),
            "position": {"lat": -26.1467, "lon": 28.0436, "accuracy_m": 10},
        }
        answer = client.post("/api/checkin/verify", json=body, headers={"Idempotency-Key": str(uuid4())})
        assert answer.status_code == 201, answer.text
        return answer.json()["visit"]["id"]
