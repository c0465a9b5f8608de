"""Too few credits for the entrance: the door and the guest are told what became of those that they had."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta

import pytest

from lastlight.domains.checkins.errors import EntryUnpaid
from lastlight.domains.checkins.permissions import CHECKINS_PRICE
from lastlight.domains.checkins.prices import set_price
from lastlight.domains.checkins.scan_schemas import EntranceTold, EntryPriceIn
from lastlight.domains.credits import expiry
from lastlight.runtime.settings import Settings
from tests.support.carriers import asked, carrier, send
from tests.support.devices import enrolled
from tests.support.door import House
from tests.support.purses import Purse, findings, opened_purses

pytestmark = pytest.mark.database
PRICE = 5_000
NEXT = "Buy credits in the app, then scan again."


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    """A business whose venue charges; after the module's tests all of its books agree."""
    async with opened_purses(database_settings) as opened:
        async with opened.as_member({CHECKINS_PRICE.name: None}) as ctx:
            await set_price(ctx, venue_id=opened.venue.id, data=EntryPriceIn(amount=PRICE))
        yield opened
        assert await findings(opened) == []


async def disputed(purse: Purse) -> None:
    await purse.freeze(await purse.dispute(await purse.buy(6_000), 6_000))
    await purse.buy(1_000)


async def over(purse: Purse) -> None:
    await purse.age(await purse.buy(7_000), timedelta(days=-1))
    await purse.buy(1_000)


async def over_and_booked(purse: Purse) -> None:
    await over(purse)
    assert await purse.expire() is not None


async def few(purse: Purse) -> None:
    await purse.buy(1_000)


async def never_any(_purse: Purse) -> None:
    pass


@pytest.mark.parametrize(
    ("had", "short", "said"),
    [
        (few, (4_000, 0, 0), ""),
        (never_any, (5_000, 0, 0), ""),
        (disputed, (4_000, 6_000, 0), "R\u00a060,00 of your credits is frozen while a card payment is disputed. "),
        (over, (4_000, 0, 7_000), "R\u00a070,00 of your credits has expired. "),
        (over_and_booked, (4_000, 0, 7_000), "R\u00a070,00 of your credits has expired. "),
    ],
)
async def test_a_door_and_a_guest_are_told_what_became_of_their_credits(
    house: House, had: Callable[[Purse], Awaitable[None]], short: tuple[int, int, int], said: str
) -> None:
    missing, frozen, expired = short
    poor, scanner = await carrier(house), await enrolled(house, f"Door for {had.__name__}")
    await had(Purse(house, poor.guest))
    scan = asked(scanner, poor.show())
    told = EntranceTold(status="short", amount=PRICE, currency="ZAR", missing=missing, frozen=frozen, expired=expired)
    for _ in ("first", "sent again"):
        [answer] = await send(house, scanner, scan)
        assert (answer.result, answer.refusal, answer.entrance) == ("refused", "entry-unpaid", told)
        assert answer.detail.endswith(f"is missing. {said}{NEXT}")
    with pytest.raises(EntryUnpaid) as refusal:
        await house.check_in(poor.guest)
    assert refusal.value.detail == answer.detail
    assert (refusal.value.extra["frozen"], refusal.value.extra["expired"]) == (frozen, expired)
    assert await house.sql("select 1 from visits where patron_id = $1", poor.guest.patron_id) == []


async def test_what_expired_long_ago_is_not_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = await house.add_guest()
    await over_and_booked(Purse(house, guest))
    monkeypatch.setattr(expiry, "LATELY", timedelta())
    with pytest.raises(EntryUnpaid) as refusal:
        await house.check_in(guest)
    assert (refusal.value.extra["missing"], refusal.value.extra["expired"]) == (4_000, 0)
