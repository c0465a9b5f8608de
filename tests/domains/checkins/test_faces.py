"""Finding a guest: by how a name begins, by a part of an address, by number; at whose venues; by an index."""

from uuid import uuid4

import pytest

from lastlight.domains.checkins.faces import BEGINS, LAST, MOST, find_faces, read_face
from lastlight.kernel.errors import NotFound, NotPermitted
from lastlight.kernel.ids import VenueId
from lastlight.runtime.settings import Settings
from tests.support.door import House, opened_house


async def names(house: House, text: str, *, venues: frozenset[VenueId] | None = None) -> list[str]:
    async with house.as_member({"patrons.find": venues}) as ctx:
        return [guest.name for guest in await find_faces(ctx, text=text)]


async def test_a_guest_is_found_by_name_address_and_number(database_settings: Settings) -> None:
    async with opened_house(database_settings) as house:
        zinhle = await house.add_guest("Zinhle Nomvula Dube")
        liam = await house.add_guest("Liam O'Petersen")
        await house.sql(
            "update users set email = $2 where id = $1", liam.user_id, f"night.owl.{uuid4().hex}@else.example"
        )
        assert await names(house, "zin") == ["Zinhle Nomvula Dube"]
        assert await names(house, " DUBE ") == ["Zinhle Nomvula Dube"]
        assert await names(house, "nomv") == ["Zinhle Nomvula Dube"]
        assert await names(house, "o'pet") == ["Liam O'Petersen"]
        assert await names(house, "owl") == ["Liam O'Petersen"]
        assert await names(house, f"#{str(zinhle.patron_id)[-8:].upper()}") == ["Zinhle Nomvula Dube"]
        assert await names(house, "z") == []
        assert await names(house, "%") == []
        other = await house.add_guest("Other House")
        async with opened_house(database_settings) as elsewhere:
            assert await names(elsewhere, "zinhle") == []
            async with elsewhere.as_member({"patrons.find": None}) as ctx:
                with pytest.raises(NotFound):
                    await read_face(ctx, patron_id=other.patron_id)


async def test_who_works_at_some_venues_finds_those_who_have_been_there(database_settings: Settings) -> None:
    async with opened_house(database_settings) as house:
        roof = await house.add_venue()
        here, there = await house.add_guest("Zinhle Here"), await house.add_guest("Zinhle There")
        await house.check_in(here)
        await house.sql(
            "update patrons set status = 'banned', status_until = now() + interval '2 days' where id = $1",
            here.patron_id,
        )
        assert await names(house, "zinhle", venues=frozenset({house.venue.id})) == ["Zinhle Here"]
        assert await names(house, "zinhle", venues=frozenset({roof.id})) == []
        async with house.as_member({"patrons.find": frozenset({house.venue.id})}) as ctx:
            face = await read_face(ctx, patron_id=here.patron_id)
            assert (face.status, face.inside, face.last_venue) == ("banned", house.venue.name, house.venue.name)
            with pytest.raises(NotFound):
                await read_face(ctx, patron_id=there.patron_id)
        async with house.as_member({"visits.read": None}) as ctx:
            with pytest.raises(NotPermitted):
                await find_faces(ctx, text="zinhle")


async def test_how_a_name_begins_is_answered_by_an_index(database_settings: Settings) -> None:
    async with opened_house(database_settings) as house:
        await house.add_crowd(3000)
        await house.sql("analyze patrons")
        async with house.as_member({"patrons.find": None}) as ctx:
            plan = await ctx.db.fetch(f"explain {BEGINS}", ctx.tenant_id, None, "zin", "zin" + LAST, MOST)
        text = "\n".join(row[0] for row in plan)
        assert "patrons_by_name" in text, text
        assert "patrons_by_surname" in text, text
