"""What is done about a flag, step by step: each is a real operation with its own permission, taken once and kept."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from lastlight.domains.checkins.by_hand import revoke_checkin
from lastlight.domains.checkins.cases import read_case, read_flag
from lastlight.domains.checkins.errors import FlagResolved, FlagStepDone, NobodyToTell, NothingToRevoke
from lastlight.domains.checkins.events import FlagStepTaken, FraudReported
from lastlight.domains.checkins.flag_schemas import FlagCase, Step, StepIn
from lastlight.domains.checkins.permissions import CHECKINS_REVOKE, FLAGS_RESOLVE, FRAUD_HEAR
from lastlight.domains.checkins.scan_schemas import RevocationIn
from lastlight.domains.identity import PATRONS_MODERATE, StandingIn, change_patron_standing, holders, read_patron
from lastlight.domains.venues import VENUES_KEYS, regenerate_key
from lastlight.kernel.errors import Invalid
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx
from lastlight.runtime.mail import send_mail

Act = Callable[[Ctx, FlagCase, StepIn], Awaitable[str]]
HOLD = """
select f.status,
       exists (select from checkin_flag_steps s where s.tenant_id = $1 and s.flag_id = $2 and s.step = $3) as done
from checkin_flags f where f.tenant_id = $1 and f.id = $2 for update of f
"""
KEEP = """
insert into checkin_flag_steps (tenant_id, flag_id, step, reason, found, done_by) values ($1, $2, $3, $4, $5, $6)
"""
WORDS = {
    "duplicate": "the same guest let in twice",
    "impossible_travel": "two check-ins that nobody could have travelled between",
    "cloned_code": "a pass that was shown at two doors",
    "barred": "a barred guest who was let in",
    "override": "a guest let in by hand by nobody known",
}


async def take_step(ctx: Ctx, *, flag_id: UUID, data: StepIn) -> FlagCase:
    """Take one step about a flag that is not dismissed, and keep that it was taken. FlagStepDone the second time."""
    flag = await read_flag(ctx, flag_id=flag_id, permission=FLAGS_RESOLVE)
    reason = data.reason.strip()
    if not reason:
        raise Invalid(fields={"reason": "Say why; it stands in the history."})
    held = await ctx.db.fetchrow(HOLD, ctx.tenant_id, flag_id, data.step)
    if held is None or held["status"] == "dismissed":
        raise FlagResolved("This flag was dismissed as a mistake. Nothing is to be done about it.")
    if held["done"]:
        raise FlagStepDone
    permission, act = ACTS[data.step]
    ctx.require(permission, flag.venue_id)
    case = await read_case(ctx, flag_id=flag_id)
    await ctx.db.execute(KEEP, ctx.tenant_id, flag_id, data.step, reason, await act(ctx, case, data), ctx.actor.user_id)
    ctx.emit(
        FlagStepTaken(flag_id=flag_id, venue_id=flag.venue_id, step=data.step),
        entity=("checkin_flag", flag_id),
        venue_id=flag.venue_id,
        after={"step": data.step},
        reason=reason,
    )
    return await read_case(ctx, flag_id=flag_id)


async def _renew_codes(ctx: Ctx, case: FlagCase, _: StepIn) -> str:
    """The venue's screens and posters: what was copied from them is worth nothing from now on."""
    change = await regenerate_key(ctx, venue_id=case.flag.venue_id)
    return f"Key {change.key_number} signs the codes of {case.venue} from now on; print its posters anew."


async def _revoke_checkins(ctx: Ctx, case: FlagCase, data: StepIn) -> str:
    known = {one.checkin_id: one for one in case.sightings if one.checkin_id}
    if not set(data.checkin_ids) <= set(known):
        raise Invalid(fields={"checkin_ids": "Choose among the check-ins of this flag."})
    chosen = [
        one_id for one_id, one in known.items() if one.revoked_at is None and one_id in (data.checkin_ids or known)
    ]
    if not chosen:
        raise NothingToRevoke
    for one_id in chosen:
        await revoke_checkin(ctx, checkin_id=one_id, data=RevocationIn(kind="revoked", reason=data.reason))
    return "1 check-in is taken back." if len(chosen) == 1 else f"{len(chosen)} check-ins are taken back."


async def _tell_finance(ctx: Ctx, case: FlagCase, data: StepIn) -> str:
    flag, base = case.flag, ctx.services.settings.base_url
    people = await holders(ctx, permission=FRAUD_HEAR)
    if not people:
        raise NobodyToTell
    for person in people:
        await send_mail(
            ctx,
            to=person.email,
            template="mail/message.html",
            context={
                "subject": f"Fraud at the door of {case.venue}",
                "paragraphs": [
                    f"{case.venue} has found {WORDS[flag.kind]}, {flag.happened_at:%d %B %Y %H:%M} UTC: {flag.detail}.",
                    f"What was noted: {data.reason.strip()}",
                    "Look at what was paid for and earned by these visits before it is settled.",
                ],
                "button": {"label": "Open the case", "url": f"{base}/manage/flags/{flag.id}"},
            },
        )
    ctx.emit(
        FraudReported(flag_id=flag.id, venue_id=flag.venue_id, kind=flag.kind),
        entity=("checkin_flag", flag.id),
        venue_id=flag.venue_id,
        after={"told": [str(person.id) for person in people]},
    )
    return f"Told: {', '.join(person.name for person in people)}."


async def _bar_guest(ctx: Ctx, case: FlagCase, data: StepIn) -> str:
    guest = await read_patron(ctx, patron_id=case.flag.patron_id)
    standing = StandingIn(status=data.standing, reason=data.reason, until=data.until)
    await change_patron_standing(ctx, patron_id=guest.id, data=standing, version=guest.version)
    words = {"suspended": "suspended", "soft_banned": "soft-banned", "banned": "banned"}[data.standing]
    end = "for good" if data.until is None else f"until {data.until:%d %B %Y %H:%M} UTC"
    return f"{case.patron} is {words} {end}."


ACTS: Mapping[Step, tuple[Permission, Act]] = {
    "renew_codes": (VENUES_KEYS, _renew_codes),
    "revoke_checkins": (CHECKINS_REVOKE, _revoke_checkins),
    "tell_finance": (FLAGS_RESOLVE, _tell_finance),
    "bar_guest": (PATRONS_MODERATE, _bar_guest),
}
