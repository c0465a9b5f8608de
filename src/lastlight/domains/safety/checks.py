"""Safety checks: staff ask a guest whether all is well; the guest answers on the phone, and silence is an answer too."""

from datetime import datetime, timedelta
from uuid import UUID

from lastlight.domains.checkins import claimed_time, find_visit, read_claim
from lastlight.domains.safety import log
from lastlight.domains.safety.alerts import clear_alert, raise_alert
from lastlight.domains.safety.errors import CheckOver, NotInside
from lastlight.domains.safety.events import CheckAnswered, CheckAsked
from lastlight.domains.safety.model import SafetyCheck
from lastlight.domains.safety.permissions import SAFETY_CHECKS, SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import AnswerIn, CheckIn
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx

ONE = """
select c.id, c.venue_id, w.name as venue, c.visit_id, c.patron_id, c.question, c.asked_at, c.expires_at, c.answer, c.note, c.answered_at,
       c.missed_at
from safety_checks c
join venues w on w.tenant_id = $1 and w.id = c.venue_id
where c.tenant_id = $1 and c.id = $2
"""
OWN = """
select c.id, c.venue_id, w.name as venue, c.visit_id, c.patron_id, c.question, c.asked_at, c.expires_at, c.answer, c.note, c.answered_at,
       c.missed_at
from safety_checks c
join venues w on w.tenant_id = $1 and w.id = c.venue_id
where c.tenant_id = $1 and c.patron_id = $2
order by c.asked_at desc, c.id desc
limit 50
"""
ASK = """
insert into safety_checks (tenant_id, id, venue_id, visit_id, patron_id, question, asked_by, asked_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
LOCK = """
select answer, missed_at, expires_at from safety_checks where tenant_id = $1 and id = $2 and patron_id = $3 for update
"""
ANSWER = "update safety_checks set answer = $3, note = $4, answered_at = $5 where tenant_id = $1 and id = $2"
MISSED_ALERT = """
select id from safety_alerts
where tenant_id = $1 and visit_id = $2 and kind = 'check' and status <> 'cleared' and facts->>'check_id' = $3
  and facts->>'answer' = 'missed'
"""
DUE = """
update safety_checks set missed_at = now()
where tenant_id = $1 and id in (select id from safety_checks
                                where tenant_id = $1 and answer is null and missed_at is null and expires_at <= now()
                                order by expires_at, id
                                limit $2
                                for update skip locked)
