"""Things of people at work for the tour of all screens: a task, what comes again, a shift with its swap, time and its correction."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.support.live_server import LiveServer


def work_things(server: LiveServer, owner: Any, venue_id: str) -> dict[str, str]:
    """The ids of things of people at work; the staff's own time stands under the staff's own pages."""
    staff = server.client(server.person("staff"))
    manager = server.sql("select id from users where email = $1", server.person("manager").email)[0]["id"]
    mine = staff.get("/api/me").json()["user_id"]
    task = _made(owner, "/api/tasks", {"venue_id": venue_id, "title": "Look at the screens"})
    weekly = {"every": "week", "weekdays": [1, 5], "due_minute": 1080}
    again = _made(owner, "/api/task-recurrences", {"venue_id": venue_id, "title": "Count the glasses", **weekly})
    starts = datetime.now(UTC) + timedelta(days=2)
    span = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=6)).isoformat()}
    shift = _made(owner, "/api/shifts", {"venue_id": venue_id, "user_id": mine, "duty": "Door", **span})
    publication = {"venue_id": venue_id, "starts_from": span["starts_at"], "starts_to": span["ends_at"]}
    _made(owner, "/api/shifts/publication", publication)
    swap = _made(staff, f"/api/shifts/{shift['id']}/swaps", {"to_user_id": str(manager), "reason": "A wedding"})
    _made(staff, "/api/staff/clock-in", {"venue_id": venue_id})
    entry = _made(staff, "/api/staff/clock-out", {})
    times = {"started_at": "2026-01-05T18:00:00Z", "ended_at": "2026-01-05T23:00:00Z"}
    body = {"venue_id": venue_id, "reason": "The phone was empty", **times}
    correction = _made(staff, "/api/staff/corrections", body)
    staff.close()
    return {
        "task_id": task["id"],
        "recurrence_id": again["id"],
        "shift_id": shift["id"],
        "swap_id": swap["id"],
        "entry_id": entry["id"],
        "correction_id": correction["id"],
    }


def _made(client: Any, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()
