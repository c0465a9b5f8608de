"""A guest calls for help: where they are, once, heard as an SOS, answered on their phone, taken back, limited, switched off."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains.flags.seeding import seed_answer, sync_flags
from lastlight.domains.safety import help as guests_help
from lastlight.domains.safety import help_calls, sos
from lastlight.domains.safety.errors import HelpNotOffered, HelpOutside, HelpTooOften, SosIdTaken
from lastlight.domains.safety.help_model import GUEST_HELP, HelpCall, HelpIn, HelpPosition
from lastlight.domains.safety.jobs import due_tenants, run_watch
from lastlight.domains.safety.permissions import SAFETY_HELP
from lastlight.kernel.ids import PLATFORM, PatronId, UserId
from lastlight.runtime.context import Actor, Grants
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from tests.support.door import Guest, House

ALL: Any = dict.fromkeys(("safety.read", "safety.respond", "visits.read", "venues.read"))
EVENT = {"event_id": uuid4(), "seq": 0}


@pytest.fixture
async def guest(house: House) -> Guest:
    """A guest who is in."""
    made = await house.add_guest()
    await house.check_in(made)
    return made


def of_guest(house: House, guest: Guest) -> AbstractAsyncContextManager[Any]:
    actor = Actor(
        kind="patron",
        user_id=UserId(guest.user_id),
        tenant_id=house.tenant_id,
        patron_id=PatronId(guest.patron_id),
        name=guest.name,
        grants=Grants({str(SAFETY_HELP): None}),
    )
    return unit_of_work(house.services, WorkScope(actor=actor, tenant_id=house.tenant_id))


async def press(house: House, guest: Guest, *, help_id: UUID | None = None, **fields: Any) -> HelpCall:
    async with of_guest(house, guest) as ctx:
        return await guests_help.press_help(ctx, data=HelpIn(**fields), help_id=help_id)


async def raised(house: House, call: HelpCall) -> sos.SosCall:
    """The SOS call that the job makes of a guest's call; made twice, it is one."""
    for _ in range(2):
        async with house.system() as ctx:
            await help_calls.call_for_guest.fn(ctx, data={"help_id": str(call.id)}, **EVENT)
    async with house.as_member(ALL) as ctx:
        return await sos.find_sos(ctx, sos_id=call.id)


async def state(house: House, guest: Guest) -> HelpCall:
    """What the guest reads, after the job that brings the answers."""
    async with of_guest(house, guest) as ctx:
        call = (await guests_help.read_help(ctx)).call
    assert call is not None
    async with house.system() as ctx:
        await help_calls.answer_guest.fn(ctx, data={"sos_id": str(call.id), "guest": True}, **EVENT)
    async with of_guest(house, guest) as ctx:
        after = (await guests_help.read_help(ctx)).call
    assert after is not None
    return after


async def test_it_becomes_an_sos_with_first_name_and_place_and_its_answers_reach_the_guest(
    house: House, guest: Guest
) -> None:
    where = HelpPosition(lat=-26.14, lon=28.04, accuracy_m=12)
    call = await press(house, guest, about="unwell", place=" Booth 4 ", note="Dizzy", quiet=True, position=where)
    assert (call.status, call.helpers, call.venue) == ("sent", [], house.venue.name)
    made = await raised(house, call)
    assert (made.caller, made.place, made.about, made.silent, made.severity) == (
        "Zinhle",
        "Booth 4",
        "unwell",
        True,
        "urgent",
    )
    assert (made.patron_id, made.pressed_by, made.accuracy_m) == (guest.patron_id, guest.user_id, 12)
    assert await house.count("sos_calls") == 1
    async with house.as_member(ALL) as ctx:
        assert [one.id for one in await sos.open_calls(ctx)] == [call.id]
        await sos.acknowledge_sos(ctx, sos_id=call.id)
    assert (await state(house, guest)).status == "heard"
    async with house.as_member(ALL) as ctx:
        await sos.come_to_sos(ctx, sos_id=call.id)
    coming = await state(house, guest)
    assert (coming.status, len(coming.helpers)) == ("coming", 1)
    assert " " not in coming.helpers[0], "a first name is all that a guest reads of who works there"
    async with house.as_member(ALL) as ctx:
        await sos.resolve_sos(ctx, sos_id=call.id, reason="Water and a chair")
    over = await state(house, guest)
    assert (over.status, over.ended_at is not None) == ("over", True)
    [said] = await house.sql("select data from outbox where tenant_id = $1 and name = 'sos.raised'", house.tenant_id)
    assert "Zinhle" not in str(said["data"])


