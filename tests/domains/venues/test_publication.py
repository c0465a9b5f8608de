"""How venues are shown: publication, featuring, banners with dates."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from lastlight.domains.venues import Shown, shown_venues
from lastlight.domains.venues.actions import set_status
from lastlight.domains.venues.banners import MOST_BANNERS, change_banner, create_banner, list_banners, remove_banner
from lastlight.domains.venues.errors import BannersFull, VenueArchived
from lastlight.domains.venues.permissions import VENUES_PUBLISH, VENUES_READ
from lastlight.domains.venues.publication import find_publication, set_publication
from lastlight.domains.venues.schemas import BannerChange, BannerIn
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.runtime.settings import Settings
from tests.support.door import House, opened_house


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def test_a_venue_is_shown_featured_degraded_and_taken_from_view(house: House) -> None:
    venue = await house.add_venue()
    async with house.system() as ctx:
        until = ctx.now + timedelta(days=1)
        one = await set_publication(
            ctx, venue_id=venue.id, state="published", reason="", featured_until=until, version=venue.version
        )
        assert (one.featured, one.featured_until) == (True, until)
        assert (await shown_venues(ctx))[venue.id].featured
        two = await set_publication(
            ctx, venue_id=venue.id, state="degraded", reason="Bar closed", featured_until=None, version=one.version
        )
        assert (two.state, two.reason, two.featured) == ("degraded", "Bar closed", False)
        assert (await shown_venues(ctx))[venue.id] == Shown(featured=False, degraded_reason="Bar closed")
        three = await set_publication(
            ctx, venue_id=venue.id, state="unpublished", reason="Repairs", featured_until=None, version=two.version
        )
        assert venue.id not in await shown_venues(ctx)
        with pytest.raises(Stale):
            await set_publication(
                ctx, venue_id=venue.id, state="published", reason="", featured_until=None, version=two.version
            )
    rows = await house.sql(
        "select data->>'state' as state from outbox where name = 'venue.publication_changed' and venue_id = $1",
        venue.id,
    )
    assert [row["state"] for row in rows] == ["published", "degraded", "unpublished"]
    async with house.system() as ctx:
        gone = await set_status(ctx, venue_id=venue.id, status="archived", reason="Sold", version=three.version)
        with pytest.raises(VenueArchived):
            await set_publication(
                ctx, venue_id=venue.id, state="published", reason="", featured_until=None, version=gone.version
            )


@pytest.mark.parametrize(
    ("state", "days", "path"),
    [
        ("degraded", None, "reason"),
        ("unpublished", None, "reason"),
        ("draft", 1, "featured_until"),
        ("published", -1, "featured_until"),
    ],
)
async def test_what_does_not_fit_is_refused(house: House, state: str, days: int | None, path: str) -> None:
    venue = await house.add_venue()
    async with house.system() as ctx:
        until = None if days is None else ctx.now + timedelta(days=days)
        with pytest.raises(Invalid) as refused:
            await set_publication(
                ctx,
                venue_id=venue.id,
                state=state,  # pyright: ignore[reportArgumentType] one of the states, given as text by the parameters
                reason="",
                featured_until=until,
                version=venue.version,
            )
        assert list(refused.value.fields) == [path]
        assert (await find_publication(ctx, venue_id=venue.id)).state == "published"


async def test_banners_are_shown_between_their_dates(house: House) -> None:
    venue = await house.add_venue()
    hour = timedelta(hours=1)
    async with house.system() as ctx:
        now = ctx.now
        for shift in (-3, -1, 1):
            data = BannerIn(title=f"Night {shift}", starts_at=now + shift * hour, ends_at=now + (shift + 2) * hour)
            await create_banner(ctx, venue_id=venue.id, data=data)
        [live] = await list_banners(ctx, venue_id=venue.id, coming=False)
        assert (live.title, live.live) == ("Night -1", True)
        moved = await change_banner(ctx, banner_id=live.id, data=BannerChange(starts_at=now + hour / 2), version=1)
        assert (moved.version, moved.live) == (2, False)
        assert await list_banners(ctx, venue_id=venue.id, coming=False) == []
        with pytest.raises(Invalid):
            await change_banner(ctx, banner_id=live.id, data=BannerChange(link="javascript:alert(1)"), version=2)
        with pytest.raises(Stale):
            await remove_banner(ctx, banner_id=live.id, version=1)
        await remove_banner(ctx, banner_id=live.id, version=2)
        with pytest.raises(NotFound):
            await remove_banner(ctx, banner_id=live.id, version=3)


async def test_a_venue_has_so_many_banners_and_one_that_is_over_makes_room(house: House) -> None:
    """What guests and the order could not show any more is not taken."""
    venue = await house.add_venue()
    async with house.system() as ctx:
        begun, end = ctx.now - timedelta(hours=2), ctx.now + timedelta(hours=1)
        made = [
            await create_banner(
                ctx, venue_id=venue.id, data=BannerIn(title=f"Night {number}", starts_at=begun, ends_at=end)
            )
            for number in range(MOST_BANNERS)
        ]
    with pytest.raises(BannersFull):
        async with house.system() as ctx:
            await create_banner(ctx, venue_id=venue.id, data=BannerIn(title="One more", starts_at=begun, ends_at=end))
    async with house.system() as ctx:
        ended = BannerChange(ends_at=ctx.now - timedelta(hours=1))
        over = await change_banner(ctx, banner_id=made[0].id, data=ended, version=1)
        await create_banner(ctx, venue_id=venue.id, data=BannerIn(title="One more", starts_at=begun, ends_at=end))
        assert len(await list_banners(ctx, venue_id=venue.id, coming=False)) == MOST_BANNERS
    with pytest.raises(BannersFull):
        async with house.system() as ctx:
            await change_banner(ctx, banner_id=over.id, data=BannerChange(ends_at=end), version=over.version)


async def test_who_may_not_publish_publishes_nothing(house: House) -> None:
    venue = await house.add_venue()
    async with house.as_member({VENUES_READ.name: None}) as ctx:
        with pytest.raises(NotPermitted):
            await set_publication(
                ctx, venue_id=venue.id, state="draft", reason="", featured_until=None, version=venue.version
            )
    other = await house.add_venue()
    async with house.as_member({VENUES_PUBLISH.name: frozenset({other.id})}) as ctx:
        with pytest.raises(NotFound):
            await set_publication(
                ctx, venue_id=venue.id, state="draft", reason="", featured_until=None, version=venue.version
            )
