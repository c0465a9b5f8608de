"""The door's devices, passes and flags at the edge."""

from uuid import UUID

from lastlight.domains.checkins import by_hand, cases, flags, night_pass, playbook, scans
from lastlight.domains.checkins.door_listings import DOOR_SCANS, FLAGS
from lastlight.domains.checkins.errors import (
    CheckinTakenBack,
    EntryUnpaid,
    FlagResolved,
    FlagStepDone,
    NobodyToTell,
    NothingToRevoke,
    PatronBarred,
    PhoneKeyUnknown,
    VisitOpen,
)
from lastlight.domains.checkins.flag_schemas import Flag, FlagCase, StepIn
from lastlight.domains.checkins.model import Checkin
from lastlight.domains.checkins.permissions import (
    CHECKINS_OVERRIDE,
    CHECKINS_PASS,
    CHECKINS_REVOKE,
    FLAGS_READ,
    FLAGS_RESOLVE,
)
from lastlight.domains.checkins.scan_schemas import (
    OverrideIn,
    PassIn,
    PassKey,
    PassOut,
    ResolutionIn,
    RevocationIn,
    ScansIn,
    ScansOut,
    Snapshot,
)
from lastlight.domains.checkins.schemas import CheckinOut
from lastlight.domains.credits import SpendReversed
from lastlight.domains.devices import DEVICE_REFUSALS, spoken_for
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import CheckinId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo, get, post
from lastlight.runtime.http.listing import listing_get

TAGS = ("Door",)
SIGNED = "the device's own signature is the credential"

list_door_scans = listing_get("/api/door/scans", DOOR_SCANS, tags=TAGS)
list_checkin_flags = listing_get("/api/checkins/flags", FLAGS, tags=TAGS)


@post(
    "/api/patron/pass",
    permission=CHECKINS_PASS,
    raises=[PhoneKeyUnknown, PatronBarred],
    status=201,
    secret=True,
    tags=TAGS,
)
async def issue_pass(ctx: Ctx, data: PassIn) -> PassOut:
    """Get one's pass for the night, bound to a registered phone that signs each time step."""
    return await night_pass.issue_pass(ctx, data=data)


@get("/api/checkin/keys", public="they are public keys: a door without a network checks passes with them", tags=TAGS)
async def list_pass_keys(ctx: Ctx) -> list[PassKey]:
    """List the public keys that guests' passes are checked with."""
    return night_pass.pass_keys(ctx)


@post("/api/door/scans", public=SIGNED, db="system", raises=DEVICE_REFUSALS, status=200, tags=TAGS)
async def take_door_scans(ctx: Ctx, data: ScansIn, body: bytes, request: RequestInfo) -> ScansOut:
    """A device's scans, signed with its key: one to be answered at once, or its log.

    The log is taken under maintenance too, and for a day after the device was revoked, as far as it tells of the time before.
    """
    asks = any(scan.decided == "server" for scan in data.scans)
    async with spoken_for(ctx, request, body, working=asks, late=not asks) as (inside, speaker):
        return await scans.take_scans(inside, speaker=speaker, data=data)


@get("/api/door/snapshot", public=SIGNED, db="system", raises=DEVICE_REFUSALS, tags=TAGS)
async def read_door_snapshot(ctx: Ctx, request: RequestInfo) -> Snapshot:
    """What a device takes along to decide without a network: keys, bans, who is in."""
    async with spoken_for(ctx, request, b"") as (inside, speaker):
        return await night_pass.take_snapshot(inside, speaker=speaker)


@post(
    "/api/checkins/overrides",
    permission=CHECKINS_OVERRIDE,
    idempotent=True,
    raises=[NotFound, PatronBarred, VisitOpen, EntryUnpaid],
    status=201,
    tags=TAGS,
)
async def override_checkin(ctx: Ctx, data: OverrideIn) -> CheckinOut:
    """Let a guest in by hand, with a reason; a ban stands all the same."""
    return await by_hand.override(ctx, data=data)


@post(
    "/api/checkins/{checkin_id:uuid}/revocation",
    permission=CHECKINS_REVOKE,
    idempotent=True,
    raises=[NotFound, CheckinTakenBack, SpendReversed],
    tags=TAGS,
)
async def revoke_checkin(ctx: Ctx, checkin_id: CheckinId, data: RevocationIn) -> Checkin:
    """Take a check-in back, or call it a false positive; its visit is voided. With `refund` what is left of its price goes back."""
    return await by_hand.revoke_checkin(ctx, checkin_id=checkin_id, data=data)


@post(
    "/api/checkins/flags/{flag_id:uuid}/resolution",
    permission=FLAGS_RESOLVE,
    raises=[NotFound, FlagResolved],
    tags=TAGS,
)
async def resolve_checkin_flag(ctx: Ctx, flag_id: UUID, data: ResolutionIn) -> Flag:
    """Confirm or dismiss what looks like fraud."""
    return await flags.resolve_flag(ctx, flag_id=flag_id, data=data)


@get("/api/checkins/flags/{flag_id:uuid}", permission=FLAGS_READ, raises=[NotFound], tags=TAGS)
async def read_checkin_flag(ctx: Ctx, flag_id: UUID) -> FlagCase:
    """Read what looks like fraud, with its evidence side by side and what was done about it."""
    return await cases.read_case(ctx, flag_id=flag_id)


@post(
    "/api/checkins/flags/{flag_id:uuid}/steps",
    permission=FLAGS_RESOLVE,
    raises=[NotFound, FlagResolved, FlagStepDone, NothingToRevoke, NobodyToTell],
    tags=TAGS,
)
async def take_flag_step(ctx: Ctx, flag_id: UUID, data: StepIn) -> FlagCase:
    """Take a step of the playbook: renew the venue's codes, revoke check-ins, tell finance, bar the guest.

    Each asks for its own permission besides (venues.keys, checkins.revoke, patrons.moderate), and is taken once.
    """
    return await playbook.take_step(ctx, flag_id=flag_id, data=data)


DOOR_ROUTES = (
    list_door_scans,
    list_checkin_flags,
    issue_pass,
    list_pass_keys,
    take_door_scans,
    read_door_snapshot,
    override_checkin,
    revoke_checkin,
    resolve_checkin_flag,
    read_checkin_flag,
    take_flag_step,
)
