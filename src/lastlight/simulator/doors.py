"""Doors with scanners, and phones that show the night's pass: both sign with keys of their own, as the apps do.

The formats are those of docs: a device signs `lastlight-device-v1`, method, path, device, time and the body's SHA-256, a line each; a
phone signs `lastlight-pass-v1`, the pass and the step of ten seconds.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lastlight.simulator.client import Account, Api
from lastlight.simulator.keys import HeldKey

SCANS = "/api/door/scans"
FIRMWARE = "simulated 1.0"
STEP_SECONDS = 10


@dataclass(slots=True)
class Pass:
    """A guest's phone with a pass for the night."""

    key: HeldKey
    text: str

    def show(self, at: datetime | None = None) -> str:
        """What the phone shows at a moment."""
        step = int((at or datetime.now(UTC)).timestamp()) // STEP_SECONDS
        message = f"lastlight-pass-v1\n{self.text}\n{step}".encode()
        return f"LL1.{self.text}.{step}.{self.key.sign(message)}"


async def take_pass(api: Api, guest: Account) -> Pass:
    """Register a new phone of a guest and fetch the night's pass for it."""
    key = HeldKey()
    registered = await api.call(guest, "POST", "/api/patron/keys", {"public_key": key.public_key})
    given = await api.call(guest, "POST", "/api/patron/pass", {"key_id": registered["id"]})
    return Pass(key, given["text"])


@dataclass(slots=True)
class Scanner:
    """An enrolled scanner. Without a network it lets in whom it would let in, and keeps a log that it sends later."""

    api: Api
    device: str
    key: HeldKey
    sequence: int = 0
    beats: int = 0
    battery: float = 96.0
    log: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """The three headers that sign a request."""
        at = datetime.now(UTC).isoformat()
        lines = ("lastlight-device-v1", method, path, self.device, at, hashlib.sha256(body).hexdigest())
        signature = self.key.sign("\n".join(lines).encode())
        return {"X-Device": self.device, "X-Device-Time": at, "X-Device-Signature": signature}

    async def beat(self) -> Any:
        """Say that it is there, and how it is."""
        # it grows over a restart of this process too
        self.beats = max(self.beats + 1, int(datetime.now(UTC).timestamp()))
        body = {
            "sequence": self.beats,
            "sent_at": datetime.now(UTC).isoformat(),
            "battery": round(self.battery),
            "firmware": FIRMWARE,
            "last_scan_id": self.sequence,
            "queued": len(self.log),
        }
        return await self.api.call(None, "POST", "/webhooks/hardware", body, sign=self.headers)

    async def scan(self, code: str) -> Any:
        """Ask whether the guest may come in; what became of it."""
        [answer] = await self._send([self._entry(code, "server")])
        return answer

    def scan_alone(self, code: str) -> None:
        """Let the guest in without asking, and write it down."""
        self.log.append(self._entry(code, "admitted"))

    async def sync(self) -> list[Any]:
        """Send what was written down; what became of each."""
        log, self.log = self.log, []
        return await self._send(log) if log else []

    def _entry(self, code: str, decided: str) -> dict[str, Any]:
        self.sequence += 1
        now = datetime.now(UTC).isoformat()
        return {"sequence": self.sequence, "code": code, "claimed_at": now, "decided": decided}

    async def _send(self, scans: list[dict[str, Any]]) -> list[Any]:
        return (await self.api.call(None, "POST", SCANS, {"scans": scans}, sign=self.headers))["results"]


async def stand_up(api: Api, manager: Account, *, venue_id: str, name: str) -> Scanner:
    """A scanner at a venue's door: put on the list, or found there, and enrolled with a new key."""
    found = await api.call(manager, "GET", f"/api/devices?limit=50&venue_id={venue_id}")
    known = next((one for one in found["items"] if one["name"] == name and one["status"] != "revoked"), None)
    if known is not None and known["health"] == "maintenance":
        await _maintain(api, manager, device_id=known["id"], reason="")
    if known is None:
        issued = await api.call(manager, "POST", "/api/devices", {"venue_id": venue_id, "name": name})
    else:
        issued = await api.call(manager, "POST", f"/api/devices/{known['id']}/enrolment")
    key = HeldKey()
    body = {"code": issued["code"], "public_key": key.public_key}
    given = await api.call(None, "POST", "/api/devices/enrolment", body)
    scanner = Scanner(api, f"{given['tenant_id']}.{given['device_id']}", key)
    snapshot = await api.call(None, "GET", "/api/door/snapshot", sign=scanner.headers)
    scanner.sequence = snapshot["last_sequence"]
    return scanner


async def set_aside(api: Api, manager: Account, scanner: Scanner) -> None:
    """The night is over: a device that is put away is set aside, or it would be missed."""
    await _maintain(api, manager, device_id=scanner.device.partition(".")[2], reason="The night is over.")


async def _maintain(api: Api, manager: Account, *, device_id: str, reason: str) -> None:
    """Begin the maintenance of a device for a reason, or end it."""
    path = f"/api/devices/{device_id}"
    version = (await api.call(manager, "GET", path))["version"]
    change = {"maintenance": bool(reason), "maintenance_reason": reason}
    await api.call(manager, "PATCH", path, change, version=version)
