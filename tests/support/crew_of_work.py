"""People who work at a live venue, for tests that drive a browser: each test brings its own, so that tests do not meet in one shift."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from lastlight.domains import identity
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.db.uow import system_ctx
from tests.support.live_server import SEED, LiveServer, Person


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works, who can sign in, and their id."""

    person: Person
    id: UserId


def hired(server: LiveServer, name: str, *, role: str = "staff", venues: list[VenueId] | None = None) -> Colleague:
    """Somebody new who works for the first business, everywhere or at some venues."""
    business = server.businesses["kojo-arcade"]
    email = f"{name.split(maxsplit=1)[0].lower()}-{secrets.token_hex(4)}@kojo.example"

    async def seed() -> UserId:
        async with system_ctx(server.backstage.services, business.id, role="system") as ctx:
            user_id = await identity.seed_user(ctx, seed=SEED, email=email, name=name, password_hash=server.hashed)
            await identity.seed_member(ctx, seed=SEED, user_id=user_id, role=role, venue_ids=venues)
        return user_id

    return Colleague(Person(role, name, email, business.slug), server.backstage.run(seed()))


def as_somebody(server: LiveServer, who: Colleague | Person, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Make something by the API as somebody; it must succeed."""
    client = server.client(who.person if isinstance(who, Colleague) else who)
    answer = client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    client.close()
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()


def rostered(
    server: LiveServer,
    venue: VenueId,
    who: Colleague | None,
    *,
    hours: float = 24,
    length: float = 6,
    duty: str = "Bar",
) -> UUID:
    """A published shift that begins so many hours from now."""
    manager = server.person("manager")
    starts = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    ends = starts + timedelta(hours=length)
    span = {"starts_at": starts.isoformat(), "ends_at": ends.isoformat()}
    body = {"venue_id": str(venue), "user_id": str(who.id) if who else None, "duty": duty, **span}
    made = as_somebody(server, manager, "/api/shifts", body)
    publication = {"venue_id": str(venue), "starts_from": span["starts_at"], "starts_to": span["ends_at"]}
    as_somebody(server, manager, "/api/shifts/publication", publication)
    return UUID(made["id"])