async def test_two_presses_are_one_call_and_the_second_says_more(house: House, guest: Guest) -> None:
    key = uuid4()
    both = await asyncio.gather(press(house, guest, help_id=key), press(house, guest, help_id=key))
    assert [one.id for one in both] == [key, key]
    at_once = await asyncio.gather(*(press(house, guest, help_id=uuid4()) for _ in range(3)))
    assert {one.id for one in at_once} == {key}
    await raised(house, both[0])
    more = await press(house, guest, help_id=uuid4(), about="lost", place="Stairs")
    assert (more.id, more.about, more.place) == (key, "lost", "Stairs")
    async with house.system() as ctx:
        await help_calls.say_for_guest.fn(ctx, data={"help_id": str(key)}, **EVENT)
    async with house.as_member(ALL) as ctx:
        call = await sos.find_sos(ctx, sos_id=key)
    assert (call.place, call.about) == ("Stairs", "lost")
    assert await house.count("help_calls") == 1
    stranger = await house.add_guest("Liam Petersen")
    await house.check_in(stranger)
    with pytest.raises(SosIdTaken):
        await press(house, stranger, help_id=key)
    async with of_guest(house, stranger) as ctx:
        assert (await guests_help.read_help(ctx)).call is None


async def test_only_who_is_in_or_has_just_left_is_heard(house: House, guest: Guest) -> None:
    outside = await house.add_guest("Liam Petersen")
    with pytest.raises(HelpOutside):
        await press(house, outside)
    await house.sql(
        """update visits set status = 'closed', opened_at = now() - interval '9 hours', closed_at = now() - interval '5 minutes',
                  closed_by = 'guest' where patron_id = $1""",
        guest.patron_id,
    )
    with pytest.raises(HelpOutside):
        await press(house, guest)
    async with of_guest(house, guest) as ctx:
        ago = ctx.now
    late = await press(house, guest, pressed_at=ago - timedelta(minutes=20))
    assert late.pressed_at == ago - timedelta(minutes=20), "it had no network when the guest was in"
    async with of_guest(house, guest) as ctx:
        await guests_help.withdraw_help(ctx, help_id=late.id)
    await house.sql("update visits set closed_at = now() - interval '2 hours' where patron_id = $1", guest.patron_id)
    with pytest.raises(HelpOutside):
        await press(house, guest, pressed_at=ago - timedelta(hours=3))
    assert await house.count("help_calls") == 1


async def test_taken_back_it_is_told_no_more_and_stands_until_staff_have_looked(house: House, guest: Guest) -> None:
    call = await press(house, guest)
    await raised(house, call)
    async with of_guest(house, guest) as ctx:
        await guests_help.withdraw_help(ctx, help_id=call.id)
        assert (await guests_help.withdraw_help(ctx, help_id=call.id)).status == "withdrawn"
    async with house.system() as ctx:
        await help_calls.say_for_guest.fn(ctx, data={"help_id": str(call.id)}, **EVENT)
    async with house.as_member(ALL) as ctx:
        [open_call] = await sos.open_calls(ctx)
        assert (open_call.withdrawn_at is not None, open_call.escalates_at) == (True, None)
        await sos.resolve_sos(ctx, sos_id=call.id, reason="It was a pocket")
    async with house.system() as ctx:
        await help_calls.answer_guest.fn(ctx, data={"sos_id": str(call.id), "guest": True}, **EVENT)
    async with of_guest(house, guest) as ctx:
        last = (await guests_help.read_help(ctx)).call
    assert last is not None
    assert last.status == "withdrawn", "what the guest said last stands"


async def test_nobody_calls_without_end(house: House, guest: Guest) -> None:
    for _ in range(guests_help.MOST_CALLS):
        call = await press(house, guest)
        async with of_guest(house, guest) as ctx:
            await guests_help.withdraw_help(ctx, help_id=call.id)
    with pytest.raises(HelpTooOften):
        await press(house, guest)
    await house.sql(
        "update help_calls set received_at = now() - interval '16 minutes' where patron_id = $1", guest.patron_id
    )
    assert (await press(house, guest)).status == "sent"


async def test_what_no_job_has_made_the_watch_makes_and_unanswered_it_is_told_again(house: House, guest: Guest) -> None:
    call = await press(house, guest)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id not in await due_tenants(ctx)
    await house.sql("update help_calls set received_at = now() - interval '1 minute' where id = $1", call.id)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id in await due_tenants(ctx)
    async with house.system() as ctx:
        await run_watch(ctx)
    await house.sql("update sos_calls set escalates_at = now() where id = $1", call.id)
    async with house.system() as ctx:
        await run_watch(ctx)
    told = await state(house, guest)
    assert (told.status, told.escalation) == ("sent", 1)


async def test_the_flag_hides_it_and_refuses_it_but_never_cuts_a_call_off(house: House, guest: Guest) -> None:
    async with of_guest(house, guest) as ctx:
        assert (await guests_help.read_help(ctx)).offered, "declared on, though nobody wrote it down"
    call = await press(house, guest)
    await sync_flags(house.services)
    await sync_flags(house.services)
    async with system_ctx(house.services, house.tenant_id, role="platform") as ctx:
        await seed_answer(ctx, key=GUEST_HELP.key, enabled=False, reason="Not yet")
    async with of_guest(house, guest) as ctx:
        assert not (await guests_help.read_help(ctx)).offered
    assert (await press(house, guest, place="Bar")).id == call.id
    async with of_guest(house, guest) as ctx:
        await guests_help.withdraw_help(ctx, help_id=call.id)
    with pytest.raises(HelpNotOffered):
        await press(house, guest)
    assert await house.count("help_calls") == 1
