"""The demonstration's tasks: what comes again, what waits and what was done, with ids that follow from a seed. Told to nobody."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from lastlight.domains import identity
from lastlight.domains.venues import Venue, read_venue
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.context import Ctx

KNOWN = "select exists (select from tasks where tenant_id = $1)"
TASK = """
insert into tasks (tenant_id, id, venue_id, title, details, priority, status, assignee_id, created_by, due_at, assigned_at, started_at,
                   started_by, ended_at, ended_by, outcome, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""
RECURRENCE = """
insert into task_recurrences (tenant_id, id, venue_id, title, details, priority, every, weekdays, due_minute, lead_minutes,
                              remind_minutes, next_due_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
WEEKS_BACK = 2


class Chore(NamedTuple):
    """Something that is done at a venue again and again."""

    title: str
    details: str
    priority: str
    minutes: int


CHORES = (
    Chore("Count the float", "Two people; write the sum on the slip.", "high", 12),
    Chore("Restock the fridge behind the bar", "", "normal", 25),
    Chore("Check the fire exits", "Both doors open and nothing stands in the way.", "high", 8),
    Chore("Clean the headsets", "Alcohol wipes are in the drawer.", "low", 15),
    Chore("Swap the broken joystick", "Cabinet 4, spare parts are in the office.", "normal", 30),
)
WAITING = (
    Chore("Fix the light over the stairs", "The second step is hard to see.", "urgent", 0),
    Chore("Order more wristbands", "Fewer than two rolls are left.", "normal", 0),
    Chore("Call the ice supplier", "They came an hour late twice.", "low", 0),
)


async def seed_tasks(ctx: Ctx, *, seed: str, crews: Mapping[VenueId, Sequence[UserId]], maker: UserId) -> int:
    """Tasks of each venue's people; nothing is done where the business has any. How many were made."""
    if await ctx.db.fetchval(KNOWN, ctx.tenant_id):
        return 0
    made = 0
    for venue_id, users in crews.items():
        venue = await read_venue(ctx, venue_id=venue_id)
        rows = [*_done(ctx, venue, seed, users, maker), *_waiting(ctx, venue, seed, users, maker)]
        for row in rows:
            await ctx.db.execute(TASK, ctx.tenant_id, *row)
        made += len(rows)
        await _again(ctx, venue, seed, maker)
    return made


def _done(ctx: Ctx, venue: Venue, seed: str, users: Sequence[UserId], maker: UserId) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    dice = random.Random(f"{seed}/{venue.slug}/tasks")  # noqa: S311 - a plan to repeat, not a secret
    for back in range(1, WEEKS_BACK * 7):
        evening = datetime.combine(ctx.now.date() - timedelta(days=back), time(18), venue.zone)
        for chore in dice.sample(CHORES, 2):
            user = dice.choice(users)
            started = evening + timedelta(minutes=dice.randrange(5, 50))
            ended = started + timedelta(minutes=chore.minutes * dice.uniform(0.6, 1.6))
            own_id = identity.seeded_id(seed, "task", f"{venue.id}/{back}/{chore.title}")
            given = (own_id, venue.id, chore.title, chore.details, chore.priority, "done", user, maker)
            due = evening + timedelta(hours=1)
            rows.append((*given, due, evening, started, user, ended, user, "Done.", evening))
    return rows


def _waiting(ctx: Ctx, venue: Venue, seed: str, users: Sequence[UserId], maker: UserId) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for number, chore in enumerate(WAITING):
        user = users[0] if number == 1 else None
        own_id = identity.seeded_id(seed, "task", f"{venue.id}/waiting/{chore.title}")
        due = ctx.now + timedelta(hours=(-2, 20, 50)[number])
        made = ctx.now - timedelta(hours=5 + number)
        given = (own_id, venue.id, chore.title, chore.details, chore.priority, "open", user, maker)
        rows.append((*given, due, made if user else None, None, None, None, None, "", made))
    return rows


async def _again(ctx: Ctx, venue: Venue, seed: str, maker: UserId) -> None:
    """A list for every opening, and one for the end of the week."""
    for title, every, days, minute in (
        ("Opening checklist", "day", [], 17 * 60),
        ("Deep clean of the taps", "week", [1], 11 * 60),
    ):
        own_id = identity.seeded_id(seed, "recurrence", f"{venue.id}/{title}")
        at = datetime.combine(ctx.now.date(), time(minute // 60), venue.zone)
        ahead = 1 if not days else (days[0] - at.isoweekday()) % 7 or 7
        details = "Lights, tills, toilets, exits, music." if not days else "Lines, nozzles and trays."
        how = ("normal", every, days, minute, 120, 30, at + timedelta(days=ahead), maker)
        await ctx.db.execute(RECURRENCE, ctx.tenant_id, own_id, venue.id, title, details, *how)
