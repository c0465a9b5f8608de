"""Probes: each visits one operation and says, in sentences, what it found to be wrong. Tests want none, negative controls want some."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from lastlight.runtime.auth.actors import load_actor
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from lastlight.runtime.http.operation import Operation
from tests.contracts.expected import WORKS, expected, planner
from tests.contracts.given import EXAMPLES
from tests.support.calls import Call, comparable, decoded_problem, plan, send
from tests.support.examples import id_fields
from tests.support.things import ELSEWHERE, THINGS, Maker
from tests.support.world import Somebody, World, marks_of

MADE = re.compile(r"\b(?:Newcomer|Member|Role|Applicant|View|Place) \d+\b")
"""Names of things that the world makes: a refusal holds none of them."""
TO_SIGN_IN = frozenset({"sign_out", "session_end", "sign_out_everywhere", "reset_submit"})
"""What leads to the sign-in page when it has worked."""


def said(found: list[str]) -> str:
    """Findings as the message of a failed assertion."""
    return "\n".join(["", *dict.fromkeys(found)])


async def good_call(world: World, op: Operation, who: Somebody) -> Call:
    """A call that is to succeed, with fresh things."""
    return await plan(world, op, who, EXAMPLES)


async def works(world: World, op: Operation, people: Iterable[Somebody]) -> list[str]:
    """The positive control: everybody who may, does."""
    found: list[str] = []
    for who in people:
        if expected(op, who) != WORKS:
            continue
        call = await good_call(world, op, who)
        answer = await send(world, call, call.who or who)
        if not _succeeded(op, answer):
            found.append(
                f"{who} may call it, and gets {answer.status_code}: {plain_words(answer)}. If the example is at fault, "
                f"add one for `{op.name}` to tests/contracts/given.py."
            )
    return found + _broken(world)


def _succeeded(op: Operation, answer: Any) -> bool:
    location = answer.headers.get("location", "")
    if location.startswith("/sign-in") and op.name not in TO_SIGN_IN:
        return False
    return 200 <= answer.status_code < 400


async def refused(world: World, op: Operation, people: Iterable[Somebody], *, call: Call | None = None) -> list[str]:
    """Who may not is refused, is told nothing, and changes nothing."""
    strangers = [who for who in people if expected(op, who) != WORKS]
    if not strangers:
        return []
    call = call or await good_call(world, op, planner(world, op))
    before = await world.state()
    found: list[str] = []
    for who in strangers:
        answer = await send(world, call, who)
        if answer.status_code not in expected(op, who):
            found.append(f"{who} may not call it, and gets {answer.status_code}: {plain_words(answer)}")
        elif answer.status_code == 303 and not answer.headers["location"].startswith("/sign-in"):
            found.append(f"{who} is not sent to the sign-in page but to {answer.headers['location']}")
        found += told(world, call, answer, who)
    return found + written(before, await world.state()) + _broken(world)


def told(world: World, call: Call, answer: Any, who: Somebody, *, things: bool = True) -> list[str]:
    """What an answer tells of tenant A that was not in the request; `things`: also of whatever the world has made."""
    body, sent = answer.text, call.texts()
    made = sorted(set(MADE.findall(body))) if things else []
    found = [f"{who} is told {match}" for match in made if match not in sent]
    if who.home is world.a and "json" not in answer.headers.get("content-type", ""):
        return found  # around a page stand the reader's own business and venues
    return found + [f"{who} is told {mark!r}" for mark in marks_of(world, world.a) if mark in body and mark not in sent]


def written(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The tables that a refused call wrote to."""
    return [
        f"{table} was written to: {before[table]} → {after[table]}" for table in before if before[table] != after[table]
    ]


def _broken(world: World) -> list[str]:
    found = [f"it broke: {error}" for error in dict.fromkeys(world.errors)]
    world.errors.clear()
    return found


