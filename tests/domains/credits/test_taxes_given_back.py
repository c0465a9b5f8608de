"""Taxes of spends that are given back in parts: whatever the rates, the currency and who asks at once, each is put back to the last unit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.domains import ledger
from lastlight.domains.checkins.by_hand import revoke_checkin
from lastlight.domains.checkins.charges import refund_entry
from lastlight.domains.checkins.permissions import CHECKINS_PRICE, CHECKINS_READ, CHECKINS_REFUND, CHECKINS_REVOKE
from lastlight.domains.checkins.prices import set_price
from lastlight.domains.checkins.scan_schemas import EntryPriceIn, RevocationIn
from lastlight.domains.credits import spending
from lastlight.domains.credits.errors import SpendReversed
from lastlight.domains.credits.model import CreditEntry, SpentLine
from lastlight.domains.credits.receipts import SpendLine
from lastlight.domains.venues import Venue
from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import VenueId
from tests.domains.credits.test_spend_lines import VAT
from tests.support.door import House
from tests.support.purses import Purse, findings, new_purse

CURRENCIES = ("JPY", "ZAR", "KWD")
"""With 0, 2 and 3 decimals."""
RATES = {
    "bar": (("State", 88_750, True), ("City", 45_000, True), ("Levy", 20_000, False)),
    "food": (("VAT", 150_000, True),),
    "thin": (("Stamp", 2_500, False), ("Fund", 333, False)),
    "door": (("State", 150_000, True), ("City", 33_333, True)),
    "dear": (("Half", 500_000, False), ("All", 1_000_000, True)),
}
"""By category: name, millionths, whether the price holds it."""
WANTED = st.lists(st.tuples(st.sampled_from([*RATES, "untaxed"]), st.integers(1, 4_000)), min_size=1, max_size=5)
PARTS = st.lists(st.one_of(st.integers(1, 3), st.integers(1, 4_000)), max_size=6)
MANAGER: dict[str, frozenset[VenueId] | None] = {
    one.name: None for one in (CHECKINS_READ, CHECKINS_REFUND, CHECKINS_REVOKE, CHECKINS_PRICE)
}


@pytest.fixture(scope="module")
async def venues(house: House) -> dict[str, Venue]:
    """A venue for each currency; the categories are those of the business."""
    for code, rates in RATES.items():
        await house.sql("insert into tax_categories (tenant_id, code, name) values ($1, $2, $2)", house.tenant_id, code)
        for place, (name, millionths, included) in enumerate(rates):
            await house.sql(VAT, house.tenant_id, code, name, millionths, included, place)
    return {currency: await house.add_venue(currency=currency) for currency in CURRENCIES}


@dataclass
class Spent:
    """A spend, and what went back of each net amount and tax of its lines."""

    purse: Purse
    entry: CreditEntry
    back: list[list[int]]
    left: int

    @classmethod
    async def of(cls, house: House, venue: Venue, wanted: Sequence[tuple[str, int]]) -> "Spent":
        """What a guest of that currency bought."""
        purse = await new_purse(house, 100_000, currency=venue.currency)
        asked = [SpendLine(description="It", amount=price, category=category) for category, price in wanted]
        async with house.system() as ctx:
            entry = await spending.spend(
                ctx,
                patron_id=purse.guest.patron_id,
                currency=venue.currency,
                venue_id=venue.id,
                description="Drinks",
                lines=asked,
            )
        return cls(purse, entry, [[0] * len(line) for line in shares(entry)], -entry.amount)

    def add(self, entry: CreditEntry) -> None:
        """One more part, which is seen to be whole and to leave nothing below nothing."""
        parts = shares(entry)
        assert min(share for line in parts for share in line) >= 0
        assert sum(map(sum, parts)) == entry.amount
        assert sum(sum(line[1:]) for line in parts) == entry.tax
        self.back = [[a + b for a, b in zip(*lines, strict=True)] for lines in zip(self.back, parts, strict=True)]
        self.left -= entry.amount
        for line, whole in zip(self.back, shares(self.entry), strict=True):
            assert all(part <= taken for part, taken in zip(line, whole, strict=True))

    def is_whole(self) -> bool:
        """Whether each net amount and each tax is back."""
        return self.left == 0 and self.back == shares(self.entry)


def shares(entry: CreditEntry) -> list[list[int]]:
    """By line: the net amount, then each tax."""
    lines: list[SpentLine] = entry.lines or []
    return [[line.net, *(tax.amount for tax in line.taxes)] for line in lines]


async def standing(house: House, currency: str) -> tuple[int, int]:
    """What is on the account of orders, and of taxes to hand on."""
    async with house.system() as ctx:
        kinds = (ledger.ORDER_CLEARING, ledger.TAX_PAYABLE)
        accounts = [await ledger.open_account(ctx, kind=kind, currency=currency) for kind in kinds]
        clearing, tax = [await ledger.balance(ctx, account=account) for account in accounts]
    return clearing, tax


async def given_back_in_parts(
    house: House, venue: Venue, wanted: Sequence[tuple[str, int]], parts: Sequence[int]
) -> None:
    """Part after part, and then what is left: the ledger's accounts follow each of them to the unit."""
    begun = await standing(house, venue.currency)
    spent = await Spent.of(house, venue, wanted)
    before = await standing(house, venue.currency)
    assert (before[0] - begun[0], before[1] - begun[1]) == (
        -spent.entry.amount + spent.entry.tax,
        -spent.entry.tax,
    )
    for part in [*parts, None]:
        if not spent.left:
            break
        entry = await spent.purse.reverse(spent.entry, part and min(part, spent.left))
        spent.add(entry)
        after = await standing(house, venue.currency)
        assert (before[0] - after[0], before[1] - after[1]) == (entry.amount - entry.tax, entry.tax)
        before = after
    assert spent.is_whole()
    assert before == begun
    with pytest.raises(SpendReversed):
        await spent.purse.reverse(spent.entry, 1)


