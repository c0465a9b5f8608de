"""Tax categories and rates that paths name, added to THINGS when this is imported."""

from typing import Any

from tests.support.place_things import boss_of
from tests.support.things import THINGS, VERSIONED
from tests.support.world import Somebody, World

FAR = "2199-01-01"
"""A day long after every rate has begun."""


def category_body(world: World) -> dict[str, Any]:
    """A category that nobody has yet."""
    name = world.unique("Category")
    return {"name": name, "code": name.lower().replace(" ", "-")}


async def tax_category(world: World, who: Somebody) -> Any:
    """A category without rates."""
    return (await world.make("POST", "/api/taxes/categories", boss_of(world, who), json=category_body(world)))["id"]


async def tax_rate(world: World, who: Somebody) -> Any:
    """A rate of a category of its own, in force from today on at every venue."""
    body = {"tax_category_id": await tax_category(world, who), "name": "VAT", "millionths": 150_000}
    return (await world.make("POST", "/api/taxes/rates", boss_of(world, who), json=body))["id"]


THINGS.update(tax_category_id=tax_category, tax_rate_id=tax_rate)
VERSIONED.update(tax_category_id="tax_categories", tax_rate_id="tax_rates")
