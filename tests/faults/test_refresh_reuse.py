"""U2: a refresh token counts once. Whoever uses one twice ends its session, with all that came of it; nobody else's."""

import asyncio
import dataclasses
import hashlib
from collections.abc import Generator
from typing import Any, ClassVar
from unittest.mock import patch

import httpx
import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lastlight.domains.identity import session_tokens
from lastlight.domains.identity.errors import RefreshInvalid
from lastlight.runtime import limits
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.connection import Db
from lastlight.runtime.settings import Settings
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.people import Newcomer, People
from tests.support.portals import people_apart, run_machine

pytestmark = pytest.mark.database
Apart = tuple[BlockingPortal, People]


@pytest.fixture(scope="module")
def apart(database_settings: Settings) -> Generator[Apart]:
    """The application on a loop of its own."""
    roomy = dataclasses.replace(database_settings, user_requests_per_minute=10**7, auth_failures_per_quarter_hour=10**7)
    with patch.object(limits, "refresh_policy", plenty), people_apart(roomy) as found:
        yield found


def plenty() -> limits.Policy:
    """So many refreshes of one token that no limit hides what comes of them."""
    return limits.Policy("refresh", 10**6, 900)


@dataclasses.dataclass
class Family:
    """A session as the model knows it: its tokens in their order, the last of which is unused while it stands."""

    refresh: list[str]
    access: list[str]
    stands: bool = True


async def refresh(world: People, token: str) -> httpx.Response:
    """Send a refresh token."""
    return await world.client.post("/api/auth/refresh", json={"refresh_token": token})


async def alive(world: People, access: str) -> bool:
    """Whether an access token opens anything."""
    return (await world.client.get("/api/me", headers={"Authorization": f"Bearer {access}"})).status_code == 200


class Sessions(RuleBasedStateMachine):
    """Histories of one person's sessions: refreshed, replayed, raced, signed out of, in any order."""

    portal: ClassVar[BlockingPortal]
    world: ClassVar[People]
    counts: ClassVar[dict[str, int]]

    def __init__(self) -> None:
        super().__init__()
        self.families: list[Family] = []

    @initialize()
    def begin(self) -> None:
        self.who: Newcomer = self.portal.call(lambda: self.world.newcomer(self.world.bar, role="staff"))
        self.sign_in()

    def pick(self, dice: int) -> Family:
        return self.families[dice % len(self.families)]

    @precondition(lambda self: len(self.families) < 4)
    @rule()
    def sign_in(self) -> None:
        tokens = self.portal.call(lambda: self.world.login(self.who.email))
        self.families.append(Family([tokens["refresh_token"]], [tokens["access_token"]]))

    @rule(dice=st.integers(0, 99))
    def go_on(self, dice: int) -> None:
        family = self.pick(dice)
        self.counts["refreshed"] += 1
        answer = self.portal.call(refresh, self.world, family.refresh[-1])
        assert (answer.status_code == 200) == family.stands, answer.text
        if family.stands:
            family.refresh.append(answer.json()["refresh_token"])
            family.access.append(answer.json()["access_token"])

    @precondition(lambda self: any(len(family.refresh) > 1 for family in self.families))
    @rule(dice=st.integers(0, 99), which=st.integers(0, 99))
    def replay(self, dice: int, which: int) -> None:
        used = [family for family in self.families if len(family.refresh) > 1]
        family = used[dice % len(used)]
        self.counts["replayed"] += 1
        answer = self.portal.call(refresh, self.world, family.refresh[which % (len(family.refresh) - 1)])
        assert answer.status_code == 401, answer.text
        family.stands = False

    @rule(dice=st.integers(0, 99), width=st.integers(2, 6))
    def race(self, dice: int, width: int) -> None:
        family = self.pick(dice)
        self.counts["raced"] += width
        won = self.portal.call(race_for, self.world, family.refresh[-1], width)
        assert len(won) == int(family.stands), won
        for tokens in won:
            family.refresh.append(tokens["refresh_token"])
            family.access.append(tokens["access_token"])
        family.stands = False

    @rule(dice=st.integers(0, 99), by_refresh=st.booleans())
    def sign_out(self, dice: int, by_refresh: bool) -> None:
        family = self.pick(dice)
        body = {"refresh_token": family.refresh[-1]}
        headers = {"Authorization": f"Bearer {family.access[-1]}"}
        more: dict[str, Any] = {"json": body} if by_refresh else {"headers": headers}
        self.portal.call(lambda: self.world.client.post("/api/auth/logout", **more))
        family.stands = False

    @rule(dice=st.integers(0, 99))
    def sign_out_elsewhere(self, dice: int) -> None:
        family = self.pick(dice)
        if family.stands:
            headers = {"Authorization": f"Bearer {family.access[-1]}"}
            self.portal.call(lambda: self.world.client.delete("/api/auth/sessions", headers=headers))
            for other in self.families:
                other.stands = other is family

    @invariant()
    def what_stands_is_what_the_model_says(self) -> None:
        for family in self.families:
            for access in {family.access[0], family.access[-1]}:
                self.counts["looked"] += 1
                assert self.portal.call(alive, self.world, access) == family.stands