def plain_words(answer: Any) -> str:
    """What a refusal says, on one line."""
    problem = decoded_problem(answer)
    if problem:
        return f"{problem.get('detail', '')} {problem.get('fields', '') or ''}".strip()
    plain = re.sub(r"<[^>]+>|\s+", " ", answer.text)
    return re.sub(r" +", " ", plain)[-300:].strip()


# --- things of others -------------------------------------------------------------------------------------------------


def named_things(op: Operation) -> list[str]:
    """The path parameters of an operation that name rows which belong to somebody."""
    return [name for name in op.path_parameters() if name in THINGS and name != "code"]


async def foreign(
    world: World, op: Operation, stranger: Somebody, owner: Somebody, *, theirs: Call | None = None
) -> list[str]:
    """Somebody else's things and things that are not there get one and the same answer, word for word."""
    theirs = theirs or await good_call(world, op, owner)
    absent = theirs.replaced(path={**theirs.path, **{name: uuid4() for name in named_things(op)}})
    return await _same(world, theirs, absent, stranger, "its path")


async def _same(world: World, theirs: Call, absent: Call, stranger: Somebody, where: str) -> list[str]:
    before = await world.state()
    got = await send(world, theirs, stranger)
    after = await world.state()
    wanted = await send(world, absent, stranger)
    found: list[str] = []
    one, other = comparable(got, *_ids(theirs)), comparable(wanted, *_ids(absent))
    if one != other and theirs.op.method == "GET":
        one, other = await _asked_again(world, theirs, absent, stranger)
    if one != other:
        parts = [f"{name} {one[name]!r} instead of {other[name]!r}" for name in one if one[name] != other[name]]
        found.append(f"{stranger} with another's id in {where}: {'; '.join(parts)}"[:900])
    if got.status_code >= 400 or theirs.op.method == "GET":
        found += written(before, after)
    if where == "its path" and got.status_code < 400:
        found.append(f"{stranger} gets {got.status_code} with another's id in {where}")
    if stranger.home is not world.a:
        found += told(world, theirs, got, stranger, things=where == "its path")
    return found + _broken(world)


async def _asked_again(
    world: World, theirs: Call, absent: Call, who: Somebody
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is told of another's thing, between two answers about the absent one that agree: a page with a clock may turn a minute."""
    other = await _told_of(world, absent, who)
    for _ in range(5):
        earlier, one, other = other, await _told_of(world, theirs, who), await _told_of(world, absent, who)
        if earlier == other:
            return one, other
    raise AssertionError(f"{theirs.op.name} does not answer the same twice")


async def _told_of(world: World, call: Call, who: Somebody) -> dict[str, Any]:
    return comparable(await send(world, call, who), *_ids(call))


def _ids(call: Call) -> list[Any]:
    values = [*call.path.values(), *_flat(call.body), *_flat(call.form), *_flat(call.query)]
    return sorted({str(value) for value in values if len(str(value)) == 36}, key=len, reverse=True)


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _flat(part)]  # pyright: ignore[reportUnknownVariableType] decoded JSON
    if isinstance(value, list):
        return [leaf for part in value for leaf in _flat(part)]  # pyright: ignore[reportUnknownVariableType] decoded JSON
    return [value]


FOREIGN_FIELDS = {
    "venue_id": "venue_id",
    "venue_ids": "venue_id",
    "venue": "venue_id",
    "role_id": "role_id",
    "visit_id": "visit_id",
    "checkin_id": "checkin_id",
    "checkin_ids": "checkin_id",
    "member_id": "member_id",
    "member_ids": "member_id",
    "patron_ids": "patron_id",
    "file_id": "file_id",
    "job_id": "job_id",
    "visit_ids": "visit_id",
    "key_id": "key_id",
    "payment_id": "payment_id",
    "ids": "visit_id",
    "alert_id": "alert_id",
    "alert_ids": "alert_id",
    "incident_id": "incident_id",
    "entity_id": "incident_id",
    "assigned_to": "member_id",
    "resource_id": "resource_id",
    "device_id": "device_id",
    "image_ids": "image_id",
    "image_id": "image_id",
    "banner_ids": "banner_id",
    "entry_id": "entry_id",
    "tax_category_id": "tax_category_id",
    "for_shift_id": "for_shift_id",
    "account_id": "account_id",
    "transaction_id": "transaction_id",
}
LISTS = frozenset(
    {"checkin_ids", "image_ids", "banner_ids", "alert_ids", "venue_ids", "visit_ids", "member_ids", "patron_ids"}
)
"""Fields of a body that take several ids."""
OTHER_FIELDS = frozenset({"patron_id", "actor_id", "tenant_id", "user_id"})
"""Fields that name people and businesses, for which the world has ids at hand."""


