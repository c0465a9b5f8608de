"""What looks like fraud, on screens: the list, one case with its evidence and playbook; and the door's log."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.checkins import cases, flags, playbook
from lastlight.domains.checkins.door_listings import DOOR_SCANS, FLAGS
from lastlight.domains.checkins.flag_schemas import STEPS, FlagCase, Step, StepIn
from lastlight.domains.checkins.permissions import FLAGS_READ, FLAGS_RESOLVE
from lastlight.domains.checkins.scan_schemas import ResolutionIn
from lastlight.domains.venues import listed, read_venue, read_wall_clock
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import CheckinId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, RequestInfo, View, page, page_post

HOME = "/manage/flags"
LOG = "/manage/door-log"
FLAG_EVENTS = ["checkin.flagged", "checkin.flag_resolved", "checkin.flag_step_taken"]
FLAG_COUNT_EVENTS = ("checkin.flagged", "checkin.flag_resolved")
Reason = Annotated[str, msgspec.Meta(max_length=500)]
Verdict = Literal["confirmed", "dismissed"]


class JudgeQuery(Input, frozen=True, kw_only=True):
    """What the flag turned out to be."""

    status: Verdict = "confirmed"


class JudgeForm(JudgeQuery, frozen=True, kw_only=True):
    """What the flag turned out to be, and why."""

    reason: Reason = ""


class StepQuery(Input, frozen=True, kw_only=True):
    """Which step is asked about."""

    step: Step = "renew_codes"


class StepForm(StepQuery, frozen=True, kw_only=True):
    """The step, why, and what it needs to know."""

    reason: Reason = ""
    checkin_ids: list[CheckinId] = msgspec.field(default_factory=list[CheckinId])
    standing: Literal["suspended", "soft_banned", "banned"] = "suspended"
    until: Annotated[str, msgspec.Meta(max_length=40)] = ""


@page(HOME, permission=FLAGS_READ, listing=FLAGS)
async def flags_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
    """List what looks like fraud."""
    shown = await listed(ctx, request=request, listing=FLAGS, query=query, home=HOME)
    return View("checkins/flags.html", {**shown, "events": FLAG_EVENTS, "open": await flags.count_open_flags(ctx)})


@page(LOG, permission=FLAGS_READ, listing=DOOR_SCANS)
async def door_log_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
    """List the scans of the venues' devices."""
    shown = await listed(ctx, request=request, listing=DOOR_SCANS, query=query, home=LOG)
    return View("checkins/door_log.html", {**shown, "events": ["door.scanned"]})


@page(f"{HOME}/{{flag_id:uuid}}", permission=FLAGS_READ)
async def flag_page(ctx: Ctx, flag_id: UUID) -> View:
    """Show one flag with its evidence side by side and what was done."""
    context = await _case(ctx, flag_id=flag_id)
    story = await entity_history(ctx, entity="checkin_flag", entity_id=flag_id)
    return View("checkins/flag.html", context | {"events": FLAG_EVENTS, "history": story})


@page(f"{HOME}/{{flag_id:uuid}}/judgement", permission=FLAGS_RESOLVE)
async def flag_judgement_dialog(ctx: Ctx, flag_id: UUID, query: JudgeQuery) -> View:
    """Ask what a flag turned out to be."""
    context = await _case(ctx, flag_id=flag_id) | {"status": query.status}
    return View("checkins/judgement.html", context, block="dialog")


async def _case(ctx: Ctx, *, flag_id: UUID) -> dict[str, Any]:
    case = await cases.read_case(ctx, flag_id=flag_id)
    return {
        "case": case,
        "flag": case.flag,
        "home": HOME,
        "status": "confirmed",
        "step": "renew_codes",
        "steps": _steps(ctx, case),
        "may_judge": case.flag.status == "open" and ctx.allows(FLAGS_RESOLVE, case.flag.venue_id),
    }


@page_post(
    f"{HOME}/{{flag_id:uuid}}/judgement",
    permission=FLAGS_RESOLVE,
    form_page="checkins/judgement.html",
    form_block="dialog",
    form_context=_case,
)
async def flag_judgement_submit(ctx: Ctx, flag_id: UUID, form: Form[JudgeForm]) -> Redirect:
    """Confirm or dismiss a flag, with a reason."""
    data = form.require()
    await flags.resolve_flag(ctx, flag_id=flag_id, data=ResolutionIn(status=data.status, reason=data.reason or " "))
    said = "Confirmed. Go on with the steps." if data.status == "confirmed" else "Dismissed. It is not raised again."
    return Redirect(f"{HOME}/{flag_id}", toast=said)


@page(f"{HOME}/{{flag_id:uuid}}/step", permission=FLAGS_RESOLVE)
async def flag_step_dialog(ctx: Ctx, flag_id: UUID, query: StepQuery) -> View:
    """Ask whether a step of the playbook is to be taken."""
    return View("checkins/step.html", await _case(ctx, flag_id=flag_id) | {"step": query.step}, block="dialog")


@page_post(
    f"{HOME}/{{flag_id:uuid}}/step",
    permission=FLAGS_RESOLVE,
    form_page="checkins/step.html",
    form_block="dialog",
    form_context=_case,
)
async def flag_step_submit(ctx: Ctx, flag_id: UUID, form: Form[StepForm]) -> Redirect:
    """Take a step of the playbook."""
    data = form.require()
    if data.step == "revoke_checkins" and not data.checkin_ids:
        raise Invalid(fields={"checkin_ids": "Choose at least one."})
    step = StepIn(
        step=data.step,
        reason=data.reason or " ",
        checkin_ids=data.checkin_ids,
        standing=data.standing,
        until=await _until(ctx, flag_id, data.until),
    )
    case = await playbook.take_step(ctx, flag_id=flag_id, data=step)
    found = next(done.found for done in case.steps if done.step == data.step)
    return Redirect(f"{HOME}/{flag_id}", toast=found)


async def _until(ctx: Ctx, flag_id: UUID, text: str) -> datetime | None:
    """The end that was typed, on the clock of the flag's venue."""
    if not text.strip():
        return None
    flag = await cases.read_flag(ctx, flag_id=flag_id)
    venue = await read_venue(ctx, venue_id=flag.venue_id)
    return read_wall_clock(text, venue.zone, field="until")


def _steps(ctx: Ctx, case: FlagCase) -> list[dict[str, Any]]:
    """Each step with who took it, or whether the reader may take it now."""
    done = {one.step: one for one in case.steps}
    return [
        {
            "step": step,
            "done": done.get(step),
            "may": step not in done
            and case.flag.status != "dismissed"
            and ctx.allows(FLAGS_RESOLVE, case.flag.venue_id)
            and ctx.allows(playbook.ACTS[step][0], case.flag.venue_id),
        }
        for step in STEPS
    ]


FLAG_PAGES = (
    flags_page,
    door_log_page,
    flag_page,
    flag_judgement_dialog,
    flag_judgement_submit,
    flag_step_dialog,
    flag_step_submit,
)
