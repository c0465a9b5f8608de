"""Safety: whom to call, who has seen what, who comes, how near a threshold, who is written to, and what the log forgets."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from lastlight.domains.safety import (
    alerts,
    broadcasts,
    checks,
    contacts,
    floor,
    incidents,
    retention,
    sos,
    thresholds,
    watch,
)
from lastlight.domains.safety.errors import AlertNotOpen, SosResolved
from lastlight.domains.safety.escalation_mail import mail_alert, mail_sos
from lastlight.domains.safety.events import AlertEscalated, SosEscalated
from lastlight.domains.safety.model import Contact, SosCall, Thresholds
from lastlight.domains.safety.module import MODULE as SAFETY
from lastlight.domains.safety.record_pages import ContactsForm, ThresholdsForm, to_contacts, to_thresholds
from lastlight.domains.safety.schemas import (
    AlertIn,
    BroadcastIn,
    CheckIn,
    ContactsIn,
    FiguresQuery,
    ThresholdsIn,
)
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import VenueId
from lastlight.runtime.db.uow import system_ctx
from tests.support.door import House
from tests.support.safety_staff import ALL, pressed, somebody, told
from tests.support.sockets import sign_in


async def colleague(house: House, name: str, *permissions: str) -> UUID:
    """Somebody who works at all venues of the house."""
    person = await sign_in(house.services, house.tenant_id, permissions)
    await house.sql("update users set name = $2 where id = $1", person.user_id, name)
    return person.user_id


async def test_contacts_are_set_by_version_and_each_can_be_reached(house: House) -> None:
    nandi = Contact(name=" Nandi ", phone="+27 11 555 0101", email="nandi@kojo.example", told=True)
    async with house.as_member(ALL) as ctx:
        first = await contacts.set_contacts(ctx, venue_id=house.venue.id, data=ContactsIn(contacts=[nandi]), version=0)
    assert (first.version, [contact.name for contact in first.contacts]) == (1, ["Nandi"])
    async with house.as_member(ALL) as ctx:
        with pytest.raises(Stale):
            await contacts.set_contacts(ctx, venue_id=house.venue.id, data=ContactsIn(contacts=[]), version=0)
        unreachable = [Contact(name="Nobody"), Contact(name="Mute", phone="10111", told=True)]
        with pytest.raises(Invalid) as refused:
            await contacts.set_contacts(ctx, venue_id=house.venue.id, data=ContactsIn(contacts=unreachable), version=1)
    assert set(refused.value.fields) == {"contacts[0].phone", "contacts[1].email"}
    async with house.as_member({"safety.read": frozenset[VenueId](), "venues.read": None}) as ctx:
        with pytest.raises(NotFound):
            await contacts.find_contacts(ctx, venue_id=house.venue.id)
    assert await told(house, "safety.contacts_changed") == 1
    [row] = await house.sql(
        "select data from outbox where tenant_id = $1 and name = $2", house.tenant_id, "safety.contacts_changed"
    )
    assert "Nandi" not in str(row["data"])


async def test_a_broadcast_knows_who_has_seen_it_once_and_who_has_not(house: House) -> None:
    ann, ben = await colleague(house, "Ann", "safety.read"), await colleague(house, "Ben", "safety.read")
    async with somebody(house, uuid4(), "Thandi") as ctx:
        sent = await broadcasts.send_broadcast(ctx, data=BroadcastIn(venue_id=house.venue.id, text="Last round"))
    async with somebody(house, ann, "Ann") as ctx:
        assert [word.id for word in await broadcasts.unseen_broadcasts(ctx)] == [sent.id]
        await broadcasts.see_broadcast(ctx, broadcast_id=sent.id)
        seen = await broadcasts.see_broadcast(ctx, broadcast_id=sent.id)
        assert await broadcasts.unseen_broadcasts(ctx) == []
    assert ([receipt.name for receipt in seen.receipts], await told(house, "broadcast.seen")) == (["Ann"], 1)
    assert "Ben" in seen.unseen
    assert "Ann" not in seen.unseen
    async with somebody(house, ben, "Ben", {"safety.read": None}) as ctx:
        assert (await broadcasts.find_broadcast(ctx, broadcast_id=sent.id)).unseen == []
    async with somebody(house, ben, "Ben", {"safety.read": frozenset[VenueId]()}) as ctx:
        assert await broadcasts.unseen_broadcasts(ctx) == []
        with pytest.raises(NotFound):
            await broadcasts.see_broadcast(ctx, broadcast_id=sent.id)


async def test_whoever_comes_has_answered_and_of_two_at_once_both_count(house: House) -> None:
    call = await pressed(house)
    ann, ben = uuid4(), uuid4()

    async def come(user_id: UUID, name: str) -> SosCall:
        async with somebody(house, user_id, name) as ctx:
            return await sos.come_to_sos(ctx, sos_id=call.id)

    await asyncio.gather(come(ann, "Ann"), come(ben, "Ben"), come(ann, "Ann"))
    async with house.as_member(ALL) as ctx:
        found = await sos.find_sos(ctx, sos_id=call.id)
        assert {answer.name for answer in found.acknowledgements if answer.coming_at} == {"Ann", "Ben"}
        assert (found.status, await told(house, "sos.acknowledged"), await told(house, "sos.coming")) == (
            "acknowledged",
            2,
            2,
        )
        assert [each.id for each in await sos.open_calls(ctx)] == [call.id]
        await sos.resolve_sos(ctx, sos_id=call.id, reason="Calm")
        with pytest.raises(SosResolved):
            await sos.come_to_sos(ctx, sos_id=call.id)
        assert await sos.open_calls(ctx) == []


async def test_of_two_who_take_an_alert_at_once_one_has_it(house: House) -> None:
    async with house.as_member(ALL) as ctx:
        alert = await alerts.report_behaviour(ctx, data=AlertIn(venue_id=house.venue.id, summary="Smoke"))

    async def take(name: str) -> str:
        async with somebody(house, uuid4(), name) as ctx:
            await alerts.acknowledge_alert(ctx, alert_id=alert.id)
            return name

    outcomes = await asyncio.gather(take("Ann"), take("Ben"), return_exceptions=True)
    assert sum(isinstance(outcome, AlertNotOpen) for outcome in outcomes) == 1
    assert await told(house, "safety.alert_acknowledged") == 1


@pytest.mark.parametrize(
    ("facts", "nearest", "under_age"),
    [
        ({"minutes": 59}, 59 / 60, False),
        ({"minutes": 60}, 1.0, False),
        ({"drinks_last_hour": 4}, 0.8, False),
        ({"drinks_last_hour": 5}, 1.0, False),
        ({"spend_minor": 49_999}, 49_999 / 50_000, False),
        ({"spend_minor": 50_000}, 1.0, False),
        ({"age": 20}, 1.0, True),
        ({"age": 21}, 0.0, False),
        ({"age": None}, 0.0, False),
    ],
)
def test_how_near_a_threshold_a_guest_is(facts: dict[str, Any], nearest: float, under_age: bool) -> None:
    limits = Thresholds(
        venue_id=VenueId(uuid4()), minutes_inside=60, drinks_per_hour=4, spend_minor=50_000, least_age=21
    )
    nothing: dict[str, Any] = {
        "visit_id": uuid4(),
        "patron_id": uuid4(),
        "patron": "Ayanda",
        "opened_at": None,
        "minutes": 0,
        "drinks_last_hour": 0,
        "spend_minor": 0,
        "age": None,
        "open_alerts": 0,
    }
    guest = floor.floor_guest(nothing | facts, limits)
    assert (guest.nearest, guest.under_age) == (pytest.approx(nearest, abs=1e-4), under_age)
    unwatched = Thresholds(venue_id=limits.venue_id, drinks_per_hour=None, interventions=None)
    assert floor.floor_guest(nothing | facts, unwatched).nearest == 0.0


@pytest.mark.parametrize(("drinks", "raised"), [(4, []), (5, ["drinks"])])
async def test_drinks_are_told_past_the_limit_and_not_at_it(house: House, drinks: int, raised: list[str]) -> None:
    async with house.as_member(ALL) as ctx:
        await thresholds.set_thresholds(ctx, venue_id=house.venue.id, data=ThresholdsIn(drinks_per_hour=4), version=0)
    visit_id = (await house.check_in(await house.add_guest())).visit.id
    async with house.system() as ctx:
        found = await watch.report_facts(ctx, visit_id=visit_id, source="order", source_id=uuid4(), drinks=drinks)
    assert [alert.kind for alert in found] == raised
    async with house.as_member(ALL) as ctx:
        [guest] = await floor.floor_guests(ctx, venue_id=house.venue.id)
    assert (guest.drinks_last_hour, guest.nearest >= 1, guest.open_alerts) == (drinks, bool(raised), len(raised))


async def test_figures_say_how_fast_it_was(house: House) -> None:
    first, second = await pressed(house), await pressed(house)
    await house.sql("update sos_calls set received_at = received_at - interval '30 seconds' where id = $1", first.id)
    for call in (first, second):
        async with house.as_member(ALL) as ctx:
            await sos.acknowledge_sos(ctx, sos_id=call.id)
    await pressed(house)
    async with house.as_member(ALL) as ctx:
        figures = await floor.response_figures(ctx, query=FiguresQuery(venue_id=house.venue.id))
    assert (figures.sos_calls, figures.sos_answered, figures.alerts, figures.alerts_median_s) == (3, 2, 0, None)
    assert figures.sos_slowest_s is not None
    assert figures.sos_median_s is not None
    assert figures.sos_slowest_s >= 30 > figures.sos_median_s
    async with house.as_member({"safety.read": frozenset[VenueId](), "venues.read": None}) as ctx:
        assert (await floor.response_figures(ctx, query=FiguresQuery())).sos_calls == 0


async def test_only_the_last_escalation_writes_to_those_in_charge_and_the_contacts(house: House) -> None:
    manager = await colleague(house, "Thandi", "safety.read", "safety.manage")
    await colleague(house, "Kagiso", "safety.read")
    known = [
        Contact(name="Desk", email="desk@armed.example", told=True),
        Contact(name="Landlord", email="landlord@house.example"),
    ]
    async with house.as_member(ALL) as ctx:
        await contacts.set_contacts(ctx, venue_id=house.venue.id, data=ContactsIn(contacts=known), version=0)
        alert = await alerts.report_behaviour(ctx, data=AlertIn(venue_id=house.venue.id, summary="Smoke"))
    call = await pressed(house, note="Come quickly")
    [mine] = await house.sql("select email from users where id = $1", manager)
    for level, written in ((1, 0), (2, 0), (3, 2)):
        async with house.system() as ctx:
            again: dict[str, Any] = {"escalation": level, "sos_id": str(call.id), "alert_id": str(alert.id)}
            assert await mail_sos.fn(ctx, event_id=uuid4(), seq=1, data=again) == written
            assert await mail_alert.fn(ctx, event_id=uuid4(), seq=1, data=again) == written
    rows = await house.sql(
        "select recipient, subject, body_text from outgoing_mail where tenant_id = $1", house.tenant_id
    )
    about_sos = {row["recipient"]: row["body_text"] for row in rows if "SOS" in row["subject"]}
    assert set(about_sos) == {mine["email"], "desk@armed.example"}
    assert "Come quickly" in about_sos["desk@armed.example"]
    async with house.as_member(ALL) as ctx:
        await sos.acknowledge_sos(ctx, sos_id=call.id)
    async with house.system() as ctx:
        assert await mail_sos.fn(ctx, event_id=uuid4(), seq=1, data={"escalation": 3, "sos_id": str(call.id)}) == 0


def test_the_mails_follow_the_escalations() -> None:
    reactions = {(reaction.event, reaction.job.name) for reaction in SAFETY.reactions}
    assert {(SosEscalated, "safety.mail_sos"), (AlertEscalated, "safety.mail_alert")} <= reactions


async def test_the_log_forgets_words_and_people_after_its_years_and_nothing_else(house: House) -> None:
    """Lines are written as if long ago; the database itself refuses to forget what is younger than three years."""
    incident = (await pressed(house)).incident_id
    ages = {"young": 2, "kept": 5, "old": 8}
    for words, years in ages.items():
        at = f"now() - interval '{years} years'"
        await house.sql(
            f"""insert into safety_log (tenant_id, venue_id, at, user_id, name, what, entity, entity_id, text)
                values ($1, $2, {at}, $3, 'Ann', 'alert cleared', 'alert', $3, $4)""",
            house.tenant_id,
            house.venue.id,
            uuid4(),
            words,
        )
        await house.sql(
            f"insert into incident_entries (tenant_id, incident_id, at, name, kind, text) values ($1, $2, {at}, 'Ann', 'note', $3)",
            house.tenant_id,
            incident,
            words,
        )
    before = await house.count("safety_log")
    async with system_ctx(house.services, role="system") as ctx:
        assert await retention.forget_batch(ctx) == 1
        assert await retention.forget_batch(ctx) == 0
    for table in ("safety_log", "incident_entries"):
        kept = await house.sql(f"select text from {table} where tenant_id = $1 and name = 'Ann'", house.tenant_id)
        assert {row["text"] for row in kept} == {"young", "kept"}
    assert await house.count("safety_log") == before
    [line] = await house.sql("select * from safety_log where tenant_id = $1 and name = ''", house.tenant_id)
    assert (line["what"], line["text"], line["user_id"]) == ("alert cleared", "", None)
    for statement in (
        "update safety_log set text = '', name = '', user_id = null, patron_id = null where text = 'young'",
        "update safety_log set text = '', name = '', user_id = null, patron_id = null, what = 'x' where text = 'kept'",
        "update safety_log set text = 'another' where text = 'kept'",
        "delete from safety_log where text = 'kept'",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await house.sql(statement + " and tenant_id = $1", house.tenant_id)


async def test_a_business_keeps_its_words_as_long_as_it_says(house: House) -> None:
    await house.sql(
        """insert into safety_log (tenant_id, venue_id, at, name, what, entity, entity_id, text)
           values ($1, $2, now() - interval '4 years', 'Ann', 'note', 'alert', $3, 'four years ago')""",
        house.tenant_id,
        house.venue.id,
        uuid4(),
    )
    async with system_ctx(house.services, role="system") as ctx:
        await retention.forget_batch(ctx)
    assert await house.sql("select 1 from safety_log where tenant_id = $1 and name = 'Ann'", house.tenant_id)
    await house.sql(
        "insert into tenant_settings (tenant_id, key, value) values ($1, $2, '3')",
        house.tenant_id,
        retention.KEEP_YEARS.key,
    )
    async with system_ctx(house.services, role="system") as ctx:
        await retention.forget_batch(ctx)
    assert not await house.sql("select 1 from safety_log where tenant_id = $1 and name = 'Ann'", house.tenant_id)


async def test_an_incident_offers_the_alerts_around_it(house: House) -> None:
    call = await pressed(house)
    async with house.as_member(ALL) as ctx:
        near = await alerts.report_behaviour(ctx, data=AlertIn(venue_id=house.venue.id, summary="Near"))
        far = await alerts.report_behaviour(ctx, data=AlertIn(venue_id=house.venue.id, summary="Far"))
    await house.sql(
        "update safety_alerts set raised_at = $2 where id = $1", far.id, call.received_at - timedelta(days=2)
    )
    async with house.as_member(ALL) as ctx:
        incident = await incidents.find_incident(ctx, incident_id=call.incident_id)
        assert [alert.id for alert in await incidents.linkable_alerts(ctx, incident=incident)] == [near.id]


def test_the_forms_become_thresholds_and_contacts() -> None:
    limits = to_thresholds(
        ThresholdsForm(spend="2 500,50", minutes_inside=240, alert_escalates_minutes=10), currency="ZAR"
    )
    assert (limits.spend_minor, limits.minutes_inside, limits.alert_escalates_s) == (250_050, 240, 600)
    with pytest.raises(Invalid) as refused:
        to_thresholds(ThresholdsForm(spend="nan", full_percent=5, sos_escalates_s=1), currency="ZAR")
    assert set(refused.value.fields) == {"spend", "full_percent", "sos_escalates_s"}
    assert to_thresholds(ThresholdsForm(spend="5000"), currency="JPY").spend_minor == 5_000
    found, rows = to_contacts(ContactsForm(name_2="Nandi", phone_2="10111", told_5=True))
    assert ([contact.name for contact in found], rows) == (["Nandi"], [2])


async def test_help_that_comes_after_the_silence_is_told_as_help(house: House) -> None:
    guest = await house.add_guest()
    visit_id = (await house.check_in(guest)).visit.id
    async with house.as_member(ALL) as ctx:
        check = await checks.ask_guest(ctx, data=CheckIn(visit_id=visit_id))
    async with house.system() as ctx:
        await checks.follow_answer(ctx, check_id=check.id, answer="missed")
    await house.sql(
        "update safety_checks set missed_at = now(), answer = 'help', answered_at = now() where id = $1", check.id
    )
    for answer in ("help", "missed"):  # a word about the silence that comes late says nothing any more
        async with house.system() as ctx:
            await checks.follow_answer(ctx, check_id=check.id, answer=answer)
    rows = await house.sql(
        "select severity, status from safety_alerts where tenant_id = $1 order by raised_at", house.tenant_id
    )
    assert [tuple(row) for row in rows] == [("high", "cleared"), ("critical", "raised")]
