"""The demonstration's past safety: what was watched, noticed, called for and seen to, with ids that follow from a seed. Told to nobody."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from lastlight.domains import identity
from lastlight.domains.safety.model import SEVERITY_OF_SOS, Contact
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.context import Ctx

KNOWN = "select exists (select from safety_thresholds where tenant_id = $1)"
THRESHOLDS = """
insert into safety_thresholds (tenant_id, id, venue_id, minutes_inside, drinks_per_hour, interventions, full_percent)
values ($1, $2, $3, 360, 4, 3, 95)
"""
CONTACTS = "insert into emergency_contacts (tenant_id, id, venue_id, contacts) values ($1, $2, $3, $4::text::jsonb)"
ALERT = """
insert into safety_alerts (tenant_id, id, venue_id, kind, severity, status, incident_id, summary, raised_at, raised_by, acknowledged_at,
                           acknowledged_by, cleared_at, cleared_by, clear_reason)
values ($1, $2, $3, 'behaviour', $4, 'cleared', $5, $6, $7, $8, $9, $10, $11, $10, $12)
"""
INTERVENTION = """
insert into safety_interventions (tenant_id, id, venue_id, kind, status, note, alert_id, incident_id, recorded_at, recorded_by, resolved_at,
                                  resolved_by, outcome)
values ($1, $2, $3, $4, 'resolved', $5, $6, $7, $8, $9, $10, $9, $11)
"""
INCIDENT = """
insert into incidents (tenant_id, id, number, venue_id, kind, severity, title, status, opened_at, opened_by, resolved_at, resolved_by,
                       resolution)
select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, 'resolved', $7, $8, $9, $10, $11 from incidents where tenant_id = $1
"""
ENTRY = """
insert into incident_entries (tenant_id, id, incident_id, at, user_id, name, kind, text, ref_id)
select $1, $2, $3, $4, u.id, u.name, $6, $7, $8 from users u where u.id = $5
"""
LOG = """
insert into safety_log (tenant_id, id, venue_id, at, user_id, name, what, entity, entity_id, text)
select $1, $2, $3, $4, u.id, u.name, $6, $7, $8, $9 from users u where u.id = $5
"""
SOS = """
insert into sos_calls (tenant_id, id, venue_id, severity, place, note, status, incident_id, pressed_by, pressed_at, received_at,
                       acknowledged_at, resolved_at, resolved_by)
values ($1, $2, $3, $4, $5, $6, 'resolved', $7, $8, $9, $9, $10, $11, $12)
"""
HEARD = """
insert into sos_acknowledgements (tenant_id, sos_id, user_id, name, at, response_seconds)
select $1, $2, u.id, u.name, $4, $5 from users u where u.id = $3
"""


class Story(NamedTuple):
    """One thing that happened."""

    summary: str
    severity: str
    did: str
    note: str
    outcome: str


class Call(NamedTuple):
    """One call for help."""

    severity: str
    place: str
    note: str
    ended: str


STORIES = (
    Story("Unsteady at the bar", "medium", "water", "Water and a chair.", "Went home with friends, by cab."),
    Story("Shouting near the booth", "medium", "talk", "Spoke to both of them.", "They stayed, in different rooms."),
    Story("Asleep at a table", "low", "talk", "Woke them and called their friend.", "Picked up at the door."),
    Story("Would not leave others alone", "high", "remove", "Second time tonight.", "Left without a fight."),
)
CALLS = (
    Call("urgent", "By the stage", "Two guests are fighting.", "Separated; one left, one stayed."),
    Call("emergency", "Upstairs corridor", "A guest fell down the stairs.", "Paramedics came after nine minutes."),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when something happened, and who saw to it."""

    key: str
    venue_id: VenueId
    at: datetime
    user: UserId
    manager: UserId

    def id(self, *parts: str) -> UUID:
        """An id that follows from the seed."""
        return identity.seeded_id(self.key, *parts)


