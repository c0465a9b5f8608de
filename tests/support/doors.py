"""Doors and passes in browsers: enrolled scanners, guests' phones that a test holds in its hand."""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from playwright.sync_api import BrowserContext, Page, expect

from lastlight.domains.checkins.passes import step_at, step_message
from lastlight.kernel.ids import VenueId
from tests.support.guests import keeps_scanner, wait_until
from tests.support.live_server import LiveServer, Person
from tests.support.phones import Phone

TABLET: dict[str, Any] = {
    "viewport": {"width": 412, "height": 880},
    "has_touch": True,
    "is_mobile": True,
    "reduced_motion": "reduce",
}

CALM = """
window.stays = true;
const later = window.setTimeout.bind(window);
window.setTimeout = (work, ms, ...more) => {
    if (ms !== 2400 && ms !== 12000) return later(work, ms, ...more);
    const timer = setInterval(() => { if (!window.stays) { clearInterval(timer); work(); } }, ms);
    return timer;
};
const race = Promise.race.bind(Promise);
Promise.race = (all) => (Array.isArray(all) && all.length === 2 ? Promise.resolve(all[0]) : race(all));
"""
"""A test may be slower than a door: an answer stays until it is dismissed or `stays` ends, and the server is waited for."""


@dataclass
class PassHolder:
    """A guest with a pass, and the phone that signs it."""

    person: Person
    phone: Phone
    text: str
    patron_id: str

    def show(self, at: datetime | None = None) -> str:
        """What the phone shows at a moment."""
        step = step_at(at or datetime.now(UTC))
        return f"LL1.{self.text}.{step}.{self.phone.sign(step_message(self.text, step))}"


def pass_holder(server: LiveServer, person: Person | None = None) -> PassHolder:
    """A guest who has fetched the pass for the night."""
    guest, phone = person or server.new_guest(), Phone()
    with closing(server.client(guest)) as client:
        key = client.post("/api/patron/keys", json={"public_key": phone.public_key})
        assert key.status_code == 201, key.text
        given = client.post("/api/patron/pass", json={"key_id": key.json()["id"]})
        assert given.status_code == 201, given.text
        patron_id = client.get("/api/me").json()["patron_id"]
    return PassHolder(guest, phone, given.json()["text"], patron_id)


def enrolment_code(server: LiveServer, venue: VenueId | str, name: str = "") -> dict[str, Any]:
    """A one-time code for a new scanner of a venue, as a manager gets it."""
    place = server.businesses["kojo-arcade"]
    venue_id = place.venues[venue] if isinstance(venue, str) else venue
    with closing(server.client(server.person("owner"))) as boss:
        answer = boss.post("/api/devices", json={"venue_id": str(venue_id), "name": name or f"Door {uuid4().hex[:8]}"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def open_door(
    context: BrowserContext, server: LiveServer, venue: VenueId | str = "kojo-rosebank", *, ready: bool = False
) -> Page:
    """An enrolled scanner that knows its house; `ready`: it would also open without a network."""
    issued = enrolment_code(server, venue)
    page = context.new_page()
    page.add_init_script(CALM)
    page.goto("/staff/door")
    page.get_by_label("One-time code").fill(issued["code"])
    page.get_by_role("button", name="Enrol this device").click()
    expect(page.locator(".d-count")).to_be_visible()
    expect(page.locator(".d-net")).to_have_attribute("data-state", "live")
    if ready:
        page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        wait_until(page, lambda: keeps_scanner(page, "last-light-door-lazy"))
    return page


def wedge(page: Page, text: str) -> None:
    """A hardware scanner reads: fast keys, then Enter."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def wedge_at_once(page: Page, text: str) -> None:
    """The same for what is no pass, which counts as a scan only where it comes fast: however slowly this test's machine types."""
    page.evaluate(
        """keys => { for (const key of keys) dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })); }""",
        [*text, "Enter"],
    )


def said(page: Page) -> str:
    """The word on the whole screen, once there is one."""
    word = page.locator(".d-answer h2")
    expect(word).to_be_visible()
    return word.inner_text()


def scan(page: Page, holder: PassHolder) -> str:
    """Scan a pass as a hardware scanner does; the word that is said. The screen is left ready for the next guest."""
    wedge(page, holder.show())
    word = said(page)
    page.get_by_role("button", name="Next guest").click()
    expect(page.locator(".d-answer")).to_have_count(0)
    return word


def log_of(page: Page) -> list[dict[str, Any]]:
    """The device's log, as it is kept on it."""
    return page.evaluate(
        """() => new Promise((resolve, reject) => {
            const opening = indexedDB.open('lastlight-door');
            opening.onerror = () => reject(opening.error);
            opening.onsuccess = () => {
                const all = opening.result.transaction('log').objectStore('log').getAll();
                all.onsuccess = () => { opening.result.close(); resolve(all.result); };
            };
        })"""
    )


def fact_of(page: Page, name: str) -> Any:
    """A fact that the device keeps; null where it keeps none."""
    return page.evaluate(
        """(name) => new Promise((resolve, reject) => {
            const opening = indexedDB.open('lastlight-door');
            opening.onerror = () => reject(opening.error);
            opening.onsuccess = () => {
                const one = opening.result.transaction('facts').objectStore('facts').get(name);
                one.onsuccess = () => { opening.result.close(); resolve(JSON.parse(JSON.stringify(one.result ?? null))); };
            };
        })""",
        name,
    )