returning id, venue_id, visit_id, patron_id
"""


async def find_check(ctx: Ctx, *, check_id: UUID) -> SafetyCheck:
    """A safety check at a venue that the actor may see."""
    ctx.require(SAFETY_READ)
    check = await ctx.db.one(SafetyCheck, ONE, ctx.tenant_id, check_id)
    ctx.require(SAFETY_READ, check.venue_id)
    return check


async def own_checks(ctx: Ctx) -> list[SafetyCheck]:
    """What the guest was asked, newest first."""
    ctx.require(SAFETY_CHECKS)
    return await ctx.db.rows(SafetyCheck, OWN, ctx.tenant_id, ctx.actor.patron_id)


async def ask_guest(ctx: Ctx, *, data: CheckIn) -> SafetyCheck:
    """Ask a guest who is in whether all is well."""
    ctx.require(SAFETY_RESPOND)
    visit = await find_visit(ctx, visit_id=data.visit_id)
    ctx.require(SAFETY_RESPOND, visit.venue_id)
    if visit.status != "open":
        raise NotInside
    if not data.question.strip():
        raise Invalid(fields={"question": "Write what the guest is asked."})
    check_id = uuid7()
    expires_at = ctx.now + timedelta(minutes=data.minutes)
    of_whom = (visit.venue_id, visit.id, visit.patron_id)
    asked = (data.question.strip(), ctx.actor.user_id, ctx.now, expires_at)
    await ctx.db.execute(ASK, ctx.tenant_id, check_id, *of_whom, *asked)
    await log.write(
        ctx,
        venue_id=visit.venue_id,
        what="safety check asked",
        entity=("safety_check", check_id),
        patron_id=visit.patron_id,
        text=data.question.strip(),
    )
    ctx.emit(
        CheckAsked(check_id=check_id, visit_id=visit.id, venue_id=visit.venue_id, expires_at=expires_at),
        entity=("safety_check", check_id),
        venue_id=visit.venue_id,
        patron_id=visit.patron_id,
        after={"expires_at": expires_at.isoformat()},
    )
    return await ctx.db.one(SafetyCheck, ONE, ctx.tenant_id, check_id)


async def answer_check(ctx: Ctx, *, check_id: UUID, data: AnswerIn) -> SafetyCheck:
    """A guest answers, once and in time, which counts from when the phone proves it; help is heard whenever it comes."""
    ctx.require(SAFETY_CHECKS)
    row = await ctx.db.fetchrow(LOCK, ctx.tenant_id, check_id, ctx.actor.patron_id)
    if row is None:
        raise NotFound
    if row["answer"] is not None:
        raise CheckOver
    at = ctx.now
    if data.answer == "fine":
        at = await _said_at(ctx, check_id, data)
        if row["expires_at"] <= at:
            raise CheckOver
    await ctx.db.execute(ANSWER, ctx.tenant_id, check_id, data.answer, data.note.strip(), at)
    check = await ctx.db.one(SafetyCheck, ONE, ctx.tenant_id, check_id)
    _tell(ctx, check.id, data.answer, (check.venue_id, check.visit_id, check.patron_id))
    return check


async def miss_checks(ctx: Ctx, *, limit: int) -> int:
    """Close the questions that nobody answered in time; how many."""
    rows = await ctx.db.fetch(DUE, ctx.tenant_id, limit)
    for row in rows:
        _tell(ctx, row["id"], "missed", (row["venue_id"], row["visit_id"], row["patron_id"]))
    return len(rows)


async def follow_answer(ctx: Ctx, *, check_id: UUID, answer: str) -> None:
    """Log an answer, and raise an alert for a call for help or for silence."""
    check = await find_check(ctx, check_id=check_id)
    await log.write(
        ctx,
        venue_id=check.venue_id,
        what=f"safety check: {answer}",
        entity=("safety_check", check.id),
        patron_id=check.patron_id,
        text=check.note,
    )
    if answer == "missed" and check.answer is not None:
        return  # it came in the meantime
    standing = await ctx.db.fetchval(MISSED_ALERT, ctx.tenant_id, check.visit_id, str(check_id))
    if standing is not None and answer != "missed":
        # The silence is explained; a call for help must not be hidden behind it.
        reason = "The guest is fine: the answer had no network." if answer == "fine" else "The guest asks for help now."
        await clear_alert(ctx, alert_id=standing, reason=reason)
    if answer == "fine":
        return
    await raise_alert(
        ctx,
        venue_id=check.venue_id,
        kind="check",
        severity="critical" if answer == "help" else "high",
        summary="A guest asks for help" if answer == "help" else "A guest did not answer a safety check",
        visit_id=check.visit_id,
        patron_id=check.patron_id,
        facts={"check_id": str(check.id), "answer": answer},
    )


async def _said_at(ctx: Ctx, check_id: UUID, data: AnswerIn) -> datetime:
    """When the guest said so: now, or when the phone proves it."""
    claim = read_claim(
        subject=f"safety-check/{check_id}/{data.answer}",
        claimed_at=data.claimed_at,
        proof=data.proof,
        idempotency_key=ctx.idempotency_key,
    )
    if claim is None or ctx.actor.patron_id is None:
        return ctx.now
    return await claimed_time(ctx, claim=claim, patron_id=ctx.actor.patron_id)


def _tell(ctx: Ctx, check_id: UUID, answer: str, of_whom: tuple[UUID, UUID, UUID]) -> None:
    venue_id, visit_id, patron_id = of_whom
    ctx.emit(
        CheckAnswered(check_id=check_id, venue_id=venue_id, visit_id=visit_id, patron_id=patron_id, answer=answer),
        entity=("safety_check", check_id),
        venue_id=venue_id,
        after={"answer": answer},
    )