async def race_for(world: People, token: str, width: int) -> list[dict[str, Any]]:
    """What those get who send one token at once."""
    answers = await asyncio.gather(*(refresh(world, token) for _ in range(width)))
    return [answer.json() for answer in answers if answer.status_code == 200]


MORE = 8


def histories(apart: Apart, seed: int, examples: int) -> tuple[dict[str, int], str]:
    """Run histories; what was done, and what broke.

    Hypothesis leaves some rules out of each history: it goes on until none was left out of all of them.
    """
    portal, world = apart
    counts: dict[str, int] = dict.fromkeys(("refreshed", "replayed", "raced", "looked"), 0)
    try:
        given = {"portal": portal, "world": world, "counts": counts}
        for more in range(MORE):
            run_machine(type("SessionsHere", (Sessions,), given), seed=seed + more, examples=examples, steps=16)
            if min(counts.values()) > 0:
                break
    except AssertionError as error:
        return counts, str(error) or "a session stands that should not, or the other way round"
    return counts, ""


@pytest.mark.fault("U2")
def test_in_any_history_a_token_counts_once_and_its_family_dies_with_its_reuse(apart: Apart, run: FaultRun) -> None:
    counts, broken = histories(apart, run.seed, run.size(quick=5, long=400))
    run.report(**counts)
    assert not broken
    assert min(counts.values()) > 0


async def only_refuse(_ctx: Ctx, _token: str) -> None:
    """A reuse that is refused and has no other consequence."""
    raise RefreshInvalid


@pytest.mark.control("U2")
def test_a_reuse_without_consequence_is_found(apart: Apart, run: FaultRun) -> None:
    with patch.object(session_tokens, "_refuse_refresh", only_refuse):
        counts, broken = histories(apart, run.seed, 8)
    run.report(**counts)
    must_fail(broken)


async def stampede(world: People, races: int, width: int) -> list[str]:
    """So many races of `width` on one token: what was wrong with any of them."""
    found: list[str] = []
    somebody = await world.newcomer(world.bar, role="staff")
    for number in range(races):
        first = await world.login(somebody.email)
        token = first["refresh_token"]
        won = await race_for(world, token, width)
        if len(won) != 1:
            found.append(f"race {number}: {len(won)} of {width} got a pair")
        for tokens in won:
            again = await refresh(world, tokens["refresh_token"])
            if again.status_code == 200 or await alive(world, tokens["access_token"]):
                found.append(f"race {number}: the winner's pair outlives it")
        left = await world.sql(
            "select count(*) from sessions s join refresh_tokens t on t.session_id = s.id where t.hash = $1 and s.revoked_at is null",
            hashlib.sha256(token.encode()).digest(),
        )
        if left[0][0]:
            found.append(f"race {number}: the session stands")
    return found


@pytest.mark.fault("U2")
def test_of_fifty_at_once_one_wins_and_the_family_dies(apart: Apart, run: FaultRun) -> None:
    portal, world = apart
    races = run.size(quick=1, long=200)
    found = portal.call(stampede, world, races, 50)
    run.report(races=races, at_once=50, wrong=len(found))
    assert found == []


async def counting_twice(db: Db, sql: str, *args: Any) -> Any:
    """Run SQL as it is, but let a used refresh token pass for a new one."""
    if "update refresh_tokens set used_at" in sql:
        sql = sql.replace("and used_at is null", "")
    row = await db.fetchrow(sql, *args)
    return None if row is None else row[0]


@pytest.mark.control("U2")
def test_a_token_that_counts_twice_is_found(apart: Apart, run: FaultRun) -> None:
    portal, world = apart
    with patch.object(Db, "fetchval", counting_twice):
        found = portal.call(stampede, world, 1, 10)
    run.report(at_once=10, wrong=len(found))
    must_fail(found)
