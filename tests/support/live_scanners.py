"""Scanners that speak to the running platform over HTTP, as the real ones do."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from lastlight.domains.devices.heartbeats import watch_fleet
from lastlight.kernel.ids import TenantId
from lastlight.runtime.db.uow import system_ctx
from tests.support.devices import Scanner
from tests.support.live_server import LiveServer
from tests.support.phones import Phone


def enrol_over_http(server: LiveServer, code: str) -> Scanner:
    """Become the device that a one-time code is for."""
    phone = Phone()
    body = {"code": code, "public_key": phone.public_key}
    answer = httpx.post(f"{server.base_url}/api/devices/enrolment", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    given = answer.json()
    return Scanner(device_id=UUID(given["device_id"]), tenant_id=UUID(given["tenant_id"]), phone=phone)


def new_scanner(server: LiveServer, venue_id: Any, name: str, *, business: str = "kojo-arcade") -> Scanner:
    """A scanner that a manager added and that has enrolled."""
    manager = server.client(server.person("manager", business))
    made = manager.post("/api/devices", json={"venue_id": str(venue_id), "name": name})
    manager.close()
    assert made.status_code == 201, made.text
    return enrol_over_http(server, made.json()["code"])


def speak(server: LiveServer, scanner: Scanner, path: str, data: dict[str, Any]) -> httpx.Response:
    """Send something that the scanner signed."""
    body = json.dumps(data).encode()
    headers = {**scanner.headers("POST", path, body), "content-type": "application/json"}
    return httpx.post(f"{server.base_url}{path}", content=body, headers=headers, timeout=30)


def beat(server: LiveServer, scanner: Scanner, sequence: int, **fields: Any) -> httpx.Response:
    """A heartbeat."""
    data = {"sequence": sequence, "sent_at": datetime.now(UTC).isoformat(), "battery": 80, "firmware": "2.1"} | fields
    return speak(server, scanner, "/webhooks/hardware", data)


def watch(server: LiveServer, *, business: str = "kojo-arcade") -> None:
    """One run of the watch over a business's devices, as the job makes each minute."""

    async def run(tenant_id: TenantId) -> None:
        async with system_ctx(server.backstage.services, tenant_id) as ctx:
            await watch_fleet(ctx)

    server.backstage.run(run(server.businesses[business].id))