async def foreign_fields(
    world: World, op: Operation, stranger: Somebody, owner: Somebody, *, elsewhere: bool = False
) -> list[str]:
    """The same for ids in a body, a form or a query; `elsewhere`: of things at another venue of the same tenant."""
    found: list[str] = []
    for place, field in fields_with_ids(op):
        if elsewhere and FOREIGN_FIELDS.get(field) not in ELSEWHERE:
            continue
        theirs_id = await _foreign_id(world, field, owner, ELSEWHERE if elsewhere else THINGS)
        calls: list[Call] = []
        for value in (str(theirs_id), str(uuid4())):
            call = await good_call(world, op, stranger)
            part: dict[str, Any] = dict(getattr(call, place) or {})
            part[field] = [value] if field in LISTS and place == "body" else value
            calls.append(call.replaced(**{place: part}))
        if op.writes:  # two calls differ in what makes them fresh; only the id may
            one = calls[0]
            calls[1] = one.replaced(**{place: {**getattr(one, place), field: getattr(calls[1], place)[field]}})
        found += await _same(world, calls[0], calls[1], stranger, f"{place}.{field}")
    return found


def fields_with_ids(op: Operation) -> list[tuple[str, str]]:
    """Where else than in its path an operation takes ids: (part of the call, field)."""
    found: list[tuple[str, str]] = []
    for parameter in op.parameters:
        if parameter.source == "data":
            found += [("body", name) for name in id_fields(parameter.kind)]
        elif parameter.source == "query":
            found += [("query", name) for name in id_fields(parameter.kind)]
        elif parameter.source == "form":
            found += [("form", name) for name in id_fields(parameter.kind.__args__[0])]
    return found


async def _foreign_id(world: World, field: str, owner: Somebody, things: Mapping[str, Maker]) -> Any:
    if field == "tenant_id":
        return owner.tenant_id
    if field == "patron_id":
        sql = "select id from patrons where tenant_id = $1 order by created_at limit 1"
        return await world.value(sql, owner.tenant_id)
    if field in {"actor_id", "user_id", "assignee_id", "from_user_id", "to_user_id"}:
        return owner.user_id
    if field not in FOREIGN_FIELDS:
        raise AssertionError(f"nobody says what {field} names: add it to FOREIGN_FIELDS in tests/contracts/probes.py")
    return await things[FOREIGN_FIELDS[field]](world, owner)


# --- the other venue --------------------------------------------------------------------------------------------------


def venue_bound(op: Operation) -> list[str]:
    """The path parameters that name things of one venue."""
    return [name for name in op.path_parameters() if name in ELSEWHERE]


async def other_venue(world: World, op: Operation, member: Somebody) -> list[str]:
    """A member of one venue gets for things of another venue what they get for things that are not there."""
    owner = world.somebody["A.owner"]
    call = await good_call(world, op, owner)
    there = {name: await ELSEWHERE[name](world, owner) for name in venue_bound(op)}
    headers = dict(call.headers)
    theirs = call.replaced(path={**call.path, **there}, headers=headers)
    absent = call.replaced(path={**call.path, **{name: uuid4() for name in there}}, headers=headers)
    found = await _same(world, theirs, absent, member, "its path")
    return [sentence for sentence in found if "403 instead of 404" not in sentence]


