"""What people decide at the door by hand, on screens: letting a guest in, and taking a check-in back."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.checkins import by_hand, charges, queries
from lastlight.domains.checkins.permissions import CHECKINS_OVERRIDE, CHECKINS_REFUND, CHECKINS_REVOKE
from lastlight.domains.checkins.scan_schemas import OverrideIn, RevocationIn
from lastlight.domains.venues import chosen_venue, standing_venues
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import CheckinId, PatronId, VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

HOME = "/manage/checkins"
SHORTEST_SEARCH = 2
GUEST = """
select p.id, p.name, p.created_at as joined_at,
       case when p.status_until <= now() then 'active' else p.status end as status,
       o.venue as inside, l.opened_at as last_visit_at
from patrons p
join users u on u.id = p.user_id
left join lateral (
    select w.name as venue from visits v join venues w on w.tenant_id = $1 and w.id = v.venue_id
    where v.tenant_id = $1 and v.patron_id = p.id and v.status = 'open' limit 1) o on true
left join lateral (
    select v.opened_at from visits v where v.tenant_id = $1 and v.patron_id = p.id and v.status <> 'voided'
    order by v.opened_at desc limit 1) l on true
where p.tenant_id = $1 and """
ONE = GUEST + "p.id = $2"
FOUND = (
    GUEST
    + """(p.name ilike '%' || $2 || '%' escape '\\' or u.email = lower($3))
order by l.opened_at desc nulls last, p.name, p.id
limit 12
"""
)


class FoundGuest(msgspec.Struct, frozen=True, kw_only=True):
    """A guest who may be the one at the door."""

    id: PatronId
    name: str
    joined_at: datetime
    status: str
    inside: str | None
    last_visit_at: datetime | None


class AdmitQuery(Input, frozen=True, kw_only=True):
    """Whom to look for."""

    q: Annotated[str, msgspec.Meta(max_length=120)] = ""


class AdmitForm(Input, frozen=True, kw_only=True):
    """The venue and the reason."""

    venue_id: str = ""
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class RevokeQuery(Input, frozen=True, kw_only=True):
    """What the check-in is to be called."""

    kind: Literal["revoked", "false_positive"] = "revoked"


class RevokeForm(RevokeQuery, frozen=True, kw_only=True):
    """What the check-in is to be called, and why."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    refund: bool = False


def admit_pages(at: str, *, back: str) -> tuple[Operation, ...]:
    """Letting a guest in by hand inside one console: whoever has no phone, or one that is empty, is looked for by name."""
    base = {"at": at, "back": back}

    async def guest_facts(ctx: Ctx, *, patron_id: UUID) -> dict[str, Any]:
        guest = await ctx.db.one(FoundGuest, ONE, ctx.tenant_id, patron_id)
        venues = [(str(venue.id), venue.name) for venue in await standing_venues(ctx, permission=CHECKINS_OVERRIDE)]
        return {**base, "guest": guest, "venues": venues, "picked": venues[0][0] if len(venues) == 1 else ""}

    @page(at, permission=CHECKINS_OVERRIDE)
    async def admit_search_page(ctx: Ctx, query: AdmitQuery) -> View:
        """Look for the guest who is to be let in by hand."""
        text = query.q.strip()
        found = await _search(ctx, text) if len(text) >= SHORTEST_SEARCH else []
        return View("checkins/admit_search.html", {**base, "q": text, "found": found})

    @page(f"{at}/{{patron_id:uuid}}", permission=CHECKINS_OVERRIDE)
    async def admit_page(ctx: Ctx, patron_id: PatronId, request: RequestInfo) -> View:
        """Ask where to let a guest in by hand, and why."""
        context = await guest_facts(ctx, patron_id=patron_id)
        return View("checkins/admit.html", context | {"picked": str(chosen_venue(request) or context["picked"])})

    @page_post(
        f"{at}/{{patron_id:uuid}}",
        permission=CHECKINS_OVERRIDE,
        form_page="checkins/admit.html",
        form_context=guest_facts,
    )
    async def admit_submit(ctx: Ctx, patron_id: PatronId, form: Form[AdmitForm]) -> Redirect:
        """Let a guest in by hand, with a reason."""
        data = form.require()
        try:
            venue_id = VenueId(UUID(data.venue_id))
        except ValueError:
            raise Invalid(fields={"venue_id": "Choose the venue."}) from None
        done = await by_hand.override(ctx, data=OverrideIn(venue_id=venue_id, patron_id=patron_id, reason=data.reason))
        made = done.checkin.id if back == HOME else done.visit.id
        return Redirect(f"{back}/{made}", toast=f"{done.checkin.patron} is in.")

    return (admit_search_page, admit_page, admit_submit)


@page(f"{HOME}/{{checkin_id:uuid}}/revocation", permission=CHECKINS_REVOKE)
async def revocation_dialog(ctx: Ctx, checkin_id: CheckinId, query: RevokeQuery) -> View:
    """Ask whether a check-in is to be taken back, or called a false positive."""
    return View(
        "checkins/revocation.html", await _checkin(ctx, checkin_id=checkin_id) | {"kind": query.kind}, block="dialog"
    )


async def _checkin(ctx: Ctx, *, checkin_id: UUID) -> dict[str, Any]:
    checkin = await queries.find_checkin(ctx, checkin_id=checkin_id)
    charge = await charges.find_charge(ctx, checkin_id=checkin_id)
    goes_back = charge is not None and (charge.left > 0 or charge.status == "unpaid")
    may_refund = goes_back and ctx.allows(CHECKINS_REFUND, checkin.venue_id)
    return {"checkin": checkin, "home": HOME, "kind": "revoked", "charge": charge, "may_refund": may_refund}


@page_post(
    f"{HOME}/{{checkin_id:uuid}}/revocation",
    permission=CHECKINS_REVOKE,
    form_page="checkins/revocation.html",
    form_block="dialog",
    form_context=_checkin,
)
async def revocation_submit(ctx: Ctx, checkin_id: CheckinId, form: Form[RevokeForm]) -> Redirect:
    """Take a check-in back, or call it a false positive."""
    data = form.require()
    wanted = RevocationIn(kind=data.kind, reason=data.reason or " ", refund=data.refund)
    await by_hand.revoke_checkin(ctx, checkin_id=checkin_id, data=wanted)
    said = "The check-in is taken back." if data.kind == "revoked" else "It is marked as a false positive."
    return Redirect(f"{HOME}/{checkin_id}", toast=said)


async def _search(ctx: Ctx, text: str) -> list[FoundGuest]:
    pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return await ctx.db.rows(FoundGuest, FOUND, ctx.tenant_id, pattern, text)


BY_HAND_PAGES = (
    *admit_pages(f"{HOME}/admit", back=HOME),
    *admit_pages("/staff/admit", back="/staff/visits"),
    revocation_dialog,
    revocation_submit,
)
