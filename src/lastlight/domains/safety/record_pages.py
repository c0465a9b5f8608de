"""What is kept, on screens: the safety log, and how fast calls were answered; and what a venue watches and whom it calls."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.safety import contacts, floor, thresholds
from lastlight.domains.safety.listings import LOG
from lastlight.domains.safety.model import Contact, EmergencyContacts, Thresholds
from lastlight.domains.safety.page_parts import listed
from lastlight.domains.safety.permissions import SAFETY_LOG, SAFETY_MANAGE, SAFETY_READ
from lastlight.domains.safety.schemas import MOST_SPEND, ContactsIn, FiguresQuery, ThresholdsIn
from lastlight.domains.venues import chosen_venue, find_venue, standing_venues
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, checked, page, page_post
from lastlight.ui import amounts
from lastlight.ui.formats import money

CONTACT_ROWS = 5
SPANS = (7, 28, 90, 365)
Line = Annotated[str, msgspec.Meta(max_length=254)]


class ThresholdsForm(Input, frozen=True, kw_only=True):
    """What a venue watches; an empty field is not watched. Spend in whole units of the currency, times as the fields say."""

    minutes_inside: int | None = None
    spend: Line = ""
    drinks_per_hour: int | None = None
    least_age: int | None = None
    interventions: int | None = None
    full_percent: int = 100
    alert_escalates_minutes: int = 5
    sos_escalates_s: int = 60
    version: int = 0


class ContactsForm(Input, frozen=True, kw_only=True):
    """Up to five people to call, one a row."""

    name_1: Line = ""
    phone_1: Line = ""
    email_1: Line = ""
    told_1: bool = False
    name_2: Line = ""
    phone_2: Line = ""
    email_2: Line = ""
    told_2: bool = False
    name_3: Line = ""
    phone_3: Line = ""
    email_3: Line = ""
    told_3: bool = False
    name_4: Line = ""
    phone_4: Line = ""
    email_4: Line = ""
    told_4: bool = False
    name_5: Line = ""
    phone_5: Line = ""
    email_5: Line = ""
    told_5: bool = False
    version: int = 0


def record_pages(prefix: str) -> tuple[Operation, ...]:
    """The log and the figures inside one console."""
    home = f"{prefix}/safety"

    @page(f"{home}/log", permission=SAFETY_LOG, listing=LOG)
    async def safety_log_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """Show the safety log, which nobody edits."""
        return View(
            "safety/log.html",
            {**await listed(ctx, request=request, listing=LOG, query=query, path=f"{home}/log"), "home": home},
        )

    @page(f"{home}/figures", permission=SAFETY_MANAGE)
    async def figures_page(ctx: Ctx, query: FiguresQuery, request: RequestInfo) -> View:
        """Show how fast SOS calls and alerts were answered, in all and venue by venue."""
        venues = await standing_venues(ctx, permission=SAFETY_READ)
        picked = chosen_venue(request)
        shown = [venue for venue in venues if venue.id == (query.venue_id or picked)] or venues
        rows = [
            (venue, await floor.response_figures(ctx, query=FiguresQuery(venue_id=venue.id, days=query.days)))
            for venue in shown
        ]
        only = shown[0].id if len(shown) == 1 else None
        total = await floor.response_figures(ctx, query=FiguresQuery(venue_id=only, days=query.days))
        context = {"rows": rows, "total": total, "days": query.days, "spans": SPANS, "home": home}
        return View("safety/figures.html", context)

    return (safety_log_page, figures_page)


def setup_pages(prefix: str) -> tuple[Operation, ...]:
    """A venue's thresholds and emergency contacts, among its settings."""
    here = f"{prefix}/venues/{{venue_id:uuid}}/safety"

    async def facts(ctx: Ctx, *, venue_id: UUID) -> dict[str, Any]:
        venue = await find_venue(ctx, venue_id=venue_id, permission=SAFETY_MANAGE)
        limits = await thresholds.read_thresholds(ctx, venue_id=venue_id)
        known = await contacts.read_contacts(ctx, venue_id=venue_id)
        return {
            "venue": venue,
            "home": f"{prefix}/venues",
            "here": f"{prefix}/venues/{venue_id}/safety",
            "limits": _limit_texts(limits, venue.currency),
            "contacts": _contact_texts(known),
            "rows": list(range(1, CONTACT_ROWS + 1)),
            "history": await entity_history(ctx, entity="venue", entity_id=venue_id),
        }

    @page(here, permission=SAFETY_MANAGE)
    async def venue_safety_page(ctx: Ctx, venue_id: VenueId) -> View:
        """Show what a venue watches and whom it calls."""
        return View("safety/setup.html", await facts(ctx, venue_id=venue_id))

    @page_post(
        f"{here}/thresholds",
        permission=SAFETY_MANAGE,
        form_page="safety/setup.html",
        form_block="thresholds",
        form_context=facts,
    )
    async def thresholds_submit(ctx: Ctx, venue_id: VenueId, form: Form[ThresholdsForm]) -> Redirect:
        """Set what a venue watches; refused when somebody else did in the meantime."""
        data = form.require()
        venue = await find_venue(ctx, venue_id=venue_id, permission=SAFETY_MANAGE)
        wanted = to_thresholds(data, currency=venue.currency)
        await thresholds.set_thresholds(ctx, venue_id=venue_id, data=wanted, version=data.version)
        return Redirect(f"{prefix}/venues/{venue_id}/safety", toast="Saved. It is watched from now on.")

    @page_post(
        f"{here}/contacts",
        permission=SAFETY_MANAGE,
        form_page="safety/setup.html",
        form_block="contacts",
        form_context=facts,
    )
    async def contacts_submit(ctx: Ctx, venue_id: VenueId, form: Form[ContactsForm]) -> Redirect:
        """Set whom a venue calls; refused when somebody else did in the meantime."""
        data = form.require()
        chosen, rows = to_contacts(data)
        try:
            wanted = checked(ContactsIn(contacts=chosen))
            await contacts.set_contacts(ctx, venue_id=venue_id, data=wanted, version=data.version)
        except Invalid as problem:
            raise Invalid(problem.detail, fields=_row_fields(problem.fields, rows)) from None
        return Redirect(f"{prefix}/venues/{venue_id}/safety", toast="Saved. Every SOS screen shows them.")

    return (venue_safety_page, thresholds_submit, contacts_submit)


