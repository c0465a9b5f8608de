"""The plan of a night."""

from hypothesis import given
from hypothesis import strategies as st

from lastlight.simulator.crowd import Mishap, guest_name, plan_night, position_near


@given(seed=st.integers(0, 10_000), guests=st.integers(1, 300), venues=st.integers(1, 5), hours=st.floats(1, 12))
def test_every_guest_comes_once_and_leaves_after_arriving(seed: int, guests: int, venues: int, hours: float) -> None:
    night = plan_night(seed=seed, guests=guests, venues=venues, hours=hours)
    assert sorted(outing.guest for outing in night) == list(range(guests))
    assert all(0 <= outing.venue < venues for outing in night)
    assert all(outing.leaves is None or outing.leaves >= outing.arrives + 5 for outing in night)
    assert [outing.arrives for outing in night] == sorted(outing.arrives for outing in night)


def test_the_same_seed_plays_the_same_night() -> None:
    one, two = (plan_night(seed=7, guests=200, venues=2, hours=8) for _ in range(2))
    assert one == two
    assert one != plan_night(seed=8, guests=200, venues=2, hours=8)
    assert guest_name(7, 3) == guest_name(7, 3)


def test_a_night_has_its_mishaps_and_its_peak() -> None:
    night = plan_night(seed=7, guests=1000, venues=2, hours=8)
    assert {outing.mishap for outing in night} == set(Mishap)
    middle = sum(1 for outing in night if 96 <= outing.arrives <= 288)
    assert middle > 600


@given(number=st.integers(0, 1000), metres=st.floats(1, 5000))
def test_a_position_is_as_near_as_asked(number: int, metres: float) -> None:
    lat, lon = position_near(7, number, -26.145, 28.041, metres=metres)
    dy, dx = (lat + 26.145) * 111_195, (lon - 28.041) * 111_195 * 0.8977
    assert 0.19 * metres <= (dx * dx + dy * dy) ** 0.5 <= 1.01 * metres
