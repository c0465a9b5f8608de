"""Things of safety for the tour of all pages."""

from typing import Any
from uuid import uuid4

from tests.support.live_server import LiveServer


def safety_things(server: LiveServer, owner: Any, venue_id: str) -> dict[str, str]:
    """An open alert, intervention and incident; a call that is over and a broadcast of yesterday, so that neither stands above pages."""

    def make(path: str, **body: Any) -> str:
        answer = owner.post(path, json={"venue_id": venue_id, **body}, headers={"Idempotency-Key": str(uuid4())})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    alert_id = make("/api/safety/alerts", summary="Loud at the bar", severity="high")
    incident_id = make("/api/incidents", kind="other", title="A broken glass", alert_ids=[alert_id])
    sos_id = make("/api/emergency/sos", place="Bar 2")
    owner.post(f"/api/emergency/sos/{sos_id}/resolution", json={"reason": "Nobody was hurt"})
    broadcast_id = make("/api/emergency/broadcasts", text="The lift is out of order")
    server.sql("update broadcasts set sent_at = now() - interval '1 day' where id = $1", broadcast_id)
    return {
        "alert_id": alert_id,
        "incident_id": incident_id,
        "intervention_id": make("/api/safety/interventions", kind="water", note="Gave water", alert_id=alert_id),
        "sos_id": sos_id,
        "broadcast_id": broadcast_id,
    }
