"""The price of the entrance at the edge: setting it, and what becomes of what was charged."""

from lastlight.domains.checkins import charges, prices
from lastlight.domains.checkins.entrance import EntryCharge
from lastlight.domains.checkins.errors import EntryUnfit, NothingCharged, NothingOwed
from lastlight.domains.checkins.permissions import CHECKINS_PRICE, CHECKINS_READ, CHECKINS_REFUND
from lastlight.domains.checkins.scan_schemas import EntryPriceIn, EntryPriceOut, EntryRefundIn, WaiverIn
from lastlight.domains.credits import CreditsShort, SpendReversed
from lastlight.domains.taxes import TaxNotSetUp
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import CheckinId, VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post, put

TAGS = ("Check-ins",)
ONE = "/api/checkins/{checkin_id:uuid}"
PRICE = "/api/venues/{venue_id:uuid}/entry-price"


@get(PRICE, permission=CHECKINS_READ, raises=[NotFound], tags=TAGS)
async def read_entry_price(ctx: Ctx, venue_id: VenueId) -> EntryPriceOut:
    """Read what the entrance to a venue costs in credits."""
    return await prices.read_price(ctx, venue_id=venue_id)


@put(PRICE, permission=CHECKINS_PRICE, raises=[Invalid, NotFound, TaxNotSetUp], tags=TAGS)
async def set_entry_price(ctx: Ctx, venue_id: VenueId, data: EntryPriceIn) -> EntryPriceOut:
    """Set what the entrance to a venue costs in credits, or nothing; it holds for whoever the server admits, or hears of, from now on."""
    return await prices.set_price(ctx, venue_id=venue_id, data=data)


@get(f"{ONE}/charge", permission=CHECKINS_READ, raises=[NotFound], tags=TAGS)
async def read_entry_charge(ctx: Ctx, checkin_id: CheckinId) -> EntryCharge:
    """Read what a check-in cost and what was given back of it; there is none where the entrance was free."""
    charge = await charges.find_charge(ctx, checkin_id=checkin_id)
    if charge is None:
        raise NotFound("This check-in cost nothing.")
    return charge


@post(
    f"{ONE}/refund",
    permission=CHECKINS_REFUND,
    idempotent=True,
    raises=[Invalid, NotFound, NothingCharged, SpendReversed],
    status=201,
    tags=TAGS,
)
async def refund_checkin(ctx: Ctx, checkin_id: CheckinId, data: EntryRefundIn) -> EntryCharge:
    """Give back what a check-in cost, wholly or in part, with a reason; the credits return to the lots that they came from."""
    return await charges.refund_entry(ctx, checkin_id=checkin_id, reason=data.reason, amount=data.amount)


@post(
    f"{ONE}/charge/collection",
    permission=CHECKINS_REFUND,
    idempotent=True,
    raises=[NotFound, NothingOwed, CreditsShort, TaxNotSetUp, EntryUnfit],
    status=201,
    tags=TAGS,
)
async def collect_entry_charge(ctx: Ctx, checkin_id: CheckinId) -> EntryCharge:
    """Take what a guest owes for a check-in from their credits."""
    return await charges.collect_entry(ctx, checkin_id=checkin_id)


@post(
    f"{ONE}/charge/waiver",
    permission=CHECKINS_REFUND,
    idempotent=True,
    raises=[Invalid, NotFound, NothingOwed],
    status=201,
    tags=TAGS,
)
async def waive_entry_charge(ctx: Ctx, checkin_id: CheckinId, data: WaiverIn) -> EntryCharge:
    """Let off what a guest owes for a check-in, with a reason."""
    return await charges.waive_entry(ctx, checkin_id=checkin_id, reason=data.reason)


ENTRANCE_ROUTES = (
    read_entry_price,
    set_entry_price,
    read_entry_charge,
    refund_checkin,
    collect_entry_charge,
    waive_entry_charge,
)
