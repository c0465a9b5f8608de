"""Geofences: a circle or a polygon around a venue, and how far a position lies from it. Pure; metres throughout.

Venues are small, so the ground is flat here: degrees become metres on the plane that touches the earth at the fence,
which is right to a few centimetres over the 20 km that a fence may measure.
"""

from collections.abc import Sequence
from math import cos, hypot, radians
from typing import Annotated

import msgspec

METRES_PER_DEGREE = 111_195.0
SMALLEST_METRES = 5.0
LARGEST_METRES = 20_000.0
MOST_POINTS = 100

Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place on the earth (WGS 84, degrees)."""

    lat: Latitude
    lon: Longitude


class Circle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="circle"):
    """Everywhere within `radius_m` of a centre."""

    center: Point
    radius_m: float


class Polygon(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="polygon"):
    """The inside of a ring of points, in order; the last is joined to the first."""

    points: list[Point]


Geofence = Circle | Polygon

_Flat = tuple[float, float]


def distance_outside(fence: Geofence, position: Point) -> float:
    """How many metres a position lies outside the fence; 0 on or inside it."""
    if isinstance(fence, Circle):
        x, y = _flatten(position, fence.center)
        return max(0.0, hypot(x, y) - fence.radius_m)
    origin = fence.points[0]
    ring = [_flatten(point, origin) for point in fence.points]
    spot = _flatten(position, origin)
    if _is_inside(spot, ring):
        return 0.0
    return min(_to_segment(spot, a, b) for a, b in _sides(ring))


def fence_problems(fence: Geofence, path: str = "geofence") -> dict[str, str]:
    """What is wrong with a fence, by the path of the field; empty when it can be used."""
    if isinstance(fence, Circle):
        if not SMALLEST_METRES <= fence.radius_m <= LARGEST_METRES:
            return {f"{path}.radius_m": "Give a radius between 5 and 20,000 metres."}
        return {}
    return _polygon_problems(fence.points, path)


def _polygon_problems(points: Sequence[Point], path: str) -> dict[str, str]:
    if not 3 <= len(points) <= MOST_POINTS:
        return {f"{path}.points": f"Draw 3 to {MOST_POINTS} points; the last is joined to the first by itself."}
    if max(abs(point.lat) for point in points) > 89:
        return {f"{path}.points": "A polygon cannot be drawn around a pole; use a circle."}
    ring = [_flatten(point, points[0]) for point in points]
    for index, (a, b) in enumerate(_sides(ring)):
        if hypot(b[0] - a[0], b[1] - a[1]) < 0.01:
            return {f"{path}.points[{(index + 1) % len(ring)}]": "This point repeats the one before it; remove one."}
    return _outline_problems(ring, path)


def _outline_problems(ring: Sequence[_Flat], path: str) -> dict[str, str]:
    if max(hypot(*spot) for spot in ring) > LARGEST_METRES:
        return {f"{path}.points": "The fence is larger than 20 km; draw it around the venue only."}
    crossing = _first_crossing(ring)
    if crossing is not None:
        one, other = crossing
        sentence = f"The line from here crosses the line from point {one}; draw the outline without crossings."
        return {f"{path}.points[{other}]": sentence}
    if abs(_area(ring)) < 10.0:
        return {f"{path}.points": "The fence holds less than 10 square metres; draw it around the whole venue."}
    return {}


def _flatten(point: Point, origin: Point) -> _Flat:
    """Metres east and north of the origin; the shorter way around the earth."""
    east = (point.lon - origin.lon + 540.0) % 360.0 - 180.0
    shrink = cos(radians((point.lat + origin.lat) / 2))
    return east * METRES_PER_DEGREE * shrink, (point.lat - origin.lat) * METRES_PER_DEGREE


def _sides(ring: Sequence[_Flat]) -> list[tuple[_Flat, _Flat]]:
    return [(ring[i], ring[(i + 1) % len(ring)]) for i in range(len(ring))]


def _is_inside(spot: _Flat, ring: Sequence[_Flat]) -> bool:
    """Whether a ray to the east crosses the outline an odd number of times."""
    x, y = spot
    inside = False
    for (ax, ay), (bx, by) in _sides(ring):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def _to_segment(spot: _Flat, a: _Flat, b: _Flat) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    share = 0.0 if length == 0 else max(0.0, min(1.0, ((spot[0] - a[0]) * dx + (spot[1] - a[1]) * dy) / length))
    return hypot(spot[0] - a[0] - share * dx, spot[1] - a[1] - share * dy)


def _first_crossing(ring: Sequence[_Flat]) -> tuple[int, int] | None:
    """The first two sides, by their first points, that meet anywhere but in a shared corner."""
    sides = _sides(ring)
    for i, one in enumerate(sides):
        for j in range(i + 1, len(sides)):
            neighbours = j == i + 1 or (i == 0 and j == len(sides) - 1)
            if _folds_back(one, sides[j], first=i, second=j) if neighbours else _meet(one, sides[j]):
                return i, j
    return None


def _folds_back(one: tuple[_Flat, _Flat], other: tuple[_Flat, _Flat], *, first: int, second: int) -> bool:
    """Whether two neighbouring sides lie on each other: straight back from their corner."""
    corner, left, right = (one[1], one[0], other[1]) if second == first + 1 else (one[0], one[1], other[0])
    u = (left[0] - corner[0], left[1] - corner[1])
    v = (right[0] - corner[0], right[1] - corner[1])
    cross, dot = u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1]
    return dot > 0 and abs(cross) <= 1e-9 * hypot(*u) * hypot(*v)


def _meet(one: tuple[_Flat, _Flat], other: tuple[_Flat, _Flat]) -> bool:
    (a, b), (c, d) = one, other
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    return any(
        turn == 0 and _between(p, q, spot)
        for turn, p, q, spot in ((turns[0], a, b, c), (turns[1], a, b, d), (turns[2], c, d, a), (turns[3], c, d, b))
    )


def _turn(a: _Flat, b: _Flat, c: _Flat) -> int:
    """1 to the left, -1 to the right, 0 straight on (to a millimetre's worth of area)."""
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return 0 if abs(area) < 1e-6 else (1 if area > 0 else -1)


def _between(a: _Flat, b: _Flat, spot: _Flat) -> bool:
    return min(a[0], b[0]) <= spot[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= spot[1] <= max(a[1], b[1])


def _area(ring: Sequence[_Flat]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in _sides(ring)) / 2
