"""Guests in a browser: phones, signing in by the app's own form, codes made into pictures, past nights."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import segno
from PIL import Image, ImageOps
from playwright.sync_api import BrowserContext, Page, expect

from lastlight.kernel.ids import VenueId
from tests.support.browser import PHONE
from tests.support.live_server import HERE, LiveServer, Person

PHONE_OPTIONS: dict[str, Any] = {
    "viewport": PHONE,
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
    "geolocation": {"latitude": HERE.lat, "longitude": HERE.lon, "accuracy": 12},
    "permissions": ["geolocation", "camera"],
}
PAST_NIGHTS = """
with nights as (
    select n, uuidv7() as checkin, $4::timestamptz - n * interval '3 days' as at
    from generate_series(1, $5::integer) n
), arrived as (
    insert into checkins (tenant_id, id, venue_id, patron_id, method, key_number, nonce, arrived_at, received_at, business_day)
    select $1, checkin, $2, p.id, 'screen', 1, uuid_send(checkin), at, at, at::date
    from nights, patrons p join users u on u.id = p.user_id
    where p.tenant_id = $1 and u.email = $3
    returning id, patron_id, arrived_at
)
insert into visits (tenant_id, venue_id, patron_id, checkin_id, status, opened_at, times_out_at, closed_at, closed_by, business_day)
select $1, $2, patron_id, id, 'closed', arrived_at, arrived_at + interval '8 hours',
       arrived_at + interval '2 hours' + (extract(day from arrived_at)::integer % 5) * interval '21 minutes', 'guest', arrived_at::date
from arrived
"""


def sign_in(page: Page, person: Person) -> None:
    """Sign in on the form that an app or the consoles show."""
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.locator("form button[type=submit]").click()


def open_app(context: BrowserContext, person: Person, *, ready: bool = False) -> Page:
    """The app of somebody who is signed in; `ready`: also installed on the phone, so that it works without a network."""
    page = context.new_page()
    page.goto("/patron")
    sign_in(page, person)
    expect(page.locator(".pass h2")).to_be_visible()
    if ready:
        make_ready(page)
    return page


def make_ready(page: Page) -> None:
    """Wait until the service worker controls the page and has kept the scanner, and the server knows the phone's key."""
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    wait_until(page, lambda: keeps_scanner(page, "last-light-lazy"))
    wait_until(page, lambda: any(key["registered"] for key in rows(page, "keys")))


def keeps_scanner(page: Page, cache: str) -> bool:
    """Whether a page's service worker has kept the code reader, so that a camera is read without a network."""
    return page.evaluate(
        """async (name) => (await (await caches.open(name)).keys()).some((kept) => kept.url.endsWith('.wasm'))""", cache
    )


def type_code(page: Page, code: str | Callable[[], str]) -> None:
    """Open the scanner and type a code, or one that is made only then: a code lives for seconds."""
    page.get_by_role("button", name="Scan a code").click()
    page.get_by_role("button", name="Type the code").click()
    page.get_by_label("Code, or the link in it").fill(code if isinstance(code, str) else code())
    page.get_by_role("button", name="Check in", exact=True).click()


def rows(page: Page, store: str) -> list[Any]:
    """What the phone keeps in a store of its database; keys that cannot be told are left out."""
    return page.evaluate(
        """(store) => new Promise((resolve, reject) => {
            const opening = indexedDB.open('last-light-patron');
            opening.onerror = () => reject(opening.error);
            opening.onsuccess = () => {
                const all = opening.result.transaction(store).objectStore(store).getAll();
                all.onsuccess = () => { opening.result.close();
                    resolve(all.result.map((row) => JSON.parse(JSON.stringify(row ?? null)))); };
            };
        })""",
        store,
    )


def until_settled(page: Page) -> None:
    """Wait until nothing of the start is under way any more: the pass comes last, and tells the phone the time."""
    wait_until(page, lambda: rows(page, "passes") != [])


def until_remembered(page: Page, address: str) -> None:
    """Wait until the phone has written down what the server said at an address; what is shown may still be on its way there."""
    wait_until(page, lambda: any(row["path"].partition("?")[0] == address for row in rows(page, "answers")))


def film_of(text: str, path: Path) -> Path:
    """A film of a QR that holds the text."""
    picture = io.BytesIO()
    segno.make(text, error="m").save(picture, kind="png", scale=8, border=4)
    with Image.open(picture) as code:
        return film_of_picture(code.convert("RGB"), path)


def film_of_picture(picture: Image.Image, path: Path, *, frames: int = 8) -> Path:
    """A film (MJPEG) of a picture on a wall, as Chromium's fake camera plays it."""
    frame = Image.new("RGB", (640, 640), "#3a2f40")
    frame.paste(ImageOps.pad(picture, (440, 440)), (100, 80))
    jpeg = io.BytesIO()
    frame.save(jpeg, "JPEG", quality=92)
    path.write_bytes(jpeg.getvalue() * frames)
    return path


def add_past_nights(server: LiveServer, person: Person, venue: VenueId, *, count: int, until: datetime) -> None:
    """Give a guest closed visits, one every third day back from `until`."""
    business = server.businesses[person.tenant]
    server.sql(PAST_NIGHTS, business.id, venue, person.email, until + timedelta(days=1), count)


def visits_of(server: LiveServer, person: Person) -> list[Any]:
    """The visits of a guest, in whichever business, the oldest first."""
    return server.sql(
        """select v.* from visits v join patrons p on p.tenant_id = v.tenant_id and p.id = v.patron_id
           join users u on u.id = p.user_id where u.email = $1 order by v.opened_at""",
        person.email,
    )


def checkins_of(server: LiveServer, person: Person) -> list[Any]:
    """The check-ins of a guest, the oldest first."""
    return server.sql(
        """select c.* from checkins c join patrons p on p.tenant_id = c.tenant_id and p.id = c.patron_id
           join users u on u.id = p.user_id where u.email = $1 order by c.arrived_at""",
        person.email,
    )


def is_late(server: LiveServer, person: Person) -> bool:
    """Whether a check-in of the guest has arrived after it was made."""
    return any(checkin["claimed_at"] is not None for checkin in checkins_of(server, person))


def wait_until(page: Page, true: Callable[[], bool]) -> None:
    """Wait for something outside the page."""
    for _ in range(300):
        if true():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not become so")
