"""One code and many who scan it: races, replays and mutations against the real verify, and passes at several doors."""

import asyncio
import base64
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from lastlight.domains.checkins.errors import CheckinRefused, CodeReplayed, VisitOpen
from lastlight.domains.checkins.scan_schemas import ScanIn
from lastlight.domains.checkins.schemas import CheckinOut, VerifyIn
from lastlight.domains.checkins.verify import verify
from lastlight.domains.venues import Venue
from lastlight.domains.venues.codes import code_text, screen_code
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.kernel.ids import UserId, uuid7
from tests.support.carriers import Carrier, asked, carrier, earlier, offline, send
from tests.support.devices import Scanner, enrolled
from tests.support.door import Guest, House

TAKEN = (CodeReplayed, VisitOpen)
"""What who comes second is told."""
DOUBLES = """
select (select count(*) from (select from checkins where tenant_id = $1 group by patron_id, venue_id, nonce having count(*) > 1) d) as codes,
       (select count(*) from (select from visits where tenant_id = $1 and status = 'open' group by patron_id having count(*) > 1) d) as visits,
       (select count(*) from checkins where tenant_id = $1) as checkins,
       (select count(*) from outbox where tenant_id = $1 and name = 'checkin.verified') as told
"""
CLOSE = "update visits set status = 'closed', closed_at = now(), closed_by = 'guest' where tenant_id = $1 and status = 'open'"
AT_ONCE = 100


@dataclass(slots=True)
class Raced:
    """What became of the attempts."""

    attempts: int = 0
    admitted: int = 0
    told: Counter[str] = field(default_factory=Counter[str])
    found: list[str] = field(default_factory=list[str])


async def secret_of(house: House, venue: Venue) -> tuple[bytes, int]:
    """The key that a venue's codes are signed with now, and its number."""
    async with house.system() as ctx:
        key = await current_key(ctx, venue_id=venue.id)
        return open_key(ctx, venue_id=venue.id, number=key.number, sealed=key.secret), key.number


async def crowd(house: House, size: int) -> list[Guest]:
    """So many guests."""
    return [Guest(patron_id, UserId(uuid7()), "Guest") for patron_id in await house.add_crowd(size)]


async def attempt(house: House, guest: Guest, code: str) -> CheckinOut | CheckinRefused:
    """One scan in a transaction of its own, as a request runs it."""
    try:
        async with house.as_guest(guest) as ctx:
            return await verify(ctx, data=VerifyIn(code=code))
    except CheckinRefused as refused:
        return refused