@pytest.mark.parametrize("currency", CURRENCIES)
@settings(max_examples=10, deadline=None)
@given(WANTED, PARTS)
async def test_each_part_moves_its_own_taxes_and_the_last_moves_the_rest(
    house: House, venues: dict[str, Venue], currency: str, wanted: list[tuple[str, int]], parts: list[int]
) -> None:
    await given_back_in_parts(house, venues[currency], wanted, parts)


async def test_shares_of_the_whole_instead_of_what_is_left_would_be_seen(
    house: House, venues: dict[str, Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: who forgets what went back already gives a tax twice, or keeps some of it."""

    def forgetful(lines: Sequence[SpentLine], *, back: Sequence[Sequence[SpentLine]]) -> list[SpentLine]:
        return list(lines)

    wanted, parts = [("bar", 97), ("food", 100)], [30] * 5
    monkeypatch.setattr(spending, "left_of", forgetful)
    with pytest.raises((AssertionError, Problem)):
        await given_back_in_parts(house, venues["ZAR"], wanted, parts)
    monkeypatch.undo()
    await given_back_in_parts(house, venues["ZAR"], wanted, parts)


@pytest.mark.parametrize("currency", CURRENCIES)
async def test_parts_asked_for_at_once_put_no_tax_back_twice(
    house: House, venues: dict[str, Venue], currency: str
) -> None:
    begun = await standing(house, currency)
    spent = await Spent.of(house, venues[currency], [("bar", 97), ("thin", 1), ("dear", 333), ("food", 2_001)])

    async def tried(amount: int) -> CreditEntry | None:
        try:
            return await spent.purse.reverse(spent.entry, amount)
        except SpendReversed:
            return None

    made = await asyncio.gather(*(tried(amount) for amount in (1, 2, 3, 5, 300, 300, 300, 500, 700, 900, 1_100)))
    assert None in made
    for part in made:
        if part is not None:
            spent.add(part)
    if spent.left:
        spent.add(await spent.purse.reverse(spent.entry))
    assert spent.is_whole()
    assert await standing(house, currency) == begun
    assert await findings(house) == []


@pytest.mark.parametrize("last", ["refund", "revocation"])
async def test_the_last_part_may_go_back_by_the_check_in(house: House, venues: dict[str, Venue], last: str) -> None:
    """Parts by the credits and by the check-in at once, and what is left with the check-in that is taken back."""
    assert venues
    async with house.as_member(MANAGER) as ctx:
        await set_price(ctx, venue_id=house.venue.id, data=EntryPriceIn(amount=997, tax_category="door"))
    purse = await new_purse(house, 5_000)
    begun = await standing(house, purse.currency)
    done = await house.check_in(purse.guest)
    checkin_id = done.checkin.id
    [row] = await house.sql("select entry_id from entry_charges where checkin_id = $1", checkin_id)
    async with house.system() as ctx:
        entry = await spending.read_entry(ctx, entry_id=row["entry_id"])
    spent = Spent(purse, entry, [[0] * len(line) for line in shares(entry)], -entry.amount)

    async def refund(amount: int | None) -> Any:
        async with house.as_member(MANAGER) as ctx:
            return await refund_entry(ctx, checkin_id=checkin_id, reason="Too loud", amount=amount)

    ways = [purse.reverse(entry, 1), refund(2), purse.reverse(entry, 333), refund(100), purse.reverse(entry, 7)]
    await asyncio.gather(*ways)
    if last == "refund":
        assert (await refund(None)).left == 0
    else:
        async with house.as_member(MANAGER) as ctx:
            data = RevocationIn(kind="false_positive", reason="Never came", refund=True)
            await revoke_checkin(ctx, checkin_id=checkin_id, data=data)
    rows = await house.sql("select id from credit_entries where reverses = $1 order by number", entry.id)
    async with house.system() as ctx:
        for part in [await spending.read_entry(ctx, entry_id=row["id"]) for row in rows]:
            spent.add(part)
    assert (len(rows), spent.is_whole()) == (6, True)
    assert await standing(house, purse.currency) == begun
    assert await purse.standing() == (5_000, 0)
