"""Guests with a phone that carries a pass, and the scans that doors make of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lastlight.domains.checkins.door_api import take_door_scans
from lastlight.domains.checkins.night_pass import issue_pass
from lastlight.domains.checkins.passes import step_at, step_message
from lastlight.domains.checkins.patron import register_key
from lastlight.domains.checkins.scan_schemas import PassIn, ScanIn, ScanOut, ScansIn
from lastlight.domains.checkins.schemas import KeyIn
from lastlight.runtime.db.uow import system_ctx
from tests.support.devices import Scanner
from tests.support.door import Guest, House
from tests.support.phones import Phone

PATH = "/api/door/scans"


class Carrier:
    """A guest with a phone that carries a pass."""

    def __init__(self, guest: Guest, phone: Phone, text: str) -> None:
        self.guest, self.phone, self.text = guest, phone, text

    def show(self, at: datetime | None = None) -> str:
        """What the phone shows at a moment."""
        step = step_at(at or datetime.now(UTC))
        return f"LL1.{self.text}.{step}.{self.phone.sign(step_message(self.text, step))}"


async def carrier(house: House, **fields: Any) -> Carrier:
    """A guest who has fetched the pass for the night."""
    guest, phone = await house.add_guest(**fields), Phone()
    async with house.as_guest(guest) as ctx:
        key = await register_key(ctx, data=KeyIn(public_key=phone.public_key))
        given = await issue_pass(ctx, data=PassIn(key_id=key.id))
    return Carrier(guest, phone, given.text)


async def send(house: House, scanner: Scanner, *scans: ScanIn) -> list[ScanOut]:
    """What became of a scanner's scans, sent together."""
    body = b"the body"
    async with system_ctx(house.services, role="system") as ctx:
        request = scanner.request("POST", PATH, body)
        return (await take_door_scans.fn(ctx, ScansIn(scans=list(scans)), body, request)).results


def asked(scanner: Scanner, code: str, **fields: Any) -> ScanIn:
    """A scan that is asked at once."""
    return ScanIn(sequence=scanner.next(), code=code, claimed_at=datetime.now(UTC), **fields)


def offline(scanner: Scanner, someone: Carrier, at: datetime, **fields: Any) -> ScanIn:
    """A scan that a door without a network decided."""
    given: dict[str, Any] = {"decided": "admitted"} | fields
    return ScanIn(sequence=scanner.next(), code=someone.show(at), claimed_at=at, **given)


async def earlier(house: House, someone: Carrier) -> str:
    """The guest's pass as it would have been given two hours ago."""
    async with house.as_guest(someone.guest) as ctx:
        [key] = await house.sql("select id from patron_keys where patron_id = $1", someone.guest.patron_id)
        ctx.now -= timedelta(hours=2)
        return (await issue_pass(ctx, data=PassIn(key_id=key["id"]))).text
