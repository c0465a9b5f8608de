"""Examples of the operations of taxes."""

from tests.contracts.example import example
from tests.support.calls import Given
from tests.support.tax_things import FAR, category_body, tax_category
from tests.support.things import venue
from tests.support.world import Somebody, World


@example("create_tax_category", "tax_category_new_submit")
async def create_tax_category(world: World, who: Somebody) -> Given:
    return Given(data=category_body(world))


@example("change_tax_category", "tax_category_submit")
async def change_tax_category(world: World, who: Somebody) -> Given:
    return Given(data={"name": world.unique("Category")})


@example("tax_category_condition_submit")
async def archive(world: World, who: Somebody) -> Given:
    return Given(data={"archived": True})


@example("start_tax_rate")
async def start_tax_rate(world: World, who: Somebody) -> Given:
    category = str(await tax_category(world, who))
    return Given(
        data={
            "tax_category_id": category,
            "name": "VAT",
            "millionths": 150_000,
            "venue_id": str(await venue(world, who)),
        }
    )


@example("tax_rate_new_submit")
async def tax_rate_form(world: World, who: Somebody) -> Given:
    category = str(await tax_category(world, who))
    return Given(data={"tax_category_id": category, "name": "VAT", "percent": "8.875", "included": "on"})


@example("end_tax_rate", "tax_rate_end_submit")
async def end_tax_rate(world: World, who: Somebody) -> Given:
    return Given(data={"valid_until": FAR})


@example("follow_tax_rate")
async def follow_tax_rate(world: World, who: Somebody) -> Given:
    return Given(data={"millionths": 160_000, "valid_from": FAR})


@example("tax_rate_change_submit")
async def tax_rate_change(world: World, who: Somebody) -> Given:
    return Given(data={"percent": "16", "valid_from": FAR})


@example("quote_taxes")
async def quote_taxes(world: World, who: Somebody) -> Given:
    lines = [{"category": "untaxed", "amount": 1500, "quantity": 2}]
    return Given(data={"venue_id": str(await venue(world, who)), "lines": lines})