# --- what lists tell --------------------------------------------------------------------------------------------------


async def tells_nothing(world: World, op: Operation, stranger: Somebody, *, call: Call | None = None) -> list[str]:
    """An answer to tenant B's people holds nothing of tenant A's."""
    if op.method != "GET" or expected(op, stranger) != WORKS:
        return []
    call = call or await good_call(world, op, stranger)
    answer = await send(world, call, call.who or stranger)
    marks = [mark for mark in marks_of(world, world.a) if mark in answer.text]
    return [f"{stranger} is told {mark!r}" for mark in marks]


async def tells_no_other_venue(world: World, op: Operation, member: Somebody) -> list[str]:
    """An answer to a member of the first venue holds nothing of the second: neither it, nor who works there, nor who came."""
    if expected(op, member) != WORKS:
        return []
    await _somebody_upstairs(world)
    call = await good_call(world, op, member)
    answer = await send(world, call, member)
    marks = [str(world.a.venues[1]), "Roof of the bar", "Upstairs"]
    return [f"{member} is told {mark!r}" for mark in marks if mark in answer.text] + _broken(world)


async def _somebody_upstairs(world: World) -> None:
    """A guest and a member of the second venue whose names say so; a change of it on record."""
    if "upstairs" in world.kept:
        return
    owner = world.somebody["A.owner"]
    visit = await ELSEWHERE["visit_id"](world, owner)
    member = await ELSEWHERE["member_id"](world, owner)
    await world.sql(
        "update patrons set name = 'Guest Upstairs' where id = (select patron_id from visits where id = $1)", visit
    )
    await world.sql(
        "update users set name = 'Member Upstairs' where id = (select user_id from memberships where id = $1)", member
    )
    await world.relay()
    world.kept["upstairs"] = True


async def tells_no_other_guest(world: World, op: Operation) -> list[str]:
    """An answer to a guest holds nothing of another guest of the same business."""
    guest, other = world.somebody["A.patron"], world.somebody["A.regular"]
    if "regular" not in world.kept:
        visit = await ELSEWHERE["visit_id"](world, other)
        await world.sql(
            "update patrons set name = 'Regular of the bar' where id = (select patron_id from visits where id = $1)",
            visit,
        )
        await THINGS["key_id"](world, other)
        await THINGS["file_id"](world, other)
        await world.relay()
        world.kept["regular"] = True
    call = await good_call(world, op, guest if expected(op, guest) == WORKS else world.somebody["A.owner"])
    answer = await send(world, call, guest)
    marks = ["Regular of the bar", other.email, str(other.user_id), str(other.session_id)]
    return [f"{guest} is told {mark!r}" for mark in marks if mark in answer.text] + _broken(world)


async def sees_others(world: World, who: Somebody, tables: Iterable[str], *, column: str = "tenant_id") -> list[str]:
    """What a transaction, begun for somebody as the application begins it, sees beyond their tenant when nobody names one.

    With another column than the tenant's: beyond what carries their own patron id.
    """
    actor = await load_actor(world.people.services.pools.system, world.people.services.registry, _session(who))
    scope = WorkScope(actor=actor, tenant_id=who.tenant_id, role="app")
    own = who.tenant_id if column == "tenant_id" else actor.patron_id
    found: list[str] = []
    async with unit_of_work(world.people.services, scope) as ctx:
        for table in tables:
            sql = f"select count(*) from {table} where {column} is distinct from $1"
            await ctx.db.execute("savepoint before_looking")
            try:
                rows = await ctx.db.fetchval(sql, own)
            except asyncpg.InsufficientPrivilegeError:
                await ctx.db.execute("rollback to savepoint before_looking")
                continue  # the role may not even ask
            if rows:
                found.append(f"{who} sees {rows} rows of others in {table}")
    return found


def _session(who: Somebody) -> UUID:
    assert who.session_id is not None, f"{who} is signed in"
    return who.session_id