async def race(house: House, *, attempts: int, dice: random.Random) -> Raced:
    """Rounds of a hundred scans of the codes that are shown now, by ten guests each: every guest gets in exactly once.

    After a round the guests have left, and the same code is raced once more: nobody gets in by it again.
    """
    raced = Raced()
    secrets = [(venue, *await secret_of(house, venue)) for venue in house.venues[:2]]
    while raced.attempts < attempts:
        guests = await crowd(house, 10)
        now = datetime.now(UTC)
        codes = [
            code_text(screen_code(key, venue_id=venue.id, key_number=number, at=now)) for venue, key, number in secrets
        ]
        alone = dice.random() < 0.7
        plan = [(guest, codes[0] if alone else dice.choice(codes)) for guest in guests for _ in range(AT_ONCE // 10)]
        dice.shuffle(plan)
        await _round(house, raced, plan, once=True)
        await house.sql(CLOSE, house.tenant_id)
        used = {
            row["patron_id"]: row["venue_id"]
            for row in await house.sql(USED, house.tenant_id, [g.patron_id for g in guests])
        }
        again = [(guest, codes[0]) for guest in guests if used.get(guest.patron_id) == secrets[0][0].id][:4] * 5
        await _round(house, raced, again, once=False)
        await house.sql(CLOSE, house.tenant_id)
    row = (await house.sql(DOUBLES, house.tenant_id))[0]
    if row["codes"] or row["visits"] or row["checkins"] != raced.admitted or row["told"] != raced.admitted:
        raced.found.append(f"{raced.admitted} admitted, {dict(row)}")
    return raced


USED = "select patron_id, venue_id from checkins where tenant_id = $1 and patron_id = any ($2)"


async def _round(house: House, raced: Raced, plan: list[tuple[Guest, str]], *, once: bool) -> None:
    answers = await asyncio.gather(*(attempt(house, guest, code) for guest, code in plan))
    raced.attempts += len(plan)
    wins: Counter[Any] = Counter()
    for (guest, _), answer in zip(plan, answers, strict=True):
        if isinstance(answer, CheckinOut):
            wins[guest.patron_id] += 1
        else:
            raced.told[answer.type] += 1
            if not isinstance(answer, TAKEN):
                raced.found.append(f"a guest is told {answer.type}")
    raced.admitted += sum(wins.values())
    wrong = [n for guest in {guest.patron_id for guest, _ in plan} if (n := wins[guest]) != int(once)]
    if wrong:
        raced.found.append(f"{len(wrong)} guests got in {sorted(wrong)} times instead of {int(once)}")


# --- what is no code of this venue ------------------------------------------------------------------------------------


async def mutated(house: House, *, number: int, dice: random.Random) -> list[str]:
    """Codes and passes of which a bit, a byte or the length differs: none lets anybody in, and nothing is written."""
    guest, someone = await house.add_guest(), await carrier(house)
    scanner = await enrolled(house, f"Scanner {uuid4().hex}")
    key, key_number = await secret_of(house, house.venue)
    before = await house.count("checkins"), await house.count("visits")
    found: list[str] = []
    for turn in range(number):
        good = code_text(screen_code(key, venue_id=house.venue.id, key_number=key_number, at=datetime.now(UTC)))
        code = _bent(good, dice)
        answer = await attempt(house, guest, code)
        if isinstance(answer, CheckinOut):
            found.append(f"{code} was taken for {good}")
        if turn % 10 == 0:
            text = someone.show()
            [judged] = await send(house, scanner, asked(scanner, _bent_pass(text, dice)))
            if judged.result != "refused":
                found.append(f"a bent pass was {judged.result}")
    if (await house.count("checkins"), await house.count("visits")) != before:
        found.append("something was written")
    return found


def _bent(text: str, dice: random.Random) -> str:
    """The same code with one bit flipped, a byte changed, or cut."""
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    kind, place = dice.randrange(3), dice.randrange(len(raw))
    if kind == 0:
        raw[place] ^= 1 << dice.randrange(8)
    elif kind == 1:
        raw[place] = (raw[place] + 1 + dice.randrange(255)) % 256
    else:
        del raw[place]
    return base64.urlsafe_b64encode(bytes(raw)).decode()


def _bent_pass(text: str, dice: random.Random) -> str:
    place = dice.choice([n for n, letter in enumerate(text[:-2]) if n > 3 and letter != "."])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:place] + dice.choice([letter for letter in letters if letter != text[place]]) + text[place + 1 :]


# --- passes at several doors ------------------------------------------------------------------------------------------


async def shown_at_doors(house: House, doors: list[Scanner], *, passes: int) -> list[str]:
    """One picture of a pass at every door at the same moment: one door admits, each other says why not, and a flag stands."""
    found: list[str] = []
    for _ in range(passes):
        someone = await carrier(house)
        code = someone.show()
        answers = await asyncio.gather(*(send(house, door, asked(door, code)) for door in doors))
        results = sorted(one.result for [one] in answers)
        refusals = {one.refusal for [one] in answers if one.result == "refused"}
        if results.count("admitted") != 1 or not refusals <= {"code-replayed", "visit-open"}:
            found.append(f"one pass at {len(doors)} doors: {results} {refusals}")
        found += await _in_once(house, someone, flagged=True)
    return found


async def synced_logs(house: House, doors: list[Scanner], *, guests: int, dice: random.Random) -> list[str]:
    """Offline doors admit clones of the same passes; their logs arrive in pieces, twice, in any order and at once.

    Each guest is in once, every further admission is answered as a double to the door that made it, and a flag tells of it.
    """
    people = [await carrier(house) for _ in range(guests)]
    for someone in people:
        someone.text = await earlier(house, someone)
    began = datetime.now(UTC) - timedelta(hours=1)
    logs: dict[int, list[ScanIn]] = {n: [] for n in range(len(doors))}
    seen: dict[Any, int] = {}
    for someone in people:
        for n in sorted(dice.sample(range(len(doors)), dice.randint(2, len(doors)))):
            at = began + timedelta(seconds=dice.choice((0, 0, 1, 90, 600)))
            logs[n].append(offline(doors[n], someone, at))
            seen[someone.guest.patron_id] = seen.get(someone.guest.patron_id, 0) + 1
    pieces = [(n, log[i : i + 3]) for n, log in logs.items() for i in range(0, len(log), 3)]
    pieces += dice.sample(pieces, len(pieces) // 2)
    dice.shuffle(pieces)
    answers: dict[tuple[int, int], set[str]] = {}
    for begin in range(0, len(pieces), 4):
        sent = pieces[begin : begin + 4]
        for (n, _), results in zip(
            sent, await asyncio.gather(*(send(house, doors[n], *log) for n, log in sent)), strict=True
        ):
            for one in results:
                answers.setdefault((n, one.sequence), set()).add(one.result)
    results = Counter(next(iter(said)) for said in answers.values())
    found = [f"one scan was answered in two ways: {said}" for said in answers.values() if len(said) != 1]
    if results != {"admitted": guests, "double": sum(seen.values()) - guests}:
        found.append(f"{guests} guests at {sum(seen.values())} doors: {dict(results)}")
    for someone in people:
        found += await _in_once(house, someone, flagged=True)
    return found


async def _in_once(house: House, someone: Carrier, *, flagged: bool) -> list[str]:
    row = (await house.sql(STANDING, house.tenant_id, someone.guest.patron_id))[0]
    wanted = {"checkins": 1, "visits": 1, "flagged": flagged, "told": flagged}
    return [] if dict(row) == wanted else [f"a guest whose pass was cloned: {dict(row)}"]


STANDING = """
select (select count(*) from checkins where tenant_id = $1 and patron_id = $2) as checkins,
       (select count(*) from visits where tenant_id = $1 and patron_id = $2 and status = 'open') as visits,
       exists (select from checkin_flags where tenant_id = $1 and patron_id = $2 and kind in ('cloned_code', 'duplicate')) as flagged,
       exists (select from outbox where tenant_id = $1 and name = 'checkin.flagged' and data ->> 'patron_id' = $2::text
               and audience is not null) as told
"""
