"""Fences: inside, outside, and outlines that are none."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lastlight.domains.venues.geofence import Circle, Point, Polygon, distance_outside, fence_problems

METRES = 111_195.0
centres = st.builds(Point, lat=st.floats(-80, 80), lon=st.floats(-180, 180))


def moved(point: Point, *, north: float, east: float) -> Point:
    """A point so many metres away, over the antimeridian if need be."""
    lon = point.lon + east / (METRES * math.cos(math.radians(point.lat)))
    return Point(lat=point.lat + north / METRES, lon=(lon + 540) % 360 - 180)


@given(centre=centres, radius=st.floats(5, 20_000), share=st.floats(0, 3), bearing=st.floats(0, 2 * math.pi))
def test_a_circle_holds_what_is_nearer_than_its_radius(
    centre: Point, radius: float, share: float, bearing: float
) -> None:
    away = radius * share
    spot = moved(centre, north=away * math.cos(bearing), east=away * math.sin(bearing))
    outside = distance_outside(Circle(center=centre, radius_m=radius), spot)
    assert outside == pytest.approx(max(0.0, away - radius), abs=max(1.0, away * 0.02))


@given(
    centre=centres,
    first=st.floats(0, 2 * math.pi),
    parts=st.lists(st.floats(0.8, 1.25), min_size=3, max_size=12),
    radius=st.floats(20, 5_000),
    share=st.floats(0.05, 0.95),
)
def test_a_star_shaped_polygon_holds_its_rays(
    centre: Point, first: float, parts: list[float], radius: float, share: float
) -> None:
    """Corners around a centre, in order of bearing and less than half a turn apart, make an outline that sees its centre."""
    turns = [sum(parts[:number]) / sum(parts) for number in range(len(parts))]
    corners = [first + 2 * math.pi * turn for turn in turns]
    points = [moved(centre, north=radius * math.cos(b), east=radius * math.sin(b)) for b in corners]
    fence = Polygon(points=points)
    assume(fence_problems(fence) == {})
    assert distance_outside(fence, centre) == 0
    for bearing in corners:
        inner = moved(centre, north=radius * share * math.cos(bearing), east=radius * share * math.sin(bearing))
        outer = moved(centre, north=radius * 1.5 * math.cos(bearing), east=radius * 1.5 * math.sin(bearing))
        assert distance_outside(fence, inner) == 0
        assert 0 < distance_outside(fence, outer) <= radius * 0.5 * 1.02 + 1


@given(centre=centres, side=st.floats(20, 2_000), north=st.floats(-3, 3), east=st.floats(-3, 3))
def test_a_square_agrees_with_arithmetic(centre: Point, side: float, north: float, east: float) -> None:
    half = side / 2
    points = [moved(centre, north=n * half, east=e * half) for n, e in ((-1, -1), (-1, 1), (1, 1), (1, -1))]
    spot = moved(centre, north=north * half, east=east * half)
    beyond = [max(0.0, abs(share) * half - half) for share in (north, east)]
    expected = math.hypot(*beyond)
    assert distance_outside(Polygon(points=points), spot) == pytest.approx(expected, abs=max(1.0, side * 0.02))


@given(centre=centres, radius=st.floats(50, 2_000), swap=st.integers(0, 4))
def test_an_outline_that_crosses_itself_is_refused(centre: Point, radius: float, swap: int) -> None:
    """A regular pentagon is fine; with two neighbouring corners exchanged it crosses itself."""
    points = [
        moved(centre, north=radius * math.cos(k * 2 * math.pi / 5), east=radius * math.sin(k * 2 * math.pi / 5))
        for k in range(5)
    ]
    assert fence_problems(Polygon(points=points)) == {}
    assert fence_problems(Polygon(points=points[::-1])) == {}
    other = (swap + 1) % 5
    points[swap], points[other] = points[other], points[swap]
    (path, sentence), *_ = fence_problems(Polygon(points=points)).items()
    assert path.startswith("geofence.points[")
    assert "crosses" in sentence


HOME = Point(lat=-26.1467, lon=28.0436)


def at(north: float, east: float) -> Point:
    return moved(HOME, north=north, east=east)


@pytest.mark.parametrize(
    ("points", "path"),
    [
        ([at(0, 0), at(0, 50)], "geofence.points"),
        ([at(0, 0), at(0, 50), at(0, 100)], "geofence.points[2]"),  # a line
        ([at(0, 0), at(0, 50), at(0, 50), at(50, 0)], "geofence.points[2]"),  # the same point twice
        ([at(0, 0), at(0, 50), at(50, 0), at(0, 0)], "geofence.points[0]"),  # closed by hand
        ([at(0, 0), at(50, 50), at(0, 50), at(50, 0)], "geofence.points[2]"),  # a bow tie
        ([at(0, 0), at(0, 100), at(0, 40), at(50, 0)], "geofence.points[1]"),  # straight back
        ([at(0, 0), at(0, 30_000), at(30_000, 0)], "geofence.points"),  # a province
        ([at(0, 0), at(0, 1), at(1, 0)], "geofence.points"),  # a doormat
        ([at(k % 10, k) for k in range(101)], "geofence.points"),  # too many
        ([Point(lat=89.5, lon=0), Point(lat=89.5, lon=90), Point(lat=89.5, lon=180)], "geofence.points"),
    ],
)
def test_outlines_that_are_no_fence(points: list[Point], path: str) -> None:
    assert list(fence_problems(Polygon(points=points))) == [path]


@pytest.mark.parametrize("radius", [0, 4.9, 20_001, -5])
def test_circles_that_are_no_fence(radius: float) -> None:
    assert list(fence_problems(Circle(center=HOME, radius_m=radius))) == ["geofence.radius_m"]


def test_a_fence_over_the_antimeridian() -> None:
    centre = Point(lat=-16.8, lon=179.9999)
    fence = Circle(center=centre, radius_m=100)
    assert distance_outside(fence, Point(lat=-16.8, lon=-179.9999)) == 0
    assert distance_outside(fence, Point(lat=-16.8, lon=-179.99)) > 900
