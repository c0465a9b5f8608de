"""What roles add up to."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.auth.grants import crew_grants, effective, lacking, member_grants, patron_grants
from lastlight.runtime.context import Grants

A, B, C = (uuid4() for _ in range(3))
SEE = Permission("see", "", Scope.VENUE)
RUN = Permission("run", "", Scope.TENANT)
OWN = Permission("own", "", Scope.OWN)
ALL = Permission("all", "", Scope.PLATFORM)
KNOWN = {p.name: p for p in (SEE, RUN, OWN, ALL)}

venues = st.none() | st.lists(st.sampled_from([A, B, C]), min_size=1, unique=True)
memberships = st.lists(st.tuples(st.lists(st.sampled_from([*KNOWN, "gone"]), unique=True), venues), max_size=4)


def test_the_union_of_venues_and_all_of_them_wins() -> None:
    grants = member_grants(KNOWN, [(["see"], [A]), (["see", "run"], [B])])
    assert grants.venues("see") == {A, B}
    assert not grants.allows("run")
    assert grants.allows("see", A)
    assert not grants.allows("see", C)
    assert member_grants(KNOWN, [(["see"], [A]), (["see"], None)]).venues("see") is None


@given(memberships)
def test_a_member_never_holds_what_is_the_crew_s_a_guest_s_or_unknown(
    held: list[tuple[list[str], list[UUID] | None]],
) -> None:
    assert set(member_grants(KNOWN, held).held) <= {"see", "run"}


@given(memberships, venues)
def test_covers_is_exactly_holding_each_venue(
    held: list[tuple[list[str], list[UUID] | None]], wanted: list[UUID] | None
) -> None:
    grants = member_grants(KNOWN, held)
    everywhere = any("see" in names and where is None for names, where in held)
    mine = {venue for names, where in held if "see" in names for venue in where or ()}
    expected = everywhere or (wanted is not None and set(wanted) <= mine)
    assert (lacking(grants, effective(KNOWN, ["see"], wanted)) == []) is expected


def test_crew_hold_the_platform_s_outside_and_the_tenant_s_inside() -> None:
    held = [(["see", "run", "all", "own"], None)]
    assert set(crew_grants(KNOWN, held, inside=False).held) == {"see", "run", "all"}
    assert set(crew_grants(KNOWN, held, inside=True).held) == {"see", "run"}


def test_patrons_hold_what_is_their_own_and_nothing_else() -> None:
    assert patron_grants(KNOWN) == Grants({"own": None})
