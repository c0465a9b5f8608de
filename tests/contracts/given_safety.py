"""Examples of the operations of safety."""

from uuid import uuid4

from tests.support.calls import Example, Given
from tests.support.safety_things import help_call, safety_check
from tests.support.things import checked_in, venue, visit
from tests.support.world import Somebody, World


async def at_venue(world: World, who: Somebody) -> Given:
    """A body that names the first venue."""
    return Given(data={"venue_id": str(await venue(world, who))})


async def set_thresholds(world: World, who: Somebody) -> Given:
    """The version that stands, or 0 where nobody has set any."""
    place = await venue(world, who)
    found = await world.value("select version from safety_thresholds where venue_id = $1", place)
    return Given(data={"minutes_inside": 120}, version=found or 0)


async def set_emergency_contacts(world: World, who: Somebody) -> Given:
    """The version that stands, or 0 where nobody has set any."""
    place = await venue(world, who)
    found = await world.value("select version from emergency_contacts where venue_id = $1", place)
    contact = {"name": "Armed response", "phone": "10111"}
    return Given(data={"contacts": [contact]}, version=found or 0)


async def assign_intervention(world: World, who: Somebody) -> Given:
    """Somebody who works at the venue."""
    return Given(data={"user_id": str((who.home or world.a).users["staff"])})


async def note_incident(world: World, who: Somebody) -> Given:
    """A line of words."""
    return Given(data={"text": f"Seen {uuid4()}"})


async def ask_guest(world: World, who: Somebody) -> Given:
    """A guest who is in."""
    return Given(data={"visit_id": str(await visit(world, who))})


async def answer_check(world: World, who: Somebody) -> Given:
    """A question to a guest of one's own."""
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    return Given(path={"check_id": await safety_check(world, patron, patron=patron)}, who=patron)


async def press_help(world: World, who: Somebody) -> Given:
    """A guest who is in."""
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    await checked_in(world, patron, patron=patron)
    return Given(data={"about": "lost", "place": "Stairs"}, who=patron)


async def withdraw_help(world: World, who: Somebody) -> Given:
    """A call of a guest of one's own."""
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    return Given(path={"help_id": await help_call(world, patron, patron=patron)}, who=patron)


SAFETY_EXAMPLES: dict[str, Example] = {
    "set_thresholds": set_thresholds,
    "set_emergency_contacts": set_emergency_contacts,
    "report_behaviour": at_venue,
    "record_intervention": at_venue,
    "press_sos": at_venue,
    "send_broadcast": at_venue,
    "open_incident": at_venue,
    "assign_intervention": assign_intervention,
    "note_incident": note_incident,
    "ask_guest": ask_guest,
    "answer_check": answer_check,
    "press_help": press_help,
    "withdraw_help": withdraw_help,
}