def to_thresholds(form: ThresholdsForm, *, currency: str) -> ThresholdsIn:
    """The form's texts as thresholds; Invalid with every field that does not fit."""
    wrong: dict[str, str] = {}
    spend = _spend(form.spend, currency, wrong)
    bounds: dict[str, tuple[int | None, int, int]] = {
        "minutes_inside": (form.minutes_inside, 1, 2880),
        "drinks_per_hour": (form.drinks_per_hour, 1, 100),
        "least_age": (form.least_age, 1, 99),
        "interventions": (form.interventions, 1, 100),
        "full_percent": (form.full_percent, 10, 100),
        "alert_escalates_minutes": (form.alert_escalates_minutes, 1, 1440),
        "sos_escalates_s": (form.sos_escalates_s, 15, 3600),
    }
    for name, (value, least, most) in bounds.items():
        if value is not None and not least <= value <= most:
            wrong[name] = f"Give a number from {least} to {most}."
    if wrong:
        raise Invalid(fields=wrong)
    return ThresholdsIn(
        minutes_inside=form.minutes_inside,
        spend_minor=spend,
        drinks_per_hour=form.drinks_per_hour,
        least_age=form.least_age,
        interventions=form.interventions,
        full_percent=form.full_percent,
        alert_escalates_s=form.alert_escalates_minutes * 60,
        sos_escalates_s=form.sos_escalates_s,
    )


def to_contacts(form: ContactsForm) -> tuple[list[Contact], list[int]]:
    """The rows that say something, and their numbers in the form."""
    found: list[Contact] = []
    rows: list[int] = []
    for row in range(1, CONTACT_ROWS + 1):
        name, phone, email = (str(getattr(form, f"{field}_{row}")).strip() for field in ("name", "phone", "email"))
        if name or phone or email:
            found.append(Contact(name=name, phone=phone, email=email, told=bool(getattr(form, f"told_{row}"))))
            rows.append(row)
    return found, rows


def _row_fields(fields: Any, rows: list[int]) -> dict[str, str]:
    """contacts[0].phone is the field phone_<row> of the row that it came from."""
    found: dict[str, str] = {}
    for path, sentence in fields.items():
        place, name = path.removeprefix("contacts[").split("].")
        found[f"{name}_{rows[int(place)]}"] = sentence
    return found


def _spend(text: str, currency: str, wrong: dict[str, str]) -> int | None:
    if not text.strip():
        return None
    try:
        minor = amounts.of_field(text, currency)
    except ValueError as error:
        wrong["spend"] = str(error)
        return None
    if not 1 <= minor <= MOST_SPEND:
        wrong["spend"] = f"Give more than nothing, and at most {money(MOST_SPEND, currency)}."
        return None
    return minor


def _limit_texts(limits: Thresholds, currency: str) -> dict[str, str]:
    texts = {
        name: "" if value is None else str(value)
        for name, value in msgspec.structs.asdict(limits).items()
        if name not in {"venue_id", "spend_minor", "alert_escalates_s"}
    }
    spend = limits.spend_minor
    return texts | {
        "spend": "" if spend is None else amounts.in_field(spend, currency),
        "alert_escalates_minutes": str(max(1, round(limits.alert_escalates_s / 60))),
    }


def _contact_texts(known: EmergencyContacts) -> dict[str, str]:
    texts = {"version": str(known.version)}
    for row, contact in enumerate(known.contacts[:CONTACT_ROWS], start=1):
        texts |= {f"name_{row}": contact.name, f"phone_{row}": contact.phone, f"email_{row}": contact.email}
        texts[f"told_{row}"] = "true" if contact.told else ""
    return texts
