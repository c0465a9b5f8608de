"""The forms of time and shifts: what pages send, as flat texts on a venue's clock, and what they become."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.staff.clock import find_entry
from lastlight.domains.staff.model import ClockPosition, Shift
from lastlight.domains.staff.permissions import TIME_CLOCK
from lastlight.domains.staff.schemas import CorrectionIn, ShiftChange, ShiftIn
from lastlight.domains.venues import Venue, find_venue, read_wall_clock, standing_venues, write_wall_clock
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input

Wall = Annotated[str, msgspec.Meta(max_length=25)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]


class ClockForm(Input, frozen=True, kw_only=True):
    """Clocking, with the position that the phone gave, if it did."""

    venue_id: VenueId | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=10_000_000)] | None = None

    @property
    def position(self) -> ClockPosition | None:
        """Where the phone says it is."""
        if self.lat is None or self.lon is None:
            return None
        return ClockPosition(lat=self.lat, lon=self.lon, accuracy_m=self.accuracy_m)


class EntryCorrectionForm(Input, frozen=True, kw_only=True):
    """How clocked time should read, on the venue's clock."""

    started_at: Wall = ""
    ended_at: Wall = ""
    break_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    reason: Reason = ""


class CorrectionForm(EntryCorrectionForm, frozen=True, kw_only=True):
    """The same of an entry that it names, or of time that was never clocked at a venue."""

    entry_id: UUID | None = None
    venue_id: VenueId | None = None


class SwapForm(Input, frozen=True, kw_only=True):
    """To whom a shift is offered, and for which of theirs."""

    to_user_id: UserId
    for_shift_id: UUID | None = None
    reason: Reason = ""


class NoteForm(Input, frozen=True, kw_only=True):
    """A word about a decision, under the name that the dialogs' reason has."""

    reason: Reason = ""


class ShiftChangeForm(Input, frozen=True, kw_only=True):
    """A shift on its venue's clock; nobody chosen makes it an open one."""

    user_id: UserId | None = None
    duty: Annotated[str, msgspec.Meta(max_length=80)] = ""
    note: Reason = ""
    starts_at: Wall = ""
    ends_at: Wall = ""
    version: int = 0


class ShiftForm(ShiftChangeForm, frozen=True, kw_only=True):
    """A new one, at a venue."""

    venue_id: VenueId


def to_correction(form: EntryCorrectionForm, venue: Venue, *, entry_id: UUID | None) -> CorrectionIn:
    """The correction that a form describes: of an entry, or of time at the venue that was never clocked."""
    return CorrectionIn(
        entry_id=entry_id,
        venue_id=None if entry_id else venue.id,
        started_at=read_wall_clock(form.started_at, venue.zone, field="started_at"),
        ended_at=read_wall_clock(form.ended_at, venue.zone, field="ended_at"),
        break_minutes=form.break_minutes,
        reason=form.reason,
    )


async def correction_form(ctx: Ctx, *, entry_id: UUID | None) -> dict[str, Any]:
    """What the form of a correction shows: what was clocked, on the venue's clock, or where somebody may have worked."""
    venues = await standing_venues(ctx, permission=TIME_CLOCK)
    choices = [(str(venue.id), venue.name) for venue in venues]
    if entry_id is None:
        return {"venues": choices, "entry": None, "values": {"break_minutes": "0"}, "zone": "", "place": ""}
    entry = await find_entry(ctx, entry_id=entry_id)
    venue = await find_venue(ctx, venue_id=entry.venue_id, permission=TIME_CLOCK)
    values = {
        "entry_id": str(entry.id),
        "started_at": write_wall_clock(entry.started_at, venue.zone),
        "ended_at": write_wall_clock(entry.ended_at, venue.zone),
        "break_minutes": str(entry.break_seconds // 60),
    }
    return {"venues": choices, "entry": entry, "values": values, "zone": venue.time_zone, "place": ""}


def to_shift(form: ShiftForm, venue: Venue) -> ShiftIn:
    """The shift that a form describes."""
    return ShiftIn(venue_id=form.venue_id, **_planned(form, venue))


def to_shift_change(form: ShiftChangeForm, venue: Venue) -> ShiftChange:
    """The change that a form describes; its venue stays."""
    return ShiftChange(**_planned(form, venue))


def of_shift(shift: Shift, venue: Venue) -> dict[str, str]:
    """A shift as its form's texts."""
    return {
        "user_id": str(shift.user_id or ""),
        "duty": shift.duty,
        "note": shift.note,
        "starts_at": write_wall_clock(shift.starts_at, venue.zone),
        "ends_at": write_wall_clock(shift.ends_at, venue.zone),
        "version": str(shift.version),
    }


def _planned(form: ShiftChangeForm, venue: Venue) -> dict[str, Any]:
    return {
        "user_id": form.user_id,
        "duty": form.duty,
        "note": form.note,
        "starts_at": read_wall_clock(form.starts_at, venue.zone, field="starts_at"),
        "ends_at": read_wall_clock(form.ends_at, venue.zone, field="ends_at"),
    }
