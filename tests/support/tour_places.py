"""Things of venues for the tour of all screens: a room with a booking, a banner, an image, and a guest's photo that waits."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.support.live_server import LiveServer
from tests.support.things import PIXEL

AT_FIRST_VENUE = frozenset({"resource_id", "booking_id", "banner_id", "image_id", "spend_id"})
"""What is made there for the tour, so that every role of the business sees it."""


def place_things(server: LiveServer, owner: Any) -> dict[str, str]:
    """The ids of things at the first venue, which every role of the business sees."""
    venue = str(server.businesses["kojo-arcade"].venues["kojo-rosebank"])
    room = _made(owner, "/api/resources", {"venue_id": venue, "kind": "room", "name": "Tour room", "capacity": 6})
    start = datetime.now(UTC) + timedelta(hours=2)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    booking = _made(owner, "/api/bookings", {"resource_id": room["id"], "guest_name": "Naledi Khoza", **times})
    shown = {"starts_at": "2026-01-01T18:00:00Z", "ends_at": "2099-01-01T18:00:00Z"}
    banner = _made(owner, f"/api/venues/{venue}/banners", {"title": "Tour night", **shown})
    image = send_picture(owner, f"/api/venues/{venue}/images", "The room in blue light")
    guest = server.client(server.new_guest("Photo Guest"))
    send_picture(guest, f"/api/patron/venues/{venue}/photos", "Friends at the bar")
    guest.close()
    taxes = _taxes(owner)
    return {
        **taxes,
        "resource_id": room["id"],
        "booking_id": booking["id"],
        "banner_id": banner["id"],
        "image_id": image,
    }


def _taxes(owner: Any) -> dict[str, str]:
    """A category with a rate of today."""
    category = _made(
        owner, "/api/taxes/categories", {"code": f"tour-{uuid4().hex[:8]}", "name": f"Tour {uuid4().hex[:8]}"}
    )
    rate = _made(owner, "/api/taxes/rates", {"tax_category_id": category["id"], "name": "VAT", "millionths": 88_750})
    return {"tax_category_id": category["id"], "tax_rate_id": rate["id"]}


def send_picture(client: Any, path: str, alt: str, content: bytes = PIXEL) -> str:
    """Ask for an address, send a picture to it; the image's id."""
    asked = _made(client, path, {"alt": alt})
    sent = client.put(asked["upload_url"], content=content, headers={"content-type": "image/png"})
    assert sent.is_success, sent.text
    return asked["image"]["id"]


def _made(client: Any, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()
