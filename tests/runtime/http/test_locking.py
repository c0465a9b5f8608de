"""Optimistic locking: whatever edits a thing says which version of it was read."""

from lastlight.modules import MODULES
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.module import Registry
from lastlight.runtime.openapi import answered

EXEMPT = {
    "PUT /api/auth/session": "it moves the caller's own session to another place; there is nothing of others to overwrite",
    "PUT /api/patron/birth-date": "given once: a second word is refused, so none can overwrite another",
    "PUT /api/me/preferences": "one's own, replaced whole: the last word counts",
    "PUT /api/me/name": "one's own: the last word counts",
    "PUT /api/venues/{venue_id:uuid}/entry-price": "a price is said whole: the last word counts, and each is on record",
    "PUT /api/venues/{venue_id:uuid}/door-rules": "a switch: it says the state that is wanted, not a change",
    "PATCH /api/me/passkeys/{passkey_id:uuid}": "the name of one's own passkey: the last word counts",
    "PUT /api/venues/{venue_id:uuid}/banners/order": "an order is said whole: the last word counts, and no banner changes",
    "PUT /api/venues/{venue_id:uuid}/images/order": "an order is said whole: the last word counts, and no image changes",
    "PUT /uploads/{token:str}": "the address is good for one upload: there is nothing to overwrite",
    "PUT /brand/uploads/{token:str}": "the address is good for one upload: there is nothing to overwrite",
    "PUT /api/admin/tenants/{tenant_id:uuid}/modules/{module:str}": "a switch: it says the state that is wanted, not a change",
}


def edits() -> list[Operation]:
    """The API's replacements and changes."""
    return [op for op in Registry(MODULES).operations if op.kind == "api" and op.method in {"PUT", "PATCH"}]


def place(op: Operation) -> str:
    return f"{op.method} {op.path}"


def test_every_edit_takes_the_version_that_was_read() -> None:
    assert [place(op) for op in edits() if not op.parameter("if_match") and place(op) not in EXEMPT] == []


def test_what_is_exempt_exists_and_needs_to_be() -> None:
    free = {place(op) for op in edits() if not op.parameter("if_match")}
    assert set(EXEMPT) <= free


def test_whoever_edits_by_version_gets_the_next_one_back() -> None:
    blind = [
        place(op)
        for op in edits()
        if op.parameter("if_match")
        and not any("version" in getattr(kind, "__struct_fields__", ()) for kind in answered(op.returns))
    ]
    assert blind == []