async def seed_safety(
    ctx: Ctx, *, seed: str, crews: Mapping[VenueId, Sequence[UserId]], manager: UserId, phone: str
) -> int:
    """Thresholds, contacts and some past trouble at each venue; nothing is done where thresholds stand. How many things."""
    if await ctx.db.fetchval(KNOWN, ctx.tenant_id):
        return 0
    made = 0
    contacts = [Contact(name="Duty manager", phone=phone), Contact(name="Ambulance", phone="112")]
    for venue_id, users in crews.items():
        dice = random.Random(f"{seed}/{venue_id}/safety")  # noqa: S311 - a plan to repeat, not a secret
        await ctx.db.execute(THRESHOLDS, ctx.tenant_id, identity.seeded_id(seed, "thresholds", venue_id), venue_id)
        own_id = identity.seeded_id(seed, "contacts", venue_id)
        await ctx.db.execute(CONTACTS, ctx.tenant_id, own_id, venue_id, msgspec.json.encode(contacts).decode())
        for number, story in enumerate(STORIES):
            at = ctx.now - timedelta(days=1 + number * 3, minutes=dice.randrange(300))
            key = f"{seed}/{venue_id}/story/{number}"
            await _alert(ctx, Scene(key, venue_id, at, dice.choice(users), manager), story)
        for number, call in enumerate(CALLS):
            at = ctx.now - timedelta(days=3 + number * 5, minutes=dice.randrange(300))
            key = f"{seed}/{venue_id}/call/{number}"
            await _call(ctx, Scene(key, venue_id, at, dice.choice(users), manager), call)
        made += 2 + len(STORIES) + len(CALLS)
    return made


async def _alert(ctx: Ctx, scene: Scene, story: Story) -> None:
    alert_id, done_id = scene.id("alert"), scene.id("intervention")
    at, user, manager = scene.at, scene.user, scene.manager
    heard, over = at + timedelta(seconds=70), at + timedelta(minutes=22)
    row = (alert_id, scene.venue_id, story.severity, None, story.summary, at, user, heard, manager, over, story.outcome)
    await ctx.db.execute(ALERT, ctx.tenant_id, *row)
    begun = at + timedelta(minutes=2)
    did = (done_id, scene.venue_id, story.did, story.note, alert_id, None, begun, user, over, story.outcome)
    await ctx.db.execute(INTERVENTION, ctx.tenant_id, *did)
    await _log(ctx, scene, (at, user, "alert raised: behaviour", "alert", alert_id, story.summary))
    await _log(ctx, scene, (heard, manager, "alert acknowledged", "alert", alert_id, ""))
    await _log(ctx, scene, (begun, user, f"intervention recorded: {story.did}", "intervention", done_id, story.note))
    await _log(ctx, scene, (over, user, "intervention resolved", "intervention", done_id, story.outcome))
    await _log(ctx, scene, (over, manager, "alert cleared", "alert", alert_id, story.outcome))


async def _call(ctx: Ctx, scene: Scene, call: Call) -> None:
    sos_id, incident_id = scene.id("sos"), scene.id("incident")
    at, user, manager = scene.at, scene.user, scene.manager
    severity = SEVERITY_OF_SOS[call.severity]
    heard, over = at + timedelta(seconds=19), at + timedelta(minutes=16)
    title = f"Call for help: {call.place}"
    incident = (incident_id, scene.venue_id, "sos", severity, title, at, user, over, manager, call.ended)
    await ctx.db.execute(INCIDENT, ctx.tenant_id, *incident)
    sos = (sos_id, scene.venue_id, call.severity, call.place, call.note, incident_id, user, at, heard, over, manager)
    await ctx.db.execute(SOS, ctx.tenant_id, *sos)
    await ctx.db.execute(HEARD, ctx.tenant_id, sos_id, manager, heard, 19)
    for when, who, kind, text, ref in (
        (at, user, "opened", title, None),
        (at, user, "sos", call.note, sos_id),
        (heard, manager, "note", "On my way.", None),
        (over, manager, "resolved", call.ended, None),
    ):
        await ctx.db.execute(ENTRY, ctx.tenant_id, scene.id("entry", kind), incident_id, when, who, kind, text, ref)
    await _log(ctx, scene, (at, user, f"SOS pressed: {call.severity}", "sos", sos_id, call.note))
    await _log(ctx, scene, (heard, manager, "SOS acknowledged", "sos", sos_id, ""))
    await _log(ctx, scene, (over, manager, "SOS resolved", "sos", sos_id, call.ended))


async def _log(ctx: Ctx, scene: Scene, said: tuple[datetime, UserId, str, str, UUID, str]) -> None:
    await ctx.db.execute(LOG, ctx.tenant_id, scene.id("log", said[2]), scene.venue_id, *said)
