"""A venue's device: a key of its own that signs its requests, as the scanner does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from lastlight.domains.devices.enrolment import add_device, enrol
from lastlight.domains.devices.model import DeviceIn, EnrolIn
from lastlight.domains.devices.signing import request_message
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.http import RequestInfo
from tests.support.door import House
from tests.support.phones import Phone


@dataclass
class Scanner:
    """An enrolled scanner; `sequence` is that of its last scan."""

    device_id: UUID
    tenant_id: UUID
    phone: Phone
    sequence: int = field(default=0)

    def request(self, method: str, path: str, body: bytes = b"", *, at: datetime | None = None) -> RequestInfo:
        """A signed request, as the edge sees it."""
        return as_seen(method, path, self.headers(method, path, body, at=at))

    def headers(self, method: str, path: str, body: bytes = b"", *, at: datetime | None = None) -> dict[str, str]:
        """The three headers that sign a request."""
        device = f"{self.tenant_id}.{self.device_id}"
        text = (at or datetime.now(UTC)).isoformat()
        message = request_message(method=method, path=path, device=device, at=text, body=body)
        return {"x-device": device, "x-device-time": text, "x-device-signature": self.phone.sign(message)}

    def next(self) -> int:
        """The sequence of its next scan."""
        self.sequence += 1
        return self.sequence


async def enrolled(house: House, name: str, *, place: int = 0) -> Scanner:
    """A scanner that was put on a venue's list and enrolled."""
    async with house.system() as ctx:
        issued = await add_device(ctx, data=DeviceIn(venue_id=house.venues[place].id, name=name))
    phone = Phone()
    async with system_ctx(house.services, role="system") as ctx:
        given = await enrol(ctx, data=EnrolIn(code=issued.code, public_key=phone.public_key))
    return Scanner(device_id=given.device_id, tenant_id=given.tenant_id, phone=phone)


def as_seen(method: str, path: str, headers: Mapping[str, str]) -> RequestInfo:
    """A scanner's request, as the edge sees it."""
    return RequestInfo(
        method=method,
        path=path,
        query="",
        headers=headers,
        cookies={},
        ip="127.0.0.1",
        user_agent="scanner",
        request_id="",
        htmx=False,
    )
