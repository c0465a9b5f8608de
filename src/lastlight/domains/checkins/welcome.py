"""Whether a venue takes a guest at a moment: bans, age, hours."""

from datetime import datetime

from lastlight.domains.checkins.door import Door
from lastlight.domains.checkins.errors import PatronBarred, UnderAge, VenueClosed, VenuePaused
from lastlight.domains.checkins.model import age_on
from lastlight.domains.checkins.settings import DoorRules
from lastlight.domains.venues import is_open, next_opening
from lastlight.runtime.context import Ctx


def require_welcome(ctx: Ctx, *, door: Door, rules: DoorRules, at: datetime) -> None:
    """The guest may enter, and the venue takes guests. A ban counts from when it is known, whatever time is claimed."""
    require_not_barred(ctx, door=door)
    if door.soft_banned:
        raise PatronBarred("Speak to the staff at the door: only they can let you in.")
    if door.age_limit is not None:
        _require_age(door, rules, at, door.age_limit)
    if door.status == "paused":
        raise VenuePaused
    if door.status == "archived":
        raise VenueClosed("This venue takes no guests any more.")
    if not is_open(door.opening_hours, door.zone, at):
        opens = next_opening(door.opening_hours, door.zone, at)
        when = f"It opens {opens.astimezone(door.zone):%A at %H:%M}." if opens else "Ask the staff when it opens."
        raise VenueClosed(when)


def require_not_barred(ctx: Ctx, *, door: Door) -> None:
    """The guest is not banned, and not suspended now: nobody lets them in by hand either. Raises PatronBarred."""
    until = door.patron_status_until
    if door.patron_status in {"banned", "suspended"} and (until is None or until > ctx.now):
        raise PatronBarred


def _require_age(door: Door, rules: DoorRules, at: datetime, limit: int) -> None:
    if door.birth_date is None:
        if rules.birth_date_required:
            raise UnderAge(f"Guests here are {limit} or older. Give your date of birth in your profile first.")
        return
    if age_on(door.birth_date, at.astimezone(door.zone).date()) < limit:
        raise UnderAge(f"Guests here are {limit} or older.")
